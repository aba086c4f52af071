//! One call of a backend, within its deadline.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Poll, ready};
use std::time::Duration;

use http::Response;
use tokio::time::Instant;

use super::deadline::Timers;
use super::upload::{Duty, Upload};
use crate::body::Body;
use crate::error::{Error, ErrorKind, Result, Retry};

/// Waits for the head of its response: for `timeout` from the moment the request
/// is fully sent. Until then its body has to move on. A body that fails ends the call.
///
/// Dropping the future drops the backend's.
pub(super) async fn exchange(
    mut sending: Pin<Box<dyn Future<Output = Result<Response<Body>>> + Send + '_>>,
    upload: Option<Upload>,
    timeout: Duration,
    timers: &Timers,
) -> Result<Response<Body>> {
    let mut deadline = timers.deadline();
    let mut due = None;
    poll_fn(|cx| {
        if let Poll::Ready(result) = sending.as_mut().poll(cx) {
            // A body that failed explains what the backend made of it.
            let body = || upload.as_ref().and_then(Upload::failure);
            return Poll::Ready(result.map_err(|error| body().unwrap_or(error)));
        }
        let duty = match &upload {
            Some(upload) => upload.duty(timeout, cx),
            None => Duty::Answer(*due.get_or_insert_with(|| Instant::now() + timeout)),
        };
        Poll::Ready(Err(match duty {
            Duty::Fail(error) => error,
            Duty::Answer(due) => {
                ready!(deadline.poll(due, cx));
                timed_out(timeout)
            }
            Duty::Move(due, stalled) => {
                ready!(deadline.poll(due, cx));
                stalled.error()
            }
        }))
    })
    .await
}

fn timed_out(timeout: Duration) -> Error {
    let context = format!("no answer for {} ms", timeout.as_millis());
    Error::new(ErrorKind::Timeout, Retry::IfIdempotent, context)
}
