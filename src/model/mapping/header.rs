//! Which headers nothing may be mapped to, and which texts can stand in one.

use http::{HeaderName, HeaderValue};

/// Why nothing may be mapped to a header of this name, if nothing may. `_` stands for `-` as well: some
/// backends read it so.
pub(super) fn refusal(name: &HeaderName, is_constant: bool) -> Option<&'static str> {
    let name = name.as_str().replace('_', "-");
    match name.as_str() {
        "host" if is_constant => None,
        "host" => Some("is the host, which only a constant may set"),
        "content-length" | "transfer-encoding" | "expect" => Some("frames the message"),
        "connection" | "keep-alive" | "te" | "trailer" | "upgrade" | "http2-settings" => {
            Some("ends at the next hop")
        }
        name if name.starts_with("proxy-") => Some("ends at the next hop"),
        "forwarded" | "x-forwarded-for" | "x-forwarded-proto" | "x-forwarded-host" | "via"
        | "x-ca-request-id" => Some("is the gateway's own"),
        name if name.starts_with("x-ca-error-") => Some("is the gateway's own"),
        _ => None,
    }
}

/// A text as a header's value: visible ASCII and spaces between it. Anything else would be read
/// differently by different readers, or end the header.
pub(crate) fn value(text: &str) -> Option<HeaderValue> {
    let visible = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let padded = text.starts_with(' ') || text.ends_with(' ');
    if visible && !padded { HeaderValue::from_str(text).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn framing_hops_and_the_gateways_own_are_refused() {
        for name in [
            "content-length",
            "transfer-encoding",
            "Connection",
            "keep-alive",
            "te",
            "trailer",
            "upgrade",
            "proxy-authorization",
            "proxy-x",
            "expect",
            "X-Ca-Request-Id",
            "x-ca-error-code",
            "x-forwarded-for",
            "x-forwarded-proto",
            "x_forwarded-host",
            "via",
            "content_length",
        ] {
            let name = name.parse().unwrap();
            assert!(refusal(&name, false).is_some() && refusal(&name, true).is_some(), "{name}");
        }
        let host = http::header::HOST;
        assert!(refusal(&host, false).is_some() && refusal(&host, true).is_none());
        for name in ["x-query", "x-ca-stage", "authorization", "x-real-ip", "content-type"] {
            assert_eq!(refusal(&name.parse().unwrap(), false), None);
        }
    }

    #[test]
    fn a_value_is_visible_from_end_to_end() {
        for text in ["", "a b", "~!", "a,b"] {
            assert_eq!(value(text).unwrap(), text);
        }
        for text in [" a", "a ", "a\tb", "a\r\nX: y", "a\0", "é", "\u{7f}", "a\n"] {
            assert_eq!(value(text), None, "{text:?}");
        }
    }
}
