//! Connections that are taken over: each is made for its request and used by no other.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::{CONNECTION, HeaderValue, UPGRADE};
use http::{Request, Response, StatusCode};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::Pool;
use super::kept::Open;
use super::places::Place;
use crate::body::Body;
use crate::error::Result;
use crate::observe::Protocol;
use crate::transport::http1;
use crate::transport::response::bad;
use crate::transport::target::Wire;
use crate::transport::tunnel::Tunnel;
use crate::transport::upload::outgoing;

impl Pool {
    /// Sends `request`, which asks by its `Upgrade` for another protocol, over HTTP/1.1 on a connection
    /// of its own. With an answer 101 that connection is a [`Tunnel`] in the answer's extensions, and
    /// counts against the pool's limit until it is closed; any other answer is one like any other.
    ///
    /// # Errors
    ///
    /// Those of [`send`](Self::send), and [`ErrorKind::BadResponse`](crate::ErrorKind::BadResponse) for
    /// a protocol that was not asked for.
    ///
    /// # Cancellation
    ///
    /// Dropping the future closes the connection.
    pub async fn upgrade(
        &self,
        mut request: Request<Body>,
        wait: Duration,
    ) -> Result<Response<Body>> {
        let place = self.shared.take_place(wait).await?;
        let asked = request.headers().get(UPGRADE).cloned();
        request.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
        let (request, upload) = outgoing(request);
        let connection = self.shared.connect_for_upgrade().await?;
        let mut exchange = http1::Exchange::new(place, upload);
        let sent = exchange.on(connection).try_send_request(request).await;
        let response = sent.map_err(|mut error| {
            let unsent = error.take_message().is_some();
            exchange.failed(error.into_error(), unsent)
        })?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return exchange.answered(response);
        }
        let agreed = response.headers().get(UPGRADE);
        if !agreed.is_some_and(|agreed| asked.is_some_and(|asked| is_same(agreed, &asked))) {
            return Err(bad("switches to a protocol that was not asked for"));
        }
        let (mut parts, upgraded, place) = exchange.upgraded(response).await?;
        let open = self.shared.open_still();
        let io = TokioIo::new(upgraded);
        parts.extensions.insert(Tunnel::new(Taken { io, _open: open, _place: place }));
        Ok(Response::from_parts(parts, Body::empty()))
    }
}

impl super::Shared {
    async fn connect_for_upgrade(&self) -> Result<http1::Connection> {
        let began = Instant::now();
        let deadline = began + self.transport.0.connect_timeout;
        let born = self.kept().now();
        let open = || self.open(Protocol::Http1, began);
        let (wire, peer) = self.target.connect_http1(&self.transport, deadline).await?;
        match wire {
            Wire::Plain(socket) => http1::Connection::upgradable(socket, peer, open(), born).await,
            Wire::Secure(stream) => {
                http1::Connection::upgradable(*stream, peer, open(), born).await
            }
        }
    }
}

fn is_same(agreed: &HeaderValue, asked: &HeaderValue) -> bool {
    agreed.as_bytes().eq_ignore_ascii_case(asked.as_bytes())
}

/// A connection that was taken over, which the pool still counts.
struct Taken {
    io: TokioIo<Upgraded>,
    _open: Open,
    _place: Place,
}

impl AsyncRead for Taken {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Taken {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
