//! Several at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{
    ALL_OR_NOTHING, COMPARE_AND_COMMIT, FOUND_AGAIN, IN_ORDER, Kept, PATIENCE, Violation, check,
    commit, load, samples, violated,
};
use crate::model::{ChangeId, Revision};
use crate::store::{Batch, Store, StoreError};

/// Committers that race for every revision.
const COMMITTERS: u32 = 8;
/// Revisions they race for.
const REVISIONS: u64 = 64;

/// Exactly one of those who commit on a revision wins, and a watcher sees all winners.
pub(super) async fn one_committer_wins(store: Arc<dyn Store>) -> Kept {
    let watcher = tokio::spawn(watch_all(Arc::clone(&store)));
    let mut committers = JoinSet::new();
    for committer in 0..COMMITTERS {
        committers.spawn(compete(Arc::clone(&store), committer));
    }
    let mut winners = BTreeMap::new();
    while let Some(won) = committers.join_next().await {
        let won = won.map_err(|error| violated(COMPARE_AND_COMMIT, error.to_string()))??;
        for (revision, change) in won {
            let other = winners.insert(revision, change);
            check(COMPARE_AND_COMMIT, other.is_none(), || format!("two made revision {revision}"))?;
        }
    }
    let revisions = (1..=REVISIONS).map(Revision::new);
    check(COMPARE_AND_COMMIT, winners.keys().copied().eq(revisions), || {
        format!("{} revisions were made instead of {REVISIONS}", winners.len())
    })?;
    for (revision, change) in &winners {
        let found = store.find(*change).await;
        let same = matches!(found, Ok(Some(found)) if found == *revision);
        check(FOUND_AGAIN, same, || format!("{found:?} instead of revision {revision}"))?;
    }
    let watched = timeout(PATIENCE, watcher).await;
    let watched = watched.map_err(|_| violated(IN_ORDER, "a watcher was not woken"))?;
    let seen = watched.map_err(|error| violated(IN_ORDER, error.to_string()))??;
    check(IN_ORDER, seen.iter().eq(winners.values()), || format!("{seen:?} were seen"))
}

async fn compete(
    store: Arc<dyn Store>,
    committer: u32,
) -> Result<Vec<(Revision, ChangeId)>, Violation> {
    let mut won = Vec::new();
    let mut base = Revision::ZERO;
    while base.as_u64() < REVISIONS {
        let change = ChangeId::from_bits(fastrand::u128(..));
        let writes = vec![samples::service(committer, &base.to_string())];
        match store.commit(Batch::new(change, base, writes)).await {
            Ok(()) => {
                base = base.next();
                won.push((base, change));
            }
            Err(StoreError::Conflict { actual, .. }) if actual > base => base = actual,
            Err(error) => return Err(violated(COMPARE_AND_COMMIT, error.to_string())),
        }
        tokio::task::yield_now().await;
    }
    Ok(won)
}

async fn watch_all(store: Arc<dyn Store>) -> Result<Vec<ChangeId>, Violation> {
    let failed = |error: StoreError| violated(IN_ORDER, error.to_string());
    let mut feed = store.watch(Revision::ZERO).await.map_err(failed)?;
    let mut seen = Vec::new();
    for base in 0..REVISIONS {
        let batch = feed.next().await.map_err(failed)?;
        check(IN_ORDER, batch.base == Revision::new(base), || {
            format!("revision {} after revision {base}", batch.revision())
        })?;
        seen.push(batch.change);
    }
    Ok(seen)
}

/// What is loaded while batches are committed is one of the states they made.
pub(super) async fn nobody_sees_half_a_batch(store: Arc<dyn Store>) -> Kept {
    let writer = Arc::clone(&store);
    let writing = tokio::spawn(async move {
        for base in (0..REVISIONS).map(Revision::new) {
            let text = base.next().to_string();
            let writes = (0..COMMITTERS).map(|id| samples::service(id, &text)).collect();
            commit(&*writer, base, writes).await?;
            tokio::task::yield_now().await;
        }
        Ok::<_, Violation>(())
    });
    loop {
        let loaded = load(&*store).await?;
        let wanted = loaded.revision.to_string();
        let whole =
            loaded.records.iter().all(|(_, record)| samples::description(record) == Some(&wanted));
        let count = if loaded.revision == Revision::ZERO { 0 } else { COMMITTERS };
        let all = u32::try_from(loaded.records.len()) == Ok(count);
        check(ALL_OR_NOTHING, whole && all, || {
            format!("{:?} at revision {wanted}", loaded.records)
        })?;
        if loaded.revision == Revision::new(REVISIONS) {
            break;
        }
        if writing.is_finished() {
            break;
        }
        tokio::task::yield_now().await;
    }
    writing.await.map_err(|error| violated(ALL_OR_NOTHING, error.to_string()))?
}
