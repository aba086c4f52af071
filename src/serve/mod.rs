//! A gateway on sockets: hyper's server with every deadline and limit that it leaves to others.
//!
//! Every request is either what all readers take it for, or answered and the connection closed. No
//! client holds a connection, a stream or memory for longer than the [`limits`] say, whatever it
//! sends, does not send, or does not read.
//!
//! ```
//! use std::time::Duration;
//! use backhaul::serve::Server;
//! use backhaul::{Gateway, Registry};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = Registry::in_memory().await?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let shutdown = async { /* until a signal comes */ };
//! let server = Server::new(Gateway::new(&registry)).max_connections(5_000);
//! let drained = server.serve_until(listener, shutdown, Duration::from_secs(5)).await;
//! assert_eq!(drained.left, 0);
//! # Ok(()) }
//! ```
//!
//! | what a client does | what it gets |
//! |---|---|
//! | a head that could be read in two ways | its answer after those to the requests before it, then the connection is closed |
//! | a chunked body that could be | the body fails: `I400BD` where nothing was answered yet; closed |
//! | a head or a body that comes too slowly | `I408RT`; closed |
//! | nothing, after connecting or after an answer | closed |
//! | does not read its answer | connection or HTTP/2 stream reset |
//! | HTTP/2 frames that only cost | closed |
//! | makes a backend panic | `X500ER`; nobody else notices |
//!
//! HTTP/2 is spoken with clients that begin with it, over TLS or in clear text; there is no upgrade to
//! it, and no `CONNECT`. The server owns no runtime, opens no listener and prints nothing.
//!
//! | file | question |
//! |---|---|
//! | `accept`, `places`, `socket` | which connections are taken? |
//! | `connection`, `ledger`, `pace` | how long may it last? |
//! | `lent` | who has it while nothing is asked? |
//! | `guard` | which bytes does hyper see? |
//! | `service`, `received`, `sent`, `streams` | what stands between hyper and the gateway? |

use std::future::{Future, pending};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

use self::places::{Most, Place, Places};
use crate::gateway::{Gateway, Peer};

mod accept;
mod connection;
#[cfg(not(fuzzing))]
mod guard;
#[cfg(fuzzing)]
pub(crate) mod guard;
mod ledger;
mod lent;
mod lifeline;
pub mod limits;
mod pace;
mod places;
mod received;
mod sent;
mod service;
mod socket;
mod streams;

pub use self::limits::Limits;

/// Serves a gateway on connections.
///
/// Clones are cheap and share the places for connections.
#[derive(Clone, Debug)]
pub struct Server {
    gateway: Gateway,
    limits: Arc<Limits>,
    most: Most,
    places: Arc<Places>,
}

/// How a server's end went.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Drained {
    /// Connections that were not over by then, and were dropped.
    pub left: usize,
}

impl Server {
    /// Serves `gateway` with the defaults of [`limits`].
    #[must_use]
    pub fn new(gateway: Gateway) -> Self {
        let most = Most { all: limits::MAX_CONNECTIONS, per_client: None };
        Self { gateway, limits: Arc::default(), most, places: Arc::default() }
    }

    /// The same with other limits for each connection.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = Arc::new(limits);
        self
    }

    /// The same with at most `count` connections at once; one more is closed as soon as it is there.
    #[must_use]
    pub fn max_connections(mut self, count: usize) -> Self {
        self.most.all = count;
        self
    }

    /// The same with at most `count` connections at once from one IPv4 address or one IPv6 network of
    /// 64 bits. There is no such limit by default: behind a load balancer all have one address.
    #[must_use]
    pub fn max_connections_per_address(mut self, count: usize) -> Self {
        self.most.per_client = Some(count);
        self
    }

    /// Serves clear-text connections of `listener` for ever: accepting goes on whatever fails.
    ///
    /// Dropping the future closes the listener and all its connections.
    pub async fn serve(&self, listener: TcpListener) {
        self.serve_until(listener, pending(), Duration::ZERO).await;
    }

    /// Serves clear-text connections of `listener` until `shutdown`.
    ///
    /// Then nothing is accepted, idle connections are closed, requests under way are finished, told
    /// to be the last of their connection, and whatever is left after `drain` is dropped. The server
    /// can be used again.
    ///
    /// Dropping the future closes the listener and all its connections.
    pub async fn serve_until(
        &self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send,
        drain: Duration,
    ) -> Drained {
        accept::serve_until(self, listener, shutdown, drain).await
    }

    /// Serves one connection that was accepted elsewhere, behind TLS for example, until it ends.
    ///
    /// It needs one of the server's places; without one it is closed at once. Time for a handshake is
    /// the caller's to limit. Dropping the future closes the connection.
    pub async fn connection<I>(&self, io: I, peer: Peer)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        self.connection_until(io, peer, pending()).await;
    }

    /// The same, until `shutdown` and the end of the requests that are under way then.
    pub async fn connection_until<I>(
        &self,
        io: I,
        peer: Peer,
        shutdown: impl Future<Output = ()> + Send,
    ) where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Some(place) = self.place(peer.addr().ip()) else {
            return;
        };
        self.run(io, peer, shutdown).await;
        drop(place);
    }

    fn place(&self, address: IpAddr) -> Option<Place> {
        self.places.take(address, self.most)
    }

    fn run<I, S>(&self, io: I, peer: Peer, stop: S) -> impl Future<Output = ()> + use<I, S>
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        S: Future<Output = ()>,
    {
        connection::serve(io, self.gateway.peer(peer), Arc::clone(&self.limits), stop)
    }
}
