//! TLS as a definition wants it: authorities, a certificate of the client's, versions.
//!
//! They stand in files. A file that is replaced is read again before the next handshake; while what is
//! there cannot be used, what was read last goes on being used.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

use super::files::{Stamp, read};
use super::trust::{Trust, certificates};
use super::{invalid, provider};
use crate::model::definition::Tls as Settings;
use crate::sync::Published;
use crate::transport::pool::PoolError;

/// How long files are taken to be what they were: handshakes come in bursts, certificates do not.
const FRESH: Duration = Duration::from_secs(1);

const CA: &str = "tls.ca";
const CLIENT_CERT: &str = "tls.client_cert";
const CLIENT_KEY: &str = "tls.client_key";

static SINCE_1_2: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
static SINCE_1_3: [&SupportedProtocolVersion; 1] = [&TLS13];

/// A configuration made from files.
pub(super) struct Own {
    recipe: Recipe,
    loaded: Published<Loaded>,
    looked: Mutex<Instant>,
}

struct Loaded {
    config: Arc<ClientConfig>,
    stamps: Vec<Stamp>,
}

/// What it is made of.
struct Recipe {
    /// Where no file says whom to believe.
    believed: Option<Arc<dyn ServerCertVerifier>>,
    ca: Option<PathBuf>,
    identity: Option<(PathBuf, PathBuf)>,
    versions: &'static [&'static SupportedProtocolVersion],
    alpn: Vec<Vec<u8>>,
}

impl Own {
    /// Whether settings ask for more than another name.
    pub(super) fn is_needed(settings: &Settings) -> bool {
        let Settings { ca, client_cert, client_key, min_version, server_name: _ } = settings;
        [ca, client_cert, client_key, min_version].into_iter().any(Option::is_some)
    }

    pub(super) fn new(
        trust: &Trust,
        settings: &Settings,
        alpn: Vec<Vec<u8>>,
    ) -> Result<Self, PoolError> {
        let identity = match (&settings.client_cert, &settings.client_key) {
            (Some(cert), Some(key)) => Some((cert.into(), key.into())),
            (None, None) => None,
            (Some(_), None) => {
                return Err(invalid(CLIENT_KEY, "is required beside tls.client_cert"));
            }
            (None, Some(_)) => {
                return Err(invalid(CLIENT_CERT, "is required beside tls.client_key"));
            }
        };
        let believed = match settings.ca {
            Some(_) => None,
            None => Some(trust.verifier()? as Arc<dyn ServerCertVerifier>),
        };
        let recipe = Recipe {
            believed,
            ca: settings.ca.as_ref().map(PathBuf::from),
            identity,
            versions: match settings.min_version.as_deref() {
                Some("1.3") => &SINCE_1_3,
                _ => &SINCE_1_2,
            },
            alpn,
        };
        let loaded = Published::new(recipe.load()?);
        Ok(Self { recipe, loaded, looked: Mutex::new(Instant::now()) })
    }

    /// The configuration by what the files say now, or said when they could last be used.
    pub(super) async fn current(self: &Arc<Self>, deadline: Instant) -> Arc<ClientConfig> {
        if self.is_to_look() {
            let own = Arc::clone(self);
            // Files may lie where reading takes long. Then the handshake goes on with what is known.
            let looked = tokio::task::spawn_blocking(move || own.look());
            let _ = timeout_at(deadline.min(Instant::now() + FRESH), looked).await;
        }
        Arc::clone(&self.loaded.current().config)
    }

    fn is_to_look(&self) -> bool {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let due = now.saturating_duration_since(*looked) >= FRESH;
        if due {
            *looked = now;
        }
        due
    }

    fn look(&self) {
        let outdated = self.loaded.current().stamps.iter().any(Stamp::is_outdated);
        // A certificate may be replaced a moment before its key: both are tried again.
        if outdated && let Ok(loaded) = self.recipe.load() {
            self.loaded.publish(loaded);
        }
    }
}

impl Recipe {
    /// Reads the files. What tells them apart is taken before they are read: a change in between is
    /// seen the next time.
    fn load(&self) -> Result<Loaded, PoolError> {
        let files = self.identity.iter().flat_map(|(cert, key)| [cert, key]).chain(&self.ca);
        let stamps = files.map(|path| Stamp::of(path)).collect();
        let verifier = match (&self.ca, &self.believed) {
            (Some(path), _) => roots(path)?,
            (None, Some(believed)) => Arc::clone(believed),
            (None, None) => return Err(invalid(CA, "is required")),
        };
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(self.versions)
            .map_err(|error| invalid("tls.min_version", error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some((cert, key)) => {
                let chain = certificates(&text(CLIENT_CERT, cert)?)
                    .map_err(|reason| invalid(CLIENT_CERT, format!("cannot be used: {reason}")))?;
                let key = PrivateKeyDer::from_pem_slice(&text(CLIENT_KEY, key)?)
                    .map_err(|error| invalid(CLIENT_KEY, format!("cannot be used: {error}")))?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| invalid(CLIENT_KEY, format!("cannot be used: {error}")))?
            }
        };
        config.alpn_protocols.clone_from(&self.alpn);
        Ok(Loaded { config: Arc::new(config), stamps })
    }
}

fn roots(path: &Path) -> Result<Arc<dyn ServerCertVerifier>, PoolError> {
    let unusable = |reason: String| invalid(CA, format!("cannot be used: {reason}"));
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&text(CA, path)?).map_err(unusable)? {
        roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
    Ok(verifier.map_err(|error| unusable(error.to_string()))?)
}

fn text(field: &'static str, path: &Path) -> Result<Vec<u8>, PoolError> {
    read(path).map_err(|error| invalid(field, format!("cannot be read: {error}")))
}
