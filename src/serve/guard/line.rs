//! One line of a request's head: what it says, or why nobody should guess.

use http::Uri;

use crate::error::{Error, ErrorKind, Retry, Stage};
use crate::gateway::limits::MAX_URI;
use crate::gateway::transfer_coding;
use crate::serve::limits::MAX_METHOD;

/// Bytes in a request line at most, with its line end.
pub(super) const MAX_REQUEST_LINE: usize = MAX_METHOD + MAX_URI + " HTTP/1.1\r\n ".len();
/// The largest body length that hyper can count.
const MAX_LENGTH: u64 = u64::MAX - 2;

/// What a field has to do with where its message ends.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Field {
    /// Nothing.
    Plain,
    ContentLength(u64),
    /// The body is chunked.
    Chunked,
    /// Another protocol is asked for.
    Upgrade,
}

pub(super) fn refusal(kind: ErrorKind, context: impl Into<String>) -> Error {
    Error::new(kind, Retry::Never, context).at_stage(Stage::Receive)
}

fn bad_line(context: &str) -> Error {
    refusal(ErrorKind::InvalidUri, context)
}

pub(super) fn bad_field(context: &str) -> Error {
    refusal(ErrorKind::InvalidHeader, context)
}

/// What each byte may be part of: every byte of every head is looked up here.
const PARTS: [u8; 256] = {
    let mut parts = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::indexing_slicing, reason = "the index is below the length")]
        {
            parts[byte] = parts_of(byte);
        }
        byte += 1;
    }
    parts
};
/// A method, or a header's name.
const TOKEN: u8 = 1;
/// A target in origin form, as nearly all are.
const TARGET: u8 = 2;

const fn parts_of(byte: usize) -> u8 {
    match byte {
        0x30..=0x39 | 0x41..=0x5a | 0x61..=0x7a => TOKEN | TARGET,
        0x21 | 0x24..=0x27 | 0x2a | 0x2b | 0x2d | 0x2e | 0x5f | 0x7e => TOKEN | TARGET, // !$%&'*+-._~
        0x23 | 0x5e | 0x60 | 0x7c => TOKEN,                                             // #^`|
        0x28 | 0x29 | 0x2c | 0x2f | 0x3a | 0x3b | 0x3d | 0x3f | 0x40 => TARGET,         // (),/:;=?@
        _ => 0,
    }
}

fn is_part(byte: u8, of: u8) -> bool {
    PARTS.get(usize::from(byte)).is_some_and(|parts| parts & of != 0)
}

fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| is_part(*byte, TOKEN))
}

/// What is wrong with the beginning of a request line whatever may follow.
pub(super) fn check_beginning(line: &[u8]) -> Result<(), Error> {
    let method = line.iter().take(MAX_METHOD + 1).position(|byte| *byte == b' ');
    if line.len() > MAX_METHOD && method.is_none() {
        return Err(bad_line("no method"));
    }
    if line.len() > MAX_REQUEST_LINE { Err(too_long()) } else { Ok(()) }
}

fn too_long() -> Error {
    refusal(ErrorKind::UrlTooLarge, format!("more than {MAX_URI} bytes"))
}

/// Reads a request line without its end. Tells whether it is of HTTP/1.0.
pub(super) fn request_line(line: &[u8]) -> Result<bool, Error> {
    let mut parts = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(bad_line("not a method, a target and a version with one space between"));
    };
    if !is_token(method) {
        return Err(bad_line("not a method"));
    }
    let http_10 = match version {
        b"HTTP/1.1" => false,
        b"HTTP/1.0" => true,
        _ => return Err(bad_line("neither HTTP/1.1 nor HTTP/1.0")),
    };
    if target.len() > MAX_URI {
        return Err(too_long());
    }
    if method == b"CONNECT" {
        // What follows would be a tunnel's, not a request's.
        return Err(refusal(ErrorKind::UnsupportedMethod, "`CONNECT`"));
    }
    check_target(method, target)?;
    Ok(http_10)
}

/// The target in one of the forms that a server is asked in (RFC 9112 section 3.2).
fn check_target(method: &[u8], target: &[u8]) -> Result<(), Error> {
    let plain = |byte: &u8| is_part(*byte, TARGET);
    let origin = target.first() == Some(&b'/');
    if origin && target.iter().all(plain) || target == b"*" && method == b"OPTIONS" {
        return Ok(());
    }
    if !target.iter().all(|byte| matches!(byte, 0x21..=0x7e)) || target.contains(&b'#') {
        return Err(bad_line("a target with bytes that are not of one"));
    }
    // hyper reads it by the same type: what passes here passes there.
    match Uri::try_from(target) {
        Ok(uri) if origin || uri.scheme().is_some() && uri.host().is_some() => Ok(()),
        _ => Err(bad_line("a target in no form")),
    }
}

/// Reads a header's line without its end.
pub(super) fn field(line: &[u8]) -> Result<Field, Error> {
    let end = line.iter().position(|byte| !is_part(*byte, TOKEN)).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    let value = match rest.split_first() {
        Some((b':', value)) if !name.is_empty() => value,
        _ if rest.contains(&b':') => {
            return Err(bad_field("a name with bytes that are not of one"));
        }
        _ => return Err(bad_field("a line without a colon")),
    };
    // All of them, because that is quicker than to stop at the first.
    let control = |byte: u8| byte < b' ' && byte != b'\t' || byte == 127;
    if value.iter().fold(false, |found, byte| found | control(*byte)) {
        return Err(bad_field("a value with control characters"));
    }
    if name.eq_ignore_ascii_case(b"content-length") {
        return content_length(value.trim_ascii()).map(Field::ContentLength);
    }
    if name.eq_ignore_ascii_case(b"transfer-encoding") {
        return transfer_coding(value).map(|()| Field::Chunked);
    }
    Ok(if name.eq_ignore_ascii_case(b"upgrade") { Field::Upgrade } else { Field::Plain })
}

fn content_length(value: &[u8]) -> Result<u64, Error> {
    let invalid = || bad_field("`Content-Length` is not a length");
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(invalid());
    }
    let text = str::from_utf8(value).map_err(|_| invalid())?;
    match text.parse() {
        Ok(length) if length <= MAX_LENGTH => Ok(length),
        Ok(_) => Err(refusal(ErrorKind::BodyTooLarge, "")),
        Err(_) => Err(invalid()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_line_is_three_words() {
        for good in ["GET / HTTP/1.1", "OPTIONS * HTTP/1.1", "M-SEARCH http://a/b HTTP/1.1"] {
            assert_eq!(request_line(good.as_bytes()).ok(), Some(false), "{good}");
        }
        assert_eq!(request_line(b"GET /?a={b}|c HTTP/1.0").ok(), Some(true));
        for bad in [
            "",
            "GET",
            "GET /",
            "GET  / HTTP/1.1",
            "GET / HTTP/1.1 ",
            " GET / HTTP/1.1",
            "GET\t/ HTTP/1.1",
            "G(T / HTTP/1.1",
            "GET / HTTP/1.2",
            "GET / http/1.1",
            "GET / HTTP/2.0",
            "GET /#a HTTP/1.1",
            "GET /\u{e9} HTTP/1.1",
            "GET /\x7f HTTP/1.1",
            "GET x HTTP/1.1",
            "GET a:80 HTTP/1.1",
            "GET * HTTP/1.1",
            "GET http:// HTTP/1.1",
        ] {
            let error = request_line(bad.as_bytes()).expect_err(bad);
            assert_eq!(error.kind(), ErrorKind::InvalidUri, "{bad}");
        }
        let error = request_line(b"CONNECT a:443 HTTP/1.1").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnsupportedMethod);
    }

    #[test]
    fn a_field_is_a_name_a_colon_and_a_value() {
        for good in ["a:", "a: b", "a:\tb \t", "A-b!: \u{e9}"] {
            assert_eq!(field(good.as_bytes()).ok(), Some(Field::Plain), "{good}");
        }
        for bad in [":", ": a", "a", "a : b", " a: b", "\ta: b", "a: b\rc", "a: \0", "a\0: b"] {
            let error = field(bad.as_bytes()).expect_err(bad);
            assert_eq!(error.kind(), ErrorKind::InvalidHeader, "{bad:?}");
        }
    }

    #[test]
    fn a_length_is_digits() {
        let length = |value: &str| field(format!("content-length:{value}").as_bytes());
        for (value, expected) in [("0", 0), (" 010\t", 10), ("18446744073709551613", u64::MAX - 2)]
        {
            assert_eq!(length(value).ok(), Some(Field::ContentLength(expected)), "{value}");
        }
        for bad in ["", "+1", "-1", "0x1", "1_0", "1 0", "1, 1", "18446744073709551616"] {
            assert_eq!(length(bad).expect_err(bad).kind(), ErrorKind::InvalidHeader, "{bad}");
        }
        let large = length("18446744073709551615").unwrap_err();
        assert_eq!(large.kind(), ErrorKind::BodyTooLarge);
    }
}
