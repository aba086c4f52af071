//! One request and its answer on a stream of its own.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, ready};

use h2::client::ResponseFuture;
use h2::{Reason, RecvStream};
use http::{Request, Response, Version};
use http_body::Body as _;
use tokio::task::AbortHandle;

use super::answer::Answer;
use super::{Ticket, upload};
use crate::body::Body;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::transport::pool::Place;
use crate::transport::response::{self, bad};
use crate::transport::upload::{Outgoing, Upload};

/// Most informational answers before the answer: a handful is of use, a flood is not.
const MAX_INFORMATIONAL: usize = 16;

/// What became of a request.
pub(in crate::transport) enum Sent {
    Answered(Response<Body>),
    /// The other side has not processed any of it: it can go out on another connection.
    Not(Box<(Request<Outgoing>, Place)>),
}

/// What one request has of a connection. Dropped before the answer has ended, it ends the stream.
pub(super) struct Exchange {
    upload: Option<Arc<Upload>>,
    sending: Sending,
    /// Before the place: whoever waits for that finds a stream.
    ticket: Ticket,
    place: Place,
}

/// What sends the request's body. What is still to be sent when the answer has ended the backend does
/// not want any more.
#[derive(Default)]
struct Sending(Option<AbortHandle>);

impl Drop for Sending {
    fn drop(&mut self) {
        if let Some(sending) = &self.0 {
            sending.abort();
        }
    }
}

/// Sends `request` on a stream and waits for the head of its answer. On the `last` try a connection that
/// takes no request is an error.
pub(in crate::transport) async fn send(
    place: Place,
    ticket: Ticket,
    request: Request<Outgoing>,
    upload: Option<Arc<Upload>>,
    last: bool,
) -> Result<Sent> {
    let head = ticket.head(&request)?;
    let mut exchange = Exchange { upload, sending: Sending::default(), ticket, place };
    let ends = request.body().is_end_stream();
    let opened = match exchange.ticket.sender().ready().await {
        Ok(mut sender) => sender.send_request(head, ends),
        Err(error) => Err(error),
    };
    let (mut response, stream) = match opened {
        Ok(opened) => opened,
        Err(_) if !last => return Ok(exchange.unsent(request)),
        Err(error) => return Err(exchange.failed(error)),
    };
    let (parts, body) = request.into_parts();
    if !ends {
        exchange.sending.0 = Some(tokio::spawn(upload::send(stream, body)).abort_handle());
    }
    match answered(&mut response).await {
        Ok(response) => exchange.answered(response).map(Sent::Answered),
        Err(Failed::Http2(error)) if ends && !last && is_unprocessed(&error) => {
            Ok(exchange.unsent(Request::from_parts(parts, Outgoing::none())))
        }
        Err(Failed::Http2(error)) => Err(exchange.failed(error)),
        Err(Failed::Flood) => Err(bad("more informational answers than are taken")),
    }
}

enum Failed {
    Http2(h2::Error),
    Flood,
}

/// The final answer, behind the informational ones, which end here (RFC 9110 section 15.2).
async fn answered(response: &mut ResponseFuture) -> Result<Response<RecvStream>, Failed> {
    let mut informational = 0;
    poll_fn(|cx| {
        while let Poll::Ready(Some(early)) = response.poll_informational(cx) {
            early.map_err(Failed::Http2)?;
            informational += 1;
            if informational > MAX_INFORMATIONAL {
                return Poll::Ready(Err(Failed::Flood));
            }
        }
        Poll::Ready(ready!(Pin::new(&mut *response).poll(cx)).map_err(Failed::Http2))
    })
    .await
}

/// Whether the other side says that it has not looked at the request (RFC 9113 section 8.7).
fn is_unprocessed(error: &h2::Error) -> bool {
    let refused = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
    let going = error.is_go_away() && error.reason() == Some(Reason::NO_ERROR);
    error.is_remote() && (refused || going)
}

impl Exchange {
    /// The answer, once its head can be believed. The exchange ends with its body.
    fn answered(self, mut response: Response<RecvStream>) -> Result<Response<Body>> {
        response::check(&mut response)?;
        *response.version_mut() = Version::HTTP_11;
        let (parts, stream) = response.into_parts();
        let body = if stream.is_end_stream() {
            Body::empty()
        } else {
            Body::new(Answer::new(stream, &parts.headers, self))
        };
        Ok(Response::from_parts(parts, body))
    }

    /// The connection takes no requests any more; this one finds another.
    fn unsent(self, request: Request<Outgoing>) -> Sent {
        self.ticket.retire();
        Sent::Not(Box::new((request, self.place)))
    }

    /// Why there is no answer.
    fn failed(&self, error: h2::Error) -> Error {
        self.upload_failure().unwrap_or_else(|| no_answer(error))
    }

    /// Why there is no more of it.
    pub(super) fn broken(&self, error: h2::Error) -> Error {
        self.upload_failure().unwrap_or_else(|| response::broken(error))
    }

    fn upload_failure(&self) -> Option<Error> {
        self.upload.as_ref()?.failure()
    }
}

/// Why there is no answer, when the request's body was not to blame.
pub(super) fn no_answer(error: h2::Error) -> Error {
    let answer = |kind, retry, context| Error::new(kind, retry, context);
    let own = if is_unprocessed(&error) {
        let context = "connection closed before the request was processed";
        answer(ErrorKind::Connect, Retry::Always, context)
    } else if error.is_library() {
        bad("answer is not valid HTTP/2")
    } else if error.is_reset() {
        let context = "stream was reset before an answer";
        answer(ErrorKind::Connect, Retry::IfIdempotent, context)
    } else if error.is_go_away() || error.is_io() {
        let context = "connection closed before an answer";
        answer(ErrorKind::Connect, Retry::IfIdempotent, context)
    } else {
        answer(ErrorKind::Internal, Retry::Never, "request cannot be sent")
    };
    own.caused_by(error)
}
