//! Whether a request may: the protocol and the place it comes from, who signed it or whose AppCode it
//! shows, and what they were granted.
//!
//! | file | question |
//! |---|---|
//! | `access` | from where, and by which protocol? |
//! | `app_code` | who says a name instead of signing? |
//! | `signature`, `text`, `spelling`, `strict` | is it signed by who it says? |
//! | `digest` | is the body the one that was signed? |
//! | `nonce` | was it seen before? |

use std::sync::Arc;

use http::request::Parts as Head;
use http::{HeaderMap, HeaderName, Uri, header};

mod access;
mod app_code;
mod digest;
mod nonce;
mod signature;
mod spelling;
mod strict;
mod text;

pub(super) use self::access::Origin;
pub(super) use self::app_code::{PARAMETER, carried};
pub(super) use self::digest::{ContentMd5, Verified};
#[cfg(feature = "redis")]
pub use self::nonce::{InvalidRedisUrl, RedisNonces};
pub use self::nonce::{MemoryNonces, Nonce, NonceError, NonceStore};
pub use self::spelling::Spelling;
pub(super) use self::spelling::Spellings;

use self::app_code::Shown;
use self::signature::{Claim, unknown_key};
use self::text::Covered;
use super::peer::Network;
use super::receive::refused;
use crate::error::{ErrorKind, Result};
use crate::model::api::Access;
use crate::model::id::{ApiId, EnvironmentId};
use crate::model::settings::SignatureMode;
use crate::model::{Grant, ResourceName, Sort, Version};
use crate::registry::callers::{Caller, CallerKey};
use crate::registry::state::State;
use crate::time::Timestamp;

/// What a gateway asks of callers, beside what each API does.
#[derive(Clone, Debug)]
pub(super) struct Admission {
    pub(super) spellings: Spellings,
    pub(super) nonces: Arc<dyn NonceStore>,
    /// Whether requests with a nonce pass while it cannot be checked.
    pub(super) pass_unchecked_nonces: bool,
    /// The networks that are inside; empty: those that are not routed on the internet.
    pub(super) intranet: Arc<[Network]>,
}

/// A request for an API, and what is true while it is decided on.
#[derive(Debug)]
pub(super) struct Asking<'a> {
    pub(super) head: &'a Head,
    /// As the client sent it.
    pub(super) uri: &'a Uri,
    pub(super) version: &'a Version,
    pub(super) api: ApiId,
    pub(super) environment: EnvironmentId,
    pub(super) state: &'a State,
    pub(super) app_code_header: Option<&'a HeaderName>,
    pub(super) has_body: bool,
    pub(super) now: Timestamp,
}

/// Who calls, and what is left to be seen of the request.
#[derive(Debug, Default)]
pub(super) struct Admitted {
    /// The name of the application that calls.
    pub(super) app: Option<ResourceName>,
    /// Of a signed request.
    pub(super) signed: Option<Box<Signed>>,
}

/// What is left to be seen of a signed request.
#[derive(Debug)]
pub(super) struct Signed {
    claim: Claim,
    key: CallerKey,
    grant: Option<Grant>,
    /// `None`: strict.
    accepted: Option<Spellings>,
    now: Timestamp,
    /// Whether the body has to be read to know what was signed.
    pub(super) needs_form: bool,
    pub(super) digest: Option<ContentMd5>,
}

impl Admission {
    pub(super) fn new() -> Self {
        Self {
            spellings: Spellings::ALL,
            nonces: Arc::new(MemoryNonces::new()),
            pass_unchecked_nonces: false,
            intranet: Arc::default(),
        }
    }

    /// Decides what can be decided from a request's head.
    pub(super) fn admit(&self, asking: &Asking<'_>) -> Result<Admitted> {
        if asking.version.access() == Access::Anonymous {
            return Ok(Admitted::default());
        }
        match Claim::read(&asking.head.headers)? {
            Some(claim) => self.admit_signed(claim, asking),
            None => admit_code(asking),
        }
    }

    fn admit_signed(&self, claim: Claim, asking: &Asking<'_>) -> Result<Admitted> {
        let key = asking.state.caller_by_key(&claim.key).ok_or_else(unknown_key)?;
        claim.check(asking.version, asking.now)?;
        let headers = &asking.head.headers;
        let mode = asking.state.settings().map_or(SignatureMode::Compatible, |s| s.signature_mode);
        let signed = Signed {
            grant: asking.grant(&key.caller),
            accepted: (mode == SignatureMode::Compatible).then_some(self.spellings),
            now: asking.now,
            needs_form: asking.has_body && is_form(headers),
            digest: ContentMd5::of(headers)?,
            claim,
            key,
        };
        if !signed.needs_form {
            signed.verify(asking.head, asking.uri, None)?;
        }
        if let Some(digest) = signed.digest.filter(|_| !asking.has_body) {
            digest.check(b"")?;
        }
        let is_done = !signed.needs_form && signed.claim.nonce.is_none();
        let is_done = is_done && (signed.digest.is_none() || !asking.has_body);
        let app = Some(signed.key.caller.record.name.clone());
        Ok(Admitted { app, signed: (!is_done).then(|| Box::new(signed)) })
    }

    /// Consumes the nonce of a request that was verified.
    pub(super) async fn check_nonce(&self, signed: &Signed) -> Result<()> {
        let Some(text) = &signed.claim.nonce else {
            return Ok(());
        };
        let (now, until) = (signed.now, signed.claim.nonce_until(signed.now));
        let nonce = Nonce { key: &signed.claim.key, text, now, until };
        match self.nonces.remember(nonce).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(refused(ErrorKind::NonceUsed, "")),
            Err(_) if self.pass_unchecked_nonces => Ok(()),
            Err(error) => Err(refused(ErrorKind::NoncesUnavailable, "").caused_by(error)),
        }
    }
}

fn admit_code(asking: &Asking<'_>) -> Result<Admitted> {
    let headers = &asking.head.headers;
    let shown = Shown::of(headers, asking.uri, asking.app_code_header);
    if !shown.is_there() && headers.contains_key("x-ca-key") {
        return Err(strict::missing("X-Ca-Signature"));
    }
    let code = shown.code(asking.version.app_code())?;
    let caller = asking.state.caller_by_code(code);
    let caller = caller.ok_or_else(|| refused(ErrorKind::InvalidAppCode, ""))?;
    check_grant(asking.grant(&caller), asking.now)?;
    Ok(Admitted { app: Some(caller.record.name.clone()), signed: None })
}

/// Decides for an application that somebody vouches for: whether it was granted the API where it is
/// asked for. If it was elsewhere, the refusal says where.
pub(super) fn assume(app: &str, asking: &Asking<'_>) -> Result<Admitted> {
    let not_granted = |context| refused(ErrorKind::NotGranted, context);
    let (state, at) = (asking.state, asking.environment);
    let found = state.resource_id(Sort::App, app);
    let found = found.and_then(|id| Some((id, state.resource(id)?)));
    let Some((id, record)) = found else {
        return Err(not_granted(format!("there is no app `{app}`")));
    };
    let granted = |at| Some(state.grants().get(asking.api, at, id)?.grant);
    let name = |at| state.environment(at).map_or_else(String::new, |it| it.name.to_string());
    if granted(at).is_none() {
        let elsewhere = state
            .environments()
            .map(|(at, _)| at)
            .filter(|at| check_grant(granted(*at), asking.now).is_ok());
        let elsewhere: Vec<_> = elsewhere.map(name).collect();
        let (at, elsewhere) = (name(at), elsewhere.join(", "));
        return Err(not_granted(match elsewhere.as_str() {
            "" => format!("app `{app}` may call it in no environment"),
            _ => format!("app `{app}` may call it in {elsewhere}, not in {at}"),
        }));
    }
    check_grant(granted(at), asking.now)?;
    Ok(Admitted { app: Some(record.name.clone()), signed: None })
}

impl Asking<'_> {
    fn grant(&self, caller: &Caller) -> Option<Grant> {
        let grants = self.state.grants();
        grants.get(self.api, self.environment, caller.id).map(|record| record.grant)
    }
}

fn check_grant(grant: Option<Grant>, now: Timestamp) -> Result<()> {
    match grant {
        None => Err(refused(ErrorKind::NotGranted, "")),
        Some(Grant { expires: Some(expires) }) if expires <= now => {
            Err(refused(ErrorKind::GrantExpired, format!("at {expires}")))
        }
        Some(_) => Ok(()),
    }
}

impl Signed {
    /// Compares the signature with what was received; `form` is the body, where it is one. Then looks
    /// whether the caller may.
    pub(super) fn verify(&self, head: &Head, uri: &Uri, form: Option<&[u8]>) -> Result<()> {
        let (method, headers) = (&head.method, &head.headers);
        let covered = Covered { method, uri, headers, listed: "", form };
        self.claim.verify(&self.key, covered, self.accepted)?;
        check_grant(self.grant, self.now)
    }
}

/// The texts that a signature of a request is compared with, the documented one first; `None`: query or
/// form cannot be read. The second says whether the strict mode takes the request.
#[cfg(fuzzing)]
pub(crate) fn texts(head: &Head, listed: &str, form: &[u8]) -> Option<(Vec<Vec<u8>>, bool)> {
    let (method, uri, headers) = (&head.method, &head.uri, &head.headers);
    let parts =
        text::Parts::read(Covered { method, uri, headers, listed, form: Some(form) }).ok()?;
    let choices = parts.differences().choices();
    Some((choices.map(|spelling| parts.text(spelling)).collect(), strict::check(&parts).is_ok()))
}

/// Whether a body is a form (domain §2.5).
pub(super) fn is_form(headers: &HeaderMap) -> bool {
    let essence = |value: &header::HeaderValue| {
        let value = value.as_bytes();
        let essence = value.split(|byte| *byte == b';').next().unwrap_or_default();
        essence.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
    };
    headers.get(header::CONTENT_TYPE).is_some_and(essence)
}
