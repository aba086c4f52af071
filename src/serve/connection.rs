//! One connection, from its first byte to its end.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::sleep_until;

use super::guard::{Beginning, Guard};
use super::ledger::{Expired, Ledger};
use super::limits::{CONNECTION_WINDOW, Limits, MAX_BUFFER, PING, STREAM_WINDOW};
use super::service::Service;
use super::streams::Streams;
use crate::gateway::Gateway;
use crate::gateway::limits::{MAX_HEADER_BYTES, MAX_HEADERS};

type Http1<I> = http1::UpgradeableConnection<TokioIo<Guard<I>>, Service>;
type Http2<I> = http2::Connection<TokioIo<Guard<I>>, Service, Streams>;

/// Serves one connection until it ends, or until `stop` and the request that is under way then.
/// Dropping the future closes it.
pub(super) async fn serve<I>(
    io: I,
    gateway: Gateway,
    limits: Arc<Limits>,
    stop: impl Future<Output = ()>,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let ledger = Arc::new(Ledger::new(limits));
    let mut guard = Guard::new(io, Arc::clone(&ledger));
    let mut stop = pin!(stop);
    let beginning = tokio::select! {
        biased;
        () = stop.as_mut() => return,
        beginning = guard.begin() => beginning,
    };
    let service = Service::new(gateway, Arc::clone(&ledger));
    match beginning {
        Ok(Beginning::Http1) => {
            let connection = http1().serve_connection(TokioIo::new(guard), service);
            drive(connection.with_upgrades(), &ledger, stop).await;
            ledger.lifeline().outlived().await;
        }
        Ok(Beginning::Http2) => {
            let connection = http2(&ledger).serve_connection(TokioIo::new(guard), service);
            drive(connection, &ledger, stop).await;
        }
        Ok(Beginning::Nothing) | Err(_) => {}
    }
}

fn http1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    // The guard's limits come first; these are for the day it is wrong.
    builder.max_buf_size(MAX_BUFFER).max_headers(MAX_HEADERS).header_read_timeout(None);
    builder
}

fn http2(ledger: &Arc<Ledger>) -> http2::Builder<Streams> {
    let mut builder = http2::Builder::new(Streams::new(Arc::clone(ledger)));
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(ledger.limits().max_streams)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(u32::try_from(MAX_HEADER_BYTES).unwrap_or(u32::MAX))
        .max_send_buf_size(MAX_BUFFER)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    builder
}

/// What the two protocols' connections have in common.
trait Connection {
    /// Whether it is over. How it ended is of no use: the client knows, and nobody else asked.
    fn poll_end(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()>;
    /// Takes no more requests.
    fn retire(self: Pin<&mut Self>);
}

impl<I: AsyncRead + AsyncWrite + Unpin + Send + 'static> Connection for Http1<I> {
    fn poll_end(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.poll(cx).map(drop)
    }

    fn retire(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin + Send + 'static> Connection for Http2<I> {
    fn poll_end(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.poll(cx).map(drop)
    }

    fn retire(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// Runs a connection with one timer, which is set anew only when it has to ring sooner.
async fn drive(
    connection: impl Connection,
    ledger: &Ledger,
    mut stop: Pin<&mut impl Future<Output = ()>>,
) {
    let mut connection = pin!(connection);
    let mut sleep = pin!(sleep_until(ledger.due().0));
    let mut stopped = false;
    poll_fn(|cx| {
        loop {
            if !stopped && stop.as_mut().poll(cx).is_ready() {
                stopped = true;
                ledger.retire();
            }
            if ledger.take_retire() {
                connection.as_mut().retire();
            }
            if connection.as_mut().poll_end(cx).is_ready() {
                return Poll::Ready(());
            }
            if ledger.is_to_retire() {
                continue;
            }
            let due = ledger.due().0;
            if sleep.deadline() > due || sleep.is_elapsed() {
                sleep.as_mut().reset(due);
            }
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if ledger.expired() == Some(Expired::Patience) {
                return Poll::Ready(());
            }
        }
    })
    .await;
}
