//! How much a backend may send before the head of its answer is whole.
//!
//! hyper limits a head, and skips as many informational answers as come (RFC 9110 section 15.2). Here
//! all that comes before an answer is limited together.

use std::error::Error as StdError;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::MAX_BUFFER;
use crate::transport::response::MAX_HEAD;

/// Most bytes read of a connection while an answer is awaited: a head of the largest size, as much again
/// of informational ones, and what hyper may have read beyond the head before anybody hears of it.
const MAX_EARLY: usize = 2 * MAX_HEAD + MAX_BUFFER;
/// Nothing is awaited. Far from where adding the bytes of a connection would go round.
const NOTHING: usize = usize::MAX / 2;

/// How many bytes came since an answer is awaited.
#[derive(Debug)]
pub(super) struct Patience(AtomicUsize);

impl Default for Patience {
    fn default() -> Self {
        Self(AtomicUsize::new(NOTHING))
    }
}

impl Patience {
    pub(super) fn begin(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    pub(super) fn end(&self) {
        self.0.store(NOTHING, Ordering::Relaxed);
    }
}

/// A stream on which too much before an answer is an error.
pub(super) struct Patient<S> {
    stream: S,
    patience: Arc<Patience>,
}

impl<S> Patient<S> {
    pub(super) fn new(stream: S, patience: Arc<Patience>) -> Self {
        Self { stream, patience }
    }
}

/// A backend sends and sends, and no answer.
#[derive(Debug, thiserror::Error)]
#[error("more than {MAX_EARLY} bytes came before an answer")]
struct Impatient;

/// Whether that is what a failure comes from.
pub(in crate::transport) fn is_impatient(error: &hyper::Error) -> bool {
    let io = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    io.and_then(io::Error::get_ref).is_some_and(|inner| inner.is::<Impatient>())
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let read = this.patience.0.load(Ordering::Relaxed);
        if read >= NOTHING {
            return Pin::new(&mut this.stream).poll_read(cx, buf);
        }
        // What was read before did not end a head, or nothing would be awaited.
        if read > MAX_EARLY {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, Impatient)));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
        let more = buf.filled().len().saturating_sub(before);
        this.patience.0.fetch_add(more, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
