//! HOW bytes travel: the only folder that names hyper's client or rustls.
//!
//! | file | question |
//! |---|---|
//! | `egress` | where may this node connect to? |
//! | `connect`, `tls` | how does a connection come to be? |
//! | `pool`, `sweep` | which connection takes a request, and how long is one kept? |
//! | `exchange` | when may it take the next one? |
//! | `response` | can the answer be believed? |
//! | `trial` | how far does a connection get that nobody else uses? |

use std::sync::Arc;
use std::time::Duration;

use self::tls::Trust;
use crate::model::definition::MAX_TIMEOUT;

mod connect;
mod egress;
mod exchange;
mod pool;
mod response;
mod sweep;
#[cfg(any(feature = "tls-aws-lc", feature = "tls-ring"))]
mod tls;
#[cfg(not(any(feature = "tls-aws-lc", feature = "tls-ring")))]
#[path = "tls/absent.rs"]
mod tls;
mod trial;

pub(crate) use self::connect::share;
pub use self::egress::{Egress, Range, Refused};
pub use self::pool::{Pool, Unsupported};
pub use self::tls::InvalidRoot;
pub(crate) use self::trial::{Attempt, Trial};

/// How long making a connection may take, from resolving the name to the end of the TLS handshake.
/// Long enough for one lost packet on the way, short enough to leave most of a request's time.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Most requests on their way to one target, and so most connections to it: far above what one node
/// keeps busy, far below the ports and descriptors it has.
pub const MAX_CONNECTIONS: usize = 1_024;
/// Most idle connections kept to one target: enough for the next burst, and a bound on what a past one
/// leaves behind.
pub const MAX_IDLE: usize = 256;
/// How long a connection is kept idle: less than the 60 and 75 s after which common load balancers and
/// servers close it themselves, so that this side is usually the one that closes.
pub const IDLE_LIMIT: Duration = Duration::from_secs(50);

/// The way to the network: what may be reached, whom to trust, and how much of it may be used.
///
/// A clone is cheap and means the same transport. Connections are not in here: each target has a
/// [`Pool`] of its own.
///
/// ```
/// use backhaul::transport::{Egress, Transport};
///
/// let transport = Transport::builder().egress(Egress::default().deny_private()).build()?;
/// assert!(transport.check_literal("192.168.0.1").is_err());
/// # Ok::<(), backhaul::transport::InvalidRoot>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Transport(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    egress: Egress,
    trust: Trust,
    connect_timeout: Duration,
    max_connections: usize,
    max_idle: usize,
    idle_limit: Duration,
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            egress: Egress::default(),
            trust: Trust::default(),
            connect_timeout: CONNECT_TIMEOUT,
            max_connections: MAX_CONNECTIONS,
            max_idle: MAX_IDLE,
            idle_limit: IDLE_LIMIT,
        }
    }
}

impl Transport {
    /// A transport that differs from the default.
    pub fn builder() -> Builder {
        Builder { inner: Inner::default(), roots: Vec::new() }
    }

    /// Where it may connect to.
    #[must_use]
    pub fn egress(&self) -> &Egress {
        &self.0.egress
    }

    /// Whether `host`, as a definition names it, may be connected to as far as can be said without
    /// resolving it.
    ///
    /// # Errors
    ///
    /// The host is an address, in whatever spelling, that is refused.
    pub fn check_literal(&self, host: &str) -> Result<(), Refused> {
        self.0.egress.check_literal(host)
    }
}

/// Makes a [`Transport`].
#[derive(Debug)]
#[must_use]
pub struct Builder {
    inner: Inner,
    roots: Vec<Vec<u8>>,
}

impl Builder {
    /// Where connections may go; default: [`Egress::default`].
    pub fn egress(mut self, egress: Egress) -> Self {
        self.inner.egress = egress;
        self
    }

    /// Certificate authorities to trust beside the platform's, as PEM. May be called several times.
    pub fn trust(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// How long making a connection may take, at most 120 s; default: [`CONNECT_TIMEOUT`].
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.inner.connect_timeout = limit.min(MAX_TIMEOUT);
        self
    }

    /// Most connections to one target, at least 1; default: [`MAX_CONNECTIONS`].
    pub fn max_connections(mut self, most: usize) -> Self {
        self.inner.max_connections = most.clamp(1, tokio::sync::Semaphore::MAX_PERMITS);
        self
    }

    /// Most idle connections to one target, 0 for no reuse; default: [`MAX_IDLE`].
    pub fn max_idle(mut self, most: usize) -> Self {
        self.inner.max_idle = most;
        self
    }

    /// How long a connection is kept idle; default: [`IDLE_LIMIT`].
    pub fn idle_limit(mut self, limit: Duration) -> Self {
        self.inner.idle_limit = limit;
        self
    }

    /// The transport.
    ///
    /// # Errors
    ///
    /// What was given to [`Builder::trust`] cannot be read as certificates. A build without TLS does
    /// not look.
    pub fn build(mut self) -> Result<Transport, InvalidRoot> {
        self.inner.trust = Trust::new(&self.roots)?;
        Ok(Transport(Arc::new(self.inner)))
    }
}
