//! A client's socket, of which the kernel keeps no more than it has to.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A stream that the kernel takes little for, and that is reset where the client does not read.
///
/// A socket that is only closed keeps what was written until the client has taken it: with a client
/// that never will, that is what its deadline should have ended.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    /// The last write waits for the client.
    blocked: bool,
}

impl Socket {
    pub(super) fn new(stream: TcpStream) -> Self {
        // Answers are written whole; waiting for more only delays their last packet. A socket that
        // refuses is already closed.
        let _ = stream.set_nodelay(true);
        #[cfg(target_os = "linux")]
        let _ = socket2::SockRef::from(&stream).set_tcp_notsent_lowat(super::limits::MAX_UNSENT);
        Self { stream, blocked: false }
    }

    fn told<T>(&mut self, poll: Poll<T>) -> Poll<T> {
        self.blocked = poll.is_pending();
        poll
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.blocked {
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.told(poll)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.told(poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
