//! Whom a connection is really with.

use std::sync::{Arc, OnceLock};

use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};

use super::connect::failed;
use crate::error::Result;

/// What a TLS connection is made of here.
pub(super) type Stream = TlsStream<TcpStream>;

/// Certificate authorities that were to be trusted cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("trusted certificates: {reason}")]
#[non_exhaustive]
pub struct InvalidRoot {
    /// What is wrong with them.
    pub reason: String,
}

/// Whom to trust: the platform's authorities and some more.
///
/// The platform's are read when the first target needs them, because reading takes milliseconds and
/// many a node has none.
#[derive(Debug, Default)]
pub(super) struct Trust {
    extra: Vec<CertificateDer<'static>>,
    config: OnceLock<std::result::Result<Arc<ClientConfig>, String>>,
}

impl Trust {
    pub(super) fn new(pems: &[Vec<u8>]) -> Result<Self, InvalidRoot> {
        let invalid = |reason: String| InvalidRoot { reason };
        let mut extra = Vec::new();
        for pem in pems {
            let before = extra.len();
            for certificate in CertificateDer::pem_slice_iter(pem) {
                extra.push(certificate.map_err(|error| invalid(error.to_string()))?);
            }
            if extra.len() == before {
                return Err(invalid("no certificate in the text".to_owned()));
            }
        }
        let trust = Self { extra, config: OnceLock::new() };
        if !trust.extra.is_empty() {
            trust.config().map_err(invalid)?;
        }
        Ok(trust)
    }

    fn config(&self) -> std::result::Result<Arc<ClientConfig>, String> {
        self.config
            .get_or_init(|| client_config(self.extra.clone()).map_err(|error| error.to_string()))
            .clone()
    }
}

/// The provider is named here and never taken from the process, where another crate may have set it.
fn provider() -> CryptoProvider {
    #[cfg(feature = "tls-aws-lc")]
    return tokio_rustls::rustls::crypto::aws_lc_rs::default_provider();
    #[cfg(not(feature = "tls-aws-lc"))]
    return tokio_rustls::rustls::crypto::ring::default_provider();
}

fn client_config(
    extra: Vec<CertificateDer<'static>>,
) -> std::result::Result<Arc<ClientConfig>, tokio_rustls::rustls::Error> {
    let provider = Arc::new(provider());
    let verifier = Verifier::new_with_extra_roots(extra, Arc::clone(&provider))?;
    let mut config = ClientConfig::builder_with_provider(provider)
        // TLS 1.2 and 1.3: there is nothing older in rustls.
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// TLS towards one target: the name it must prove, and whom to believe.
///
/// A name is sent as SNI; an address is not (RFC 6066 section 3), its certificate must name it.
#[derive(Clone)]
pub(super) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Tls {
    pub(super) fn new(trust: &Trust, host: &str) -> std::result::Result<Self, String> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| format!("TLS: {host:?} is not a name a certificate can have"))?;
        let config = trust.config().map_err(|error| format!("TLS: {error}"))?;
        Ok(Self { connector: TlsConnector::from(config), name })
    }

    pub(super) async fn connect(&self, stream: TcpStream, deadline: Instant) -> Result<Stream> {
        let handshake = self.connector.connect(self.name.clone(), stream);
        match timeout_at(deadline, handshake).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(failed("TLS handshake failed").caused_by(error)),
            Err(late) => Err(failed("TLS handshake timed out").caused_by(late)),
        }
    }
}
