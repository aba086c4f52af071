//! How an answer's body is read: what its reader takes, the other side may send anew.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::RecvStream;
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http_body::{Frame, SizeHint};

use super::exchange::Exchange;
use crate::error::{Error, Result};
use crate::transport::response::broken;

/// The body of an answer.
pub(super) struct Answer {
    stream: RecvStream,
    exchange: Option<Exchange>,
    /// Bytes that are still to come, where that is known.
    left: Option<u64>,
    data_ended: bool,
}

impl Answer {
    pub(super) fn new(stream: RecvStream, headers: &HeaderMap, exchange: Exchange) -> Self {
        let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        let left = length.and_then(|length| length.parse().ok());
        Self { stream, exchange: Some(exchange), left, data_ended: false }
    }

    fn data(&mut self, data: Bytes) -> Frame<Bytes> {
        // An error here is one of the stream, which the next frame tells.
        let _ = self.stream.flow_control().release_capacity(data.len());
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(u64::try_from(data.len()).unwrap_or(u64::MAX));
        }
        if self.stream.is_end_stream() {
            self.exchange = None;
        }
        Frame::data(data)
    }

    fn failed(&mut self, error: h2::Error) -> Error {
        match self.exchange.take() {
            Some(exchange) => exchange.broken(error),
            None => broken(error),
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
        let this = &mut *self;
        if !this.data_ended {
            match ready!(this.stream.poll_data(cx)) {
                Some(Ok(data)) => return Poll::Ready(Some(Ok(this.data(data)))),
                Some(Err(error)) => return Poll::Ready(Some(Err(this.failed(error)))),
                None => this.data_ended = true,
            }
        }
        match ready!(this.stream.poll_trailers(cx)) {
            Ok(trailers) => {
                this.exchange = None;
                Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))))
            }
            Err(error) => Poll::Ready(Some(Err(this.failed(error)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.stream.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
