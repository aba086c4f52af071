//! How a request's body is sent: as fast as the other side takes it.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::{Reason, SendStream};
use http_body::{Body as _, Frame};

use crate::transport::upload::{Outgoing, UploadFailed};

/// Sends a body to its end. Dropping the future ends the stream.
pub(super) async fn send(mut stream: SendStream<Bytes>, mut body: Outgoing) {
    loop {
        let frame = match next(&mut stream, &mut body).await {
            Next::Frame(frame) => frame,
            Next::End => {
                // What went wrong reaches the request with its answer.
                let _ = stream.send_data(Bytes::new(), true);
                return;
            }
            Next::Failed(UploadFailed) => return stream.send_reset(Reason::CANCEL),
            Next::Unwanted => return,
        };
        let ends = body.is_end_stream();
        match frame.into_data() {
            Ok(data) => {
                if !piece(&mut stream, data, ends).await || ends {
                    return;
                }
            }
            Err(frame) => {
                if let Ok(trailers) = frame.into_trailers() {
                    let _ = stream.send_trailers(trailers);
                    return;
                }
            }
        }
    }
}

enum Next {
    Frame(Frame<Bytes>),
    End,
    Failed(UploadFailed),
    /// The other side takes no more.
    Unwanted,
}

async fn next(stream: &mut SendStream<Bytes>, body: &mut Outgoing) -> Next {
    poll_fn(|cx| {
        if stream.poll_reset(cx).is_ready() {
            return Poll::Ready(Next::Unwanted);
        }
        Poll::Ready(match ready!(Pin::new(&mut *body).poll_frame(cx)) {
            Some(Ok(frame)) => Next::Frame(frame),
            Some(Err(failed)) => Next::Failed(failed),
            None => Next::End,
        })
    })
    .await
}

/// Sends one piece, as much at a time as may be. Says whether there may be more.
async fn piece(stream: &mut SendStream<Bytes>, mut data: Bytes, ends: bool) -> bool {
    // The end may come without a byte, and needs no room then.
    if data.is_empty() && ends {
        return stream.send_data(data, true).is_ok();
    }
    while !data.is_empty() {
        stream.reserve_capacity(data.len());
        let Some(room) = poll_fn(|cx| room(stream, cx)).await else {
            return false;
        };
        let part = data.split_to(room.min(data.len()));
        let last = ends && data.is_empty();
        if stream.send_data(part, last).is_err() {
            return false;
        }
    }
    true
}

/// How much may be sent now. `None`: the other side takes no more.
fn room(stream: &mut SendStream<Bytes>, cx: &mut Context<'_>) -> Poll<Option<usize>> {
    if stream.poll_reset(cx).is_ready() {
        return Poll::Ready(None);
    }
    loop {
        match ready!(stream.poll_capacity(cx)) {
            // It was taken back meanwhile.
            Some(Ok(0)) => {}
            Some(Ok(room)) => return Poll::Ready(Some(room)),
            Some(Err(_)) | None => return Poll::Ready(None),
        }
    }
}
