//! Whom to believe where a definition does not say.

use std::sync::{Arc, OnceLock};

use rustls_platform_verifier::Verifier;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, Error};

use super::provider;
use crate::transport::pool::PoolError;

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
pub(in crate::transport) struct Trust {
    extra: Vec<CertificateDer<'static>>,
    verifier: OnceLock<Result<Arc<Verifier>, String>>,
    config: OnceLock<Result<Arc<ClientConfig>, String>>,
}

impl Trust {
    pub(in crate::transport) fn new(pems: &[Vec<u8>]) -> Result<Self, InvalidRoot> {
        let mut extra = Vec::new();
        for pem in pems {
            extra.extend(certificates(pem).map_err(|reason| InvalidRoot { reason })?);
        }
        let trust = Self { extra, ..Self::default() };
        if !trust.extra.is_empty() {
            trust.try_config().map_err(|reason| InvalidRoot { reason })?;
        }
        Ok(trust)
    }

    /// What believes them.
    pub(super) fn verifier(&self) -> Result<Arc<Verifier>, PoolError> {
        self.try_verifier().map_err(unsupported)
    }

    /// A configuration without anything of a definition's own.
    pub(super) fn config(&self) -> Result<Arc<ClientConfig>, PoolError> {
        self.try_config().map_err(unsupported)
    }

    fn try_verifier(&self) -> Result<Arc<Verifier>, String> {
        let make = || Verifier::new_with_extra_roots(self.extra.clone(), provider()).map(Arc::new);
        self.verifier.get_or_init(|| make().map_err(|error| error.to_string())).clone()
    }

    fn try_config(&self) -> Result<Arc<ClientConfig>, String> {
        let make = || {
            let verifier = self.try_verifier()?;
            let common = |error: Error| error.to_string();
            let config = ClientConfig::builder_with_provider(provider())
                // TLS 1.2 and 1.3: there is nothing older in rustls.
                .with_safe_default_protocol_versions()
                .map_err(common)?
                .dangerous()
                .with_custom_certificate_verifier(verifier)
                .with_no_client_auth();
            Ok(Arc::new(config))
        };
        self.config.get_or_init(make).clone()
    }
}

fn unsupported(mut reason: String) -> PoolError {
    reason.insert_str(0, "TLS: ");
    PoolError::Unsupported(reason)
}

/// The certificates in a text, at least one.
pub(super) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| error.to_string())?;
    if found.is_empty() { Err("no certificate in the text".to_owned()) } else { Ok(found) }
}
