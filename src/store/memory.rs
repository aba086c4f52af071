//! A store in memory.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;

use super::{Batch, Feed, Key, Loaded, Record, Store, StoreError};
use crate::model::{ChangeId, Revision};

/// Batches kept for watchers and for finding changes again. More are forgotten, oldest first.
const KEPT: usize = 256;
/// Batches with more writes than this are not kept: a watcher loads again instead.
const KEPT_WRITES: usize = 10_000;

/// Keeps a registry's state for as long as the process lives.
///
/// Clones are handles to the same state: several registries on one store follow each other.
#[derive(Clone, Debug)]
pub struct MemoryStore(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    revision: watch::Sender<Revision>,
}

#[derive(Debug, Default)]
struct State {
    revision: Revision,
    records: BTreeMap<Key, Record>,
    /// The newest batches, without gaps up to `revision`.
    recent: VecDeque<Arc<Batch>>,
    changes: VecDeque<(ChangeId, Revision)>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        let state = Mutex::default();
        Self(Arc::new(Shared { state, revision: watch::Sender::new(Revision::ZERO) }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl State {
    fn keep(&mut self, batch: Batch) {
        self.revision = batch.revision();
        for (key, record) in &batch.writes {
            match record {
                Some(record) => drop(self.records.insert(*key, record.clone())),
                None => drop(self.records.remove(key)),
            }
        }
        self.changes.push_back((batch.change, self.revision));
        if batch.writes.len() > KEPT_WRITES {
            self.recent.clear();
        } else {
            self.recent.push_back(Arc::new(batch));
        }
        if self.recent.len() > KEPT {
            self.recent.pop_front();
        }
        if self.changes.len() > KEPT {
            self.changes.pop_front();
        }
    }

    /// The batch made on `base`.
    fn after(&self, base: Revision) -> Result<Option<Arc<Batch>>, StoreError> {
        if base >= self.revision {
            return Ok(None);
        }
        let found = self.recent.iter().find(|batch| batch.base == base);
        found.map(|batch| Some(Arc::clone(batch))).ok_or(StoreError::Compacted(base))
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn load(&self) -> Result<Loaded, StoreError> {
        let state = self.state();
        let records = state.records.iter().map(|(key, record)| (*key, record.clone())).collect();
        Ok(Loaded::new(state.revision, records))
    }

    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let revision = {
            let mut state = self.state();
            if state.revision != batch.base {
                let (expected, actual) = (batch.base, state.revision);
                return Err(StoreError::Conflict { expected, actual });
            }
            state.keep(batch);
            state.revision
        };
        // Of two that committed at once the later may be here first.
        self.0.revision.send_if_modified(|told| {
            let news = *told < revision;
            *told = revision.max(*told);
            news
        });
        Ok(())
    }

    async fn find(&self, change: ChangeId) -> Result<Option<Revision>, StoreError> {
        let state = self.state();
        Ok(state.changes.iter().find(|(id, _)| *id == change).map(|(_, revision)| *revision))
    }

    async fn watch(&self, after: Revision) -> Result<Box<dyn Feed>, StoreError> {
        self.state().after(after)?;
        let store = self.clone();
        Ok(Box::new(MemoryFeed { store, news: self.0.revision.subscribe(), at: after }))
    }
}

#[derive(Debug)]
struct MemoryFeed {
    store: MemoryStore,
    news: watch::Receiver<Revision>,
    at: Revision,
}

#[async_trait]
impl Feed for MemoryFeed {
    async fn next(&mut self) -> Result<Arc<Batch>, StoreError> {
        loop {
            if let Some(batch) = self.store.state().after(self.at)? {
                self.at = batch.revision();
                return Ok(batch);
            }
            // The sender lives in the store this feed holds.
            let at = self.at;
            let _ = self.news.wait_for(|revision| *revision > at).await;
        }
    }
}
