//! Whether a request was signed by who it says it was (domain §4).

use http::HeaderMap;

use super::spelling::Spellings;
use super::strict::{self, missing};
use super::text::{Covered, Parts};
use crate::error::{Error, ErrorKind, Result};
use crate::gateway::limits::{MAX_NONCE, TIMESTAMP_WINDOW};
use crate::gateway::receive::refused;
use crate::model::Version;
use crate::model::api::SignatureMethod;
use crate::registry::callers::CallerKey;
use crate::sign::Algorithm;
use crate::time::Timestamp;

/// Bytes of text that one request may have compared with its signature: a digest of each costs time, and
/// who sends wrong signatures on purpose decides how long they are.
const MAX_TEXT_BYTES: usize = 256 * 1024;

/// What a signed request's headers say.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    pub(super) key: String,
    signature: Vec<u8>,
    algorithm: Algorithm,
    listed: String,
    pub(super) timestamp: Option<Timestamp>,
    pub(super) nonce: Option<String>,
}

impl Claim {
    /// Reads them; `None` where a request is not signed.
    pub(super) fn read(headers: &HeaderMap) -> Result<Option<Self>> {
        let Some(signature) = headers.get("x-ca-signature") else {
            return Ok(None);
        };
        let key = text(headers, "x-ca-key")?.ok_or_else(|| missing("X-Ca-Key"))?;
        let algorithm = match text(headers, "x-ca-signature-method")? {
            None | Some("HmacSHA256") => Algorithm::HmacSha256,
            Some("HmacSHA1") => Algorithm::HmacSha1,
            Some(_) => return Err(refused(ErrorKind::InvalidSignatureMethod, "is not known")),
        };
        let timestamp = match text(headers, "x-ca-timestamp")? {
            None => None,
            Some(millis) => Some(parse_timestamp(millis)?),
        };
        Ok(Some(Self {
            key: key.to_owned(),
            signature: signature.as_bytes().to_vec(),
            algorithm,
            listed: text(headers, "x-ca-signature-headers")?.unwrap_or_default().to_owned(),
            timestamp,
            nonce: nonce(headers)?,
        }))
    }

    /// Refuses what the API or the time does not allow, whoever signed it.
    pub(super) fn check(&self, version: &Version, now: Timestamp) -> Result<()> {
        let method = match self.algorithm {
            Algorithm::HmacSha256 => SignatureMethod::HmacSHA256,
            Algorithm::HmacSha1 => SignatureMethod::HmacSHA1,
        };
        if !version.allows_signature(method) {
            return Err(refused(ErrorKind::InvalidSignatureMethod, "is not allowed for this API"));
        }
        if self.timestamp.is_some_and(|at| distance(at, now) > window()) {
            let context = "is more than 15 minutes from the server's time";
            return Err(refused(ErrorKind::InvalidTimestamp, context));
        }
        if version.force_nonce() {
            let listed = |name: &str| name.trim().eq_ignore_ascii_case("x-ca-nonce");
            if self.nonce.is_none() {
                return Err(refused(ErrorKind::MissingNonce, ""));
            }
            // Who could send another one unnoticed could send the request again.
            if !self.listed.split(',').any(listed) {
                return Err(refused(ErrorKind::MissingNonce, "and has to be signed"));
            }
        }
        Ok(())
    }

    /// Until when the nonce has to be remembered: as long as the timestamp would be accepted.
    pub(super) fn nonce_until(&self, now: Timestamp) -> Timestamp {
        let last = self.timestamp.map_or(now, |at| at.max(now));
        Timestamp::from_millis(last.as_millis().saturating_add(window()))
    }

    /// Compares the signature with that of what was received.
    ///
    /// `accepted` are the spellings besides the documented one; `None` is the strict mode.
    pub(super) fn verify(
        &self,
        key: &CallerKey,
        covered: Covered<'_>,
        accepted: Option<Spellings>,
    ) -> Result<()> {
        let covered = Covered { listed: &self.listed, ..covered };
        let parts = Parts::read(covered).map_err(super::text::Unreadable::error)?;
        if accepted.is_none() {
            strict::check(&parts)?;
        }
        let signing_key = key.signing_key().ok_or_else(unknown_key)?;
        let documented = parts.text(Spellings::default());
        if signing_key.sign(self.algorithm, &documented).is(&self.signature) {
            return Ok(());
        }
        let others = parts.differences().among(accepted.unwrap_or_default());
        let mut bytes = documented.len();
        for spelling in others.choices().skip(1) {
            let text = parts.text(spelling);
            bytes += text.len();
            if bytes > MAX_TEXT_BYTES {
                break;
            }
            if signing_key.sign(self.algorithm, &text).is(&self.signature) {
                return Ok(());
            }
        }
        Err(refused(ErrorKind::InvalidSignature, shown(&parts.redacted())))
    }
}

/// The text as a client is shown it: `#` for the end of a line, everything but visible ASCII and space
/// percent-encoded.
fn shown(text: &[u8]) -> String {
    let mut shown = String::with_capacity(text.len() + 2);
    shown.push('`');
    for byte in text {
        match byte {
            b'\n' => shown.push('#'),
            b'\r' => {}
            b' ' => shown.push(' '),
            _ if byte.is_ascii_graphic() => shown.push(char::from(*byte)),
            _ => shown.push_str(&format!("%{byte:02X}")),
        }
    }
    shown.push('`');
    shown
}

pub(super) fn unknown_key() -> Error {
    refused(ErrorKind::UnknownAppKey, "")
}

fn text<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<Option<&'h str>> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    value.to_str().map(Some).map_err(|_| invalid(name, "is not visible ASCII"))
}

fn nonce(headers: &HeaderMap) -> Result<Option<String>> {
    match text(headers, "x-ca-nonce")? {
        None | Some("") => Ok(None),
        Some(nonce) if nonce.len() > MAX_NONCE => {
            Err(invalid("x-ca-nonce", &format!("is longer than {MAX_NONCE} characters")))
        }
        Some(nonce) => Ok(Some(nonce.to_owned())),
    }
}

fn parse_timestamp(millis: &str) -> Result<Timestamp> {
    let digits = !millis.is_empty() && millis.bytes().all(|byte| byte.is_ascii_digit());
    let millis = digits.then(|| millis.parse().ok()).flatten();
    millis
        .map(Timestamp::from_millis)
        .ok_or_else(|| refused(ErrorKind::InvalidTimestamp, "is not a number of milliseconds"))
}

fn invalid(name: &str, reason: &str) -> Error {
    refused(ErrorKind::InvalidHeader, format!("`{name}` {reason}"))
        .at_stage(crate::error::Stage::Admit)
}

fn distance(one: Timestamp, other: Timestamp) -> u64 {
    one.as_millis().abs_diff(other.as_millis())
}

fn window() -> u64 {
    u64::try_from(TIMESTAMP_WINDOW.as_millis()).unwrap_or(u64::MAX)
}
