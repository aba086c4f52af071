//! By when those who go on for as long as they like have to end.

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Tells all who use something at once by when they have to end. A clone is the same.
#[derive(Clone, Debug)]
pub(crate) struct Closing(watch::Sender<Option<Instant>>);

impl Closing {
    /// Nobody has to end.
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(None))
    }

    /// All have to end at `due`; earlier if that was said before.
    pub(crate) fn by(&self, due: Instant) {
        self.0.send_modify(|before| *before = Some(before.map_or(due, |before| before.min(due))));
    }

    /// Waits until one has to end.
    pub(crate) async fn reached(&self) {
        let mut changes = self.0.subscribe();
        loop {
            let due = *changes.borrow_and_update();
            let passed = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = passed => return,
                // The sender is `self`.
                _ = changes.changed() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_earliest_moment_counts() {
        let (closing, start) = (Closing::new(), Instant::now());
        let other = closing.clone();
        let waiting = tokio::spawn(async move { other.reached().await });
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(!waiting.is_finished());
        closing.by(start + Duration::from_secs(90));
        tokio::task::yield_now().await;
        closing.by(start + Duration::from_secs(70));
        closing.by(start + Duration::from_secs(80));
        waiting.await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 70);
        closing.reached().await;
        assert_eq!(start.elapsed().as_secs(), 70);
    }
}
