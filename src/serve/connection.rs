//! One connection, from its first byte to its end.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::sleep_until;

use super::guard::{Beginning, Guard};
use super::ledger::{Expired, Ledger};
use super::lent::Lent;
use super::limits::{CONNECTION_WINDOW, Limits, MAX_BUFFER, PING, STREAM_WINDOW};
use super::service::Service;
use super::streams::Streams;
use crate::gateway::Gateway;
use crate::gateway::limits::{MAX_HEADER_BYTES, MAX_HEADERS};

type Http1<I> = http1::UpgradeableConnection<TokioIo<Lent<I>>, Service>;
type Http2<I> = http2::Connection<TokioIo<Box<Guard<I>>>, Service, Streams>;

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
    // Boxed, because every future that it goes through has a place of its own for it.
    let mut guard = Box::new(Guard::new(io, Arc::clone(&ledger)));
    let mut stop = pin!(stop);
    let beginning = tokio::select! {
        biased;
        () = stop.as_mut() => return,
        beginning = guard.begin() => beginning,
    };
    match beginning {
        Ok(Beginning::Http1) => {
            serve_http1(guard, &gateway, &ledger, stop).await;
            ledger.lifeline().outlived().await;
        }
        Ok(Beginning::Http2) => {
            let service = Service::new(gateway, Arc::clone(&ledger));
            // Boxed, here and below: it is much larger than a connection that rests.
            let connection = http2(&ledger).serve_connection(TokioIo::new(guard), service);
            drive(Box::pin(connection).as_mut(), &ledger, stop).await;
        }
        Ok(Beginning::Nothing) | Err(_) => {}
    }
}

/// Serves one request after the other. hyper and its buffers are there only while there are some.
async fn serve_http1<I>(
    mut guard: Box<Guard<I>>,
    gateway: &Gateway,
    ledger: &Arc<Ledger>,
    mut stop: Pin<&mut impl Future<Output = ()>>,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    loop {
        let resting = pin!(Resting { guard: &mut guard, leaving: false });
        drive(resting, ledger, stop.as_mut()).await;
        if !guard.has_request() {
            return;
        }
        let (lent, home) = Lent::new(guard);
        let service = Service::new(gateway.clone(), Arc::clone(ledger));
        let connection = http1().serve_connection(TokioIo::new(lent), service).with_upgrades();
        let mut connection = Box::pin(connection);
        ledger.may_rest(true);
        let driven = drive(connection.as_mut(), ledger, stop.as_mut()).await;
        ledger.may_rest(false);
        drop(connection);
        match home.take() {
            Some(back) if driven == Driven::Resting => guard = back,
            _ => return,
        }
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

/// A connection of HTTP/1 without a request: over when there is one, or when it shall take none.
struct Resting<'g, I> {
    guard: &'g mut Guard<I>,
    leaving: bool,
}

impl<I: AsyncRead + AsyncWrite + Unpin> Connection for Resting<'_, I> {
    fn poll_end(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if !self.leaving {
            ready!(self.guard.poll_request(cx));
            if self.guard.has_request() {
                return Poll::Ready(());
            }
        }
        Pin::new(&mut *self.guard).poll_shutdown(cx).map(drop)
    }

    fn retire(mut self: Pin<&mut Self>) {
        self.leaving = true;
    }
}

/// Why a connection is not driven any more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Driven {
    /// It came to its end.
    Ended,
    /// It has no request, for some time now.
    Resting,
    /// It lasted too long.
    Over,
}

/// Runs a connection with one timer, which is set anew only when it has to ring sooner.
async fn drive(
    mut connection: Pin<&mut impl Connection>,
    ledger: &Ledger,
    mut stop: Pin<&mut impl Future<Output = ()>>,
) -> Driven {
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
                return Poll::Ready(Driven::Ended);
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
            match ledger.expired() {
                Some(Expired::Patience) => return Poll::Ready(Driven::Over),
                Some(Expired::Pause) => return Poll::Ready(Driven::Resting),
                Some(Expired::Head | Expired::Rest) | None => {}
            }
        }
    })
    .await
}
