//! What a pool connects to, ready to be dialled.

use std::fmt;
use std::path::Path;

use http::uri::Scheme;
use tokio::time::Instant;

use super::dns::Peer;
use super::pool::PoolError;
use super::socket::Socket;
use super::tls::{self, Tls};
use super::{Origin, Transport, connect};
use crate::error::Result;
use crate::model::definition::WireProtocol;

/// Where it is, and how it is spoken to.
pub(super) struct Target {
    pub(super) host: Box<str>,
    pub(super) port: u16,
    /// Instead of host and port.
    pub(super) path: Option<Box<Path>>,
    pub(super) tls: Option<Tls>,
    protocol: Option<WireProtocol>,
}

/// A connection before anything was said on it.
pub(super) enum Wire {
    Plain(Socket),
    Secure(Box<tls::Stream>),
}

impl Target {
    pub(super) fn new(transport: &Transport, origin: Origin<'_>) -> Result<Self, PoolError> {
        let Origin { url, protocol, .. } = origin;
        let tls = url.is_https().then(|| Tls::new(&transport.0.trust, origin)).transpose()?;
        let path = url.socket().map(|path| Path::new(path).into());
        Ok(Self { host: url.host().into(), port: url.port(), path, tls, protocol })
    }

    pub(super) fn scheme(&self) -> Scheme {
        if self.tls.is_some() { Scheme::HTTPS } else { Scheme::HTTP }
    }

    /// Whether several requests share a connection, come what may.
    pub(super) fn is_shared(&self) -> bool {
        self.protocol == Some(WireProtocol::Http2)
    }

    /// Whether it may come out that several requests share a connection.
    pub(super) fn may_share(&self) -> bool {
        self.is_shared() || self.protocol.is_none() && self.tls.is_some()
    }

    /// Makes a connection, and makes sure whom it is with.
    pub(super) async fn connect(
        &self,
        transport: &Transport,
        deadline: Instant,
    ) -> Result<(Wire, Peer)> {
        let (socket, peer) = self.socket(transport, deadline).await?;
        let wire = match &self.tls {
            None => Wire::Plain(socket),
            Some(tls) => Wire::Secure(Box::new(tls.connect(socket, deadline).await?)),
        };
        Ok((wire, peer))
    }

    /// The same, for a connection that is to speak HTTP/1.1.
    pub(super) async fn connect_http1(
        &self,
        transport: &Transport,
        deadline: Instant,
    ) -> Result<(Wire, Peer)> {
        let (socket, peer) = self.socket(transport, deadline).await?;
        let wire = match &self.tls {
            None => Wire::Plain(socket),
            Some(tls) => Wire::Secure(Box::new(tls.connect_http1(socket, deadline).await?)),
        };
        Ok((wire, peer))
    }

    async fn socket(&self, transport: &Transport, deadline: Instant) -> Result<(Socket, Peer)> {
        if let Some(path) = &self.path {
            let socket = connect::local(transport.egress(), path, deadline).await?;
            return Ok((socket, Peer::unnamed()));
        }
        let (stream, peer) = connect::tcp(transport, &self.host, self.port, deadline).await?;
        Ok((Socket::Tcp(stream), peer))
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("path", &self.path)
            .field("tls", &self.tls.is_some())
            .field("protocol", &self.protocol)
            .finish()
    }
}
