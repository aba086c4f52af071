//! HTTP/2: many requests at a time on a connection (RFC 9113).
//!
//! | file | question |
//! |---|---|
//! | `mod` | how does a connection come to be, and has it room for another request? |
//! | `driver` | who moves its bytes, and does anybody answer? |
//! | `head` | what of a request's head goes where? |
//! | `exchange` | one request and its answer |
//! | `upload` | how is a request's body sent? |
//! | `answer` | how is an answer's body read? |
//! | `ask` | one request on a connection that nobody else uses |

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use h2::client::{Builder, SendRequest};
use http::Request;
use http::uri::Scheme;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};

use self::driver::Driver;
use super::Inner;
use super::connect::failed;
use super::dns::Peer;
use super::pool::Open;
use super::response::MAX_HEAD;
use super::upload::Outgoing;
use crate::error::Result;

mod answer;
mod ask;
mod driver;
mod exchange;
mod head;
mod upload;

pub(super) use self::ask::ask;
pub(super) use self::exchange::{Sent, send};

/// Bytes of one answer that are taken before its reader took any: what a connection of HTTP/1.1 may be
/// ahead too.
const STREAM_WINDOW: u32 = 128 * 1024;
/// The largest window there is (RFC 9113 section 6.9.1).
const MAX_WINDOW: u32 = (1 << 31) - 1;
/// Largest frame: the least that everybody accepts (RFC 9113 section 4.2).
const FRAME: u32 = 16 * 1024;

/// A connection that several requests share.
pub(super) struct Multiplexed {
    scheme: Scheme,
    peer: Peer,
    sender: SendRequest<Bytes>,
    used: AtomicUsize,
    /// Since the last sweep.
    touched: AtomicBool,
    closed: Arc<AtomicBool>,
}

/// A stream of a connection, for one request and its answer. Dropping it gives it back.
pub(super) struct Ticket(Arc<Multiplexed>);

impl Multiplexed {
    /// Makes a connection of `stream`: it is there once the other side has told its limits, and so has
    /// shown that it speaks HTTP/2. It goes on after `self` is gone until its last answer has ended.
    pub(super) async fn new<S>(
        stream: S,
        peer: Peer,
        scheme: Scheme,
        open: Open,
        limits: &Inner,
        deadline: Instant,
    ) -> Result<Self>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let streams = u32::try_from(limits.max_streams).unwrap_or(u32::MAX);
        let mut builder = Builder::new();
        builder
            .initial_window_size(STREAM_WINDOW)
            // Readers that are slow must not stop those that are not.
            .initial_connection_window_size(STREAM_WINDOW.saturating_mul(streams).min(MAX_WINDOW))
            .max_frame_size(FRAME)
            .max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX))
            // What it says first replaces this.
            .initial_max_send_streams(0)
            .enable_push(false);
        let made = async {
            let (sender, connection) = builder.handshake(stream).await?;
            let closed = Arc::<AtomicBool>::default();
            let mut driver = Driver::new(connection, Arc::clone(&closed), open);
            driver.settled().await?;
            tokio::spawn(driver);
            let (used, touched) = (AtomicUsize::new(0), AtomicBool::new(true));
            Ok::<_, h2::Error>(Self { scheme, peer, sender, used, touched, closed })
        };
        match timeout_at(deadline, made).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(failed("the backend does not speak HTTP/2").caused_by(error)),
            Err(late) => Err(failed("connection timed out").caused_by(late)),
        }
    }

    /// A stream, if one is left: of those that the other side allows and of `most`.
    pub(super) fn take(self: &Arc<Self>, most: usize) -> Option<Ticket> {
        let most = most.min(self.sender.current_max_send_streams());
        let room = |used: usize| (used < most).then_some(used + 1);
        let taken = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room);
        self.touched.store(true, Ordering::Relaxed);
        taken.is_ok().then(|| Ticket(Arc::clone(self)))
    }

    /// Whether it is still to an address of its name.
    pub(super) fn is_current(&self) -> bool {
        self.peer.is_current()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    pub(super) fn is_used(&self) -> bool {
        self.used.load(Ordering::Relaxed) > 0
    }

    /// Whether a request used it since this was asked last.
    pub(super) fn was_used(&self) -> bool {
        self.touched.swap(false, Ordering::Relaxed) || self.is_used()
    }
}

impl Ticket {
    /// No other request is to use the connection.
    fn retire(&self) {
        self.0.closed.store(true, Ordering::Relaxed);
    }

    fn head(&self, request: &Request<Outgoing>) -> Result<Request<()>> {
        head::head(self.0.scheme.clone(), request.method(), request.uri(), request.headers())
    }

    fn sender(&self) -> SendRequest<Bytes> {
        self.0.sender.clone()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.used.fetch_sub(1, Ordering::Relaxed);
    }
}
