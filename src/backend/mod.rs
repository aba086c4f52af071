//! The contract between the gateway and whatever answers its requests, and one folder per kind.
//!
//! | file | question |
//! |---|---|
//! | `call` | what travels with a request? |
//! | `capability` | what can a kind do? |
//! | `factory` | how does a definition become a backend? |
//! | `probe` | can its target be reached? |
//! | `http/`, `mock/` | how does this kind do it? |

use std::fmt;

use ::http::{Request, Response};
use async_trait::async_trait;

use crate::error::Result;

pub mod call;
pub mod capability;
pub mod factory;
pub mod http;
pub mod mock;
pub mod probe;

pub use self::call::Call;
pub use self::capability::Capability;
pub use self::factory::{Built, Context, Factory};
pub use self::probe::{Check, Probe, Probed, Step};
pub use crate::body::Body;

/// Turns a request into a response by asking some target for it.
///
/// # Contract
///
/// Applications hold handles, not backends; this trait is between a backend and this crate. An
/// implementation promises:
///
/// 1. **It streams.** Neither body is collected unless the kind's documentation says so.
/// 2. **It may be dropped.** The gateway keeps the deadline and drops the future when it passes.
/// 3. **`Err` means no response.** A 5xx from the target is `Ok`.
/// 4. **[`Error::retry`](crate::Error::retry) tells the truth** about whether the target may have
///    seen the request.
/// 5. **It is shared.** One value serves all requests of its definition at once.
///
/// The request's URI is in origin form: the path and query the target is to receive, before any base
/// path of its own. Hop-by-hop headers are gone, and so is `Host`, unless the client's own is to be
/// sent on. `backhaul::testing` has a suite that tries an implementation against this list.
///
/// # Cancellation
///
/// Dropping the future abandons the exchange: a connection is closed, not reused. The target may
/// already have acted on the request.
///
/// # Wrappers
///
/// A wrapper passes [`probe`](Self::probe) and [`warm`](Self::warm) on too: by default neither does
/// anything.
///
/// ```
/// use backhaul::{Backend, Body, Call, Result};
/// use http::{Request, Response};
///
/// #[derive(Debug)]
/// struct Greeter;
///
/// #[async_trait::async_trait]
/// impl Backend for Greeter {
///     async fn send(&self, _: Request<Body>, call: &Call) -> Result<Response<Body>> {
///         Ok(Response::new(Body::from(format!("hello from {}", call.environment()))))
///     }
/// }
/// ```
#[async_trait]
pub trait Backend: fmt::Debug + Send + Sync + 'static {
    /// Sends `request` and returns once the response head is there.
    ///
    /// # Errors
    ///
    /// When no response head arrived; see [`ErrorKind`](crate::ErrorKind).
    async fn send(&self, request: Request<Body>, call: &Call) -> Result<Response<Body>>;

    /// Makes up to so many connections to the target for requests to come. Nothing is reported: what
    /// cannot be made now is made when it is needed. Asked for before a definition takes traffic, see
    /// [`Publisher::prewarm`](crate::Publisher::prewarm); by default there is nothing to make.
    ///
    /// # Cancellation
    ///
    /// Dropping the future closes what is not made yet.
    async fn warm(&self, connections: usize) {
        let _ = connections;
    }

    /// Whether the target can be reached from this process: every step is reported, none is an error.
    ///
    /// Takes no longer than the probe allows, uses no connection of requests and leaves none behind. By
    /// default there is nothing to probe.
    ///
    /// # Cancellation
    ///
    /// Dropping the future closes what it opened.
    async fn probe(&self, probe: &Probe) -> Probed {
        let _ = probe;
        Probed::default()
    }
}

#[cfg(test)]
fn _is_dyn_safe(_: &dyn Backend) {}
