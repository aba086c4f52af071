//! What goes back: a backend's head, cleaned, or the gateway's own answer to a failure.

use std::fmt::Write as _;

use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Version, header};
use http_body::Body as _;
use serde::Serialize;

use super::hop::{self, Class, Seen};
use super::limits::MAX_MESSAGE;
use super::receive;
use crate::body::Body;
use crate::error::{Answer, Error, ErrorKind, Party, Result, Retry};

/// Refuses a final response with a status that none has. Backends of kinds outside this crate may
/// answer anything.
pub(super) fn check(status: StatusCode) -> Result<()> {
    if status.is_informational() || status.as_u16() > MAX_STATUS {
        let context = format!("status is {}", status.as_u16());
        return Err(Error::new(ErrorKind::BadResponse, Retry::IfIdempotent, context));
    }
    Ok(())
}

/// The last status of the last class there is (RFC 9110 section 15).
const MAX_STATUS: u16 = 599;

/// The body that goes with a head: none where none is allowed. Makes `Content-Length` say what is true,
/// in one line, or nothing (RFC 9110 section 8.6).
pub(super) fn framed(
    headers: &mut HeaderMap,
    status: StatusCode,
    method: &Method,
    body: Body,
) -> Body {
    if status == StatusCode::NO_CONTENT {
        headers.remove(header::CONTENT_LENGTH);
    }
    if headers.get_all(header::CONTENT_LENGTH).iter().nth(1).is_some()
        && (*method == Method::HEAD || status == StatusCode::NOT_MODIFIED)
    {
        // Which of them is true, nobody can tell without the body.
        headers.remove(header::CONTENT_LENGTH);
    }
    // Here it says what a GET would be answered.
    if *method == Method::HEAD
        || matches!(status, StatusCode::NOT_MODIFIED | StatusCode::NO_CONTENT)
    {
        return Body::empty();
    }
    let mut lines = headers.get_all(header::CONTENT_LENGTH).iter();
    if let Some(line) = lines.next() {
        let several = lines.next().is_some();
        match body.size_hint().exact() {
            Some(length) if several || !is_number(line, length) => {
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
            }
            None if several => {
                headers.remove(header::CONTENT_LENGTH);
            }
            _ => {}
        }
    }
    body
}

fn is_number(line: &HeaderValue, number: u64) -> bool {
    line.to_str().is_ok_and(|text| text.parse() == Ok(number) && !text.starts_with(['+', '0']))
        || number == 0 && line == "0"
}

/// The answer to a request that may not be forwarded any further (RFC 9110 section 7.6.2).
pub(super) fn reached(id: HeaderValue) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    response.headers_mut().insert(&hop::REQUEST_ID, id);
    response
}

/// Cleans the head of a backend's response and gives it the request's identity.
///
/// What it announces of trailers stays where they may come: behind a body of `unknown_length`.
pub(super) fn clean(headers: &mut HeaderMap, id: HeaderValue, unknown_length: bool) {
    let mut seen = Seen::default();
    for name in headers.keys() {
        seen.add(hop::class(name.as_str()));
    }
    if seen.has(Class::HopByHop) {
        let announced = hop::announced(headers, unknown_length);
        hop::remove(headers, seen);
        if let Some(names) = announced {
            headers.insert(header::TRAILER, names);
        }
    } else {
        hop::remove(headers, seen);
    }
    if seen.has(Class::Error) {
        hop::remove_class(headers, Class::Error);
    }
    headers.insert(&hop::REQUEST_ID, id);
}

/// What a failure's body says (RFC 9457).
#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'static str,
    request_id: &'a str,
}

/// The answer to a failure. Never what lies behind it, and never a backend's address.
pub(super) fn failure(
    error: &Error,
    id: HeaderValue,
    method: &Method,
    version: Version,
) -> Response<Body> {
    let Answer { status, code, .. } = error.kind().answer();
    let detail = message(error);
    let problem = Problem {
        r#type: "about:blank",
        title: status.canonical_reason().unwrap_or("Error"),
        status: status.as_u16(),
        detail: &detail,
        code,
        request_id: id.to_str().unwrap_or_default(),
    };
    let body = if *method == Method::HEAD {
        Body::empty()
    } else {
        Body::from(without_markup(&serde_json::to_string(&problem).unwrap_or_default()))
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(&hop::ERROR_CODE, HeaderValue::from_static(code));
    headers.insert(&hop::ERROR_MESSAGE, header_safe(&detail));
    headers.insert(&hop::REQUEST_ID, id);
    if version < Version::HTTP_2 && receive::ends_connection(error) {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// JSON in which nothing looks like a tag to who takes it for HTML. In JSON both stand in strings only.
fn without_markup(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e")
}

/// The kind's message and what it was about, the way the modelled system puts them together.
pub(super) fn message(error: &Error) -> String {
    let start = error.kind().answer().message;
    match (error.context(), error.party()) {
        ("", _) => start.to_owned(),
        (context, Party::Backend) => format!("{start} `{context}`"),
        (context, _) if start.ends_with(':') => format!("{start}{context}"),
        (context, _) => format!("{start} {context}"),
    }
}

/// The text as a header's value: everything but visible ASCII and space percent-encoded, at most
/// [`MAX_MESSAGE`] bytes.
fn header_safe(text: &str) -> HeaderValue {
    let mut safe = String::with_capacity(text.len().min(MAX_MESSAGE));
    for byte in text.bytes() {
        let plain = byte == b' ' || byte.is_ascii_graphic();
        if safe.len() + if plain { 1 } else { 3 } > MAX_MESSAGE {
            break;
        }
        if plain {
            safe.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(safe, "%{byte:02X}");
        }
    }
    HeaderValue::try_from(safe.trim()).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use proptest::prelude::*;

    use super::*;

    fn error(kind: ErrorKind, context: &str) -> Error {
        Error::new(kind, Retry::Never, context).caused_by("secret 10.0.0.7")
    }

    fn answer(error: &Error, method: &Method) -> Response<Body> {
        let id = HeaderValue::from_static("ID");
        failure(error, id, method, Version::HTTP_11)
    }

    #[tokio::test]
    async fn a_failure_says_what_but_not_what_lies_behind() {
        for kind in ErrorKind::ALL {
            let response = answer(&error(*kind, "some thing"), &Method::GET);
            let expected = kind.answer();
            assert_eq!(response.status(), expected.status);
            assert_eq!(response.headers()["x-ca-error-code"], expected.code);
            assert_eq!(response.headers()["x-ca-request-id"], "ID");
            assert_eq!(response.headers()["content-type"], "application/problem+json");
            assert_eq!(response.headers()["x-content-type-options"], "nosniff");
            let told = response.headers()["x-ca-error-message"].to_owned();
            let body = response.into_body().collect().await.unwrap().to_bytes();
            let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(problem["code"], expected.code);
            assert_eq!(problem["status"], expected.status.as_u16());
            assert_eq!(problem["detail"], told.to_str().unwrap());
            assert_eq!(problem["request_id"], "ID");
            assert!(!format!("{problem}{told:?}").contains("10.0.0.7"));
        }
    }

    #[test]
    fn messages_are_the_modelled_systems() {
        for (kind, context, expected) in [
            (ErrorKind::NotFound, "`GET /a`", "API not found with `GET /a`"),
            (ErrorKind::InvalidHeader, "`Host` is missing", "Invalid Header `Host` is missing"),
            (
                ErrorKind::Connect,
                "Connection is closed",
                "Backend service connect failed `Connection is closed`",
            ),
            (ErrorKind::InvalidBody, "", "Invalid Body"),
        ] {
            assert_eq!(message(&error(kind, context)), expected);
        }
    }

    #[test]
    fn head_gets_no_body_and_doubt_ends_the_connection() {
        let response = answer(&error(ErrorKind::InvalidHeader, ""), &Method::HEAD);
        assert!(response.body().is_end_stream());
        assert_eq!(response.headers()["connection"], "close");
        let response = answer(&error(ErrorKind::NotFound, ""), &Method::GET);
        assert!(!response.headers().contains_key("connection"));
        // An API that needs what is not there is no doubt about framing.
        let response = answer(&error(ErrorKind::NotImplemented, ""), &Method::GET);
        assert!(!response.headers().contains_key("connection"));
    }

    #[tokio::test]
    async fn nothing_in_a_body_looks_like_a_tag() {
        let response = answer(&error(ErrorKind::InvalidStage, "`<b>\\`"), &Method::GET);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert!(!body.contains(&b'<') && !body.contains(&b'>'));
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem["detail"], "Invalid Stage `<b>\\`");
    }

    #[test]
    fn a_length_is_true_or_not_there() {
        for (status, method, lines, body, expected, left) in [
            (200, Method::GET, &["2"][..], "ab", &["2"][..], 2),
            (200, Method::GET, &["3"], "ab", &["2"], 2),
            (200, Method::GET, &["02"], "ab", &["2"], 2),
            (200, Method::GET, &["2", "2"], "ab", &["2"], 2),
            (200, Method::GET, &["0"], "", &["0"], 0),
            (200, Method::GET, &["9"], "", &["0"], 0),
            (200, Method::GET, &[], "ab", &[], 2),
            (200, Method::HEAD, &["9"], "ab", &["9"], 0),
            (304, Method::GET, &["9"], "ab", &["9"], 0),
            (204, Method::GET, &["2"], "ab", &[], 0),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::CONTENT_LENGTH, HeaderValue::from_static(line));
            }
            let status = StatusCode::from_u16(status).unwrap();
            let body = framed(&mut headers, status, &method, Body::from(body));
            let told: Vec<_> = headers.get_all(header::CONTENT_LENGTH).iter().collect();
            assert_eq!(told, expected, "{status} {method} {lines:?}");
            assert_eq!(body.size_hint().exact(), Some(left), "{status} {method} {lines:?}");
        }
    }

    #[test]
    fn a_final_status_is_between_200_and_599() {
        for (status, fine) in
            [(100, false), (101, false), (199, false), (200, true), (599, true), (600, false)]
        {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(check(status).is_ok(), fine, "{status}");
        }
    }

    #[test]
    fn a_backends_errors_and_hops_end_here() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-ca-error-code", "I404NF"),
            ("x-ca-error-other", "1"),
            ("x-ca-request-id", "theirs"),
            ("connection", "x-b"),
            ("x-b", "1"),
            ("keep-alive", "timeout=5"),
            ("transfer-encoding", "chunked"),
            ("set-cookie", "a"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        headers.append("set-cookie", HeaderValue::from_static("b"));
        clean(&mut headers, HeaderValue::from_static("ours"), false);
        assert_eq!(headers["x-ca-request-id"], "ours");
        assert_eq!(headers.get_all("set-cookie").iter().count(), 2);
        assert_eq!(headers.keys_len(), 2, "{headers:?}");
    }

    proptest! {
        #[test]
        fn any_text_makes_a_header(text in "(?s).{0,600}") {
            let value = header_safe(&text);
            prop_assert!(value.len() <= MAX_MESSAGE);
            prop_assert!(value.as_bytes().iter().all(|b| *b == b' ' || b.is_ascii_graphic()));
            // No escape is cut in two.
            let last = value.as_bytes().iter().rposition(|b| *b == b'%');
            if let (Some(at), false) = (last, text.contains('%')) {
                prop_assert!(at + 3 <= value.len());
            }
        }

        #[test]
        fn plain_text_is_kept(text in "[!-~]{1,80}") {
            prop_assert_eq!(header_safe(&text), text.as_str());
        }
    }
}
