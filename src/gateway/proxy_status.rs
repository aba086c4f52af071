//! `Proxy-Status`: what this hop made of a request, for the hops after it (RFC 9209).

use std::fmt::{self, Write as _};
use std::str::FromStr;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::error::{Answer, ErrorKind};

static PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");

/// Bytes in a name: as many as a host name's longest label twice over, and far from what makes a
/// response's head too large.
const MAX_NAME: usize = 128;

/// What a gateway calls itself in `Proxy-Status`: its host name, its product, its place.
///
/// Visible ASCII and spaces, 1 to 128 bytes. It is written as a token where it is one, else as a
/// string (RFC 9209 section 2, RFC 8941 section 3.3).
///
/// ```
/// use backhaul::gateway::ProxyName;
/// assert_eq!("edge-1.example.com".parse::<ProxyName>()?.to_string(), "edge-1.example.com");
/// assert_eq!("edge 1".parse::<ProxyName>()?.to_string(), "\"edge 1\"");
/// assert!("édge".parse::<ProxyName>().is_err());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProxyName(Arc<str>);

impl ProxyName {
    /// Says of the gateway's own answer which failure it tells: the kind's `error` and its code and
    /// message, nothing of the request, and nothing of the backend.
    pub(super) fn tell_failure(&self, headers: &mut HeaderMap, kind: ErrorKind) {
        let Answer { code, message, .. } = kind.answer();
        let mut text = self.0.to_string();
        if let Some(error) = kind.proxy_error() {
            // Writing to a string cannot fail.
            let _ = write!(text, "; error={error}");
        }
        let _ = write!(text, "; details=\"{code} {message}\"");
        append(headers, text);
    }

    /// Says of a backend's answer that it came through here, and with which status. What was said
    /// before stays in front: the list goes from the origin to the client.
    pub(super) fn tell_received(&self, headers: &mut HeaderMap, status: StatusCode) {
        append(headers, format!("{}; received-status={}", self.0, status.as_str()));
    }
}

fn append(headers: &mut HeaderMap, text: String) {
    if let Ok(value) = HeaderValue::try_from(text) {
        headers.append(&PROXY_STATUS, value);
    }
}

impl fmt::Display for ProxyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ProxyName {
    type Err = InvalidProxyName;

    fn from_str(text: &str) -> Result<Self, InvalidProxyName> {
        let plain = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
        if text.is_empty() || text.len() > MAX_NAME || !text.bytes().all(plain) {
            return Err(InvalidProxyName(text.chars().take(SHOWN).collect()));
        }
        if is_token(text) {
            return Ok(Self(text.into()));
        }
        let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
        Ok(Self(format!("\"{escaped}\"").into()))
    }
}

/// Whether a text is a token of structured fields (RFC 8941 section 3.3.4).
fn is_token(text: &str) -> bool {
    let starts = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'*';
    let goes_on = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/".contains(byte);
    text.as_bytes().first().is_some_and(starts) && text.as_bytes().iter().all(goes_on)
}

/// Characters of a refused text that its error repeats.
const SHOWN: usize = 80;

/// The text is no name a proxy can have in `Proxy-Status`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is not 1 to {MAX_NAME} bytes of visible ASCII and spaces")]
pub struct InvalidProxyName(Box<str>);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> ProxyName {
        text.parse().unwrap()
    }

    fn lines(headers: &HeaderMap) -> Vec<&str> {
        headers.get_all(&PROXY_STATUS).iter().map(|line| line.to_str().unwrap()).collect()
    }

    #[test]
    fn a_name_is_a_token_or_a_string() {
        for (text, written) in [
            ("edge-1.example.com", "edge-1.example.com"),
            ("*a:/b", "*a:/b"),
            ("1edge", "\"1edge\""),
            ("edge one", "\"edge one\""),
            ("a\"b\\c", "\"a\\\"b\\\\c\""),
            ("a;error=x", "\"a;error=x\""),
        ] {
            assert_eq!(name(text).to_string(), written);
        }
        let long = "a".repeat(MAX_NAME + 1);
        for bad in ["", "a\r\nb", "é", "a\0", "\t", long.as_str()] {
            assert!(bad.parse::<ProxyName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_failure_tells_its_kind_and_no_more() {
        for kind in ErrorKind::ALL {
            let mut headers = HeaderMap::new();
            name("edge").tell_failure(&mut headers, *kind);
            let Answer { code, message, .. } = kind.answer();
            let details = format!("details=\"{code} {message}\"");
            let expected = match kind.proxy_error() {
                Some(error) => format!("edge; error={error}; {details}"),
                None => format!("edge; {details}"),
            };
            assert_eq!(lines(&headers), [expected]);
            // What stands between the quotes must not need escaping.
            assert!(!message.contains(['"', '\\']) && message.is_ascii());
        }
    }

    #[test]
    fn a_backends_list_is_added_to() {
        let mut headers = HeaderMap::new();
        headers.append(&PROXY_STATUS, HeaderValue::from_static("cache; received-status=200"));
        name("edge 1").tell_received(&mut headers, StatusCode::NOT_FOUND);
        let expected = ["cache; received-status=200", "\"edge 1\"; received-status=404"];
        assert_eq!(lines(&headers), expected);
    }

    proptest! {
        #[test]
        fn any_name_makes_one_member_of_the_list(text in "[ -~]{1,128}") {
            let written = name(&text).to_string();
            let inside = written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            match inside {
                None => prop_assert_eq!(&written, &text),
                Some(inside) => {
                    let mut read = String::new();
                    let mut escaped = false;
                    for letter in inside.chars() {
                        prop_assert!(escaped || letter != '"');
                        if escaped || letter != '\\' { read.push(letter); }
                        escaped = !escaped && letter == '\\';
                    }
                    prop_assert!(!escaped);
                    prop_assert_eq!(read, text);
                }
            }
        }
    }
}
