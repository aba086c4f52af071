//! Reading a request's head: what is refused before anybody asks where it should go.

use http::request::Parts;
use http::uri::Scheme;
use http::{HeaderMap, HeaderValue, Method, Version, header};

use super::hop::{self, Class, Seen};
use super::host::Authority;
use super::limits::{MAX_HEADER_BYTES, MAX_HEADERS, MAX_URI};
use crate::error::{Error, ErrorKind, Result, Retry, Stage};

/// What was read of a request's head, once.
#[derive(Debug)]
pub(super) struct Received<'a> {
    pub(super) seen: Seen,
    pub(super) authority: Authority<'a>,
    pub(super) stage: Asked<'a>,
    pub(super) content_length: Option<u64>,
}

/// The environment a request asks for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asked<'a> {
    Nothing,
    One(&'a [u8]),
    /// Two headers that contradict each other.
    Several,
}

/// A refusal of the client's request.
pub(super) fn refused(kind: ErrorKind, context: impl Into<String>) -> Error {
    Error::new(kind, Retry::Never, context)
}

/// Whether the connection must not be used after this answer: where the request ends is in doubt.
pub(super) fn ends_connection(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidHeader | ErrorKind::NotImplemented)
        && error.stage() == Stage::Receive
}

/// Reads a head.
pub(super) fn read(parts: &Parts) -> Result<Received<'_>> {
    if matches!(parts.method, Method::TRACE | Method::CONNECT) {
        return Err(refused(ErrorKind::UnsupportedMethod, format!("`{}`", parts.method)));
    }
    check_uri(parts)?;
    let head = Head::read(&parts.headers)?;
    head.check_framing(&parts.headers)?;
    Ok(Received {
        seen: head.seen,
        authority: head.authority(parts)?,
        stage: head.stage,
        content_length: head.content_length,
    })
}

fn check_uri(parts: &Parts) -> Result<()> {
    let path = parts.uri.path_and_query().map_or(0, |it| it.as_str().len());
    let authority = parts.uri.authority().map_or(0, |it| it.as_str().len());
    if path + authority > MAX_URI {
        let context = format!("more than {MAX_URI} bytes");
        return Err(refused(ErrorKind::UrlTooLarge, context));
    }
    Ok(())
}

fn invalid(name: &str, reason: &str) -> Error {
    refused(ErrorKind::InvalidHeader, format!("`{name}` {reason}"))
}

struct Head<'a> {
    seen: Seen,
    host: Option<&'a HeaderValue>,
    several_hosts: bool,
    stage: Asked<'a>,
    content_length: Option<u64>,
}

impl<'a> Head<'a> {
    fn read(headers: &'a HeaderMap) -> Result<Self> {
        let mut head = Self {
            seen: Seen::default(),
            host: None,
            several_hosts: false,
            stage: Asked::Nothing,
            content_length: None,
        };
        if headers.len() > MAX_HEADERS {
            let context = format!("more than {MAX_HEADERS}");
            return Err(refused(ErrorKind::HeadersTooLarge, context));
        }
        let mut bytes = 0;
        for (name, value) in headers {
            let name = name.as_str();
            bytes += name.len() + value.len() + ": \r\n".len();
            let class = hop::class(name);
            if class != Class::Plain {
                head.take(class, value)?;
            }
        }
        if bytes > MAX_HEADER_BYTES {
            let context = format!("more than {MAX_HEADER_BYTES} bytes");
            return Err(refused(ErrorKind::HeadersTooLarge, context));
        }
        Ok(head)
    }

    fn take(&mut self, class: Class, value: &'a HeaderValue) -> Result<()> {
        self.seen.add(class);
        match class {
            Class::Host => self.several_hosts |= self.host.replace(value).is_some(),
            Class::Stage => {
                self.stage = match self.stage {
                    Asked::One(before) if before != value.as_bytes() => Asked::Several,
                    Asked::Several => Asked::Several,
                    _ => Asked::One(value.as_bytes()),
                }
            }
            Class::ContentLength => {
                let length = content_length(value)
                    .ok_or_else(|| invalid("Content-Length", "is not a length"))?;
                if self.content_length.is_some_and(|before| before != length) {
                    return Err(invalid("Content-Length", "is there twice and differs"));
                }
                self.content_length = Some(length);
            }
            _ => {}
        }
        Ok(())
    }

    /// Refuses what two readers could frame in two ways (RFC 9112 section 6.3).
    fn check_framing(&self, headers: &HeaderMap) -> Result<()> {
        if !self.seen.has(Class::TransferEncoding) {
            return Ok(());
        }
        if self.content_length.is_some() {
            return Err(invalid("Transfer-Encoding", "is there with `Content-Length`"));
        }
        let mut lines = headers.get_all(header::TRANSFER_ENCODING).iter();
        let line = lines.next().map_or(&[][..], HeaderValue::as_bytes);
        if lines.next().is_some() {
            return Err(invalid("Transfer-Encoding", "is there twice"));
        }
        transfer_coding(line)
    }

    /// The one authority the request names, in `Host` or in its URI (RFC 9112 section 3.2).
    fn authority(&self, parts: &'a Parts) -> Result<Authority<'a>> {
        if self.several_hosts {
            return Err(invalid("Host", "is there more than once"));
        }
        let given = parts.uri.authority();
        if self.host.is_none() && (given.is_none() || parts.version < Version::HTTP_2) {
            return Err(invalid("Host", "is missing"));
        }
        let parse = |text| Authority::parse(text).ok_or_else(|| invalid("Host", "is not a host"));
        let host = match self.host {
            Some(value) => {
                let text = value.to_str().map_err(|_| invalid("Host", "is not text"))?;
                Some(parse(text)?)
            }
            None => None,
        };
        let given = match given {
            Some(text) => Some(parse(text.as_str())?),
            None => None,
        };
        match (host, given) {
            (Some(host), Some(given)) => {
                let default = if parts.uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
                if host.same(&given, default) {
                    Ok(host)
                } else {
                    Err(invalid("Host", "differs from the request's URI"))
                }
            }
            (Some(authority), None) | (None, Some(authority)) => Ok(authority),
            (None, None) => Err(invalid("Host", "is missing")),
        }
    }
}

/// Accepts the one transfer coding there is. Others before it may be right, and are not served.
pub(crate) fn transfer_coding(line: &[u8]) -> Result<()> {
    let chunked = |coding: &[u8]| coding.trim_ascii().eq_ignore_ascii_case(b"chunked");
    if chunked(line) {
        return Ok(());
    }
    let mut codings = line.rsplit(|byte| *byte == b',');
    let last = codings.next().unwrap_or_default();
    if chunked(last) && !codings.any(|other| chunked(other) || other.trim_ascii().is_empty()) {
        let context = "a transfer coding other than `chunked`";
        let error = refused(ErrorKind::NotImplemented, context);
        return Err(error.at_stage(Stage::Receive));
    }
    Err(invalid("Transfer-Encoding", "is not one `chunked` at the end"))
}

fn content_length(value: &HeaderValue) -> Option<u64> {
    let digits = value.to_str().ok()?;
    // `parse` alone would take a sign.
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn parts(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn kind(uri: &str, headers: &[(&str, &str)]) -> Option<(ErrorKind, bool)> {
        let parts = parts(uri, headers);
        let error = read(&parts).err()?;
        Some((error.kind(), ends_connection(&error)))
    }

    #[test]
    fn a_request_names_one_host() {
        let refused = Some((ErrorKind::InvalidHeader, true));
        assert_eq!(kind("/", &[("host", "a")]), None);
        assert_eq!(kind("/", &[]), refused);
        assert_eq!(kind("/", &[("host", "a"), ("host", "a")]), refused);
        assert_eq!(kind("/", &[("host", "")]), refused);
        assert_eq!(kind("/", &[("host", "u@a")]), refused);
        assert_eq!(kind("http://a/", &[]), refused);
        assert_eq!(kind("http://a:80/", &[("host", "A.")]), None);
        assert_eq!(kind("https://a/", &[("host", "a:443")]), None);
        assert_eq!(kind("http://a/", &[("host", "b")]), refused);
        assert_eq!(kind("http://a:81/", &[("host", "a")]), refused);
    }

    #[test]
    fn http_2_names_it_in_the_uri() {
        let mut parts = parts("https://Shop.example.com:8443/", &[]);
        parts.version = Version::HTTP_2;
        let received = read(&parts).unwrap();
        assert_eq!(received.authority.host, "shop.example.com");
        assert_eq!(received.authority.port, Some(8443));
    }

    #[test]
    fn ambiguous_framing_is_refused() {
        let with = |headers: &[(&str, &str)]| {
            let mut all = vec![("host", "a")];
            all.extend_from_slice(headers);
            kind("/", &all)
        };
        let bad = Some((ErrorKind::InvalidHeader, true));
        let unknown = Some((ErrorKind::NotImplemented, true));
        for (value, expected) in [
            ("chunked", None),
            ("CHUNKED", None),
            ("gzip, chunked", unknown),
            ("chunked, chunked", bad),
            (", chunked", bad),
            ("chunked, identity", bad),
            ("xchunked", bad),
            ("", bad),
        ] {
            assert_eq!(with(&[("transfer-encoding", value)]), expected, "{value}");
        }
        let twice = [("transfer-encoding", "chunked"); 2];
        assert_eq!(with(&twice), bad);
        let both = [("transfer-encoding", "chunked"), ("content-length", "1")];
        assert_eq!(with(&both), bad);
        for value in ["+1", "-1", "0x1", "1, 1", "18446744073709551616"] {
            assert_eq!(with(&[("content-length", value)]), bad, "{value}");
        }
        let same = [("content-length", "1"), ("content-length", "01")];
        assert_eq!(with(&same), None);
        let differ = [("content-length", "1"), ("content-length", "2")];
        assert_eq!(with(&differ), bad);
    }

    #[test]
    fn too_much_is_refused_by_name() {
        let kept = Some(ErrorKind::HeadersTooLarge);
        let kind = |uri: &str, headers: &[(&str, &str)]| kind(uri, headers).map(|(kind, _)| kind);
        let uri = format!("/{}", "a".repeat(MAX_URI - 1));
        assert_eq!(kind(&uri, &[("host", "a")]), None);
        let longer = format!("{uri}a");
        assert_eq!(kind(&longer, &[("host", "a")]), Some(ErrorKind::UrlTooLarge));
        let value = "v".repeat(MAX_HEADER_BYTES - "host: a\r\nx: \r\n".len());
        assert_eq!(kind("/", &[("host", "a"), ("x", &value)]), None);
        let longer = format!("{value}v");
        assert_eq!(kind("/", &[("host", "a"), ("x", &longer)]), kept);
        let mut many = vec![("host", "a")];
        many.extend_from_slice(&[("x", "1"); MAX_HEADERS - 1]);
        assert_eq!(kind("/", &many), None);
        many.push(("x", "1"));
        assert_eq!(kind("/", &many), kept);
    }
}
