//! What the strict mode asks of a signed request: that nothing about it can be changed and still be what
//! was signed.

use super::text::{Parts, Signed, Unreadable};
use crate::error::{Error, ErrorKind, Result};
use crate::gateway::receive::refused;

/// Headers that have to be signed where they are there.
const SIGNED_IF_THERE: [&str; 2] = ["x-ca-nonce", "x-ca-stage"];
/// Headers that have to be there, and signed.
const REQUIRED: [&str; 2] = ["x-ca-key", "x-ca-timestamp"];

/// Refuses what could be understood in another way than it was signed.
pub(super) fn check(parts: &Parts<'_>) -> Result<()> {
    check_headers(parts)?;
    for (text, unreadable) in [
        (parts.covered.uri.query().map(str::as_bytes), Unreadable::Query as fn(_) -> _),
        (parts.covered.form, Unreadable::Form),
    ] {
        let reason = text.and_then(odd_encoding);
        reason.map_or(Ok(()), |reason| Err(unreadable(reason).error()))?;
    }
    for signed in &parts.parameters {
        let unreadable = if signed.in_form { Unreadable::Form } else { Unreadable::Query };
        if let Some(reason) = ambiguous(signed) {
            return Err(unreadable(reason).error());
        }
    }
    let mut names: Vec<_> = parts.parameters.iter().map(|signed| &signed.name).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair.first() == pair.last()) {
        return Err(Unreadable::Query("has a name twice, with the form's").error());
    }
    Ok(())
}

fn check_headers(parts: &Parts<'_>) -> Result<()> {
    let headers = parts.covered.headers;
    let is_signed = |name: &str| parts.names.iter().any(|own| own.eq_ignore_ascii_case(name));
    for name in REQUIRED {
        if !headers.contains_key(name) {
            return Err(missing(name));
        }
    }
    let there = SIGNED_IF_THERE.into_iter().filter(|name| headers.contains_key(*name));
    if let Some(name) = REQUIRED.into_iter().chain(there).find(|name| !is_signed(name)) {
        return Err(unsigned(name));
    }
    let listed = parts.covered.listed;
    let plain = |name: &str| !name.is_empty() && name.trim() == name;
    if !listed.is_empty() && !listed.split(',').all(plain) {
        return Err(invalid("`X-Ca-Signature-Headers` has spaces or empty names"));
    }
    if parts.covered.form.is_some_and(|form| !form.is_empty())
        && !headers.contains_key("content-md5")
    {
        return Err(missing("content-md5"));
    }
    Ok(())
}

/// Encoded otherwise than RFC 3986 section 6.2.2 says: digits in lower case, or what needs no encoding.
fn odd_encoding(text: &[u8]) -> Option<&'static str> {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    for window in text.windows(3).filter(|window| window.first() == Some(&b'%')) {
        let digits = window.get(1..).unwrap_or_default();
        if digits.iter().any(u8::is_ascii_lowercase) {
            return Some("has a `%` with digits in lower case");
        }
        let digits = std::str::from_utf8(digits).unwrap_or_default();
        if u8::from_str_radix(digits, 16).is_ok_and(unreserved) {
            return Some("encodes what needs no encoding");
        }
    }
    // What has no name is no part of what was signed.
    let mut pairs = text.split(|byte| *byte == b'&');
    let nameless = !text.is_empty() && pairs.any(|pair| matches!(pair.first(), None | Some(b'=')));
    nameless.then_some("has a pair without a name")
}

/// Whether the text that is signed could be that of other parameters.
fn ambiguous(signed: &Signed<'_>) -> Option<&'static str> {
    let has = |text: &[u8], byte| text.contains(&byte);
    if has(&signed.name, b'&') || has(&signed.name, b'=') || has(&signed.value, b'&') {
        return Some("has a name or a value with a `&` or `=` in it");
    }
    None
}

impl Unreadable {
    pub(super) fn error(self) -> Error {
        match self {
            Self::Query(reason) => refused(ErrorKind::InvalidUri, format!("query {reason}")),
            Self::Form(reason) => refused(ErrorKind::InvalidBody, format!("form {reason}")),
        }
    }
}

pub(super) fn missing(name: &str) -> Error {
    refused(ErrorKind::MissingHeader, format!("`{name}` is Required"))
}

fn unsigned(name: &str) -> Error {
    invalid(&format!("`X-Ca-Signature-Headers` does not list `{name}`"))
}

fn invalid(reason: &str) -> Error {
    refused(ErrorKind::InvalidHeader, reason).at_stage(crate::error::Stage::Admit)
}
