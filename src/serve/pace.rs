//! Whether a reader keeps up: what it lets wait is a debt that it pays with what it takes.

use std::time::Duration;

use tokio::time::Instant;

/// The debt of one reader. Time in which there is nothing for it costs it nothing.
#[derive(Debug)]
pub(super) struct Pace {
    /// Bytes that pay for one second.
    rate: u64,
    waiting: Option<Instant>,
    debt: Duration,
}

impl Pace {
    pub(super) fn new(rate: u64) -> Self {
        Self { rate: rate.max(1), waiting: None, debt: Duration::ZERO }
    }

    /// There are bytes that are not taken.
    pub(super) fn wait(&mut self) {
        self.waiting.get_or_insert_with(Instant::now);
    }

    /// So many were taken.
    pub(super) fn moved(&mut self, bytes: usize) {
        if let Some(since) = self.waiting.take() {
            self.debt += since.elapsed();
        }
        if !self.debt.is_zero() {
            let micros = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(1_000_000);
            self.debt = self.debt.saturating_sub(Duration::from_micros(micros / self.rate));
        }
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// When the debt will be `limit` if nothing is taken until then.
    pub(super) fn due(&self, limit: Duration) -> Option<Instant> {
        Some(self.waiting? + limit.saturating_sub(self.debt))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);
    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn who_keeps_up_owes_nothing() {
        let mut pace = Pace::new(1_000);
        for _ in 0..1_000 {
            pace.wait();
            tokio::time::advance(SECOND).await;
            pace.moved(1_000);
        }
        pace.wait();
        assert_eq!(pace.due(LIMIT), Some(Instant::now() + LIMIT));
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_a_tenth_is_found_out() {
        let mut pace = Pace::new(1_000);
        let mut seconds = 0;
        while pace.due(LIMIT).is_none_or(|due| due > Instant::now()) {
            pace.moved(100);
            pace.wait();
            tokio::time::advance(SECOND).await;
            seconds += 1;
        }
        assert_eq!(seconds, 34);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_to_take_is_no_debt() {
        let mut pace = Pace::new(1_000);
        pace.moved(1);
        tokio::time::advance(LIMIT * 2).await;
        assert_eq!(pace.due(LIMIT), None);
    }
}
