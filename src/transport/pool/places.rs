//! Whether a request may go now.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::Shared;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::transport::Inner;

/// As many places as there may be requests on their way.
pub(super) struct Places {
    free: Semaphore,
    waiting: AtomicUsize,
    max_waiting: usize,
}

/// A request's place among those that are on their way. Dropping it gives it back.
pub(in crate::transport) struct Place(Arc<Shared>);

/// Counts one that waits for a place.
struct Waiting<'p>(&'p AtomicUsize);

impl Places {
    pub(super) fn new(limits: &Inner) -> Self {
        Self {
            free: Semaphore::new(limits.max_connections),
            waiting: AtomicUsize::new(0),
            max_waiting: limits.max_waiting,
        }
    }

    /// Waits for a place behind those who came before.
    async fn wait(&self, wait: Duration) -> Result<()> {
        let busy = |context| Error::new(ErrorKind::Busy, Retry::Always, context);
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        if before >= self.max_waiting {
            return Err(busy("too many requests wait for a connection"));
        }
        match timeout(wait, self.free.acquire()).await {
            Ok(Ok(place)) => {
                place.forget();
                Ok(())
            }
            _ => Err(busy("no connection became free in time")),
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Shared {
    /// A place among the requests on their way. Nobody gets ahead of those who wait.
    pub(super) async fn take_place(self: &Arc<Self>, wait: Duration) -> Result<Place> {
        match self.places.free.try_acquire() {
            Ok(place) => place.forget(),
            // Rare, and boxed so that it does not make every request's future larger.
            Err(_) => Box::pin(self.wait(wait)).await?,
        }
        Ok(Place(Arc::clone(self)))
    }
}

impl Shared {
    async fn wait(&self, wait: Duration) -> Result<()> {
        let waiting = self.told.waits();
        let waited = self.places.wait(wait).await;
        waiting.over(waited.is_ok());
        waited
    }
}

impl Place {
    pub(in crate::transport) fn pool(&self) -> &Arc<Shared> {
        &self.0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.places.free.add_permits(1);
    }
}
