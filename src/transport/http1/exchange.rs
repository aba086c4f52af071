//! One request and its answer on one connection, and what becomes of the connection after.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HeaderValue, TE, TRANSFER_ENCODING};
use http::response::Parts;
use http::{Method, Request, Response};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::upgrade::Upgraded;

use super::Connection;
use crate::body::Body;
use crate::error::{Error, Result};
use crate::transport::pool::Place;
use crate::transport::response;
use crate::transport::upload::{Outgoing, Upload};

/// Makes of a request what HTTP/1.1 needs beside it.
pub(in crate::transport) fn prepare(request: &mut Request<Outgoing>) {
    *request.version_mut() = http::Version::HTTP_11;
    // hyper takes a body of unknown length for none with these, unless it is told otherwise.
    if matches!(*request.method(), Method::GET | Method::HEAD)
        && request.body().size_hint().exact().is_none()
        && !request.headers().contains_key(CONTENT_LENGTH)
    {
        request.headers_mut().insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    // It is about this connection, and has to say so (RFC 9110 section 10.1.4).
    if request.headers().contains_key(TE) {
        request.headers_mut().insert(CONNECTION, HeaderValue::from_static("te"));
    }
}

/// A place in the pool, and the connection that goes with it.
///
/// Dropped before the answer has ended, it cuts the connection: whatever is on its way there belongs
/// to nobody. Either way the place is given back.
pub(in crate::transport) struct Exchange {
    /// Before the place: whoever waits for that finds the connection.
    connection: Held,
    place: Place,
    upload: Option<Arc<Upload>>,
}

/// A connection that is cut unless it is taken out.
#[derive(Default)]
struct Held(Option<Connection>);

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            connection.driver.abort();
        }
    }
}

impl Exchange {
    /// For a place that was already taken.
    pub(in crate::transport) fn new(place: Place, upload: Option<Arc<Upload>>) -> Self {
        Self { connection: Held::default(), place, upload }
    }

    pub(in crate::transport) fn on(
        &mut self,
        connection: Connection,
    ) -> &mut SendRequest<Outgoing> {
        connection.patience.begin();
        &mut self.connection.0.insert(connection).sender
    }

    /// The answer, once its head can be believed. The exchange ends with its body.
    pub(in crate::transport) fn answered(
        self,
        mut response: Response<Incoming>,
    ) -> Result<Response<Body>> {
        response::check(&mut response)?;
        if let Some(connection) = &self.connection.0 {
            connection.patience.end();
        }
        Ok(response.map(|incoming| {
            if incoming.is_end_stream() {
                self.finish();
                return Body::empty();
            }
            Body::new(Answer { incoming, exchange: Some(self) })
        }))
    }

    /// The connection itself, which both sides have agreed to use for something else.
    pub(in crate::transport) async fn upgraded(
        self,
        mut response: Response<Incoming>,
    ) -> Result<(Parts, Upgraded, Place)> {
        let Self { connection, place, upload: _ } = self;
        if let Some(connection) = &connection.0 {
            connection.patience.end();
        }
        let upgraded = hyper::upgrade::on(&mut response).await;
        let upgraded = upgraded.map_err(|error| response::no_answer(error, false))?;
        Ok((response.into_parts().0, upgraded, place))
    }

    /// The place, without the connection.
    pub(in crate::transport) fn abandon(self) -> Place {
        self.place
    }

    /// Why there is no answer.
    pub(in crate::transport) fn failed(&self, error: hyper::Error, unsent: bool) -> Error {
        self.upload_failure().unwrap_or_else(|| response::no_answer(error, unsent))
    }

    fn upload_failure(&self) -> Option<Error> {
        self.upload.as_ref()?.failure()
    }

    /// The answer has ended. What is still to be sent of the request's body the backend does not want
    /// any more; the connection is cut in the middle of it.
    fn finish(mut self) {
        let sent = self.upload.as_ref().is_none_or(|upload| upload.is_sent());
        if sent && let Some(connection) = self.connection.0.take() {
            self.place.pool().put_back(connection);
        }
    }
}

/// What hyper gives of a body.
type Incomings = Poll<Option<Result<Frame<Bytes>, hyper::Error>>>;

/// The body of an answer.
struct Answer {
    incoming: Incoming,
    exchange: Option<Exchange>,
}

impl Answer {
    fn poll_incoming(&mut self, cx: &mut Context<'_>) -> Incomings {
        let Self { incoming, exchange } = self;
        let mut poll = || {
            let frame = Pin::new(&mut *incoming).poll_frame(cx);
            (frame, incoming.is_end_stream())
        };
        match exchange.as_ref().and_then(|exchange| exchange.connection.0.as_ref()) {
            Some(connection) => connection.bell.unless_last(poll),
            None => poll().0,
        }
    }

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
        match ready!(self.poll_incoming(cx)) {
            Some(Ok(frame)) => {
                if self.incoming.is_end_stream() {
                    self.ended();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => {
                let exchange = self.exchange.take();
                let upload = exchange.and_then(|exchange| exchange.upload_failure());
                let error = upload.unwrap_or_else(|| response::broken(error));
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
