//! A store in memory.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::recent::{KEPT, Recent};
use super::{Batch, Feed, Key, Loaded, Record, Store, StoreError};
use crate::model::{ChangeId, Revision};

/// A larger batch is kept where that holds up no other task.
const KEPT_IN_PLACE: usize = 64;

/// Keeps a registry's state for as long as the process lives.
///
/// Clones are handles to the same state: several registries on one store follow each other.
#[derive(Clone, Debug)]
pub struct MemoryStore(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    recent: Arc<Recent>,
}

#[derive(Debug, Default)]
struct State {
    revision: Revision,
    records: BTreeMap<Key, Record>,
    /// The newest changes; the others are not found again.
    changes: VecDeque<(ChangeId, Revision)>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        let recent = Arc::new(Recent::new(Revision::ZERO));
        Self(Arc::new(Shared { state: Mutex::default(), recent }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, batch: Batch) -> Result<(), StoreError> {
        let mut state = self.state();
        if state.revision != batch.base {
            let (expected, actual) = (batch.base, state.revision);
            return Err(StoreError::Conflict { expected, actual });
        }
        state.keep(&batch);
        // Under the lock: watchers get batches in the order of their revisions.
        self.0.recent.keep(Arc::new(batch));
        Ok(())
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl State {
    fn keep(&mut self, batch: &Batch) {
        self.revision = batch.revision();
        for (key, record) in &batch.writes {
            match record {
                Some(record) => drop(self.records.insert(*key, record.clone())),
                None => drop(self.records.remove(key)),
            }
        }
        self.changes.push_back((batch.change, self.revision));
        if self.changes.len() > KEPT {
            self.changes.pop_front();
        }
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
        if batch.writes.len() > KEPT_IN_PLACE
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let store = self.clone();
            let kept = runtime.spawn_blocking(move || store.keep(batch)).await;
            return kept.unwrap_or_else(|error| Err(StoreError::Unknown(error.to_string())));
        }
        self.keep(batch)
    }

    async fn find(&self, change: ChangeId) -> Result<Option<Revision>, StoreError> {
        let state = self.state();
        Ok(state.changes.iter().find(|(id, _)| *id == change).map(|(_, revision)| *revision))
    }

    async fn watch(&self, after: Revision) -> Result<Box<dyn Feed>, StoreError> {
        self.0.recent.watch(after)
    }
}
