//! What of a request nobody but its backend is to see.

use http::{HeaderName, HeaderValue, Uri};

use crate::gateway::pairs::{Plus, pairs};

/// Stands in the place of a secret.
pub(in crate::gateway) const REDACTED: HeaderValue = HeaderValue::from_static(TEXT);
const TEXT: &str = "[redacted]";

/// What the names of headers and parameters that are secrets contain, without what joins their words.
const SECRET: [&str; 17] = [
    "auth",
    "session",
    "jwt",
    "cookie",
    "token",
    "secret",
    "password",
    "passwd",
    "pwd",
    "credential",
    "signature",
    "apikey",
    "accesskey",
    "privatekey",
    "subscriptionkey",
    "functionskey",
    "appcode",
];
/// What they are as a whole.
const SECRETS: [&str; 2] = ["key", "sig"];

/// Whether what is called so is a secret.
pub(super) fn is_secret(name: &str) -> bool {
    let letters = name.bytes().filter(u8::is_ascii_alphanumeric);
    let name: String = letters.map(|byte| char::from(byte.to_ascii_lowercase())).collect();
    SECRET.iter().any(|secret| name.contains(secret)) || SECRETS.contains(&name.as_str())
}

/// A header's value, unless it is a secret.
pub(in crate::gateway) fn header(name: &HeaderName, value: &HeaderValue) -> HeaderValue {
    if value.is_sensitive() || is_secret(name.as_str()) { REDACTED } else { value.clone() }
}

/// Path and query, with secrets in the query replaced: what is called so, or was before it was mapped.
pub(super) fn uri(uri: &Uri, was_secret: impl Fn(&str) -> bool) -> String {
    match uri.query() {
        None | Some("") => uri.path().to_owned(),
        Some(text) => format!("{}?{}", uri.path(), query(text, was_secret)),
    }
}

/// A query with secrets replaced, likewise.
pub(in crate::gateway) fn query(query: &str, was_secret: impl Fn(&str) -> bool) -> String {
    let mut text = String::with_capacity(query.len());
    for (index, pair) in pairs(query.as_bytes()).enumerate() {
        let name = pair.name(Plus::Space).unwrap_or_default();
        if index > 0 {
            text.push('&');
        }
        let called = String::from_utf8_lossy(&name);
        if is_secret(&called) || was_secret(&called) {
            let (name, _) = pair.sides();
            text.push_str(&String::from_utf8_lossy(name));
            text.push('=');
            text.push_str(TEXT);
        } else {
            text.push_str(&String::from_utf8_lossy(pair.raw));
        }
    }
    text
}
