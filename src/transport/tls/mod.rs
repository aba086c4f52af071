//! Whom a connection is really with.
//!
//! | file | question |
//! |---|---|
//! | `trust` | whom to believe where a definition does not say |
//! | `own` | what a definition says: authorities, a certificate of the client's, versions |
//! | `files` | which files that stands in, and whether they changed |

use std::sync::Arc;

use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::ServerName;

use self::own::Own;
use super::Origin;
use super::connect::failed;
use super::pool::PoolError;
use super::socket::Socket;
use crate::error::Result;
use crate::model::definition::WireProtocol;

mod files;
mod own;
mod trust;

pub use self::trust::InvalidRoot;
pub(super) use self::trust::Trust;

/// What a TLS connection is made of here.
pub(super) type Stream = TlsStream<Socket>;

const HTTP1: &[u8] = b"http/1.1";
const HTTP2: &[u8] = b"h2";

/// The provider is named here and never taken from the process, where another crate may have set it.
fn provider() -> Arc<CryptoProvider> {
    #[cfg(feature = "tls-aws-lc")]
    let provider = tokio_rustls::rustls::crypto::aws_lc_rs::default_provider();
    #[cfg(not(feature = "tls-aws-lc"))]
    let provider = tokio_rustls::rustls::crypto::ring::default_provider();
    Arc::new(provider)
}

/// Whether both ends agreed on HTTP/2.
pub(super) fn is_http2(stream: &Stream) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(HTTP2)
}

/// TLS towards one target: the name it must prove, and whom to believe.
///
/// A name is sent as SNI; an address is not (RFC 6066 section 3), its certificate must name it.
#[derive(Clone)]
pub(super) struct Tls {
    source: Source,
    name: ServerName<'static>,
}

#[derive(Clone)]
enum Source {
    Common(Arc<ClientConfig>),
    Own(Arc<Own>),
}

impl Tls {
    pub(super) fn new(trust: &Trust, origin: Origin<'_>) -> Result<Self, PoolError> {
        let alpn = protocols(origin.protocol);
        let named = origin.tls.and_then(|tls| tls.server_name.as_deref());
        let name = match named {
            Some(name) => ServerName::try_from(name.to_owned())
                .map_err(|_| invalid("tls.server_name", "is not a name a certificate can have"))?,
            None => ServerName::try_from(origin.url.host().to_owned()).map_err(|_| {
                let host = origin.url.host();
                PoolError::Unsupported(format!(
                    "TLS: {host:?} is not a name a certificate can have"
                ))
            })?,
        };
        let source = match origin.tls {
            Some(settings) if Own::is_needed(settings) => {
                Source::Own(Arc::new(Own::new(trust, settings, alpn)?))
            }
            _ => {
                let mut config = ClientConfig::clone(&*trust.config()?);
                config.alpn_protocols = alpn;
                Source::Common(Arc::new(config))
            }
        };
        Ok(Self { source, name })
    }

    pub(super) async fn connect(&self, socket: Socket, deadline: Instant) -> Result<Stream> {
        let config = match &self.source {
            Source::Common(config) => Arc::clone(config),
            Source::Own(own) => own.current(deadline).await,
        };
        self.handshake(config, socket, deadline).await
    }

    /// The same, for a connection that is to speak HTTP/1.1.
    pub(super) async fn connect_http1(&self, socket: Socket, deadline: Instant) -> Result<Stream> {
        let config = match &self.source {
            Source::Common(config) => Arc::clone(config),
            Source::Own(own) => own.current(deadline).await,
        };
        let mut config = Arc::unwrap_or_clone(config);
        config.alpn_protocols = vec![HTTP1.to_vec()];
        self.handshake(Arc::new(config), socket, deadline).await
    }

    async fn handshake(
        &self,
        config: Arc<ClientConfig>,
        socket: Socket,
        deadline: Instant,
    ) -> Result<Stream> {
        let handshake = TlsConnector::from(config).connect(self.name.clone(), socket);
        match timeout_at(deadline, handshake).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(failed("TLS handshake failed").caused_by(error)),
            Err(late) => Err(failed("TLS handshake timed out").caused_by(late)),
        }
    }
}

/// What is offered: the protocol a definition names, or the target's choice (RFC 7301).
fn protocols(protocol: Option<WireProtocol>) -> Vec<Vec<u8>> {
    let offered: &[&[u8]] = match protocol {
        None => &[HTTP2, HTTP1],
        Some(WireProtocol::Http1) => &[HTTP1],
        Some(WireProtocol::Http2) => &[HTTP2],
    };
    offered.iter().map(|name| name.to_vec()).collect()
}

fn invalid(field: &'static str, reason: impl Into<String>) -> PoolError {
    PoolError::Invalid { field, reason: reason.into() }
}
