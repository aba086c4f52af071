//! Which headers mean something to a gateway, and which of them end here.
//!
//! Headers are read once; what was seen decides what has to be removed (RFC 9110 section 7.6.1).

use http::Version;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

pub(super) static REQUEST_ID: HeaderName = HeaderName::from_static("x-ca-request-id");
pub(super) static ERROR_CODE: HeaderName = HeaderName::from_static("x-ca-error-code");
pub(super) static ERROR_MESSAGE: HeaderName = HeaderName::from_static("x-ca-error-message");
pub(super) static REQUEST_MODE: HeaderName = HeaderName::from_static("x-ca-request-mode");
pub(super) static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
pub(super) static FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
pub(super) static FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Headers about one connection, besides `Connection` and `Transfer-Encoding`.
const HOP_BY_HOP: [&str; 9] = [
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
    "proxy-authenticate",
    "proxy-authorization",
    "http2-settings",
    "alt-svc",
];

const STAGE: &str = "x-ca-stage";

/// What `Connection` must not name: framing, and what is meant for every recipient.
const END_TO_END: [&str; 16] = [
    "host",
    "content-length",
    "transfer-encoding",
    "content-type",
    "content-encoding",
    "content-range",
    "authorization",
    "cookie",
    "set-cookie",
    "cache-control",
    "date",
    "location",
    "range",
    "expect",
    "www-authenticate",
    STAGE,
];

/// What says one thing, and would be read differently by those who take the first, the last or all of
/// them (RFC 9110 section 5.3): who calls, what for, and what the body is. `Host`, `X-Ca-Stage` and what
/// frames a message have rules of their own.
const SINGLE: [&str; 12] = [
    "authorization",
    "content-md5",
    "content-range",
    "content-type",
    "max-forwards",
    "origin",
    "x-ca-key",
    "x-ca-nonce",
    "x-ca-signature",
    "x-ca-signature-headers",
    "x-ca-signature-method",
    "x-ca-timestamp",
];

/// How names begin that mean something in a head only.
const FOR_HEADS: [&str; 6] =
    ["content-", "x-ca-", "x-forwarded-", "sec-", "access-control-", "if-"];

/// What a header's name means here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(super) enum Class {
    Plain,
    Connection,
    HopByHop,
    TransferEncoding,
    ContentLength,
    Host,
    Expect,
    Authorization,
    Cookie,
    MaxForwards,
    /// Another that says one thing.
    Single,
    Stage,
    Forwarded,
    ForwardedFor,
    ForwardedProto,
    ForwardedHost,
    Via,
    /// What a gateway answers of itself.
    Error,
    /// How its client wants to be told of it.
    RequestMode,
    /// With `_` for `-` it would be one of the others, and some backends read it so.
    Shadow,
    /// No header's own class: one that says one thing said it twice.
    Repeated,
}

/// The classes of the headers of a message.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen(u32);

impl Seen {
    pub(super) fn add(&mut self, class: Class) {
        self.0 |= 1 << (class as u8);
    }

    pub(super) fn has(self, class: Class) -> bool {
        self.0 & (1 << (class as u8)) != 0
    }
}

/// What a header's name, in lower case, means here.
pub(super) fn class(name: &str) -> Class {
    match name.len() {
        2 if name == "te" => Class::HopByHop,
        3 if name == "via" => Class::Via,
        4 if name == "host" => Class::Host,
        6 if name == "expect" => Class::Expect,
        6 if name == "cookie" => Class::Cookie,
        6 if name == "origin" => Class::Single,
        7 if matches!(name, "trailer" | "upgrade" | "alt-svc") => Class::HopByHop,
        8 if name == "x-ca-key" => Class::Single,
        9 if name == "forwarded" => Class::Forwarded,
        10 if name == "connection" => Class::Connection,
        10 if matches!(name, "keep-alive" | "x-ca-stage") => {
            if name == "keep-alive" {
                Class::HopByHop
            } else {
                Class::Stage
            }
        }
        10 if name == "x-ca-nonce" => Class::Single,
        11 if name == "content-md5" => Class::Single,
        12 if name == "content-type" => Class::Single,
        12 if name == "max-forwards" => Class::MaxForwards,
        13 if name == "authorization" => Class::Authorization,
        13 if name == "content-range" => Class::Single,
        14 if matches!(name, "content-length" | "http2-settings") => {
            if name == "content-length" {
                Class::ContentLength
            } else {
                Class::HopByHop
            }
        }
        14 if matches!(name, "x-ca-signature" | "x-ca-timestamp") => Class::Single,
        15 if name == "x-forwarded-for" => Class::ForwardedFor,
        15 | 18 if name.starts_with("x-ca-error-") => Class::Error,
        15 if name == "x-ca-debug-info" => Class::Error,
        16 if name == "x-forwarded-host" => Class::ForwardedHost,
        16 if name == "proxy-connection" => Class::HopByHop,
        17 if name == "x-forwarded-proto" => Class::ForwardedProto,
        17 if name == "transfer-encoding" => Class::TransferEncoding,
        17 if name == "x-ca-request-mode" => Class::RequestMode,
        18 if name == "proxy-authenticate" => Class::HopByHop,
        19 if name == "proxy-authorization" => Class::HopByHop,
        21 if name == "x-ca-signature-method" => Class::Single,
        22 if name == "x-ca-signature-headers" => Class::Single,
        12.. if name.starts_with("x-ca-error-") => Class::Error,
        _ if name.contains('_') && shadows(name) => Class::Shadow,
        _ => Class::Plain,
    }
}

fn shadows(name: &str) -> bool {
    let name = name.replace('_', "-");
    name.starts_with("x-ca-")
        || HOP_BY_HOP.contains(&name.as_str())
        || END_TO_END.contains(&name.as_str())
        || !matches!(class(&name), Class::Plain)
}

/// Removes what ends here from a message in which `seen` was seen. `Transfer-Encoding` is about the
/// framing of the connection it came on and goes too.
pub(super) fn remove(headers: &mut HeaderMap, seen: Seen) {
    if seen.has(Class::Connection) {
        remove_nominated(headers);
    }
    if seen.has(Class::TransferEncoding) {
        headers.remove(header::TRANSFER_ENCODING);
    }
    if seen.has(Class::HopByHop) {
        for name in HOP_BY_HOP {
            headers.remove(name);
        }
    }
}

/// Removes `Connection` and what it names. Several lines are one list, whatever the first says.
fn remove_nominated(headers: &mut HeaderMap) {
    let several = headers.get_all(header::CONNECTION).iter().nth(1).is_some();
    if several {
        let lines: Vec<HeaderValue> = headers.get_all(header::CONNECTION).iter().cloned().collect();
        headers.remove(header::CONNECTION);
        for line in &lines {
            remove_named(headers, line);
        }
    } else if let Some(line) = headers.remove(header::CONNECTION) {
        remove_named(headers, &line);
    }
}

fn remove_named(headers: &mut HeaderMap, line: &HeaderValue) {
    for option in line.as_bytes().split(|byte| *byte == b',') {
        let option = option.trim_ascii();
        if option.is_empty()
            || option.eq_ignore_ascii_case(b"close")
            || option.eq_ignore_ascii_case(b"keep-alive")
        {
            continue;
        }
        let Ok(name) = HeaderName::from_bytes(option) else {
            continue;
        };
        if !END_TO_END.contains(&name.as_str()) {
            headers.remove(&name);
        }
    }
}

/// What a message says about trailers. It is about one connection, but a gateway that passes them on has
/// to say it anew.
pub(super) struct Trailers {
    accepted: bool,
    announced: Option<HeaderValue>,
}

impl Trailers {
    /// Reads a request's headers. They are announced only before a body of unknown length: after any
    /// other there are none. HTTP/1.1 has to name `TE` in `Connection` (RFC 9110 section 10.1.4).
    pub(super) fn of(headers: &HeaderMap, version: Version, unknown_length: bool) -> Self {
        let accepted = lists(headers, &header::TE, b"trailers")
            && (version == Version::HTTP_2 || lists(headers, &header::CONNECTION, b"te"));
        Self { accepted, announced: announced(headers, unknown_length) }
    }

    /// Says it anew.
    pub(super) fn put_back(self, headers: &mut HeaderMap) {
        if self.accepted {
            headers.insert(header::TE, HeaderValue::from_static("trailers"));
        }
        if let Some(names) = self.announced {
            headers.insert(header::TRAILER, names);
        }
    }
}

/// What is announced by a message whose trailers may come, and is passed on.
pub(super) fn announced(headers: &HeaderMap, unknown_length: bool) -> Option<HeaderValue> {
    let lines = headers.get_all(header::TRAILER).iter().filter(|_| unknown_length);
    let words = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    let names = words.filter_map(|word| HeaderName::from_bytes(word.trim_ascii()).ok());
    let kept: Vec<_> = names.filter(|name| !is_for_heads(name.as_str())).collect();
    let kept: Vec<_> = kept.iter().map(HeaderName::as_str).collect();
    HeaderValue::try_from(kept.join(", ")).ok().filter(|_| !kept.is_empty())
}

/// Whether a trailer of this name must not be: it stands in a head, or is the gateway's to say.
fn is_for_heads(name: &str) -> bool {
    class(name) != Class::Plain
        || END_TO_END.contains(&name)
        || FOR_HEADS.iter().any(|start| name.starts_with(start))
}

/// Whether a list has a word in it.
pub(super) fn lists(headers: &HeaderMap, name: &HeaderName, word: &[u8]) -> bool {
    let lines = headers.get_all(name).iter();
    let mut words = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    words.any(|it| it.trim_ascii().eq_ignore_ascii_case(word))
}

/// Removes from a message's trailers what must stand in its head or is the gateway's to say: framing,
/// routing, who calls, what the body is (RFC 9110 section 6.5.1).
pub(super) fn clean_trailers(trailers: &mut HeaderMap) {
    let names: Vec<HeaderName> =
        trailers.keys().filter(|name| is_for_heads(name.as_str())).cloned().collect();
    for name in names {
        trailers.remove(name);
    }
}

/// Leaves one of each header that says one thing.
pub(super) fn collapse(headers: &mut HeaderMap) {
    for name in SINGLE.into_iter().chain([STAGE]) {
        if headers.get_all(name).iter().nth(1).is_some()
            && let Some(said) = headers.get(name).cloned()
        {
            headers.insert(HeaderName::from_static(name), said);
        }
    }
}

/// Makes one line of several `Cookie` lines. HTTP/2 sends them in crumbs (RFC 9113 section 8.2.3), and
/// servers of HTTP/1 differ in which of several they read.
pub(super) fn join_cookies(headers: &mut HeaderMap) {
    if headers.get_all(header::COOKIE).iter().nth(1).is_none() {
        return;
    }
    let mut joined = Vec::new();
    for crumb in headers.get_all(header::COOKIE) {
        if !joined.is_empty() {
            joined.extend_from_slice(b"; ");
        }
        joined.extend_from_slice(crumb.as_bytes());
    }
    // Parts of valid values make a valid value.
    if let Ok(cookie) = HeaderValue::try_from(joined) {
        headers.insert(header::COOKIE, cookie);
    }
}

/// Removes every header whose name passes for one of the gateway's own.
pub(super) fn remove_shadows(headers: &mut HeaderMap) {
    remove_class(headers, Class::Shadow);
}

/// Removes every header of a class.
pub(super) fn remove_class(headers: &mut HeaderMap, unwanted: Class) {
    let names: Vec<HeaderName> =
        headers.keys().filter(|name| class(name.as_str()) == unwanted).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seen(headers: &HeaderMap) -> Seen {
        let mut seen = Seen::default();
        for name in headers.keys() {
            seen.add(class(name.as_str()));
        }
        seen
    }

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        headers
    }

    #[test]
    fn every_listed_name_has_its_class() {
        for name in HOP_BY_HOP {
            assert_eq!(class(name), Class::HopByHop, "{name}");
        }
        for name in SINGLE {
            let expected = match name {
                "authorization" => Class::Authorization,
                "max-forwards" => Class::MaxForwards,
                _ => Class::Single,
            };
            assert_eq!(class(name), expected, "{name}");
        }
        for (name, expected) in [
            ("connection", Class::Connection),
            ("transfer-encoding", Class::TransferEncoding),
            ("x-ca-stage", Class::Stage),
            ("cookie", Class::Cookie),
            ("x-ca-error-code", Class::Error),
            ("x-ca-error-message", Class::Error),
            ("x-ca-error-x", Class::Error),
            ("x_forwarded_for", Class::Shadow),
            ("x-forwarded_for", Class::Shadow),
            ("x_ca_request_id", Class::Shadow),
            ("content_length", Class::Shadow),
            ("x_custom", Class::Plain),
            ("accept", Class::Plain),
        ] {
            assert_eq!(class(name), expected, "{name}");
        }
    }

    #[test]
    fn several_connection_lines_are_one_list() {
        let mut map = headers(&[
            ("connection", ""),
            ("connection", "X-A, close"),
            ("connection", " x-b ,, host, Content-Length"),
            ("x-a", "1"),
            ("x-b", "1"),
            ("x-c", "1"),
            ("host", "a"),
            ("content-length", "3"),
        ]);
        let seen = seen(&map);
        remove(&mut map, seen);
        let mut left: Vec<_> = map.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["content-length", "host", "x-c"]);
    }

    #[test]
    fn crumbs_are_joined_and_repetitions_collapse() {
        let mut map = headers(&[
            ("cookie", "a=1"),
            ("content-type", "text/plain"),
            ("cookie", "b=2; c=3"),
            ("content-type", "text/plain"),
            ("x-ca-stage", "TEST"),
            ("x-ca-stage", "TEST"),
            ("accept", "a"),
            ("accept", "a"),
        ]);
        join_cookies(&mut map);
        collapse(&mut map);
        assert_eq!(map["cookie"], "a=1; b=2; c=3");
        assert_eq!(map["content-type"], "text/plain");
        assert_eq!((map.keys_len(), map.len()), (4, 5));
    }

    proptest! {
        #[test]
        fn nothing_that_ends_here_is_left(
            names in proptest::collection::vec("x-[a-d]|te|upgrade|keep-alive|host|cookie", 0..12),
            named in proptest::collection::vec(
                proptest::collection::vec("X-[A-D]|close|Host|cookie|\"bad\"|", 0..4), 0..4),
        ) {
            let mut map = HeaderMap::new();
            for name in &names {
                map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_static("1"));
            }
            for line in &named {
                map.append(header::CONNECTION, HeaderValue::from_str(&line.join(" , ")).unwrap());
            }
            let before = map.clone();
            let seen = seen(&map);
            remove(&mut map, seen);
            let nominated: Vec<String> = named.iter().flatten().map(|name| name.to_lowercase()).collect();
            for name in before.keys() {
                let text = name.as_str();
                let ends = text == "connection"
                    || HOP_BY_HOP.contains(&text)
                    || (!END_TO_END.contains(&text) && nominated.iter().any(|other| other == text));
                let left = map.get_all(name).iter().count();
                let expected = if ends { 0 } else { before.get_all(name).iter().count() };
                prop_assert_eq!(left, expected, "{}", text);
            }
        }
    }
}
