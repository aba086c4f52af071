//! A crash at every point: what was acknowledged is there, what was not is there whole or not at all.

#![allow(clippy::print_stdout, reason = "how much was tried is told")]

use std::sync::Arc;

use backhaul::store::{RedbStore, Store};
use backhaul::testing::store::disk::{Disk, MemoryDisk};

use super::crash_disk::{CrashDisk, LEFT, Operation, crashed};
use super::script::{Script, script};
use super::stride;

/// Of the crashes while a store is opened after a crash, one in so many is tried.
const SAMPLED: usize = 61;

async fn open(disk: Arc<dyn Disk>) -> RedbStore {
    RedbStore::on_disk(disk).await.unwrap()
}

/// The bytes of a store that nothing was committed to.
pub(super) async fn empty() -> Vec<u8> {
    let disk = Arc::new(MemoryDisk::default());
    drop(open(Arc::clone(&disk) as Arc<dyn Disk>).await);
    disk.image()
}

/// Commits the script, and says how many operations there were when it was opened and after each.
async fn run(script: &Script, disk: &Arc<CrashDisk>) -> Vec<usize> {
    let store = open(Arc::clone(disk) as Arc<dyn Disk>).await;
    let mut acknowledged = vec![disk.operations().len()];
    for batch in &script.batches {
        store.commit(batch.clone()).await.unwrap();
        acknowledged.push(disk.operations().len());
    }
    drop(store);
    acknowledged
}

/// What a crash leaves when `done` operations were done, and when the next was done by half.
fn images<'a>(
    base: &'a [u8],
    operations: &'a [Operation],
    done: usize,
) -> impl Iterator<Item = Vec<u8>> + 'a {
    let next = operations.get(done).filter(|next| matches!(next, Operation::Write(..)));
    let torn = [None, next].into_iter().take(if next.is_some() { 2 } else { 1 });
    torn.flat_map(move |torn| LEFT.map(|left| crashed(base, &operations[..done], torn, left)))
}

#[tokio::test]
async fn a_crash_loses_nothing_that_was_acknowledged() {
    let script = script().await;
    let base = empty().await;
    let disk = Arc::new(CrashDisk::new(base.clone()));
    let acknowledged = run(&script, &disk).await;
    let operations = disk.operations();
    let (mut first, mut second, mut passed) = (0, 0, 0);
    for done in 0..=operations.len() {
        let kept = acknowledged.iter().filter(|at| **at <= done).count().saturating_sub(1);
        let allowed = kept..=(kept + 1).min(script.batches.len());
        for image in images(&base, &operations, done) {
            let again = Arc::new(CrashDisk::new(image.clone()));
            let store = open(Arc::clone(&again) as Arc<dyn Disk>).await;
            script.check(&store, allowed.clone()).await;
            first += 1;
            let repair = again.operations();
            drop(store);
            for done in 0..=repair.len() {
                for image in images(&image, &repair, done) {
                    passed += 1;
                    if passed % stride(SAMPLED) == 0 {
                        let store = open(Arc::new(MemoryDisk::new(image))).await;
                        script.check(&store, allowed.clone()).await;
                        second += 1;
                    }
                }
            }
        }
    }
    println!(
        "{} operations, {first} crashes, {second} of {passed} crashes while opened after one",
        operations.len()
    );
    assert!(first > 4 * operations.len() && second > 100);
}

#[tokio::test]
async fn a_commit_is_a_sync_or_two() {
    let script = script().await;
    let disk = Arc::new(CrashDisk::new(empty().await));
    let acknowledged = run(&script, &disk).await;
    let operations = disk.operations();
    let syncs = acknowledged.windows(2).map(|window| {
        let during = &operations[window[0]..window[1]];
        during.iter().filter(|operation| matches!(operation, Operation::Synced)).count()
    });
    let syncs: Vec<_> = syncs.collect();
    println!("syncs of each commit: {syncs:?}");
    // Where the file grows there is one more.
    assert!(syncs.iter().all(|syncs| (1..=3).contains(syncs)), "{syncs:?}");
    // Publishing one API.
    assert!(syncs[2] <= 2 && syncs[11] <= 2, "{syncs:?}");
}
