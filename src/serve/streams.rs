//! HTTP/2 streams, each in a task of its own that ends when its client takes nothing.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::ledger::Ledger;
use super::pace::Pace;

/// Spawns the streams of one connection.
#[derive(Clone, Debug)]
pub(super) struct Streams(Arc<Ledger>);

impl Streams {
    pub(super) fn new(ledger: Arc<Ledger>) -> Self {
        Self(ledger)
    }
}

impl<F> hyper::rt::Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let stall = self.0.limits().write_stall;
        match self.0.take_stream() {
            Some(pace) => drop(tokio::spawn(watched(stream, pace, stall))),
            None => drop(tokio::spawn(stream)),
        }
    }
}

/// Runs a stream until it ends or its client has taken nothing for `stall`. Dropping it resets it.
async fn watched(stream: impl Future<Output = ()>, pace: Arc<Mutex<Pace>>, stall: Duration) {
    let mut stream = pin!(stream);
    let mut sleep = pin!(None);
    poll_fn(|cx| {
        if stream.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        loop {
            let due = pace.lock().unwrap_or_else(PoisonError::into_inner).due(stall);
            let Some(due) = due else {
                return Poll::Pending;
            };
            match sleep.as_mut().as_pin_mut() {
                None => sleep.set(Some(sleep_until(due))),
                Some(armed)
                    if armed.deadline() > due || armed.is_elapsed() && due > Instant::now() =>
                {
                    armed.reset(due);
                }
                Some(armed) => {
                    ready!(armed.poll(cx));
                    if due <= Instant::now() {
                        return Poll::Ready(());
                    }
                }
            }
        }
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_waits_for_its_client_ends() {
        let pace = Arc::new(Mutex::new(Pace::new(1_000)));
        let stall = Duration::from_secs(30);
        let begun = Instant::now();
        let other = Arc::clone(&pace);
        let stream = async move {
            // Waits for its backend first, which is nobody's fault.
            tokio::time::sleep(stall * 2).await;
            other.lock().unwrap().wait();
            tokio::time::sleep(stall / 2).await;
            other.lock().unwrap().moved(1_000_000);
            other.lock().unwrap().wait();
            std::future::pending().await
        };
        watched(stream, pace, stall).await;
        assert_eq!(begun.elapsed(), stall * 2 + stall / 2 + stall);
    }
}
