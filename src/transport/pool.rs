//! Which connection takes a request.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::exchange::{Connection, Exchange, Outgoing, outgoing};
use super::response::MAX_HEAD;
use super::sweep::{SWEEPS, Sweeper};
use super::tls::Tls;
use super::{Transport, Trial, connect};
use crate::body::Body;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::model::definition::Url;
use crate::sync::Lease;

/// How often a request is sent again on another connection because the one chosen closed before
/// anything was sent. More than that and the backend closes on purpose.
const MAX_RESENDS: u32 = 3;

/// Largest read or write buffer of a connection: a head must fit, and the rest is what a fast peer may
/// be ahead of a slow one.
const MAX_BUFFER: usize = 128 * 1024;

/// The connections to one target.
///
/// * a request goes out on the connection that became idle last, or on a new one if none is idle
/// * requests on their way, and so connections, are limited; whoever finds no place waits
/// * a connection is used again only after a request and an answer that both ended cleanly
/// * a request is sent twice only if nothing of it was sent the first time
/// * every connection keeps the lease until it is closed; dropping the pool closes those that are idle
///   at once and the others with their answers
pub struct Pool {
    shared: Arc<Shared>,
}

/// What a pool's connections share with it.
pub(super) struct Shared {
    pub(super) transport: Transport,
    pub(super) host: Box<str>,
    pub(super) port: u16,
    pub(super) tls: Option<Tls>,
    lease: Arc<Lease>,
    places: Semaphore,
    idle: Mutex<Idle>,
}

/// A stack: connections at the bottom became idle first.
#[derive(Default)]
struct Idle {
    stack: Vec<(Connection, u32)>,
    /// The time, in sweeps: reading a clock for every request costs more than it tells.
    now: u32,
    sweeping: bool,
    closed: bool,
}

/// A target that this build or this machine cannot reach.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct Unsupported(String);

impl Pool {
    /// A pool for the target at `url`, whose connections keep `lease`. Its base path is not looked at.
    ///
    /// # Errors
    ///
    /// The target asks for TLS and there is none: no provider in this build, or no authority to trust
    /// on this machine.
    pub fn new(transport: &Transport, url: &Url, lease: Arc<Lease>) -> Result<Self, Unsupported> {
        let tls = url
            .is_https()
            .then(|| Tls::new(&transport.0.trust, url.host()).map_err(Unsupported))
            .transpose()?;
        Ok(Self {
            shared: Arc::new(Shared {
                places: Semaphore::new(transport.0.max_connections),
                transport: transport.clone(),
                host: url.host().into(),
                port: url.port(),
                tls,
                lease,
                idle: Mutex::default(),
            }),
        })
    }

    /// Sends `request` and returns once the head of the answer is there. The connection is free again
    /// when the answer's body has ended.
    ///
    /// The request is sent as it is, as HTTP/1.1: with its URI in origin form and with a `Host`.
    /// Nothing limits the time but `wait`, the longest it may wait for a place.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Busy`] without a place, [`ErrorKind::Connect`] without a connection or when it was
    /// closed before an answer, [`ErrorKind::BadResponse`] for an answer that cannot be believed, and
    /// whatever error the request's body gave.
    ///
    /// # Cancellation
    ///
    /// Dropping the future closes the connection, if there is one already.
    pub fn send(
        &self,
        request: Request<Body>,
        wait: Duration,
    ) -> impl Future<Output = Result<Response<Body>>> + Send + use<'_> {
        // Not in the future, which then holds the request once instead of twice.
        let (mut request, upload) = outgoing(request);
        *request.version_mut() = http::Version::HTTP_11;
        async move {
            self.shared.take_place(wait).await?;
            let mut exchange = Exchange::new(Arc::clone(&self.shared), upload);
            let mut resends = 0;
            loop {
                let sender = exchange.on(self.shared.connection().await?);
                let mut error = match sender.try_send_request(request).await {
                    Ok(response) => return exchange.answered(response),
                    Err(error) => error,
                };
                match error.take_message() {
                    Some(unsent) if resends < MAX_RESENDS => {
                        request = unsent;
                        resends += 1;
                    }
                    unsent => return Err(exchange.failed(error.into_error(), unsent.is_some())),
                }
            }
        }
    }

    /// Tries the target without the pool's connections, and without leaving one to it.
    pub(crate) fn trial(&self) -> Trial<'_> {
        Trial::new(&self.shared)
    }

    /// How many connections are idle.
    #[must_use]
    pub fn idle(&self) -> usize {
        self.shared.idle().stack.len()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut idle = self.shared.idle();
        idle.closed = true;
        let stack = std::mem::take(&mut idle.stack);
        drop(idle);
        drop(stack);
    }
}

impl Shared {
    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn take_place(&self, wait: Duration) -> Result<()> {
        if let Ok(place) = self.places.try_acquire() {
            place.forget();
            return Ok(());
        }
        // Rare, and boxed so that it does not make every request's future larger.
        match Box::pin(timeout(wait, self.places.acquire())).await {
            Ok(Ok(place)) => {
                place.forget();
                Ok(())
            }
            _ => {
                Err(Error::new(ErrorKind::Busy, Retry::Always, "no connection became free in time"))
            }
        }
    }

    pub(super) fn give_place_back(&self) {
        self.places.add_permits(1);
    }

    /// The connection that became idle last and is still open, or a new one.
    async fn connection(&self) -> Result<Connection> {
        while let Some(mut connection) = self.pop() {
            // Between the end of an answer and readiness the driver may have a few steps to go.
            if connection.sender.ready().await.is_ok() {
                return Ok(connection);
            }
        }
        // Rare, and boxed so that it does not make every request's future larger.
        Box::pin(self.connect()).await
    }

    fn pop(&self) -> Option<Connection> {
        Some(self.idle().stack.pop()?.0)
    }

    async fn connect(&self) -> Result<Connection> {
        let deadline = Instant::now() + self.transport.0.connect_timeout;
        let egress = &self.transport.0.egress;
        let stream = connect::tcp(egress, &self.host, self.port, deadline).await?;
        match &self.tls {
            None => self.drive(stream).await,
            Some(tls) => self.drive(tls.connect(stream, deadline).await?).await,
        }
    }

    async fn drive<S>(&self, stream: S) -> Result<Connection>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(MAX_BUFFER)
            .max_header_size(MAX_HEAD)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| connect::failed("connection failed").caused_by(error))?;
        let driver = tokio::spawn(Driver { connection, _lease: Arc::clone(&self.lease) });
        Ok(Connection { sender, driver: driver.abort_handle() })
    }

    /// Keeps a connection for the next request, unless there are enough of them.
    pub(super) fn put_back(self: &Arc<Self>, connection: Connection) {
        let mut idle = self.idle();
        if idle.closed || idle.stack.len() >= self.transport.0.max_idle {
            return;
        }
        if !idle.sweeping {
            // Without a runtime nobody would close it.
            let Ok(runtime) = Handle::try_current() else {
                return;
            };
            idle.sweeping = true;
            let now = idle.now;
            idle.stack.push((connection, now));
            // A runtime that is shutting down drops the task here and now, and that takes the lock.
            drop(idle);
            runtime.spawn(Sweeper::new(self).run());
            return;
        }
        let now = idle.now;
        idle.stack.push((connection, now));
    }

    /// Nobody sweeps any more, though connections may be idle.
    pub(super) fn unswept(&self) {
        self.idle().sweeping = false;
    }

    /// How long to wait between two sweeps.
    pub(super) fn sweep_interval(&self) -> Duration {
        self.transport.0.idle_limit / SWEEPS
    }

    /// Lets time pass by one sweep and closes what was idle for too long. Says whether to go on.
    pub(super) fn sweep(&self) -> bool {
        let mut idle = self.idle();
        idle.now = idle.now.wrapping_add(1);
        let now = idle.now;
        let old = |since: u32| now.wrapping_sub(since) >= SWEEPS;
        let expired = idle.stack.partition_point(|(_, since)| old(*since));
        let expired: Vec<_> = idle.stack.drain(..expired).collect();
        idle.sweeping = !idle.stack.is_empty();
        let go_on = idle.sweeping;
        drop(idle);
        drop(expired);
        go_on
    }
}

/// Moves the bytes of one connection. The lease goes after the socket.
struct Driver<S>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    connection: http1::Connection<TokioIo<S>, Outgoing>,
    _lease: Arc<Lease>,
}

impl<S> Future for Driver<S>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // What went wrong reaches the request through its own channel.
        Pin::new(&mut self.connection).poll(cx).map(drop)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("host", &self.shared.host)
            .field("port", &self.shared.port)
            .field("tls", &self.shared.tls.is_some())
            .field("idle", &self.idle())
            .finish_non_exhaustive()
    }
}
