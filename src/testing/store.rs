//! What every store must do, wherever it keeps things.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{ChangeId, Revision};
use crate::store::{Batch, Key, Loaded, Record, Store, StoreError, Write};

mod contended;
#[cfg(feature = "store-redb")]
pub mod disk;
mod samples;
mod watched;

/// How long the suite waits for anything: only what hangs takes this long.
const PATIENCE: Duration = Duration::from_secs(20);

pub use super::conformance::Violation;

type Kept = Result<(), Violation>;

const ALL_OR_NOTHING: &str = "all or nothing";
const COMPARE_AND_COMMIT: &str = "compare and commit";
const FOUND_AGAIN: &str = "found again";
const IN_ORDER: &str = "in order, without gaps";
const EQUAL: &str = "values come back equal";
const REACHABLE: &str = "a store that is there answers";

fn violated(rule: &'static str, found: impl Into<String>) -> Violation {
    Violation { rule, found: found.into() }
}

fn check(rule: &'static str, kept: bool, found: impl FnOnce() -> String) -> Kept {
    if kept { Ok(()) } else { Err(violated(rule, found())) }
}

/// Tries the stores that `make` makes against the contract of [`Store`].
///
/// `make` is called once for each rule and gives an empty store each time. Needs a tokio runtime with
/// time; rules about committers at once say more on one with several threads.
///
/// # Errors
///
/// The first rule that is broken.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use backhaul::store::{MemoryStore, Store};
/// use backhaul::testing::store::conformance;
///
/// conformance(async || Arc::new(MemoryStore::new()) as Arc<dyn Store>).await?;
/// # Ok(())
/// # }
/// ```
pub async fn conformance<M, F>(make: M) -> Result<(), Violation>
where
    M: Fn() -> F + Sync,
    F: Future<Output = Arc<dyn Store>> + Send,
{
    values_come_back(&*make().await).await?;
    later_writes_go_over_earlier_ones(&*make().await).await?;
    other_revisions_are_refused(&*make().await).await?;
    changes_are_found(&*make().await).await?;
    watched::batches_come_in_order(&*make().await).await?;
    watched::who_falls_behind_is_told(&*make().await).await?;
    watched::who_waits_is_woken(make().await).await?;
    contended::one_committer_wins(make().await).await?;
    contended::nobody_sees_half_a_batch(make().await).await
}

async fn load(store: &dyn Store) -> Result<Loaded, Violation> {
    store.load().await.map_err(|error| violated(REACHABLE, error.to_string()))
}

/// Commits writes on `base`, which must be accepted, and says which change that was.
async fn commit(
    store: &dyn Store,
    base: Revision,
    writes: Vec<Write>,
) -> Result<ChangeId, Violation> {
    let change = ChangeId::from_bits(fastrand::u128(..));
    match store.commit(Batch::new(change, base, writes)).await {
        Ok(()) => Ok(change),
        Err(error) => Err(violated(COMPARE_AND_COMMIT, format!("{error} on revision {base}"))),
    }
}

/// Whether a store holds exactly these records at this revision.
async fn holds(
    store: &dyn Store,
    rule: &'static str,
    revision: Revision,
    wanted: &[(Key, Record)],
) -> Kept {
    let mut loaded = load(store).await?;
    loaded.records.sort_unstable_by_key(|(key, _)| *key);
    check(rule, loaded.revision == revision, || {
        format!("at revision {} instead of {revision}", loaded.revision)
    })?;
    check(rule, loaded.records == wanted, || format!("{:?} instead of {wanted:?}", loaded.records))
}

async fn values_come_back(store: &dyn Store) -> Kept {
    holds(store, EQUAL, Revision::ZERO, &[]).await?;
    let records = samples::one_of_each().map_err(|why| violated(EQUAL, why.to_string()))?;
    let writes = records.iter().map(|(key, record)| (*key, Some(record.clone()))).collect();
    commit(store, Revision::ZERO, writes).await?;
    holds(store, EQUAL, Revision::new(1), &records).await?;
    // A batch without writes is a revision as well.
    commit(store, Revision::new(1), Vec::new()).await?;
    holds(store, EQUAL, Revision::new(2), &records).await
}

async fn later_writes_go_over_earlier_ones(store: &dyn Store) -> Kept {
    let write = |id, text| samples::service(id, text);
    let forget = |id| (samples::key(id), None);
    let first = vec![write(1, "one"), write(2, "two"), write(3, "three"), forget(9)];
    commit(store, Revision::ZERO, first).await?;
    let second = vec![
        forget(1),
        write(2, "two again"),
        forget(3),
        write(3, "three again"),
        write(4, "four"),
        forget(4),
    ];
    commit(store, Revision::new(1), second).await?;
    let left = [write(2, "two again"), write(3, "three again")];
    let left: Vec<_> = left.into_iter().filter_map(|(key, record)| Some((key, record?))).collect();
    holds(store, EQUAL, Revision::new(2), &left).await
}

async fn other_revisions_are_refused(store: &dyn Store) -> Kept {
    commit(store, Revision::ZERO, vec![samples::service(1, "one")]).await?;
    commit(store, Revision::new(1), vec![samples::service(2, "two")]).await?;
    let before = load(store).await?;
    let mut held = before.records;
    held.sort_unstable_by_key(|(key, _)| *key);
    for base in [0, 1, 3, 9].map(Revision::new) {
        let change = ChangeId::from_bits(base.as_u64().into());
        let writes = vec![samples::service(1, "else"), (samples::key(2), None)];
        let refused = store.commit(Batch::new(change, base, writes)).await;
        let named = matches!(
            &refused,
            Err(StoreError::Conflict { expected, actual })
                if *expected == base && *actual == Revision::new(2)
        );
        check(COMPARE_AND_COMMIT, named, || format!("{refused:?} on revision {base} of 2"))?;
        holds(store, ALL_OR_NOTHING, Revision::new(2), &held).await?;
        let found = store.find(change).await;
        check(ALL_OR_NOTHING, matches!(found, Ok(None)), || {
            format!("a refused change is found: {found:?}")
        })?;
    }
    Ok(())
}

async fn changes_are_found(store: &dyn Store) -> Kept {
    let mut changes = Vec::new();
    for base in 0..8 {
        let writes = vec![samples::service(1, &base.to_string())];
        changes.push(commit(store, Revision::new(base), writes).await?);
    }
    for (change, revision) in changes.into_iter().zip(1..) {
        let found = store.find(change).await;
        let same = matches!(found, Ok(Some(found)) if found == Revision::new(revision));
        check(FOUND_AGAIN, same, || format!("{found:?} instead of revision {revision}"))?;
    }
    let found = store.find(ChangeId::from_bits(0)).await;
    check(FOUND_AGAIN, matches!(found, Ok(None)), || format!("what was never made: {found:?}"))
}
