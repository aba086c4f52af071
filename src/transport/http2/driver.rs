//! Who moves the bytes of a connection, and whether anybody is at its other end.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use h2::client::Connection;
use h2::{Ping, PingPong};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep};

use crate::transport::pool::Open;

/// How often the other side is asked whether it is there: a path that swallows packets is found long
/// before a request to it would run out of time for a second time.
const PING_INTERVAL: Duration = Duration::from_secs(15);
/// How long it has to say so, whatever else it is busy with.
const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// Moves the bytes of one connection. What it keeps goes after the socket.
pub(super) struct Driver<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    connection: Connection<S, Bytes>,
    ping: Option<PingPong>,
    due: Pin<Box<Sleep>>,
    asked: bool,
    _closed: Closing,
    _open: Open,
}

/// Tells the pool, whatever the end.
struct Closing(Arc<AtomicBool>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
    pub(super) fn new(
        mut connection: Connection<S, Bytes>,
        closed: Arc<AtomicBool>,
        open: Open,
    ) -> Self {
        let ping = connection.ping_pong();
        let due = Box::pin(tokio::time::sleep(PING_INTERVAL));
        Self { connection, ping, due, asked: false, _closed: Closing(closed), _open: open }
    }

    /// Waits until the other side has told its limits.
    pub(super) async fn settled(&mut self) -> Result<(), h2::Error> {
        poll_fn(|cx| {
            let ended = Pin::new(&mut self.connection).poll(cx)?;
            if self.connection.max_concurrent_send_streams() > 0 || ended.is_ready() {
                return Poll::Ready(Ok(()));
            }
            Poll::Pending
        })
        .await
    }

    /// Ready once nobody answers.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(ping) = &mut self.ping else {
            return Poll::Pending;
        };
        loop {
            if self.asked && ping.poll_pong(cx).is_ready() {
                self.asked = false;
                self.due.as_mut().reset(Instant::now() + PING_INTERVAL);
            }
            if self.due.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if self.asked || ping.send_ping(Ping::opaque()).is_err() {
                return Poll::Ready(());
            }
            self.asked = true;
            self.due.as_mut().reset(Instant::now() + PING_TIMEOUT);
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Future for Driver<S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let asked = self.asked;
            // What went wrong reaches the requests through their own channels.
            if Pin::new(&mut self.connection).poll(cx).is_ready() {
                return Poll::Ready(());
            }
            if self.poll_silence(cx).is_ready() {
                return Poll::Ready(());
            }
            // A question that is new is still to be written.
            if asked || !self.asked {
                return Poll::Pending;
            }
        }
    }
}
