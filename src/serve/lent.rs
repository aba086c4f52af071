//! What hyper is given of a connection, and gives back.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::guard::Guard;

/// A guard that goes home when whoever it was lent to drops it.
#[derive(Debug)]
pub(super) struct Lent<I> {
    /// There until then.
    guard: Option<Box<Guard<I>>>,
    home: Arc<Mutex<Option<Box<Guard<I>>>>>,
}

/// Where a guard goes. Dropped before, it is the guard's end too.
#[derive(Debug)]
pub(super) struct Home<I>(Arc<Mutex<Option<Box<Guard<I>>>>>);

impl<I> Lent<I> {
    pub(super) fn new(guard: Box<Guard<I>>) -> (Self, Home<I>) {
        let home = Arc::default();
        (Self { guard: Some(guard), home: Arc::clone(&home) }, Home(home))
    }
}

impl<I> Home<I> {
    /// The guard, if it is back.
    pub(super) fn take(self) -> Option<Box<Guard<I>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<I> Drop for Lent<I> {
    fn drop(&mut self) {
        let guard = self.guard.take();
        *self.home.lock().unwrap_or_else(PoisonError::into_inner) = guard;
    }
}

impl<I: Unpin> Lent<I> {
    fn guard(&mut self) -> io::Result<Pin<&mut Guard<I>>> {
        self.guard.as_deref_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncRead for Lent<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.guard()?.poll_read(cx, buf)
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lent<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.guard()?.poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.guard()?.poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.guard.as_deref().is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.guard()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.guard()?.poll_shutdown(cx)
    }
}
