//! Which connection takes a request.
//!
//! | file | question |
//! |---|---|
//! | `mod` | how does a request go out? |
//! | `places` | may it go now? |
//! | `kept`, `sweep` | which connections are there, and for how long? |
//! | `dial` | how does another one come to be? |
//! | `upgrade` | how is one taken over? |

use std::fmt;
use std::future::Future;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use http::{Request, Response};
use tokio::task::JoinSet;

pub use self::dial::PoolError;
pub(super) use self::kept::Open;
pub(super) use self::places::Place;

use self::dial::Dialing;
use self::kept::Kept;
use self::places::Places;
use super::http2::{self, Sent};
use super::target::Target;
use super::upload::outgoing;
use super::{Origin, Transport, Trial, http1};
use crate::body::Body;
use crate::error::Result;
use crate::observe::{self, PoolTold};
use crate::sync::Lease;

mod dial;
mod kept;
mod places;
mod sweep;
mod upgrade;

/// How often a request is sent again on another connection because the one chosen closed before
/// anything was sent. More than that and the backend closes on purpose.
const MAX_RESENDS: u32 = 3;

/// The connections to one target.
///
/// * a request goes out on the connection that became idle last, or on a new one if none is idle; over
///   HTTP/2 on the first connection that has a stream left
/// * requests on their way are limited, and with them connections; whoever finds no place waits, in
///   order, and only so many do
/// * a connection is used again only after a request and an answer that both ended cleanly, not for
///   ever, and only as long as its name has its address
/// * a request is sent twice only if nothing of it was processed the first time
/// * every connection keeps the lease until it is closed; dropping the pool closes those that are idle
///   at once and the others with their answers
pub struct Pool {
    shared: Arc<Shared>,
}

/// What a pool's connections share with it.
pub(super) struct Shared {
    pub(super) transport: Transport,
    pub(super) target: Target,
    lease: Arc<Lease>,
    places: Places,
    kept: Mutex<Kept>,
    dialing: Dialing,
    /// Connections that are open.
    open: Arc<AtomicUsize>,
    told: PoolTold,
}

/// A connection that a request may use.
enum Ready {
    Http1(http1::Connection),
    Http2(http2::Ticket),
}

impl Pool {
    /// A pool for a target, whose connections keep `lease`.
    ///
    /// # Errors
    ///
    /// [`PoolError::Unsupported`] if the target asks for TLS and there is none: no provider in this
    /// build, or no authority to trust on this machine. [`PoolError::Invalid`] for settings that cannot
    /// be followed, such as a file without certificates.
    pub fn new<'o>(
        transport: &Transport,
        origin: impl Into<Origin<'o>>,
        lease: Arc<Lease>,
    ) -> Result<Self, PoolError> {
        let target = Target::new(transport, origin.into())?;
        Ok(Self {
            shared: Arc::new_cyclic(|shared: &Weak<Shared>| Shared {
                target,
                told: PoolTold::new(transport.1.clone(), Weak::<Shared>::clone(shared)),
                places: Places::new(&transport.0),
                kept: Mutex::new(Kept::new(&transport.0)),
                dialing: Dialing::default(),
                open: Arc::default(),
                transport: transport.clone(),
                lease,
            }),
        })
    }

    /// Sends `request` and returns once the head of the answer is there. The connection is free again
    /// when the answer's body has ended.
    ///
    /// The request is sent as it is: with its URI in origin form and with a `Host`. Nothing limits the
    /// time but `wait`, the longest it may wait for a place.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Busy`](crate::ErrorKind::Busy) without a place,
    /// [`ErrorKind::Connect`](crate::ErrorKind::Connect) without a connection or when it was closed
    /// before an answer, [`ErrorKind::BadResponse`](crate::ErrorKind::BadResponse) for an answer that
    /// cannot be believed, and whatever error the request's body gave.
    ///
    /// # Cancellation
    ///
    /// Dropping the future ends the exchange: its connection is closed, over HTTP/2 its stream is.
    pub fn send(
        &self,
        request: Request<Body>,
        wait: Duration,
    ) -> impl Future<Output = Result<Response<Body>>> + Send + use<'_> {
        // Not in the future, which then holds the request once instead of twice.
        let (mut request, upload) = outgoing(request);
        async move {
            let mut place = self.shared.take_place(wait).await?;
            let mut resends = 0;
            loop {
                let last = resends == MAX_RESENDS;
                let unsent = match self.shared.connection().await? {
                    Ready::Http1(connection) => {
                        http1::prepare(&mut request);
                        let mut exchange = http1::Exchange::new(place, upload.clone());
                        let sender = exchange.on(connection);
                        let mut error = match sender.try_send_request(request).await {
                            Ok(response) => return exchange.answered(response),
                            Err(error) => error,
                        };
                        match error.take_message() {
                            Some(unsent) if !last => (unsent, exchange.abandon()),
                            unsent => {
                                return Err(exchange.failed(error.into_error(), unsent.is_some()));
                            }
                        }
                    }
                    Ready::Http2(ticket) => {
                        // Rarer, and boxed so that it does not make every request's future larger.
                        let sending = http2::send(place, ticket, request, upload.clone(), last);
                        match Box::pin(sending).await? {
                            Sent::Answered(response) => return Ok(response),
                            Sent::Not(unsent) => *unsent,
                        }
                    }
                };
                (request, place) = unsent;
                resends += 1;
            }
        }
    }

    /// Makes up to so many connections, no more than are kept idle, and keeps them for requests to come;
    /// of HTTP/2 one. What cannot be made is left.
    ///
    /// # Cancellation
    ///
    /// Dropping the future closes what is not made yet.
    pub async fn warm(&self, connections: usize) {
        let mut making = JoinSet::new();
        let most =
            if self.shared.target.is_shared() { 1 } else { self.shared.transport.0.max_idle };
        for _ in 0..connections.min(most) {
            let shared = Arc::clone(&self.shared);
            making.spawn(async move { shared.warm().await });
        }
        while making.join_next().await.is_some() {}
    }

    /// Tries the target without the pool's connections, and without leaving one to it.
    pub(crate) fn trial(&self) -> Trial<'_> {
        Trial::new(&self.shared)
    }

    /// How many connections are kept that no request uses.
    #[must_use]
    pub fn idle(&self) -> usize {
        self.shared.kept().idle()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let closed = self.shared.kept().close();
        // Without the lock, which the end of a connection takes.
        drop(closed);
    }
}

impl Shared {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that is kept and still open, or a new one.
    async fn connection(self: &Arc<Self>) -> Result<Ready> {
        while let Some(mut ready) = self.take() {
            if let Ready::Http1(connection) = &mut ready
                && !connection.is_ready().await
            {
                continue;
            }
            self.told.reused();
            return Ok(ready);
        }
        // Rare, and boxed so that it does not make every request's future larger.
        Box::pin(self.dial()).await
    }

    fn take(&self) -> Option<Ready> {
        loop {
            let mut kept = self.kept();
            if let Some(ticket) = kept.stream() {
                return Some(Ready::Http2(ticket));
            }
            let connection = kept.pop()?;
            // Without the lock, which the end of a connection takes.
            drop(kept);
            if connection.is_current() {
                return Some(Ready::Http1(connection));
            }
        }
    }
}

impl observe::Idle for Shared {
    fn idle(&self) -> usize {
        self.kept().idle()
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("target", &self.shared.target)
            .field("idle", &self.idle())
            .finish_non_exhaustive()
    }
}
