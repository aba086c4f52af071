//! What watchers are told.

use std::sync::Arc;

use tokio::time::timeout;

use super::{
    COMPARE_AND_COMMIT, IN_ORDER, Kept, PATIENCE, Violation, check, commit, samples, violated,
};
use crate::model::{ChangeId, Revision};
use crate::store::{Batch, Feed, Store, StoreError};

/// Commits that a watcher who is not looking must surely miss nothing of.
const FEW: u64 = 16;
/// Commits of which a watcher who is not looking may miss some, if it is told.
const MANY: u64 = 2_000;

async fn watch(store: &dyn Store, after: Revision) -> Result<Box<dyn Feed>, Violation> {
    store.watch(after).await.map_err(|error| violated(IN_ORDER, error.to_string()))
}

async fn next(feed: &mut dyn Feed) -> Result<Arc<Batch>, Violation> {
    match timeout(PATIENCE, feed.next()).await {
        Ok(Ok(batch)) => Ok(batch),
        Ok(Err(error)) => Err(violated(IN_ORDER, error.to_string())),
        Err(_) => Err(violated(IN_ORDER, "nobody woke who waited for the next batch")),
    }
}

/// Commits the changes that become the revisions from 1 to `count`.
async fn fill(store: &dyn Store, count: u64) -> Result<Vec<ChangeId>, Violation> {
    let mut changes = Vec::new();
    for base in 0..count {
        let writes = vec![samples::service(1, &base.to_string()), (samples::key(2), None)];
        changes.push(commit(store, Revision::new(base), writes).await?);
    }
    Ok(changes)
}

fn is(batch: &Batch, base: u64, change: ChangeId) -> Kept {
    let wanted = vec![samples::service(1, &base.to_string()), (samples::key(2), None)];
    let same = batch.base == Revision::new(base) && batch.change == change;
    check(IN_ORDER, same && batch.writes == wanted, || {
        format!("{batch:?} instead of change {change} on revision {base}")
    })
}

pub(super) async fn batches_come_in_order(store: &dyn Store) -> Kept {
    let mut early = watch(store, Revision::ZERO).await?;
    let changes = fill(store, FEW).await?;
    let mut late = watch(store, Revision::ZERO).await?;
    for (base, change) in (0..).zip(&changes) {
        is(&*next(&mut *early).await?, base, *change)?;
        is(&*next(&mut *late).await?, base, *change)?;
        let mut from_here = watch(store, Revision::new(base)).await?;
        is(&*next(&mut *from_here).await?, base, *change)?;
    }
    Ok(())
}

/// Whoever missed batches is told, or misses none.
pub(super) async fn who_falls_behind_is_told(store: &dyn Store) -> Kept {
    let early = watch(store, Revision::ZERO).await?;
    let changes = fill(store, MANY).await?;
    for feed in [Ok(early), store.watch(Revision::ZERO).await] {
        let mut feed = match feed {
            Ok(feed) => feed,
            Err(StoreError::Compacted(_)) => continue,
            Err(error) => return Err(violated(IN_ORDER, error.to_string())),
        };
        for (base, change) in (0..).zip(&changes) {
            match timeout(PATIENCE, feed.next()).await {
                Ok(Ok(batch)) => is(&batch, base, *change)?,
                Ok(Err(StoreError::Compacted(_))) => break,
                Ok(Err(error)) => return Err(violated(IN_ORDER, error.to_string())),
                Err(_) => return Err(violated(IN_ORDER, format!("stopped at revision {base}"))),
            }
        }
    }
    Ok(())
}

pub(super) async fn who_waits_is_woken(store: Arc<dyn Store>) -> Kept {
    for base in 0..FEW {
        let mut feed = watch(&*store, Revision::new(base)).await?;
        // What was dropped while it waited is called again.
        let none = timeout(std::time::Duration::ZERO, feed.next()).await;
        check(IN_ORDER, none.is_err(), || format!("{none:?} before there was any"))?;
        let waiting = tokio::spawn(async move { next(&mut *feed).await });
        tokio::task::yield_now().await;
        let change = ChangeId::from_bits(base.into());
        let writes = vec![samples::service(1, &base.to_string()), (samples::key(2), None)];
        let batch = Batch::new(change, Revision::new(base), writes);
        let made = store.commit(batch).await;
        check(COMPARE_AND_COMMIT, made.is_ok(), || format!("{made:?} on revision {base}"))?;
        match waiting.await {
            Ok(batch) => is(&*batch?, base, change)?,
            Err(error) => return Err(violated(IN_ORDER, error.to_string())),
        }
    }
    Ok(())
}
