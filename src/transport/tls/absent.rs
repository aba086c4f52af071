//! The place of `tls` in a build without TLS.

use std::convert::Infallible;

use tokio::time::Instant;

use super::Origin;
use super::pool::PoolError;
use super::socket::Socket;
use crate::error::Result;

/// There is no TLS connection.
pub(super) type Stream = Socket;

/// Certificate authorities that were to be trusted cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("trusted certificates: {reason}")]
#[non_exhaustive]
pub struct InvalidRoot {
    /// What is wrong with them.
    pub reason: String,
}

#[derive(Debug, Default)]
pub(super) struct Trust {}

impl Trust {
    #[expect(
        clippy::unnecessary_wraps,
        reason = "the same signature as with TLS, where reading can fail"
    )]
    pub(super) fn new(_: &[Vec<u8>]) -> Result<Self, InvalidRoot> {
        Ok(Self {})
    }
}

#[derive(Clone)]
pub(super) struct Tls(Infallible);

impl Tls {
    pub(super) fn new(_: &Trust, _: Origin<'_>) -> std::result::Result<Self, PoolError> {
        Err(PoolError::Unsupported("TLS: build with feature tls-aws-lc or tls-ring".to_owned()))
    }

    pub(super) async fn connect(&self, _: Socket, _: Instant) -> Result<Stream> {
        match self.0 {}
    }

    pub(super) async fn connect_http1(&self, _: Socket, _: Instant) -> Result<Stream> {
        match self.0 {}
    }
}

pub(super) fn is_http2(_: &Stream) -> bool {
    false
}
