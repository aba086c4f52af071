//! The newest batches, for those who follow a store within the process.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;

use super::{Batch, Feed, StoreError};
use crate::model::Revision;

/// Batches kept for watchers. More are forgotten, oldest first; who needs them loads again.
pub(super) const KEPT: usize = 256;
/// Batches with more writes than this are not kept: a watcher loads again instead.
const KEPT_WRITES: usize = 10_000;

/// The newest batches, without gaps, and whom to wake when there is another.
#[derive(Debug)]
pub(super) struct Recent {
    ring: Mutex<Ring>,
    news: watch::Sender<Revision>,
}

#[derive(Debug)]
struct Ring {
    revision: Revision,
    /// Without gaps up to `revision`.
    batches: VecDeque<Arc<Batch>>,
}

impl Recent {
    /// Nothing is kept of what came before `revision`.
    pub(super) fn new(revision: Revision) -> Self {
        let ring = Ring { revision, batches: VecDeque::new() };
        Self { ring: Mutex::new(ring), news: watch::Sender::new(revision) }
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in the next batch. The caller sees to it that they come in order.
    pub(super) fn keep(&self, batch: Arc<Batch>) {
        let revision = batch.revision();
        {
            let mut ring = self.ring();
            if batch.base != ring.revision || batch.writes.len() > KEPT_WRITES {
                ring.batches.clear();
            }
            if batch.writes.len() <= KEPT_WRITES {
                ring.batches.push_back(batch);
            }
            if ring.batches.len() > KEPT {
                ring.batches.pop_front();
            }
            ring.revision = revision;
        }
        self.news.send_replace(revision);
    }

    /// The batch made on `base`, if there is one yet.
    fn after(&self, base: Revision) -> Result<Option<Arc<Batch>>, StoreError> {
        let ring = self.ring();
        if base >= ring.revision {
            return Ok(None);
        }
        let found = ring.batches.iter().find(|batch| batch.base == base);
        found.map(|batch| Some(Arc::clone(batch))).ok_or(StoreError::Compacted(base))
    }

    /// The batches after `revision`, as they come.
    pub(super) fn watch(self: &Arc<Self>, after: Revision) -> Result<Box<dyn Feed>, StoreError> {
        self.after(after)?;
        Ok(Box::new(RecentFeed {
            recent: Arc::clone(self),
            news: self.news.subscribe(),
            at: after,
        }))
    }
}

#[derive(Debug)]
struct RecentFeed {
    recent: Arc<Recent>,
    news: watch::Receiver<Revision>,
    at: Revision,
}

#[async_trait]
impl Feed for RecentFeed {
    async fn next(&mut self) -> Result<Arc<Batch>, StoreError> {
        loop {
            if let Some(batch) = self.recent.after(self.at)? {
                self.at = batch.revision();
                return Ok(batch);
            }
            // The sender lives in what this feed holds.
            let at = self.at;
            let _ = self.news.wait_for(|revision| *revision > at).await;
        }
    }
}
