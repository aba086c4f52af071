//! Signs as the domain page says, with code that shares nothing with what verifies.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{Request, header};
use http_body_util::Full;
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::Sha256;

use super::{KEY, NOW, SECRET};

/// How a request is signed.
#[derive(Clone, Debug)]
pub(crate) struct Signer {
    pub(crate) key: String,
    pub(crate) secret: String,
    /// Milliseconds; `None` sends no timestamp.
    pub(crate) timestamp: Option<u64>,
    pub(crate) nonce: Option<String>,
    /// What `X-Ca-Signature-Method` says, if anything.
    pub(crate) method: Option<&'static str>,
    /// Names to sign beside the `x-ca-` headers, as they are to be spelled.
    pub(crate) also: Vec<String>,
    /// Names to leave unsigned.
    pub(crate) unsigned: Vec<String>,
    pub(crate) md5: bool,
}

impl Signer {
    pub(crate) fn new() -> Self {
        Self {
            key: KEY.to_owned(),
            secret: SECRET.to_owned(),
            timestamp: Some(NOW),
            nonce: None,
            method: None,
            also: Vec::new(),
            unsigned: Vec::new(),
            md5: false,
        }
    }

    pub(crate) fn at(mut self, millis: u64) -> Self {
        self.timestamp = Some(millis);
        self
    }

    pub(crate) fn nonce(mut self, nonce: &str) -> Self {
        self.nonce = Some(nonce.to_owned());
        self
    }

    pub(crate) fn with_md5(mut self) -> Self {
        self.md5 = true;
        self
    }

    pub(crate) fn sign(&self, request: Request<Full<Bytes>>) -> Request<Full<Bytes>> {
        self.sign_body(request, b"")
    }

    /// The same with a body.
    pub(crate) fn sign_body(
        &self,
        request: Request<Full<Bytes>>,
        body: &[u8],
    ) -> Request<Full<Bytes>> {
        let (mut parts, _) = request.into_parts();
        let mut put = |name: &'static str, value: &str| {
            parts.headers.insert(name, value.parse().unwrap());
        };
        put("x-ca-key", &self.key);
        if let Some(timestamp) = self.timestamp {
            put("x-ca-timestamp", &timestamp.to_string());
        }
        if let Some(nonce) = &self.nonce {
            put("x-ca-nonce", nonce);
        }
        if let Some(method) = self.method {
            put("x-ca-signature-method", method);
        }
        if self.md5 {
            put("content-md5", &md5(body));
        }
        let unsigned = |name: &str| self.unsigned.iter().any(|other| other == name);
        let own = parts.headers.keys().map(|name| name.as_str().to_owned());
        let own = own.filter(|name| name.starts_with("x-ca-") && !unsigned(name));
        let mut names: Vec<String> = own.chain(self.also.iter().cloned()).collect();
        names.sort();
        parts.headers.insert("x-ca-signature-headers", names.join(",").parse().unwrap());
        let text = text(&parts, &names, body);
        let signature = signature(&self.secret, self.method, &text);
        parts.headers.insert("x-ca-signature", signature.parse().unwrap());
        Request::from_parts(parts, Full::new(Bytes::copy_from_slice(body)))
    }
}

/// The text of one's own making, signed.
pub(crate) fn signature(secret: &str, method: Option<&str>, text: &[u8]) -> String {
    let secret = secret.as_bytes();
    if method == Some("HmacSHA1") {
        let mac = Hmac::<Sha1>::new_from_slice(secret).unwrap().chain_update(text);
        return STANDARD.encode(mac.finalize().into_bytes());
    }
    let mac = Hmac::<Sha256>::new_from_slice(secret).unwrap().chain_update(text);
    STANDARD.encode(mac.finalize().into_bytes())
}

pub(crate) fn md5(body: &[u8]) -> String {
    STANDARD.encode(Md5::digest(body))
}

/// The text of a request that says itself which headers it signs.
pub(crate) fn covered<B>(request: &Request<B>, body: &[u8]) -> Option<Vec<u8>> {
    let listed = request.headers().get("x-ca-signature-headers")?.to_str().ok()?;
    let mut names: Vec<String> = listed.split(',').map(|name| name.trim().to_owned()).collect();
    names.sort();
    let mut head = Request::builder().method(request.method()).uri(request.uri());
    *head.headers_mut()? = request.headers().clone();
    let (parts, ()) = head.body(()).ok()?.into_parts();
    Some(text(&parts, &names, body))
}

fn text(parts: &http::request::Parts, names: &[String], body: &[u8]) -> Vec<u8> {
    let value = |name: &str| {
        let values = parts.headers.get(name).map(|value| value.as_bytes().to_vec());
        values.unwrap_or_default()
    };
    let mut text = format!("{}\n", parts.method).into_bytes();
    for name in ["accept", "content-md5", "content-type", "date"] {
        text.extend(value(name));
        text.push(b'\n');
    }
    for name in names {
        text.extend(name.as_bytes());
        text.push(b':');
        text.extend(value(name));
        text.push(b'\n');
    }
    text.extend(parts.uri.path().as_bytes());
    let mut fields = BTreeMap::new();
    let form = parts.headers.get(header::CONTENT_TYPE).is_some_and(|value| {
        value.to_str().unwrap().starts_with("application/x-www-form-urlencoded")
    });
    for (name, value) in if form { decoded(body) } else { Vec::new() } {
        fields.entry(name).or_insert(value);
    }
    for (name, value) in decoded(parts.uri.query().unwrap_or_default().as_bytes()) {
        fields.entry(name).or_insert(value);
    }
    for (index, (name, value)) in fields.into_iter().enumerate() {
        text.push(if index == 0 { b'?' } else { b'&' });
        text.extend(name);
        if !value.is_empty() {
            text.push(b'=');
            text.extend(value);
        }
    }
    text
}

fn decoded(text: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let decode = |text: &[u8]| {
        let mut bytes = Vec::new();
        let mut rest = text.iter();
        while let Some(byte) = rest.next() {
            bytes.push(match byte {
                b'%' => {
                    let hex = [rest.next(), rest.next()].map(|byte| byte.copied().unwrap_or(b'x'));
                    let hex = std::str::from_utf8(&hex).unwrap_or_default();
                    // What is malformed is never the same as anything.
                    u8::from_str_radix(hex, 16).unwrap_or(0)
                }
                b'+' => b' ',
                other => *other,
            });
        }
        bytes
    };
    let pairs = text.split(|byte| *byte == b'&');
    let pairs = pairs.map(|pair| match pair.iter().position(|byte| *byte == b'=') {
        Some(at) => (decode(&pair[..at]), decode(&pair[at + 1..])),
        None => (decode(pair), Vec::new()),
    });
    pairs.filter(|(name, _)| !name.is_empty()).collect()
}
