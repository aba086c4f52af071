//! Which signed requests were seen before.

use std::fmt;

use async_trait::async_trait;

use crate::time::Timestamp;

mod memory;
#[cfg(feature = "redis")]
mod redis;

pub use self::memory::MemoryNonces;
#[cfg(feature = "redis")]
pub use self::redis::{InvalidRedisUrl, RedisNonces};

/// A number that a signed request has used, and for how long nobody else may.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Nonce<'a> {
    /// The AppKey of the caller: nonces of different keys are different.
    pub key: &'a str,
    /// What the caller sent: at most 128 bytes.
    pub text: &'a str,
    /// Now.
    pub now: Timestamp,
    /// Until when it has to be remembered: as long as its request could be sent again.
    pub until: Timestamp,
}

impl<'a> Nonce<'a> {
    /// What `key` sent, to be remembered from now on until a moment.
    #[must_use]
    pub fn new(key: &'a str, text: &'a str, now: Timestamp, until: Timestamp) -> Self {
        Self { key, text, now, until }
    }
}

/// Why it is not known whether a nonce is new.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NonceError {
    /// There is no room for another one.
    #[error("no room for another nonce")]
    Full,
    /// The store cannot be reached, or failed.
    #[error("the store of nonces is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Remembers nonces.
///
/// # Contract
///
/// Of any number of calls at once for one nonce exactly one is answered `true`. It is remembered at
/// least until its time; a store that cannot promise that answers with an error. It sees nonces only of
/// requests whose signature was verified.
///
/// # Cancellation
///
/// A call that is dropped may have remembered its nonce.
#[async_trait]
pub trait NonceStore: fmt::Debug + Send + Sync + 'static {
    /// Remembers a nonce, and says whether it was new.
    ///
    /// # Errors
    ///
    /// When that is not known; see [`NonceError`].
    async fn remember(&self, nonce: Nonce<'_>) -> Result<bool, NonceError>;
}
