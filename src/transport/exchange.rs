//! One request and its answer on one connection, and what becomes of the connection after.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HeaderValue, TRANSFER_ENCODING};
use http::{Method, Request, Response};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use tokio::task::AbortHandle;

use super::pool::Shared;
use super::response;
use crate::body::Body;
use crate::error::{Error, Result};

/// A connection nobody else uses: the way to send on it, and the way to cut it.
pub(super) struct Connection {
    pub(super) sender: SendRequest<Outgoing>,
    pub(super) driver: AbortHandle,
}

/// A place in the pool, and the connection that goes with it.
///
/// Dropped before the answer has ended, it cuts the connection: whatever is on its way there belongs
/// to nobody. Either way the place is given back.
pub(super) struct Exchange {
    shared: Arc<Shared>,
    connection: Option<Connection>,
    upload: Option<Arc<Upload>>,
}

impl Exchange {
    /// For a place that was already taken.
    pub(super) fn new(shared: Arc<Shared>, upload: Option<Arc<Upload>>) -> Self {
        Self { shared, connection: None, upload }
    }

    pub(super) fn on(&mut self, connection: Connection) -> &mut SendRequest<Outgoing> {
        &mut self.connection.insert(connection).sender
    }

    /// The answer, once its head can be believed. The exchange ends with its body.
    pub(super) fn answered(self, mut response: Response<Incoming>) -> Result<Response<Body>> {
        response::check(&mut response)?;
        Ok(response.map(|incoming| {
            if incoming.is_end_stream() {
                self.finish();
                return Body::empty();
            }
            Body::new(Answer { incoming, exchange: Some(self) })
        }))
    }

    /// Why there is no answer.
    pub(super) fn failed(&self, error: hyper::Error, unsent: bool) -> Error {
        self.upload_failure().unwrap_or_else(|| response::no_answer(error, unsent))
    }

    fn upload_failure(&self) -> Option<Error> {
        self.upload.as_ref()?.failure()
    }

    /// The answer has ended. What is still to be sent of the request's body the backend does not want
    /// any more; the connection is cut in the middle of it.
    fn finish(mut self) {
        let sent = self.upload.as_ref().is_none_or(|upload| upload.is_sent());
        if sent && let Some(connection) = self.connection.take() {
            self.shared.put_back(connection);
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.driver.abort();
        }
        // Last, so that whoever waits for the place finds the connection.
        self.shared.give_place_back();
    }
}

/// The body of an answer.
struct Answer {
    incoming: Incoming,
    exchange: Option<Exchange>,
}

impl Answer {
    fn ended(&mut self) {
        if let Some(exchange) = self.exchange.take() {
            exchange.finish();
        }
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.incoming).poll_frame(cx));
        match frame {
            Some(Ok(frame)) => {
                if self.incoming.is_end_stream() {
                    self.ended();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => {
                let exchange = self.exchange.take();
                let upload = exchange.and_then(|exchange| exchange.upload_failure());
                let error = upload.unwrap_or_else(|| response::broken_body(error));
                Poll::Ready(Some(Err(error)))
            }
            None => {
                self.ended();
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

/// How far a request's body got. A request without one needs none.
#[derive(Debug, Default)]
pub(super) struct Upload {
    sent: AtomicBool,
    failure: Mutex<Option<Error>>,
}

impl Upload {
    fn is_sent(&self) -> bool {
        self.sent.load(Ordering::Acquire)
    }

    fn fail(&self, error: Error) {
        *self.slot() = Some(error);
    }

    fn failure(&self) -> Option<Error> {
        self.slot().take()
    }

    fn slot(&self) -> MutexGuard<'_, Option<Error>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body of a request on its way out: nothing for most, and small for all, because hyper moves a
/// request a dozen times before it is sent.
pub(super) struct Outgoing(Option<Box<Streaming>>);

struct Streaming {
    body: Body,
    upload: Arc<Upload>,
}

/// The request as it is sent, and how far its body got, where there is one.
pub(super) fn outgoing(request: Request<Body>) -> (Request<Outgoing>, Option<Arc<Upload>>) {
    let (mut head, body) = request.into_parts();
    if body.is_end_stream() {
        return (Request::from_parts(head, Outgoing(None)), None);
    }
    // hyper takes a body of unknown length for none with these, unless it is told otherwise.
    if matches!(head.method, Method::GET | Method::HEAD)
        && body.size_hint().exact().is_none()
        && !head.headers.contains_key(CONTENT_LENGTH)
    {
        head.headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    let upload = Arc::<Upload>::default();
    let streaming = Streaming { body, upload: Arc::clone(&upload) };
    let body = Outgoing(Some(Box::new(streaming)));
    (Request::from_parts(head, body), Some(upload))
}

/// Stands for the failure of a request's body while it passes through hyper. The failure itself waits
/// in [`Upload`], because hyper gives out no more than a reference to it.
#[derive(Debug)]
pub(super) struct UploadFailed;

impl fmt::Display for UploadFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("body of the request failed")
    }
}

impl std::error::Error for UploadFailed {}

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = UploadFailed;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UploadFailed>>> {
        let Some(Streaming { body, upload }) = self.0.as_deref_mut() else {
            return Poll::Ready(None);
        };
        Poll::Ready(match ready!(Pin::new(&mut *body).poll_frame(cx)) {
            Some(Err(error)) => {
                upload.fail(error);
                Some(Err(UploadFailed))
            }
            Some(Ok(frame)) => {
                if frame.is_trailers() || body.is_end_stream() {
                    upload.sent.store(true, Ordering::Release);
                }
                Some(Ok(frame))
            }
            None => {
                upload.sent.store(true, Ordering::Release);
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|one| one.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Some(streaming) => streaming.body.size_hint(),
            None => SizeHint::with_exact(0),
        }
    }
}
