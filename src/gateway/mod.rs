//! THE WAY of a request: received, routed, forwarded, answered.
//!
//! | file | question |
//! |---|---|
//! | `pairs` | what do a query and a form consist of? |
//! | `receive`, `host` | what is refused before anybody asks where it should go? |
//! | `route`, `resolve` | which API in which environment? |
//! | `admit/`, `prepare`, `collect` | may it, and is it what was signed? |
//! | `forward`, `hop` | what does the backend receive? |
//! | `map/`, `mapping`, `known` | what of the parameters does it receive, and what is it told? |
//! | `tunnel` | how do client and backend talk past the gateway? |
//! | `exchange`, `upload`, `deadline` | how long may it take, and how much may be sent? |
//! | `answer`, `id`, `proxy_status` | what does the client receive? |
//! | `debug/` | how was it handled, for who may ask? |
//! | `via` | has the request been here before? |
//! | `service` | in which order? |
//! | `told` | who else is told of it? |
//! | `peer`, `limits` | who is at the other end, and how much is accepted? |

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "server")]
use http::{Method, Response, Version};

#[cfg(feature = "server")]
use crate::body::Body;
#[cfg(feature = "server")]
use crate::error::Error;
use crate::model::Environment;
use crate::registry::{Reader, Registry};

mod admit;
mod answer;
mod collect;
mod deadline;
mod debug;
mod exchange;
mod forward;
mod hop;
mod host;
mod id;
mod known;
pub mod limits;
mod map;
mod mapping;
mod pairs;
mod peer;
mod prepare;
mod proxy_status;
mod receive;
mod resolve;
mod route;
mod service;
mod told;
mod tunnel;
mod upload;
mod via;

#[cfg(fuzzing)]
pub(crate) use self::admit::texts;
#[cfg(feature = "redis")]
pub use self::admit::{InvalidRedisUrl, RedisNonces};
pub use self::admit::{MemoryNonces, Nonce, NonceError, NonceStore, Spelling};
pub use self::debug::{Debugged, Sent, Step};
#[cfg(fuzzing)]
pub(crate) use self::map::trial::Trial;
pub use self::peer::{InvalidNetwork, Network, Peer, Scheme};
pub use self::proxy_status::{InvalidProxyName, ProxyName};
#[cfg(feature = "server")]
pub(crate) use self::receive::transfer_coding;
pub use self::resolve::Resolved;
pub use self::service::Responding;

use self::admit::{Admission, Spellings};
use self::deadline::Timers;
use self::via::Via;

/// Serves what a registry has published, as a `tower` service that is always ready and never fails.
///
/// Each request is served by the snapshot it entered with: it sees one revision, whole. What it needs
/// of it is kept until the last byte of its response, and nothing else.
///
/// Mount it into axum with `fallback_service`, or into hyper through `hyper_util`'s
/// `TowerToHyperService`. Bodies stream both ways. When the server drops a request's future, because
/// its client is gone, the call of the backend is dropped too.
///
/// Clones are cheap and serve the same registry. Servers with a task per connection may give each its
/// own: `gateway.peer(…)` tells backends the client's address without an extension per request.
///
/// A request that comes back to the gateway that forwarded it is answered `X508LD`. What is made of a
/// gateway by its methods is the same gateway; two that forward to each other on purpose are two calls
/// of [`new`](Self::new).
///
/// | limit | default | answer |
/// |---|---|---|
/// | URI | 8 KiB | `I413UL` |
/// | headers | 100, 16 KiB | `I431HD` |
/// | request body | 10 MiB, see [`max_body`](Self::max_body) | `I413RL` |
/// | request fully sent to response head | 10 s; API over definition | `D504TO` |
/// | signed or mapped form | 1 MiB, see [`max_form`](Self::max_form) | `I413RL` |
/// | request body at rest | 15 s | `I400BD` |
/// | tunnel at rest | 10 min, see [`tunnel_idle`](Self::tunnel_idle) | both ends are closed |
/// | response body at rest | 15 s | the connection is aborted |
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

struct Inner {
    reader: Reader,
    environment: Option<Environment>,
    /// Empty, or `/prefix`.
    prefix: Box<str>,
    trusted: Arc<[Network]>,
    max_body: u64,
    peer: Option<Peer>,
    proxy_name: Option<ProxyName>,
    via: Arc<Via>,
    admission: Arc<Admission>,
    max_form: u64,
    tunnel_idle: Duration,
    timers: Timers,
}

impl Gateway {
    /// Serves what `registry` has published, in the environment each request asks for.
    #[must_use]
    pub fn new(registry: &Registry) -> Self {
        Self(Arc::new(Inner {
            reader: registry.reader(),
            environment: None,
            prefix: Box::default(),
            trusted: Arc::default(),
            max_body: limits::MAX_BODY,
            peer: None,
            proxy_name: None,
            via: Arc::new(Via::new()),
            admission: Arc::new(Admission::new()),
            max_form: limits::MAX_FORM,
            tunnel_idle: limits::TUNNEL_IDLE,
            timers: Timers::default(),
        }))
    }

    /// The same for one environment only; what requests and hosts ask for is not looked at.
    ///
    /// While the registry does not know the environment, every request is answered `I400SG`.
    #[must_use]
    pub fn environment(self, environment: Environment) -> Self {
        self.with(|inner| inner.environment = Some(environment))
    }

    /// The same mounted at `prefix`: it is taken off before anything is routed, and what is not below
    /// it is not found.
    ///
    /// The full URI is looked at. With feature `axum` that is the one before axum's `nest` took
    /// something off.
    #[must_use]
    pub fn at(self, prefix: &str) -> Self {
        let prefix = prefix.trim_matches('/');
        self.with(|inner| {
            inner.prefix =
                if prefix.is_empty() { Box::default() } else { format!("/{prefix}").into() };
        })
    }

    /// The same, believing what these proxies say in `X-Forwarded-For`, `-Proto` and `-Host`: it is
    /// added to instead of replaced.
    #[must_use]
    pub fn trusted_proxies(self, proxies: impl IntoIterator<Item = Network>) -> Self {
        self.with(|inner| inner.trusted = proxies.into_iter().collect())
    }

    /// The same with another limit for request bodies, in bytes, where an API has none of its own.
    #[must_use]
    pub fn max_body(self, bytes: u64) -> Self {
        self.with(|inner| inner.max_body = bytes)
    }

    /// The same with another limit for forms that are signed or mapped, in bytes: they are read whole
    /// before anything is sent. The API's limit for bodies holds too; of an API that takes files, that alone
    /// where it has one.
    #[must_use]
    pub fn max_form(self, bytes: u64) -> Self {
        self.with(|inner| inner.max_form = bytes)
    }

    /// The same with another limit for how long nothing may move in a tunnel (WebSocket); default:
    /// [`limits::TUNNEL_IDLE`].
    ///
    /// Tunnels need a server that passes on upgrades: `serve::Server`, axum's, or hyper's with
    /// `with_upgrades`.
    #[must_use]
    pub fn tunnel_idle(self, limit: Duration) -> Self {
        self.with(|inner| inner.tunnel_idle = limit)
    }

    /// The same, accepting of the spellings of signed requests besides the documented one only these. In
    /// the registry's strict mode none is accepted.
    #[must_use]
    pub fn spellings(self, spellings: impl IntoIterator<Item = Spelling>) -> Self {
        let spellings: Spellings = spellings.into_iter().collect();
        self.with(|inner| inner.admission_mut().spellings = spellings)
    }

    /// The same, remembering nonces in `store`, which a fleet can share. By default each gateway has a
    /// [`MemoryNonces`] of its own.
    #[must_use]
    pub fn nonces(self, store: impl NonceStore) -> Self {
        self.with(|inner| inner.admission_mut().nonces = Arc::new(store))
    }

    /// The same, letting signed requests pass while their nonces cannot be checked: a store that is
    /// down lets requests be repeated instead of refusing them (`X503NS`).
    #[must_use]
    pub fn pass_unchecked_nonces(self, pass: bool) -> Self {
        self.with(|inner| inner.admission_mut().pass_unchecked_nonces = pass)
    }

    /// The same, with these networks as those that private APIs may be called from. Without any it is
    /// those that are not routed on the internet.
    #[must_use]
    pub fn intranet(self, networks: impl IntoIterator<Item = Network>) -> Self {
        let networks = networks.into_iter().collect();
        self.with(|inner| inner.admission_mut().intranet = networks)
    }

    /// The same, telling the hops after it by `Proxy-Status` what it did (RFC 9209): of its own answers
    /// which failure they are, of a backend's with which status it came. The details are the failure's
    /// code and fixed message; they never name a backend. Without a name nothing is said.
    ///
    /// ```
    /// # async fn sample(registry: &backhaul::Registry) -> Result<(), Box<dyn std::error::Error>> {
    /// let gateway = backhaul::Gateway::new(registry).proxy_status("edge-1".parse()?);
    /// // Proxy-Status: edge-1; error=destination_not_found; details="I404NF API not found with"
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn proxy_status(self, name: ProxyName) -> Self {
        self.with(|inner| inner.proxy_name = Some(name))
    }

    /// The same for requests of one connection. A [`Peer`] in a request's extensions goes before it.
    #[must_use]
    pub fn peer(&self, peer: Peer) -> Self {
        self.clone().with(|inner| inner.peer = Some(peer))
    }

    /// The gateway's answer to a request that failed before the gateway could see it.
    #[cfg(feature = "server")]
    pub(crate) fn failure(
        &self,
        error: &Error,
        method: &Method,
        version: Version,
    ) -> Response<Body> {
        let id = id::request_id();
        let told = told::Told::failed(&self.0, method, version, &id, error);
        let mut response = self.0.failure(error, id, method, version);
        told.end(&mut response);
        response
    }

    /// The gateway's answer to a request of which it has told that it failed.
    #[cfg(feature = "server")]
    pub(crate) fn panicked(
        &self,
        error: &Error,
        method: &Method,
        version: Version,
    ) -> Response<Body> {
        self.0.failure(error, id::request_id(), method, version)
    }

    fn with(self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = Inner {
            reader: self.0.reader.clone(),
            environment: self.0.environment.clone(),
            prefix: self.0.prefix.clone(),
            trusted: Arc::clone(&self.0.trusted),
            max_body: self.0.max_body,
            peer: self.0.peer.clone(),
            proxy_name: self.0.proxy_name.clone(),
            via: Arc::clone(&self.0.via),
            admission: Arc::clone(&self.0.admission),
            max_form: self.0.max_form,
            tunnel_idle: self.0.tunnel_idle,
            timers: Timers::default(),
        };
        change(&mut inner);
        Self(Arc::new(inner))
    }
}

impl Inner {
    fn admission_mut(&mut self) -> &mut Admission {
        Arc::make_mut(&mut self.admission)
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway")
            .field("environment", &self.0.environment)
            .field("at", &self.0.prefix)
            .field("max_body", &self.0.max_body)
            .finish_non_exhaustive()
    }
}
