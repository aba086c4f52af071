//! A connection made to see how far it gets.

use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http::{Request, StatusCode};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};

use super::pool::Shared;
use super::response::{self, MAX_HEAD};
use super::socket::Socket;
use super::{connect, http2, tls};
use crate::error::{Error, ErrorKind, Result, Retry};

/// Tries one target by the rules of its pool: the same egress policy, the same trust.
pub(crate) struct Trial<'p> {
    shared: &'p Shared,
}

/// A connection that nobody else uses. Dropped, it is closed.
pub(crate) enum Attempt {
    Plain(Socket),
    Secure(Box<tls::Stream>),
}

impl<'p> Trial<'p> {
    pub(super) fn new(shared: &'p Shared) -> Self {
        Self { shared }
    }

    pub(crate) fn host(&self) -> &'p str {
        &self.shared.target.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.shared.target.port
    }

    /// The path of the socket that it is reached by, instead of host and port.
    pub(crate) fn path(&self) -> Option<&'p Path> {
        self.shared.target.path.as_deref()
    }

    /// Connects to that socket, unless it is refused.
    pub(crate) async fn connect_local(&self, path: &Path, until: Instant) -> Result<Attempt> {
        let egress = &self.shared.transport.0.egress;
        connect::local(egress, path, until).await.map(Attempt::Plain)
    }

    pub(crate) fn is_https(&self) -> bool {
        self.shared.target.tls.is_some()
    }

    /// Whether it has to be spoken to in HTTP/2.
    pub(crate) fn is_http2(&self) -> bool {
        self.shared.target.is_shared()
    }

    /// How long requests to the target wait for a connection.
    pub(crate) fn connect_timeout(&self) -> Duration {
        self.shared.transport.0.connect_timeout
    }

    /// Every address of the host, allowed or not, as a look-up of its own finds them: never none.
    pub(crate) async fn resolve(&self, until: Instant) -> Result<Vec<SocketAddr>> {
        connect::resolve(&self.shared.transport, self.host(), self.port(), until).await
    }

    /// Connects to one address, unless it is refused.
    pub(crate) async fn connect(&self, address: SocketAddr, until: Instant) -> Result<Attempt> {
        let transport = &self.shared.transport;
        transport.egress().check_socket(address).map_err(|refused| {
            connect::failed("address refused by the egress policy").caused_by(refused)
        })?;
        let stream = connect::attempt(transport, address, until).await?;
        Ok(Attempt::Plain(Socket::Tcp(stream)))
    }

    /// Makes sure whom the connection is with.
    pub(crate) async fn secure(&self, attempt: Attempt, until: Instant) -> Result<Attempt> {
        match (&self.shared.target.tls, attempt) {
            (Some(tls), Attempt::Plain(stream)) => {
                let secured = if self.is_http2() {
                    tls.connect(stream, until).await
                } else {
                    tls.connect_http1(stream, until).await
                };
                secured.map(|stream| Attempt::Secure(Box::new(stream)))
            }
            (_, attempt) => Ok(attempt),
        }
    }
}

impl Attempt {
    /// Sends one request and waits for the head of its answer. The body is not read.
    pub(crate) async fn ask(
        self,
        request: Request<()>,
        http2: bool,
        until: Instant,
    ) -> Result<StatusCode> {
        let asked = async {
            match (self, http2) {
                (Self::Plain(stream), false) => ask(stream, request).await,
                (Self::Secure(stream), false) => ask(stream, request).await,
                (Self::Plain(stream), true) => http2::ask(stream, Scheme::HTTP, request).await,
                (Self::Secure(stream), true) => http2::ask(stream, Scheme::HTTPS, request).await,
            }
        };
        timeout_at(until, asked).await.unwrap_or_else(|late| {
            let error = Error::new(ErrorKind::Timeout, Retry::IfIdempotent, "no answer in time");
            Err(error.caused_by(late))
        })
    }
}

/// Drives the connection itself: dropping the future closes it, no task stays behind.
async fn ask<S>(stream: S, request: Request<()>) -> Result<StatusCode>
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
{
    let broken = |error| response::no_answer(error, false);
    let (mut sender, connection) = http1::Builder::new()
        .max_header_size(MAX_HEAD)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let mut answer = pin!(sender.send_request(request.map(|()| Empty::<Bytes>::new())));
    let answer = tokio::select! {
        answer = &mut answer => answer,
        // What went wrong reaches the request through its own channel.
        _ = connection => answer.await,
    };
    let mut answer = answer.map_err(broken)?;
    response::check(&mut answer)?;
    Ok(answer.status())
}
