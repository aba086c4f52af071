//! A response's body on its way out.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};

use super::ledger::Arrived;
use super::pace::Pace;
use crate::body::Body;
use crate::error::{Error, ErrorKind, Result, Retry, Stage};

/// Bytes given to an HTTP/2 stream at once. What it was given it keeps until the client takes it,
/// with nobody watching after the last: so it is never much.
const PIECE: usize = 16 * 1024;

/// A body that keeps its request's account open until it ends, and survives a panic of what makes it.
#[derive(Debug)]
pub(super) struct Sent {
    inner: Body,
    /// Bytes of the last frame that were not given yet.
    rest: Bytes,
    stream: Option<Stream>,
    /// Dropped with the body.
    _arrived: Arrived,
}

/// The HTTP/2 stream it goes to: who asks for the next piece has taken the last one.
#[derive(Debug)]
pub(super) struct Stream {
    pace: Arc<Mutex<Pace>>,
    given: usize,
}

impl Stream {
    pub(super) fn new(pace: Arc<Mutex<Pace>>) -> Self {
        Self { pace, given: 0 }
    }

    fn taken(&self) {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner).moved(self.given);
    }

    fn give(&mut self, bytes: usize) {
        self.given = bytes;
        self.pace.lock().unwrap_or_else(PoisonError::into_inner).wait();
    }
}

impl Sent {
    pub(super) fn new(inner: Body, stream: Option<Stream>, arrived: Arrived) -> Self {
        Self { inner, rest: Bytes::new(), stream, _arrived: arrived }
    }

    fn poll_inner(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>>>> {
        if !self.rest.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.rest)))));
        }
        let poll = AssertUnwindSafe(|| Pin::new(&mut self.inner).poll_frame(cx));
        catch_unwind(poll).unwrap_or_else(|_| {
            self.inner = Body::empty();
            Poll::Ready(Some(Err(panicked().at_stage(Stage::Response))))
        })
    }
}

/// The failure that a panic is. What it said may be a secret.
pub(super) fn panicked() -> Error {
    Error::new(ErrorKind::Internal, Retry::Never, "")
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>>>> {
        let this = &mut *self;
        if let Some(stream) = &this.stream {
            stream.taken();
        }
        let polled = this.poll_inner(cx);
        let Some(stream) = &mut this.stream else {
            return polled;
        };
        let frame = match std::task::ready!(polled) {
            Some(Ok(frame)) => frame,
            other => return Poll::Ready(other),
        };
        Poll::Ready(Some(Ok(match frame.into_data() {
            Ok(mut data) => {
                this.rest = data.split_off(data.len().min(PIECE));
                stream.give(data.len());
                Frame::data(data)
            }
            Err(frame) => frame,
        })))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        // Asked before the first frame only, when there is no rest.
        self.inner.size_hint()
    }
}
