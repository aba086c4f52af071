//! How many requests came lately.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Seconds that are counted one by one: a few more than are asked about.
const SLOTS: usize = 16;
/// What "recent" means.
pub(crate) const RECENT: Duration = Duration::from_secs(10);

/// Requests of the last seconds. It belongs to a service in an environment and outlives each of its
/// definitions.
#[derive(Debug)]
pub(crate) struct Traffic {
    since: Instant,
    /// In the upper half a second since `since`, in the lower half how many came in it.
    slots: [AtomicU64; SLOTS],
}

impl Traffic {
    pub(crate) fn new() -> Self {
        Self { since: Instant::now(), slots: [const { AtomicU64::new(0) }; SLOTS] }
    }

    /// Counts a request.
    pub(crate) fn count(&self) {
        let second = self.second();
        let Some(slot) = self.slots.get(usize::try_from(second).unwrap_or(0) % SLOTS) else {
            return;
        };
        let seen = slot.load(Ordering::Relaxed);
        if seen >> 32 == second {
            slot.fetch_add(1, Ordering::Relaxed);
        } else {
            // Whoever loses this race has its request not counted: one in a second.
            let fresh = second << 32 | 1;
            let _ = slot.compare_exchange(seen, fresh, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// Requests a second, over the last ten full seconds, or as many as there were.
    pub(crate) fn rate(&self) -> f64 {
        let now = self.second();
        let counted = |slot: &AtomicU64| {
            let seen = slot.load(Ordering::Relaxed);
            let (second, count) = (seen >> 32, seen & u64::from(u32::MAX));
            (second < now && second + RECENT.as_secs() >= now).then_some(count)
        };
        let count: u64 = self.slots.iter().filter_map(counted).sum();
        let seconds = now.clamp(1, RECENT.as_secs());
        f64::from(u32::try_from(count).unwrap_or(u32::MAX))
            / f64::from(u32::try_from(seconds).unwrap_or(1))
    }

    fn second(&self) -> u64 {
        // Half of the bits are for the count: 136 years.
        self.since.elapsed().as_secs() & u64::from(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn counts_full_seconds_of_the_last_ten() {
        let traffic = Traffic::new();
        assert_eq!(traffic.rate(), 0.0);
        for _ in 0..30 {
            traffic.count();
        }
        assert_eq!(traffic.rate(), 0.0, "this second is not over");
        tokio::time::advance(SECOND).await;
        assert_eq!(traffic.rate(), 30.0);
        tokio::time::advance(2 * SECOND).await;
        assert_eq!(traffic.rate(), 10.0);
        tokio::time::advance(7 * SECOND).await;
        assert_eq!(traffic.rate(), 3.0);
        tokio::time::advance(SECOND).await;
        assert_eq!(traffic.rate(), 0.0, "it is ten seconds ago");
        for _ in 0..20 {
            traffic.count();
            tokio::time::advance(SECOND).await;
        }
        assert_eq!(traffic.rate(), 1.0);
    }
}
