//! HOW bytes travel: the only folder that names hyper's client or rustls.
//!
//! | file | question |
//! |---|---|
//! | `egress` | where may this node connect to? |
//! | `origin`, `target` | what is connected to? |
//! | `dns/` | which addresses does a name have, and for how long? |
//! | `connect`, `race`, `tls/`, `socket` | how does a connection come to be? |
//! | `pool/` | which connection takes a request, and how long is one kept? |
//! | `http1/`, `http2/` | how is a request sent and answered, and when is the connection free again? |
//! | `tunnel` | what of a connection that was taken over? |
//! | `upload` | how far did a request's body get? |
//! | `response` | can the answer be believed? |
//! | `trial` | how far does a connection get that nobody else uses? |

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use self::tls::Trust;
use crate::model::definition::MAX_TIMEOUT;
use crate::observe::PoolObservers;

mod connect;
pub mod dns;
mod egress;
mod http1;
mod http2;
mod origin;
mod pool;
mod race;
mod response;
mod socket;
mod target;
#[cfg(any(feature = "tls-aws-lc", feature = "tls-ring"))]
mod tls;
#[cfg(not(any(feature = "tls-aws-lc", feature = "tls-ring")))]
#[path = "tls/absent.rs"]
mod tls;
mod trial;
mod tunnel;
mod upload;

pub(crate) use self::connect::share;
pub use self::egress::{Egress, Range, Refused, RefusedSocket};
pub use self::origin::Origin;
pub use self::pool::{Pool, PoolError};
pub use self::tls::InvalidRoot;
pub(crate) use self::trial::{Attempt, Trial};
pub use self::tunnel::Tunnel;
pub(crate) use self::tunnel::{Offer, Stream};

/// How long making a connection may take, from resolving the name to the end of the TLS handshake.
/// Long enough for one lost packet on the way, short enough to leave most of a request's time.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Most requests on their way to one target, and so most connections to it: far above what one node
/// keeps busy, far below the ports and descriptors it has.
pub const MAX_CONNECTIONS: usize = 1_024;
/// Most idle connections kept to one target: enough for the next burst, and a bound on what a past one
/// leaves behind.
pub const MAX_IDLE: usize = 256;
/// Most requests that wait for a place at one target: as many again as may be on their way. More would
/// run out of time where they wait.
pub const MAX_WAITING: usize = 1_024;
/// Most requests at once on one connection of HTTP/2: a lost packet holds up all of them.
pub const MAX_STREAMS: usize = 100;
/// How long a connection takes requests: so that targets behind a balancer or a changed name get their
/// share of them, even from a node that is never idle.
pub const MAX_AGE: Duration = Duration::from_secs(3_600);
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
pub struct Transport(Arc<Inner>, PoolObservers);

#[derive(Debug)]
struct Inner {
    egress: Egress,
    names: dns::Names,
    /// Attempts to connect, ever.
    dialled: AtomicU64,
    trust: Trust,
    connect_timeout: Duration,
    max_connections: usize,
    max_waiting: usize,
    max_streams: usize,
    max_idle: usize,
    idle_limit: Duration,
    max_age: Duration,
}

/// How often in the idle limit connections are looked at: one is closed after three quarters of it at
/// the earliest and never after more than all of it.
const SWEEPS: u32 = 4;
/// Shortest time between two looks, however short the limits are.
const MIN_SWEEP: Duration = Duration::from_millis(1);

impl Inner {
    /// How long to wait between two looks at a pool's connections.
    fn sweep_interval(&self) -> Duration {
        (self.idle_limit / SWEEPS).max(MIN_SWEEP)
    }
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            egress: Egress::default(),
            names: dns::Names::default(),
            dialled: AtomicU64::new(0),
            trust: Trust::default(),
            connect_timeout: CONNECT_TIMEOUT,
            max_connections: MAX_CONNECTIONS,
            max_waiting: MAX_WAITING,
            max_streams: MAX_STREAMS,
            max_idle: MAX_IDLE,
            idle_limit: IDLE_LIMIT,
            max_age: MAX_AGE,
        }
    }
}

impl Transport {
    /// A transport that differs from the default.
    pub fn builder() -> Builder {
        Builder { inner: Inner::default(), roots: Vec::new() }
    }

    /// The same, telling of the connections that are made by it.
    pub(crate) fn observed(&self, observers: PoolObservers) -> Self {
        Self(Arc::clone(&self.0), observers)
    }

    /// Where it may connect to.
    #[must_use]
    pub fn egress(&self) -> &Egress {
        &self.0.egress
    }

    /// Whether the socket at `path` may be connected to.
    ///
    /// # Errors
    ///
    /// It is in no folder that the egress policy allows, or this system has no such sockets.
    pub fn check_path(&self, path: &str) -> Result<(), RefusedSocket> {
        let path = Path::new(path);
        if cfg!(unix) {
            self.0.egress.check_path(path)
        } else {
            Err(RefusedSocket { path: path.to_owned() })
        }
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

    /// The same for a host and a port.
    ///
    /// # Errors
    ///
    /// The address or the port is refused.
    pub fn check_endpoint(&self, host: &str, port: u16) -> Result<(), Refused> {
        self.0.egress.check_endpoint(host, port)
    }

    /// How often it tried to connect to an address, whatever came of it.
    #[must_use]
    pub fn dialled(&self) -> u64 {
        self.0.dialled.load(Ordering::Relaxed)
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

    /// The same, and this machine, too.
    pub(crate) fn allow_loopback(mut self) -> Self {
        self.inner.egress = self.inner.egress.allow_loopback();
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

    /// Most requests that wait for a place at one target; default: [`MAX_WAITING`]. One more is told
    /// [`Busy`](crate::ErrorKind::Busy) at once.
    pub fn max_waiting(mut self, most: usize) -> Self {
        self.inner.max_waiting = most;
        self
    }

    /// Most requests at once on one connection of HTTP/2, at least 1; default: [`MAX_STREAMS`]. The
    /// target may allow fewer. One more gets another connection.
    pub fn max_streams(mut self, most: usize) -> Self {
        self.inner.max_streams = most.max(1);
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

    /// How long a connection takes requests; default: [`MAX_AGE`]. It is looked at as often as the idle
    /// limit is, four times in each; a request that is under way ends in peace.
    pub fn max_age(mut self, limit: Duration) -> Self {
        self.inner.max_age = limit;
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
        Ok(Transport(Arc::new(self.inner), PoolObservers::default()))
    }
}
