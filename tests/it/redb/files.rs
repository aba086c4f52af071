//! Real files: who may read them, who has them open, and what happens to them meanwhile.

#![allow(clippy::print_stdout, reason = "what was skipped is told")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use backhaul::Revision;
use backhaul::store::{RedbStore, Store, StoreError};

use super::script::{content, script};

/// Where a child finds the path it is to try.
const CHILD: &str = "BACKHAUL_TEST_STORE";

/// Runs one test of this binary in a process of its own, which may be told a path.
fn child(shell: &str, test: &str, path: &Path) -> std::process::Output {
    let binary = std::env::current_exe().unwrap();
    let run = format!("{shell} exec \"$0\" --exact --nocapture redb::{test}");
    Command::new("sh").arg("-c").arg(run).arg(binary).env(CHILD, path).output().unwrap()
}

fn told() -> Option<String> {
    std::env::var(CHILD).ok()
}

async fn opened(path: &Path) -> RedbStore {
    RedbStore::open(path).await.unwrap()
}

#[tokio::test]
async fn what_was_committed_is_there_when_it_is_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let script = script().await;
    let path = directory.path().join("store");
    for (number, batch) in script.batches.iter().enumerate() {
        let store = opened(&path).await;
        script.check(&store, number..=number).await;
        store.commit(batch.clone()).await.unwrap();
    }
    let all = script.batches.len();
    let store = opened(&path).await;
    script.check(&store, all..=all).await;
    assert!(store.watch(Revision::new(3)).await.is_err(), "batches from before it was opened");
    let names: Vec<_> = fs::read_dir(directory.path()).unwrap().collect();
    assert_eq!(names.len(), 1, "{names:?}");
}

#[tokio::test]
async fn publications_share_the_version_of_their_draft() {
    use backhaul::store::Record;
    let directory = tempfile::tempdir().unwrap();
    let script = script().await;
    let store = opened(&directory.path().join("store")).await;
    for batch in &script.batches {
        store.commit(batch.clone()).await.unwrap();
    }
    let records = store.load().await.unwrap().records;
    let mut drafts = std::collections::HashMap::new();
    let (mut shared, mut differ, mut stamps) = (0, 0, std::collections::HashMap::new());
    for (key, record) in &records {
        let stamp = match record {
            Record::Api(record) => {
                let backhaul::store::Key::Api(id) = key else { panic!("{key:?}") };
                drafts.insert(*id, Arc::clone(&record.version));
                &record.stamp
            }
            Record::Publication(record) => {
                let draft = &drafts[&record.api];
                assert_eq!(Arc::ptr_eq(draft, &record.version), *draft == record.version);
                if *draft == record.version {
                    shared += 1
                } else {
                    differ += 1
                }
                &record.stamp
            }
            _ => continue,
        };
        let known = stamps.entry(stamp.revision).or_insert_with(|| Arc::clone(stamp));
        assert!(Arc::ptr_eq(known, stamp), "two stamps of one revision");
    }
    assert!(shared > 50 && differ > 0, "{shared} are shared, {differ} differ");
}

#[tokio::test]
async fn makes_a_file_for_its_owner_only() {
    if let Some(path) = told() {
        drop(opened(Path::new(&path)).await);
        return;
    }
    for umask in ["000", "077", "777"] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store");
        let output =
            child(&format!("umask {umask};"), "files::makes_a_file_for_its_owner_only", &path);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600, "umask {umask}");
    }
}

#[tokio::test]
async fn is_opened_once() {
    if let Some(path) = told() {
        let refused = RedbStore::open(path).await;
        assert!(matches!(refused, Err(StoreError::InUse(_))), "{refused:?}");
        println!("refused in a process of its own");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let store = opened(&path).await;
    let refused = RedbStore::open(&path).await;
    assert!(
        matches!(&refused, Err(StoreError::InUse(at)) if at.ends_with("/store")),
        "{refused:?}"
    );
    let output = child("", "files::is_opened_once", &path);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("refused in a process"), "{output:?}");
    assert_eq!(format!("{store:?}"), "RedbStore", "what it holds is shown");
    drop(store);
    opened(&path).await;
}

#[tokio::test]
async fn what_is_no_store_stays_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let long = vec![b'x'; 100_000];
    for (name, bytes) in [("empty", &b""[..]), ("text", b"not a store"), ("long", &long)] {
        let path = directory.path().join(name);
        fs::write(&path, bytes).unwrap();
        let refused = RedbStore::open(&path).await;
        assert!(matches!(refused, Err(StoreError::Corrupt(_))), "{name}: {refused:?}");
        assert_eq!(fs::read(&path).unwrap(), bytes, "{name}");
    }
    for path in [directory.path().to_owned(), directory.path().join("none/store")] {
        let refused = RedbStore::open(&path).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn follows_a_link_that_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let (path, link) = (directory.path().join("store"), directory.path().join("link"));
    symlink(&path, &link).unwrap();
    let refused = RedbStore::open(&link).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert!(!path.exists(), "a store was made where a link leads");
    drop(opened(&path).await);
    let script = script().await;
    opened(&link).await.commit(script.batches[0].clone()).await.unwrap();
    script.check(&opened(&path).await, 1..=1).await;
}

#[tokio::test]
async fn a_file_that_is_gone_takes_no_commit() {
    let script = script().await;
    for replace in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let (path, aside) = (directory.path().join("store"), directory.path().join("aside"));
        let store = opened(&path).await;
        store.commit(script.batches[0].clone()).await.unwrap();
        fs::rename(&path, &aside).unwrap();
        if replace {
            fs::copy(&aside, &path).unwrap();
        }
        let refused = store.commit(script.batches[1].clone()).await;
        let why = if replace { "was replaced" } else { "was removed" };
        assert!(
            matches!(&refused, Err(StoreError::Unavailable(text)) if text.contains(why)),
            "{refused:?}"
        );
        // What it holds can still be read, and it goes on when the file is back.
        assert!(matches!(store.find(script.batches[0].change).await, Ok(Some(_))));
        fs::rename(&aside, &path).unwrap();
        store.commit(script.batches[1].clone()).await.unwrap();
        drop(store);
        script.check(&opened(&path).await, 2..=2).await;
    }
}

/// Whether permissions hold for whoever runs this.
fn bound_by_permissions(directory: &tempfile::TempDir) -> bool {
    let path = directory.path().join("probe");
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
    let bound = fs::OpenOptions::new().write(true).open(&path).is_err();
    fs::remove_file(path).unwrap();
    bound
}

#[tokio::test]
async fn what_may_not_be_written_is_unavailable() {
    let directory = tempfile::tempdir().unwrap();
    if !bound_by_permissions(&directory) {
        println!("skipped: whoever runs this may write everything");
        return;
    }
    let path = directory.path().join("store");
    drop(opened(&path).await);
    fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
    let refused = RedbStore::open(&path).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    fs::set_permissions(directory.path(), Permissions::from_mode(0o500)).unwrap();
    let refused = RedbStore::open(directory.path().join("other")).await;
    fs::set_permissions(directory.path(), Permissions::from_mode(0o700)).unwrap();
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
}

#[tokio::test]
async fn a_backup_is_the_same_store() {
    let directory = tempfile::tempdir().unwrap();
    let script = script().await;
    let store = opened(&directory.path().join("store")).await;
    for batch in &script.batches {
        store.commit(batch.clone()).await.unwrap();
    }
    let path = directory.path().join("backup");
    RedbStore::create(&path, store.load().await.unwrap()).await.unwrap();
    let bytes = fs::read(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
    let all = script.batches.len();
    script.check(&opened(&path).await, all..=all).await;

    // Whatever is there is not replaced, nor is there anything left beside it.
    let link = directory.path().join("link");
    symlink(directory.path().join("nowhere"), &link).unwrap();
    fs::write(&path, &bytes).unwrap();
    for at in [&path, &link, &directory.path().join("none/store")] {
        let again = RedbStore::create(at, store.load().await.unwrap()).await;
        assert!(matches!(again, Err(StoreError::Unavailable(_))), "{again:?}");
    }
    assert_eq!(fs::read(&path).unwrap(), bytes);
    assert!(!directory.path().join("nowhere").exists());

    let mut twice = store.load().await.unwrap();
    twice.records.push(twice.records[0].clone());
    let refused = RedbStore::create(directory.path().join("twice"), twice).await;
    assert!(matches!(refused, Err(StoreError::Corrupt(_))), "{refused:?}");
    let mut names: Vec<_> =
        fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["backup", "link", "store"]);
}

#[tokio::test]
async fn a_record_of_another_sort_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let script = script().await;
    let store = opened(&directory.path().join("store")).await;
    let mut batch = script.batches[0].clone();
    let record = batch.writes.iter().find_map(|(_, record)| record.clone()).unwrap();
    let key = backhaul::store::Key::Group(backhaul::model::id::GroupId::new(1));
    batch.writes.push((key, Some(record)));
    let refused = store.commit(batch).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert_eq!(content(&store).await.0, 0);
    store.commit(script.batches[0].clone()).await.unwrap();
    script.check(&store, 1..=1).await;
}
