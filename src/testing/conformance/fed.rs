//! A body that is fed piece by piece.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::Frame;
use tokio::sync::mpsc;

use crate::body::Body;
use crate::error::Error;

type Piece = Result<&'static str, Error>;

struct Fed(mpsc::UnboundedReceiver<Piece>);

/// A body, and the way to feed it. It ends when the feeder is dropped.
pub(super) fn fed() -> (mpsc::UnboundedSender<Piece>, Body) {
    let (feeder, pieces) = mpsc::unbounded_channel();
    (feeder, Body::new(Fed(pieces)))
}

impl http_body::Body for Fed {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.0
            .poll_recv(cx)
            .map(|piece| piece.map(|piece| piece.map(|text| Frame::data(text.into()))))
    }
}
