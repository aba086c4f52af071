//! Whether an answer can be believed, and what it means when there is none.
//!
//! A backend whose answer could be read in two ways is refused, because the gateway behind it and the
//! client behind that might read it differently.

use std::error::Error as StdError;

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::http1::is_impatient;
use crate::error::{Error, ErrorKind, Result, Retry};

/// Largest response head in bytes: twice what most servers send at most, and a bound on what a hostile
/// one can make this node keep.
pub(super) const MAX_HEAD: usize = 32 * 1024;

/// Refuses a head whose framing is ambiguous, and leaves one canonical `Content-Length` or none.
///
/// Framing belongs to the connection: `Transfer-Encoding` is taken off.
pub(super) fn check<B>(response: &mut Response<B>) -> Result<()> {
    let status = response.status();
    if status == StatusCode::SWITCHING_PROTOCOLS {
        return Err(bad("switches protocols without being asked"));
    }
    if status.as_u16() > 599 {
        return Err(bad("status is above 599"));
    }
    let headers = response.headers_mut();
    let chunked = headers.contains_key(TRANSFER_ENCODING);
    if chunked {
        check_coding(headers)?;
        headers.remove(TRANSFER_ENCODING);
    }
    match (length(headers)?, chunked) {
        (Length::Absent, _) | (Length::Canonical, false) => {}
        (_, true) => return Err(bad("has Content-Length beside Transfer-Encoding")),
        (Length::Odd(length), false) => {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
    }
    if status == StatusCode::NO_CONTENT {
        // RFC 9110 section 8.6.
        headers.remove(CONTENT_LENGTH);
    }
    Ok(())
}

fn check_coding(headers: &HeaderMap) -> Result<()> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let chunked = |coding: &HeaderValue| coding.as_bytes().eq_ignore_ascii_case(b"chunked");
    match (codings.next(), codings.next()) {
        (Some(coding), None) if chunked(coding) => Ok(()),
        _ => Err(bad("Transfer-Encoding is not a single chunked")),
    }
}

enum Length {
    Absent,
    /// One header with one plain number.
    Canonical,
    /// The same number several times, or with leading zeros.
    Odd(u64),
}

fn length(headers: &HeaderMap) -> Result<Length> {
    let mut lines = headers.get_all(CONTENT_LENGTH).iter();
    let Some(first) = lines.next() else {
        return Ok(Length::Absent);
    };
    let rest = lines.next();
    if rest.is_none() && is_canonical(first.as_bytes()) {
        return Ok(Length::Canonical);
    }
    let mut agreed = None;
    for line in [first].into_iter().chain(rest).chain(lines) {
        for part in line.to_str().unwrap_or_default().split(',') {
            let part = part.trim_matches([' ', '\t']);
            let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            let value = part.parse::<u64>().ok().filter(|_| digits);
            match (value, agreed) {
                (Some(value), None) => agreed = Some(value),
                (Some(value), Some(before)) if value == before => {}
                _ => return Err(bad("Content-Length is not one number")),
            }
        }
    }
    Ok(agreed.map_or(Length::Absent, Length::Odd))
}

/// Whether it is a plain number that surely fits 64 bits.
fn is_canonical(text: &[u8]) -> bool {
    match text {
        [b'0'] => true,
        [b'1'..=b'9', rest @ ..] => rest.len() < 19 && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// An answer that cannot be believed. The backend may well have acted on the request.
pub(super) fn bad(context: &'static str) -> Error {
    Error::new(ErrorKind::BadResponse, Retry::IfIdempotent, context)
}

/// Why there is no head, when the request's body was not to blame. With `unsent`, hyper handed the
/// request back.
pub(super) fn no_answer(error: hyper::Error, unsent: bool) -> Error {
    let answer = |kind, retry, context| Error::new(kind, retry, context);
    let own = if unsent {
        let context = "connection closed before the request was sent";
        answer(ErrorKind::Connect, Retry::Always, context)
    } else if error.is_parse() {
        bad("answer is not valid HTTP/1.1")
    } else if is_impatient(&error) {
        bad("more came before an answer than is taken")
    } else if error.is_body_write_aborted() {
        let context = "body is shorter than announced";
        answer(ErrorKind::InvalidBody, Retry::Never, context)
    } else if error.is_user() {
        let context = "request cannot be sent";
        answer(ErrorKind::Internal, Retry::Never, context)
    } else {
        let context = "connection closed before an answer";
        answer(ErrorKind::Connect, Retry::IfIdempotent, context)
    };
    own.caused_by(error)
}

/// Why a body broke off. Its head is with the client already: nobody can try again.
pub(super) fn broken(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
    let context = "body of the answer broke off";
    Error::new(ErrorKind::BadResponse, Retry::Never, context).caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(status: u16, headers: &[(&str, &str)]) -> Result<HeaderMap> {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        let mut response = response.body(()).unwrap();
        check(&mut response)?;
        Ok(response.headers().clone())
    }

    #[test]
    fn ambiguous_framing_is_refused() {
        for headers in [
            &[("content-length", "3"), ("transfer-encoding", "chunked")][..],
            &[("transfer-encoding", "gzip, chunked")],
            &[("transfer-encoding", "xchunked")],
            &[("transfer-encoding", "chunked, chunked")],
            &[("transfer-encoding", ",chunked")],
            &[("transfer-encoding", "identity")],
            &[("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")],
            &[("content-length", "3"), ("content-length", "4")],
            &[("content-length", "3, 4")],
            &[("content-length", "3,")],
            &[("content-length", "+3")],
            &[("content-length", "-3")],
            &[("content-length", "0x3")],
            &[("content-length", "")],
            &[("content-length", "99999999999999999999")],
        ] {
            let error = checked(200, headers).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadResponse, "{headers:?}");
        }
        for status in [101, 600, 999] {
            let error = checked(status, &[]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadResponse, "{status}");
        }
    }

    #[test]
    fn a_length_is_passed_on_in_one_spelling() {
        for (headers, expected) in [
            (&[("content-length", "3")][..], Some("3")),
            (&[("content-length", "0")], Some("0")),
            (&[("content-length", "03")], Some("3")),
            (&[("content-length", "00")], Some("0")),
            (&[("content-length", "3, 3")], Some("3")),
            (&[("content-length", "3"), ("content-length", "3")], Some("3")),
            (&[("content-length", "18446744073709551615")], Some("18446744073709551615")),
            (&[("transfer-encoding", "Chunked")], None),
            (&[], None),
        ] {
            let headers = checked(200, headers).unwrap();
            let length: Vec<_> = headers.get_all(CONTENT_LENGTH).iter().collect();
            assert_eq!(length, expected.into_iter().collect::<Vec<_>>());
            assert!(!headers.contains_key(TRANSFER_ENCODING));
        }
        assert!(checked(204, &[("content-length", "2")]).unwrap().is_empty());
        assert_eq!(checked(304, &[("content-length", "2")]).unwrap().len(), 1);
        assert!(checked(599, &[]).is_ok());
    }
}
