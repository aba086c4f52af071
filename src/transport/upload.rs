//! The body of a request on its way out, and how far it got.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Request;
use http_body::{Body as _, Frame, SizeHint};

use crate::body::Body;
use crate::error::Error;

/// How far a request's body got. A request without one needs none.
#[derive(Debug, Default)]
pub(super) struct Upload {
    sent: AtomicBool,
    failure: Mutex<Option<Error>>,
}

impl Upload {
    pub(super) fn is_sent(&self) -> bool {
        self.sent.load(Ordering::Acquire)
    }

    fn fail(&self, error: Error) {
        *self.slot() = Some(error);
    }

    /// Why it broke off, told once.
    pub(super) fn failure(&self) -> Option<Error> {
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

impl Outgoing {
    /// No body.
    pub(super) fn none() -> Self {
        Self(None)
    }
}

/// The request as it is sent, and how far its body got, where there is one.
pub(super) fn outgoing(request: Request<Body>) -> (Request<Outgoing>, Option<Arc<Upload>>) {
    let (head, body) = request.into_parts();
    if body.is_end_stream() {
        return (Request::from_parts(head, Outgoing::none()), None);
    }
    let upload = Arc::<Upload>::default();
    let streaming = Streaming { body, upload: Arc::clone(&upload) };
    let body = Outgoing(Some(Box::new(streaming)));
    (Request::from_parts(head, body), Some(upload))
}

/// Stands for the failure of a request's body while it passes through what sends it. The failure
/// itself waits in [`Upload`], because hyper gives out no more than a reference to it.
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
