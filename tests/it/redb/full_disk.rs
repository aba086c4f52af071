//! A disk that is really full: a small one of its own, where the system allows that.

#![allow(clippy::print_stdout, reason = "that it was skipped is told")]

use std::fs;
use std::path::Path;
use std::process::Command;

use backhaul::Revision;
use backhaul::model::ChangeId;
use backhaul::store::{Batch, RedbStore, Store, StoreError};

use super::script::{content, script};

const CHILD: &str = "BACKHAUL_TEST_FULL_DISK";
/// What the shell ends with when it may not mount.
const NOT_ALLOWED: i32 = 77;
const TEST: &str =
    "redb::full_disk::a_full_disk_keeps_what_it_has_and_takes_more_when_there_is_space";

/// Runs this test in a mount namespace of its own, on a disk of 2 MB.
fn in_a_namespace(at: &Path) -> std::io::Result<std::process::Output> {
    let run = format!(
        "mount -t tmpfs -o size=2m tmpfs \"$1\" || exit {NOT_ALLOWED}; exec \"$0\" --exact --nocapture {TEST}"
    );
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-c", &run]);
    command.arg(std::env::current_exe()?).arg(at).env(CHILD, at).output()
}

#[tokio::test]
async fn a_full_disk_keeps_what_it_has_and_takes_more_when_there_is_space() {
    if let Ok(at) = std::env::var(CHILD) {
        fill(Path::new(&at)).await;
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let output = match in_a_namespace(directory.path()) {
        Ok(output) => output,
        Err(error) => {
            println!("skipped: there is no unshare: {error}");
            return;
        }
    };
    let (out, err) = (output.stdout, String::from_utf8_lossy(&output.stderr).into_owned());
    let out = String::from_utf8_lossy(&out);
    if !output.status.success() && !out.contains("running 1 test") {
        println!("skipped: no namespace to mount a disk in: {err}");
        return;
    }
    assert!(output.status.success() && out.contains("commits fitted"), "{out}{err}");
    println!("{out}");
}

/// A batch that takes some kilobytes.
async fn large(revision: usize) -> Batch {
    let script = script().await;
    let mut batch = script.batches[5].clone();
    batch.base = Revision::new(u64::try_from(revision).unwrap());
    batch.change = ChangeId::from_bits(1_000 + u128::try_from(revision).unwrap());
    batch.writes.retain(|(_, record)| record.is_some());
    for (number, (key, _)) in (0..).zip(&mut batch.writes) {
        use backhaul::model::id::ApiId;
        use backhaul::store::Key;
        let id = ApiId::new(u32::try_from(revision * 1000 + number).unwrap());
        match key {
            Key::Api(api) => *api = id,
            Key::Publication(api, _) => *api = id,
            Key::Revision(at) => *at = batch.base.next(),
            _ => {}
        }
    }
    batch
}

async fn fill(at: &Path) {
    let path = at.join("store");
    fs::write(at.join("ballast"), vec![7; 1 << 20]).unwrap();
    let store = RedbStore::open(&path).await.unwrap();
    let mut fitted = 0;
    let refused = loop {
        match store.commit(large(fitted).await).await {
            Ok(()) => fitted += 1,
            Err(error) => break error,
        }
        assert!(fitted < 1000, "there is no end to a disk of 2 MB");
    };
    println!("{fitted} commits fitted, then: {refused}");
    assert!(fitted > 2 && matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    for _ in 0..3 {
        let again = store.commit(large(fitted).await).await;
        assert!(matches!(again, Err(StoreError::Unavailable(_))), "{again:?}");
    }
    fs::remove_file(at.join("ballast")).unwrap();
    store.commit(large(fitted).await).await.unwrap();
    let (revision, before) = content(&store).await;
    assert_eq!(revision, fitted + 1);
    drop(store);
    let (revision, after) = content(&RedbStore::open(&path).await.unwrap()).await;
    assert_eq!(revision, fitted + 1);
    assert_eq!(after, before);
}
