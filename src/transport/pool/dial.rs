//! How another connection comes to be.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use super::kept::Open;
use super::{Ready, Shared};
use crate::error::Result;
use crate::observe::Protocol;
use crate::transport::connect::failed;
use crate::transport::dns::Peer;
use crate::transport::http1;
use crate::transport::http2::Multiplexed;
use crate::transport::target::Wire;
use crate::transport::tls;

/// A target that no pool can be made for.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    /// This build or this machine cannot reach it.
    #[error("{0}")]
    Unsupported(String),
    /// A setting cannot be followed.
    #[error("{field} {reason}")]
    Invalid {
        /// The setting, as definitions name it.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

/// Connecting to a target whose connections can be shared: one after the other, because the next
/// connection may have room for all who wait.
#[derive(Default)]
pub(super) struct Dialing {
    /// The last failure, which those who waited meanwhile share.
    turn: tokio::sync::Mutex<Option<(Instant, String)>>,
    /// Connections turned out to be HTTP/1.1, though they might have been shared.
    unshared: AtomicBool,
}

impl Shared {
    /// A new connection, or one that somebody else made meanwhile.
    pub(super) async fn dial(self: &Arc<Self>) -> Result<Ready> {
        if self.may_share() { self.dial_in_turn().await } else { self.connect().await }
    }

    fn may_share(&self) -> bool {
        self.target.may_share() && !self.dialing.unshared.load(Ordering::Relaxed)
    }

    async fn dial_in_turn(self: &Arc<Self>) -> Result<Ready> {
        let since = Instant::now();
        let mut turn = self.dialing.turn.lock().await;
        if let Some(ready) = self.take() {
            self.told.reused();
            return Ok(ready);
        }
        if let Some((at, context)) = &*turn
            && *at > since
        {
            return Err(failed(context.clone()));
        }
        if !self.may_share() {
            drop(turn);
            return self.connect().await;
        }
        let made = self.connect().await;
        *turn = made.as_ref().err().map(|error| (Instant::now(), error.context().to_owned()));
        made
    }

    /// Makes a connection for a request to come.
    pub(super) async fn warm(self: &Arc<Self>) {
        if let Ok(Ready::Http1(connection)) = self.dial().await {
            self.put_back(connection);
        }
    }

    async fn connect(self: &Arc<Self>) -> Result<Ready> {
        let began = Instant::now();
        let deadline = began + self.transport.0.connect_timeout;
        let (wire, peer) = self.target.connect(&self.transport, deadline).await?;
        match wire {
            Wire::Plain(socket) if self.target.is_shared() => {
                self.multiplexed(socket, peer, began).await
            }
            Wire::Plain(socket) => self.single(socket, peer, began).await,
            Wire::Secure(stream) if tls::is_http2(&stream) => {
                self.multiplexed(*stream, peer, began).await
            }
            Wire::Secure(_) if self.target.is_shared() => {
                Err(failed("the backend does not speak HTTP/2"))
            }
            Wire::Secure(stream) => {
                // It may still choose otherwise the next time.
                self.dialing.unshared.store(true, Ordering::Relaxed);
                self.single(*stream, peer, began).await
            }
        }
    }

    async fn single<S>(&self, stream: S, peer: Peer, began: Instant) -> Result<Ready>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let born = self.kept().now();
        let open = self.open(Protocol::Http1, began);
        http1::Connection::new(stream, peer, open, born).await.map(Ready::Http1)
    }

    async fn multiplexed<S>(
        self: &Arc<Self>,
        stream: S,
        peer: Peer,
        began: Instant,
    ) -> Result<Ready>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let limits = &self.transport.0;
        let scheme = self.target.scheme();
        let open = self.open(Protocol::Http2, began);
        let deadline = began + limits.connect_timeout;
        let connection = Multiplexed::new(stream, peer, scheme, open, limits, deadline).await?;
        self.dialing.unshared.store(false, Ordering::Relaxed);
        self.share(connection)
            .map(Ready::Http2)
            .ok_or_else(|| failed("the backend allows no requests on a new connection"))
    }

    /// Counts a connection that was made since `began`.
    pub(super) fn open(&self, protocol: Protocol, began: Instant) -> Open {
        Open::new(&self.open, &self.lease, self.told.opened(protocol, began))
    }

    /// Counts a connection that goes on as something else.
    pub(super) fn open_still(&self) -> Open {
        Open::new(&self.open, &self.lease, self.told.taken_over())
    }
}
