//! Waiting no longer than agreed, without making a timer for every request.
//!
//! Most requests are answered long before their deadline. A timer is taken from a few that are kept:
//! one that is set to an earlier moment than needed is left alone and set again only if it fires.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, TryLockError};
use std::task::{Context, Poll, Waker};

use tokio::runtime::{self, Handle};
use tokio::time::{Instant, Sleep};

use super::limits::KEPT_TIMERS;

/// The timers kept for the next request.
#[derive(Default)]
pub(super) struct Timers(Mutex<Vec<Timer>>);

/// A timer, the runtime that drives it, and who it wakes.
struct Timer {
    sleep: Pin<Box<Sleep>>,
    runtime: runtime::Id,
    waker: Option<Waker>,
}

/// A deadline that may move. Nothing is set before it is first polled.
pub(super) struct Deadline<'a> {
    timers: &'a Timers,
    timer: Option<Timer>,
}

impl Timers {
    /// A deadline that uses one of these timers.
    pub(super) fn deadline(&self) -> Deadline<'_> {
        Deadline { timers: self, timer: None }
    }

    /// A timer that fires at `due` or earlier.
    fn take(&self, due: Instant) -> Timer {
        let runtime = Handle::current().id();
        let kept = match self.0.try_lock() {
            Ok(mut kept) => kept.pop(),
            Err(TryLockError::Poisoned(kept)) => kept.into_inner().pop(),
            Err(TryLockError::WouldBlock) => None,
        };
        match kept {
            // A timer lives in the runtime it was made in.
            Some(timer) if timer.runtime == runtime => timer,
            _ => Timer { sleep: Box::pin(tokio::time::sleep_until(due)), runtime, waker: None },
        }
    }

    fn keep(&self, timer: Timer) {
        if let Ok(mut kept) = self.0.try_lock()
            && kept.len() < KEPT_TIMERS
        {
            kept.push(timer);
        }
    }
}

impl Timer {
    fn poll(&mut self, due: Instant, cx: &mut Context<'_>) -> Poll<()> {
        if self.sleep.deadline() > due {
            self.sleep.as_mut().reset(due);
            self.waker = None;
        }
        if !self.sleep.is_elapsed() && self.wakes(cx) {
            return Poll::Pending;
        }
        while self.sleep.as_mut().poll(cx).is_ready() {
            self.waker = None;
            if Instant::now() >= due {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(due);
        }
        if !self.wakes(cx) {
            self.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    fn wakes(&self, cx: &Context<'_>) -> bool {
        let same = |waker: &Waker| waker.will_wake(cx.waker());
        self.waker.as_ref().is_some_and(same)
    }
}

impl Deadline<'_> {
    /// Ready once `due` has passed. A later call may name another moment.
    pub(super) fn poll(&mut self, due: Instant, cx: &mut Context<'_>) -> Poll<()> {
        self.timer.get_or_insert_with(|| self.timers.take(due)).poll(due, cx)
    }
}

impl Drop for Deadline<'_> {
    fn drop(&mut self) {
        if let Some(timer) = self.timer.take() {
            self.timers.keep(timer);
        }
    }
}

impl fmt::Debug for Timers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Timers")
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    async fn wait(timers: &Timers, due: Instant) {
        let mut deadline = timers.deadline();
        poll_fn(|cx| deadline.poll(due, cx)).await;
    }

    async fn abandon(timers: &Timers, due: Instant) {
        let abandoned = tokio::time::timeout(Duration::from_millis(1), wait(timers, due));
        assert!(abandoned.await.is_err());
    }

    fn kept(timers: &Timers) -> usize {
        timers.0.lock().unwrap().len()
    }

    #[tokio::test(start_paused = true)]
    async fn a_kept_timer_fires_when_it_is_due() {
        let timers = Timers::default();
        let start = Instant::now();
        // Left behind set to one second; then needed for later, for earlier, and after it fired.
        abandon(&timers, start + SECOND).await;
        assert_eq!(kept(&timers), 1);
        wait(&timers, start + 3 * SECOND).await;
        assert_eq!(start.elapsed().as_secs(), 3);
        abandon(&timers, start + 60 * SECOND).await;
        wait(&timers, start + 5 * SECOND).await;
        assert_eq!(start.elapsed().as_secs(), 5);
        abandon(&timers, start + 6 * SECOND).await;
        tokio::time::sleep(4 * SECOND).await;
        wait(&timers, start + 12 * SECOND).await;
        assert_eq!(start.elapsed().as_secs(), 12);
        assert_eq!(kept(&timers), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn another_task_is_woken() {
        let timers = std::sync::Arc::new(Timers::default());
        let start = Instant::now();
        abandon(&timers, start + 10 * SECOND).await;
        let shared = std::sync::Arc::clone(&timers);
        let waiting = tokio::spawn(async move { wait(&shared, start + 20 * SECOND).await });
        waiting.await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 20);
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_that_moves_is_followed() {
        let timers = Timers::default();
        let mut deadline = timers.deadline();
        let start = Instant::now();
        let mut due = start + SECOND;
        let moved = start + 2 * SECOND;
        poll_fn(|cx| {
            let result = deadline.poll(due, cx);
            due = moved;
            if result.is_ready() && Instant::now() < moved {
                return deadline.poll(due, cx);
            }
            result
        })
        .await;
        assert_eq!(start.elapsed().as_secs(), 2);
    }

    #[test]
    fn a_timer_of_another_runtime_is_not_used() {
        let timers = Timers::default();
        for _ in 0..2 {
            let runtime = runtime::Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build()
                .unwrap();
            runtime.block_on(async {
                let start = Instant::now();
                abandon(&timers, start + SECOND).await;
                wait(&timers, start + 2 * SECOND).await;
            });
        }
        assert_eq!(kept(&timers), 1);
    }
}
