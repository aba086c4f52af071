//! A registry whose disk fails: it serves on, nothing is half-applied, and it goes on publishing as
//! soon as the disk does.

use std::sync::Arc;

use backhaul::store::{RedbStore, StoreError};
use backhaul::testing::store::disk::Disk;
use backhaul::{
    Api, Change, CommitError, Environment, Gateway, Group, Kind, Mock, Registry, Revision,
};
use http::Method;

use super::crash_disk::CrashDisk;
use super::crashes::empty;

const LIVE: Environment = Environment::PRODUCTION;

fn setup() -> Change {
    Change::new()
        .service("orders", Kind::MOCK)
        .define("orders", LIVE, Mock::new())
        .group("shop", Group::host("shop.example.com"))
        .api("shop/get_order", Api::get("/orders/[id]").service_same_path("orders"))
        .publish("shop/get_order", LIVE)
}

/// The generation that answers.
fn serving(registry: &Registry) -> Option<Revision> {
    let gateway = Gateway::new(registry);
    let found = gateway.resolve(&Method::GET, "shop.example.com", "/orders/7", None);
    found.ok().map(|found| found.generation())
}

fn moved(status: u16) -> Change {
    Change::new().define("orders", LIVE, Mock::new().status(status))
}

#[tokio::test]
async fn a_disk_that_fails_stops_changes_and_not_requests() {
    let disk = Arc::new(CrashDisk::new(empty().await));
    let store = RedbStore::on_disk(Arc::clone(&disk) as Arc<dyn Disk>).await.unwrap();
    let registry = Registry::builder().store(Arc::new(store)).await.unwrap();
    let publisher = registry.publisher("test");
    let first = publisher.apply(setup()).await.unwrap().revision();
    for _ in 0..3 {
        disk.fail(0..usize::MAX);
        let error = publisher.apply(moved(201)).await.unwrap_err();
        let expected = matches!(
            error,
            CommitError::Store(StoreError::Unavailable(_)) | CommitError::Ambiguous(_)
        );
        assert!(expected, "{error}");
        assert_eq!(serving(&registry), Some(first), "it serves what was there");
        assert_eq!(registry.revision(), first);
        disk.fail(0..0);
    }
    let second = publisher.apply(moved(202)).await.unwrap().revision();
    assert!(second > first);
    assert_eq!(serving(&registry), Some(second));
    publisher.undo(second).await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_taken_away_stops_changes_and_not_requests() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("shop.redb");
    let registry = Registry::open(&path).await.unwrap();
    let publisher = registry.publisher("test");
    let first = publisher.apply(setup()).await.unwrap().revision();
    std::fs::rename(&path, directory.path().join("elsewhere")).unwrap();
    let error = publisher.apply(moved(201)).await.unwrap_err();
    assert!(matches!(error, CommitError::Store(StoreError::Unavailable(_))), "{error}");
    assert_eq!((serving(&registry), registry.revision()), (Some(first), first));
    std::fs::rename(directory.path().join("elsewhere"), &path).unwrap();
    publisher.apply(moved(202)).await.unwrap();
}

#[tokio::test]
async fn a_copy_is_whole_while_changes_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let registry = Registry::open(directory.path().join("shop.redb")).await.unwrap();
    registry.publisher("test").apply(setup()).await.unwrap();
    let busy = tokio::spawn({
        let publisher = registry.publisher("busy");
        async move {
            for status in (201..204).cycle().take(60) {
                publisher.apply(moved(status)).await.unwrap();
            }
        }
    });
    let mut copies = 0;
    while !busy.is_finished() {
        let copy = directory.path().join(format!("copy{copies}.redb"));
        let contents = registry.contents();
        let revision = contents.revision;
        RedbStore::create(&copy, contents).await.unwrap();
        let opened = Registry::open(&copy).await.unwrap();
        assert_eq!(opened.revision(), revision);
        assert!(serving(&opened).is_some());
        assert_eq!(opened.history().count(), usize::try_from(revision.as_u64()).unwrap());
        copies += 1;
    }
    busy.await.unwrap();
    assert!(copies > 0);
}

#[tokio::test]
async fn what_is_opened_is_what_was_there() {
    let directory = tempfile::tempdir().unwrap();
    let registry = Registry::open(directory.path().join("shop.redb")).await.unwrap();
    let publisher = registry.publisher("test");
    publisher.apply(setup()).await.unwrap();
    let name = |index| format!("shop/api_{index}");
    let drafts = (0..900).map(|index| {
        let api = match index % 9 {
            0 => Api::get(format!("/own/{index}")).inline(Mock::new()),
            1 => Api::any(format!("/any/{index}/*")).service_same_path("orders"),
            _ => Api::get(format!("/shared/[x]/{index}")).service_same_path("orders"),
        };
        Change::new().api(name(index), api)
    });
    publisher.apply(drafts.collect::<Change>()).await.unwrap();
    publisher.apply(Change::new().publish_all((0..900).map(name), &LIVE)).await.unwrap();
    let test = Environment::TEST;
    let change = Change::new().define("orders", test.clone(), Mock::new());
    publisher.apply(change.publish_all((0..300).map(name), &test)).await.unwrap();
    publisher.apply(Change::new().delete_definition("orders", test.clone())).await.unwrap();
    let change = Change::new().define("orders", test.clone(), Mock::new().status(202));
    let gone = publisher.apply(change.publish_all((200..400).map(name), &test)).await.unwrap();
    publisher.apply(Change::new().unpublish_all((500..600).map(name), &LIVE)).await.unwrap();
    let deleted = (500..550).fold(Change::new(), |change, index| change.delete_api(name(index)));
    publisher.apply(deleted).await.unwrap();

    let sorted = |registry: &Registry| {
        let mut contents = registry.contents();
        contents.records.sort_unstable_by_key(|(key, _)| *key);
        (contents.revision, contents.records)
    };
    let before = sorted(&registry);
    drop((publisher, registry));
    let opened = Registry::open(directory.path().join("shop.redb")).await.unwrap();
    assert_eq!(sorted(&opened), before);
    let view = opened.service("orders").unwrap().unwrap();
    // Of each nine one has a definition of its own, and eleven of those were among what was unpublished.
    assert_eq!(view.definition(&LIVE).unwrap().published, 1 + 800 - 89);
    assert_eq!(view.drafts().count(), view.draft_count());
    // What was dormant, live, displaced and deleted can all be taken back as if nothing had happened.
    let publisher = opened.publisher("test");
    while let Some(newest) = opened.history().find(|entry| {
        entry.undoes.is_empty()
            && entry.stamp.revision >= gone.revision()
            && !opened.history().any(|later| later.undoes.contains(&entry.stamp.revision))
    }) {
        publisher.undo(newest.stamp.revision).await.unwrap();
    }
    let gateway = Gateway::new(&opened);
    let found = |path: &str, stage| {
        gateway.resolve(&Method::GET, "shop.example.com", path, Some(stage)).is_ok()
    };
    assert!(found("/shared/7/502", "RELEASE") && !found("/shared/7/302", "TEST"));
}
