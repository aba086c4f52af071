//! The store in a file: what it promises, tried on real files, and on disks that fail and crash.

use std::sync::Arc;

use backhaul::store::{RedbStore, Store};
use backhaul::testing::store::conformance;

mod crash_disk;
mod crashes;
mod damage;
mod dumps;
mod failures;
mod files;
mod full_disk;
mod script;
mod serving;

/// Of what is too much for every run: everything with `BACKHAUL_LONG`, else each `every`th.
fn stride(every: usize) -> usize {
    if std::env::var_os("BACKHAUL_LONG").is_some() { 1 } else { every }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_in_a_file_keeps_its_promises() {
    let directory = tempfile::tempdir().unwrap();
    let make = async || {
        let path = directory.path().join(format!("{:016x}", fastrand::u64(..)));
        Arc::new(RedbStore::open(path).await.unwrap()) as Arc<dyn Store>
    };
    conformance(make).await.unwrap();
}
