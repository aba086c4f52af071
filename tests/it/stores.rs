//! The suite for stores: what keeps the contract passes it, what breaks one promise fails by that one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use backhaul::model::ChangeId;
use backhaul::store::{Batch, Feed, Loaded, MemoryStore, Store, StoreError};
use backhaul::testing::store::conformance;
use backhaul::{Change, Group, Registry, Revision};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_in_memory_keeps_its_promises() {
    for _ in 0..8 {
        conformance(async || Arc::new(MemoryStore::new()) as Arc<dyn Store>).await.unwrap();
    }
}

/// What is large is kept by another thread; it conflicts, is followed and loaded all the same.
#[tokio::test]
async fn a_store_in_memory_keeps_large_changes_as_small_ones() {
    let store = MemoryStore::new();
    let open = async || Registry::builder().store(Arc::new(store.clone())).await.unwrap();
    let (one, other) = (open().await, open().await);
    for (registry, name) in [(&one, "first"), (&other, "second"), (&one, "third")] {
        let groups = (0..200).map(|index| format!("{name}{index}"));
        let change = groups.fold(Change::new(), |change, group| {
            let host = format!("{group}.example.com");
            change.group(group, Group::host(host))
        });
        registry.publisher("test").apply(change).await.unwrap();
    }
    let loaded = open().await;
    assert_eq!(loaded.revision().as_u64(), 3);
    let records = |registry: &Registry| registry.contents().records.len();
    assert!(records(&loaded) >= 600);
    assert_eq!(records(&loaded), records(&one));
}

/// Which promise a [`Flawed`] store breaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Flaw {
    /// None: the wrapper itself is sound.
    None,
    /// Keeps the first write of a batch only.
    KeepsHalf,
    /// Forgets nothing that it is told to forget.
    KeepsAll,
    /// Takes a batch on any revision.
    NeverRefuses,
    /// Refuses, but keeps the batch.
    RefusesAndKeeps,
    /// Names the wrong revision when it refuses.
    NamesAnother,
    /// Finds no change again.
    Forgets,
    /// Finds changes that were never made.
    Invents,
    /// Tells watchers of every other batch.
    Skips,
    /// Starts watchers one batch too late.
    StartsLate,
    /// Wakes nobody who waits.
    Sleeps,
    /// Reads while it is written.
    Torn,
}

#[derive(Debug)]
struct Flawed {
    store: MemoryStore,
    flaw: Flaw,
}

impl Flawed {
    async fn conflict(&self, batch: &Batch) -> Option<StoreError> {
        let actual = self.store.load().await.unwrap().revision;
        let expected = batch.base;
        (actual != expected).then_some(StoreError::Conflict { expected, actual })
    }
}

#[async_trait]
impl Store for Flawed {
    async fn load(&self) -> Result<Loaded, StoreError> {
        let first = self.store.load().await?;
        if self.flaw != Flaw::Torn {
            return Ok(first);
        }
        tokio::task::yield_now().await;
        let second = self.store.load().await?;
        let records = first.records.into_iter().take(4);
        let records = records.chain(second.records.into_iter().skip(4)).collect();
        Ok(Loaded::new(second.revision, records))
    }

    async fn commit(&self, mut batch: Batch) -> Result<(), StoreError> {
        let conflict = self.conflict(&batch).await;
        let actual = self.store.load().await?.revision;
        match self.flaw {
            Flaw::KeepsHalf => batch.writes.truncate(1),
            Flaw::KeepsAll => batch.writes.retain(|(_, record)| record.is_some()),
            Flaw::NeverRefuses => batch.base = actual,
            Flaw::RefusesAndKeeps if conflict.is_some() => {
                batch.base = actual;
                self.store.commit(batch).await?;
                return Err(conflict.unwrap());
            }
            Flaw::NamesAnother if conflict.is_some() => {
                return Err(StoreError::Conflict { expected: actual, actual: batch.base });
            }
            _ => {}
        }
        self.store.commit(batch).await
    }

    async fn find(&self, change: ChangeId) -> Result<Option<Revision>, StoreError> {
        match (self.flaw, self.store.find(change).await?) {
            (Flaw::Forgets, _) => Ok(None),
            (Flaw::Invents, None) => Ok(Some(Revision::new(1))),
            (_, found) => Ok(found),
        }
    }

    async fn watch(&self, after: Revision) -> Result<Box<dyn Feed>, StoreError> {
        let after = if self.flaw == Flaw::StartsLate { after.next() } else { after };
        let feed = self.store.watch(after).await?;
        Ok(Box::new(FlawedFeed { feed, flaw: self.flaw, waited: AtomicBool::new(false) }))
    }
}

#[derive(Debug)]
struct FlawedFeed {
    feed: Box<dyn Feed>,
    flaw: Flaw,
    waited: AtomicBool,
}

#[async_trait]
impl Feed for FlawedFeed {
    async fn next(&mut self) -> Result<Arc<Batch>, StoreError> {
        if self.flaw == Flaw::Skips {
            self.feed.next().await?;
        }
        if self.flaw == Flaw::Sleeps && self.waited.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        self.waited.store(true, Ordering::Relaxed);
        let batch = self.feed.next().await;
        self.waited.store(false, Ordering::Relaxed);
        batch
    }
}

async fn broken(flaw: Flaw) -> Option<&'static str> {
    let make = async || Arc::new(Flawed { store: MemoryStore::new(), flaw }) as Arc<dyn Store>;
    conformance(make).await.err().map(|violation| violation.rule)
}

#[tokio::test(start_paused = true)]
async fn a_store_that_breaks_a_promise_is_found_out() {
    for (flaw, rule) in [
        (Flaw::None, None),
        (Flaw::KeepsHalf, Some("values come back equal")),
        (Flaw::KeepsAll, Some("values come back equal")),
        (Flaw::NeverRefuses, Some("compare and commit")),
        (Flaw::RefusesAndKeeps, Some("all or nothing")),
        (Flaw::NamesAnother, Some("compare and commit")),
        (Flaw::Forgets, Some("found again")),
        (Flaw::Invents, Some("all or nothing")),
        (Flaw::Skips, Some("in order, without gaps")),
        (Flaw::StartsLate, Some("in order, without gaps")),
        (Flaw::Sleeps, Some("in order, without gaps")),
        (Flaw::Torn, Some("all or nothing")),
    ] {
        assert_eq!(broken(flaw).await, rule, "{flaw:?}");
    }
}
