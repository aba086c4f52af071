//! A store that does what it is told.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use backhaul::Revision;
use backhaul::model::ChangeId;
use backhaul::store::{Batch, Feed, Loaded, MemoryStore, Store, StoreError};
use tokio::time::Instant;

/// What becomes of one commit. When the script is at its end they go through.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Through,
    /// Waits this often before and after.
    Slowly(u32),
    /// Is not kept, and says so.
    Fail,
    /// Is kept; the answer is lost.
    Kept,
    /// Is not kept; the answer is lost.
    NotKept,
    /// Is refused because the store is at this revision.
    Conflict(Revision),
    /// Somebody else commits first, before this time.
    OthersFirst(Instant),
}

/// What becomes of looking a change up.
#[derive(Clone, Copy, Debug)]
pub(super) enum Find {
    /// Fails this often.
    FailFirst(u32),
}

/// What becomes of watching.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Watch {
    Through,
    /// The first watcher is never told anything.
    FirstIsDeaf,
    Fails,
}

#[derive(Debug)]
pub(super) struct ScriptedStore {
    pub(super) inner: MemoryStore,
    script: Mutex<VecDeque<Step>>,
    failing_finds: AtomicU32,
    watch: Mutex<Watch>,
}

impl ScriptedStore {
    pub(super) fn new(script: impl IntoIterator<Item = Step>) -> Arc<Self> {
        Self::over(MemoryStore::new(), script)
    }

    pub(super) fn over(inner: MemoryStore, script: impl IntoIterator<Item = Step>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            script: Mutex::new(script.into_iter().collect()),
            failing_finds: AtomicU32::new(0),
            watch: Mutex::new(Watch::Through),
        })
    }

    pub(super) fn replay(&self, script: impl IntoIterator<Item = Step>) {
        self.script.lock().unwrap().extend(script);
    }

    pub(super) fn find(&self, find: Find) {
        let Find::FailFirst(count) = find;
        self.failing_finds.store(count, Ordering::Relaxed);
    }

    pub(super) async fn find_change(&self, change: ChangeId) -> Option<Revision> {
        Store::find(self, change).await.unwrap()
    }

    pub(super) fn watch(&self, watch: Watch) {
        *self.watch.lock().unwrap() = watch;
    }
}

#[async_trait]
impl Store for ScriptedStore {
    async fn load(&self) -> Result<Loaded, StoreError> {
        self.inner.load().await
    }

    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let step = self.script.lock().unwrap().pop_front().unwrap_or(Step::Through);
        match step {
            Step::Through => self.inner.commit(batch).await,
            Step::Slowly(times) => {
                for _ in 0..times {
                    tokio::task::yield_now().await;
                }
                let kept = self.inner.commit(batch).await;
                for _ in 0..times {
                    tokio::task::yield_now().await;
                }
                kept
            }
            Step::Fail => Err(StoreError::Unavailable("as it was told".to_owned())),
            Step::Kept => {
                self.inner.commit(batch).await?;
                Err(StoreError::Unknown("as it was told".to_owned()))
            }
            Step::NotKept => Err(StoreError::Unknown("as it was told".to_owned())),
            Step::OthersFirst(until) => {
                if Instant::now() < until {
                    let other =
                        Batch::new(ChangeId::from_bits(fastrand::u128(..)), batch.base, Vec::new());
                    self.inner.commit(other).await?;
                }
                self.inner.commit(batch).await
            }
            Step::Conflict(actual) => Err(StoreError::Conflict { expected: batch.base, actual }),
        }
    }

    async fn find(&self, change: ChangeId) -> Result<Option<Revision>, StoreError> {
        let left = &self.failing_finds;
        if left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_ok() {
            return Err(StoreError::Unavailable("as it was told".to_owned()));
        }
        self.inner.find(change).await
    }

    async fn watch(&self, after: Revision) -> Result<Box<dyn Feed>, StoreError> {
        let watch = *self.watch.lock().unwrap();
        match watch {
            Watch::Through => self.inner.watch(after).await,
            Watch::FirstIsDeaf => {
                *self.watch.lock().unwrap() = Watch::Through;
                Ok(Box::new(Deaf))
            }
            Watch::Fails => Err(StoreError::Unavailable("as it was told".to_owned())),
        }
    }
}

#[derive(Debug)]
struct Deaf;

#[async_trait]
impl Feed for Deaf {
    async fn next(&mut self) -> Result<Arc<Batch>, StoreError> {
        std::future::pending().await
    }
}
