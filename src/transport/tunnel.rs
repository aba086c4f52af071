//! Connections that were taken over: from here on bytes flow that nobody here reads.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use http::Extensions;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

/// What both ends of a tunnel are.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A backend's connection that was taken over. It stands in the extensions of its answer 101; the
/// gateway joins it with the client's.
///
/// A clone means the same connection; the first to take it has it. Dropping the last closes it.
#[derive(Clone)]
pub struct Tunnel(Arc<Mutex<Option<Box<dyn Stream>>>>);

impl Tunnel {
    /// A tunnel that ends in `stream`.
    pub fn new<S>(stream: S) -> Self
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        Self(Arc::new(Mutex::new(Some(Box::new(stream)))))
    }

    /// The connection; `None` if somebody has it already.
    pub(crate) fn take(&self) -> Option<Box<dyn Stream>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tunnel")
    }
}

/// A client's connection that may be taken over, once its server has sent the answer 101.
pub(crate) struct Offer(OnUpgrade);

impl Offer {
    /// Whether there is one.
    pub(crate) fn is_in(extensions: &Extensions) -> bool {
        extensions.get::<OnUpgrade>().is_some()
    }

    /// The offer that a server put beside a request.
    pub(crate) fn of(extensions: &mut Extensions) -> Option<Self> {
        extensions.remove().map(Self)
    }

    /// The connection, behind the last byte of the answer.
    pub(crate) async fn accept(self) -> io::Result<Box<dyn Stream>> {
        match self.0.await {
            Ok(upgraded) => Ok(Box::new(TokioIo::new(upgraded))),
            Err(error) => Err(io::Error::other(error)),
        }
    }
}
