//! The store in a file: what it promises, tried on real files, and on disks that fail and crash.

use std::path::{Path, PathBuf};
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

/// A directory that goes when the test is over.
#[derive(Debug)]
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("backhaul-{:016x}", fastrand::u64(..)));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// Of what is too much for every run: everything with `BACKHAUL_LONG`, else each `every`th.
fn stride(every: usize) -> usize {
    if std::env::var_os("BACKHAUL_LONG").is_some() { 1 } else { every }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_in_a_file_keeps_its_promises() {
    let directory = Directory::new();
    let make = async || {
        let path = directory.join(format!("{:016x}", fastrand::u64(..)));
        Arc::new(RedbStore::open(path).await.unwrap()) as Arc<dyn Store>
    };
    conformance(make).await.unwrap();
}
