//! Closing what was idle for too long.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::Shared;

/// Closes connections that were idle for too long. There is one while any is open, and it keeps
/// nothing alive.
pub(super) struct Sweeper {
    shared: Weak<Shared>,
    interval: Duration,
    done: bool,
}

impl Sweeper {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::downgrade(shared), interval: shared.sweep_interval(), done: false }
    }

    pub(super) async fn run(mut self) {
        while !self.done {
            tokio::time::sleep(self.interval).await;
            self.done = !self.shared.upgrade().is_some_and(|shared| shared.sweep());
        }
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        // Its runtime went away: another one may come.
        if !self.done
            && let Some(shared) = self.shared.upgrade()
        {
            shared.unswept();
        }
    }
}
