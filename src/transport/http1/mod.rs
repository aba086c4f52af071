//! HTTP/1.1: one request at a time on a connection.
//!
//! | file | question |
//! |---|---|
//! | `mod` | how does a connection come to be, and who moves its bytes? |
//! | `exchange` | one request, its answer, and what becomes of the connection after |
//! | `bell` | when is that to be done? |
//! | `patience` | how much may come before an answer's head? |

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::AbortHandle;

use self::bell::Bell;
use self::patience::{Patience, Patient};
use super::connect;
use super::dns::Peer;
use super::pool::Open;
use super::response::MAX_HEAD;
use super::upload::Outgoing;
use crate::error::Result;

mod bell;
mod exchange;
mod patience;

pub(super) use self::exchange::{Exchange, prepare};
pub(super) use self::patience::is_impatient;

/// Largest read or write buffer of a connection: a head must fit, and the rest is what a fast peer may
/// be ahead of a slow one. So large that a head and 64 KiB are read at once: with 64 KiB in all, such an
/// answer takes a second read and costs a sixth more; twice as much makes it no cheaper, and each connection
/// keeps one.
const MAX_BUFFER: usize = 72 * 1024;

/// A connection nobody else uses: the way to send on it, and the way to cut it.
pub(super) struct Connection {
    sender: http1::SendRequest<Outgoing>,
    driver: AbortHandle,
    patience: Arc<Patience>,
    bell: Arc<Bell>,
    peer: Peer,
    /// When it was made, in sweeps of its pool.
    pub(super) born: u32,
}

impl Connection {
    /// Makes a connection of `stream`. It goes on after `self` is gone until its answer has ended.
    pub(super) async fn new<S>(stream: S, peer: Peer, open: Open, born: u32) -> Result<Self>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (sender, connection, patience) = handshake(stream).await?;
        let bell = Bell::new();
        let waker = Waker::from(Arc::clone(&bell));
        let driver = Driver { connection, bell: Arc::clone(&bell), waker, _open: open };
        let driver = tokio::spawn(driver).abort_handle();
        Ok(Self { sender, driver, patience, bell, peer, born })
    }

    /// The same for one that may be taken over.
    pub(super) async fn upgradable<S>(stream: S, peer: Peer, open: Open, born: u32) -> Result<Self>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (sender, connection, patience) = handshake(stream).await?;
        let driver = tokio::spawn(async move {
            // What went wrong reaches the request through its own channel.
            let _ = connection.with_upgrades().await;
            drop(open);
        });
        Ok(Self { sender, driver: driver.abort_handle(), patience, bell: Bell::new(), peer, born })
    }

    /// Whether it is still to an address of its name.
    pub(super) fn is_current(&self) -> bool {
        self.peer.is_current()
    }

    /// Whether it can take a request. Between the end of an answer and that its driver may have a few
    /// steps to go.
    pub(super) async fn is_ready(&mut self) -> bool {
        self.sender.ready().await.is_ok()
    }
}

type Driven<S> = http1::Connection<TokioIo<Patient<S>>, Outgoing>;

async fn handshake<S>(stream: S) -> Result<(http1::SendRequest<Outgoing>, Driven<S>, Arc<Patience>)>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let patience = Arc::<Patience>::default();
    let stream = Patient::new(stream, Arc::clone(&patience));
    let (sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_BUFFER)
        .max_header_size(MAX_HEAD)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| connect::failed("connection failed").caused_by(error))?;
    Ok((sender, connection, patience))
}

/// Moves the bytes of one connection. What it keeps goes after the socket.
struct Driver<S>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    connection: Driven<S>,
    bell: Arc<Bell>,
    /// Rings it.
    waker: Waker,
    _open: Open,
}

impl<S> Future for Driver<S>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.bell.wakes(cx.waker());
        // What went wrong reaches the request through its own channel.
        Pin::new(&mut this.connection).poll(&mut Context::from_waker(&this.waker)).map(drop)
    }
}
