//! The place of `tls.rs` in a build without TLS.

use std::convert::Infallible;

use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::error::Result;

/// There is no TLS connection.
pub(super) type Stream = TcpStream;

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
    pub(super) fn new(_: &Trust, _: &str) -> std::result::Result<Self, String> {
        Err("TLS: build with feature tls-aws-lc or tls-ring".to_owned())
    }

    pub(super) async fn connect(&self, _: TcpStream, _: Instant) -> Result<Stream> {
        match self.0 {}
    }
}
