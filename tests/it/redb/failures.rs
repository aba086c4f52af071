//! A disk that fails at every call, once or for good.

#![allow(clippy::print_stdout, reason = "how much was tried is told")]

use std::ops::Range;
use std::sync::Arc;

use backhaul::store::{Batch, RedbStore, Store, StoreError};
use backhaul::testing::store::disk::{Disk, MemoryDisk};

use super::crash_disk::{CrashDisk, Left};
use super::crashes::empty;
use super::script::{Script, script};
use super::stride;

/// Of the calls that may fail, one in so many does: they are more than there is time for.
const SAMPLED: usize = 5;
/// How often a commit is tried before the disk is repaired.
const TRIES: usize = 3;

/// What became of the commits of a run.
#[derive(Debug, Default)]
struct Ledger {
    failed: usize,
    unknown: usize,
    /// Unknown at first, and on disk in the end.
    kept: usize,
}

/// Commits a batch, whatever it takes; `repair` makes the disk work again.
async fn commit(store: &RedbStore, batch: &Batch, disk: &CrashDisk, ledger: &mut Ledger) {
    for attempt in 0.. {
        if attempt == TRIES {
            disk.fail(0..0);
        }
        assert!(attempt <= TRIES, "a disk that works again is of no use");
        let unknown = match store.commit(batch.clone()).await {
            Ok(()) => return,
            Err(StoreError::Unavailable(_)) => false,
            Err(StoreError::Unknown(_)) => true,
            Err(error) => panic!("{error}"),
        };
        ledger.failed += 1;
        let found = loop {
            match store.find(batch.change).await {
                Ok(found) => break found,
                Err(StoreError::Unavailable(_)) => disk.fail(0..0),
                Err(error) => panic!("{error}"),
            }
        };
        if unknown {
            ledger.unknown += 1;
            if found == Some(batch.revision()) {
                ledger.kept += 1;
                return;
            }
        }
        assert_eq!(found, None, "it was said not to be kept");
    }
}

/// Runs the script while the calls in `faults` fail; everything must be there in the end, and after a
/// crash as well.
async fn run(script: &Script, base: &[u8], faults: Range<usize>, ledger: &mut Ledger) -> usize {
    let disk = Arc::new(CrashDisk::new(base.to_vec()));
    let store = RedbStore::on_disk(Arc::clone(&disk) as Arc<dyn Disk>).await.unwrap();
    disk.fail(faults);
    for (number, batch) in (1..).zip(&script.batches) {
        commit(&store, batch, &disk, ledger).await;
        // What was acknowledged is on disk now, also if a sync failed on the way.
        let image = disk.crashed(Left::Nothing);
        let after = RedbStore::on_disk(Arc::new(MemoryDisk::new(image))).await.unwrap();
        script.check(&after, number..=number).await;
    }
    let calls = disk.calls();
    disk.fail(0..0);
    let all = script.batches.len();
    script.check(&store, all..=all).await;
    let image = disk.crashed(Left::Nothing);
    let after = RedbStore::on_disk(Arc::new(MemoryDisk::new(image))).await.unwrap();
    script.check(&after, all..=all).await;
    calls
}

#[tokio::test]
async fn an_error_of_the_disk_loses_nothing() {
    let script = script().await;
    let base = empty().await;
    let mut ledger = Ledger::default();
    let calls = run(&script, &base, 0..0, &mut ledger).await;
    assert_eq!(ledger.failed, 0);
    let mut runs = 0;
    for call in (0..calls).step_by(stride(SAMPLED)) {
        for faults in [call..call + 1, call..usize::MAX] {
            run(&script, &base, faults, &mut ledger).await;
            runs += 1;
        }
    }
    println!("{runs} runs at {calls} calls: {ledger:?}");
    assert!(ledger.failed > 10 && ledger.unknown > ledger.kept && ledger.kept > 0, "{ledger:?}");
}

#[tokio::test]
async fn an_error_while_opening_leaves_a_store_that_opens() {
    let script = script().await;
    let disk = Arc::new(CrashDisk::new(empty().await));
    let store = RedbStore::on_disk(Arc::clone(&disk) as Arc<dyn Disk>).await.unwrap();
    for batch in &script.batches {
        store.commit(batch.clone()).await.unwrap();
    }
    // As a kill leaves it: there is something to repair.
    let image = disk.crashed(Left::Nothing);
    let all = script.batches.len();
    let open = async |faults| {
        let disk = Arc::new(CrashDisk::new(image.clone()));
        disk.fail(faults);
        let opened = RedbStore::on_disk(Arc::clone(&disk) as Arc<dyn Disk>).await;
        (opened, disk)
    };
    let calls = open(0..0).await.1.calls();
    let mut refused = 0;
    for call in 0..calls {
        for faults in [call..call + 1, call..usize::MAX] {
            let (opened, disk) = open(faults).await;
            match opened {
                Ok(store) => {
                    disk.fail(0..0);
                    script.check(&store, all..=all).await;
                }
                Err(StoreError::Unavailable(_)) => refused += 1,
                Err(error) => panic!("{error} at call {call}"),
            }
            let image = disk.crashed(Left::Nothing);
            let after = RedbStore::on_disk(Arc::new(MemoryDisk::new(image))).await.unwrap();
            script.check(&after, all..=all).await;
        }
    }
    println!("{refused} of {} openings failed", 2 * calls);
    assert!(refused >= calls);
}
