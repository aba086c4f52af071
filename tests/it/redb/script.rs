//! Batches as a registry makes them, and what a store holds after each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use backhaul::model::Stamp;
use backhaul::store::record::RevisionRecord;
use backhaul::store::{Batch, Key, MemoryStore, Record, RedbStore, Store};
use backhaul::time::Timestamp;
use backhaul::{Api, Change, Environment, Group, Http, Kind, Mock, Registry, Revision};

/// What a store holds.
pub(super) type Content = BTreeMap<Key, Record>;

/// Batches from revision 0 on, the content before the first and after each.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) batches: Vec<Batch>,
    pub(super) contents: Vec<Content>,
}

/// Revisions that are kept; the one before is trimmed with each batch.
const HISTORY: u64 = 4;

fn changes() -> Vec<Change> {
    let (live, test) = (Environment::PRODUCTION, Environment::TEST);
    let at = |host: u8| Http::to(format!("http://10.0.0.{host}:8080"));
    let named = |count: usize| (0..count).map(|number| format!("shop/api_{number}"));
    let mut many = Change::new();
    for (number, name) in named(60).enumerate() {
        let api = Api::get(format!("/{number}/[id]")).service("orders", "/v1/[id]");
        many = many.api(&name, api).publish(&name, live.clone());
    }
    let api = |path: &str| Api::get(path).service("orders", "/v1");
    vec![
        Change::new().service("orders", Kind::HTTP).define("orders", live.clone(), at(7)),
        Change::new().group("shop", Group::host("shop.example.com")),
        Change::new().api("shop/first", api("/first")).publish("shop/first", live.clone()),
        Change::new().define("orders", live.clone(), at(8)),
        Change::new().define("orders", test.clone(), at(9)).publish("shop/first", test),
        many,
        Change::new().api("shop/first", api("/first/again")),
        Change::new().unpublish("shop/api_3", live.clone()),
        Change::new()
            .api("shop/own_answer", Api::post("/own").inline(Mock::new().body("x".repeat(9000))))
            .publish("shop/own_answer", live.clone()),
        Change::new().delete_definition("orders", live.clone()),
        Change::new().define("orders", live.clone(), at(10)),
        Change::new().publish("shop/api_3", live),
    ]
}

/// Adds what a registry with a history writes: what it did, and no more than some of that.
fn with_history(batch: &mut Batch) {
    let revision = batch.revision();
    let record = RevisionRecord {
        change: batch.change,
        stamp: Arc::new(Stamp::new(revision, "deploy-bot", Timestamp::from_millis(7))),
        forced: None,
        undoes: Box::default(),
        created: batch.writes.iter().map(|(key, _)| *key).collect(),
        touched: Box::default(),
    };
    batch.writes.push((Key::Revision(revision), Some(Record::Revision(Arc::new(record)))));
    if let Some(old) = revision.as_u64().checked_sub(HISTORY) {
        batch.writes.push((Key::Revision(Revision::new(old)), None));
    }
}

pub(super) async fn script() -> Script {
    let store = MemoryStore::new();
    let registry = Registry::builder().store(Arc::new(store.clone())).await.unwrap();
    let mut feed = store.watch(Revision::ZERO).await.unwrap();
    let mut script = Script { batches: Vec::new(), contents: vec![Content::new()] };
    let publisher = registry.publisher("deploy-bot").because("it has to be");
    for change in changes() {
        publisher.apply(change).await.unwrap();
        let batch = tokio::time::timeout(Duration::from_secs(20), feed.next()).await;
        let mut batch = Batch::clone(&batch.unwrap().unwrap());
        with_history(&mut batch);
        let mut content = script.contents.last().unwrap().clone();
        for (key, record) in batch.writes.clone() {
            match record {
                Some(record) => drop(content.insert(key, record)),
                None => drop(content.remove(&key)),
            }
        }
        script.batches.push(batch);
        script.contents.push(content);
    }
    script
}

/// Everything a store holds.
pub(super) async fn content(store: &RedbStore) -> (usize, Content) {
    let loaded = store.load().await.unwrap();
    let count = loaded.records.len();
    let content: Content = loaded.records.into_iter().collect();
    assert_eq!(content.len(), count, "a key is there twice");
    (usize::try_from(loaded.revision.as_u64()).unwrap(), content)
}

impl Script {
    /// Whether a store holds what there is after one of `revisions` batches, and finds what it should.
    pub(super) async fn check(
        &self,
        store: &RedbStore,
        revisions: std::ops::RangeInclusive<usize>,
    ) {
        let (revision, found) = content(store).await;
        assert!(revisions.contains(&revision), "revision {revision} instead of {revisions:?}");
        assert_eq!(found, self.contents[revision]);
        for (number, batch) in (1..).zip(&self.batches) {
            let found = store.find(batch.change).await.unwrap();
            let kept = found.map(|found| usize::try_from(found.as_u64()).unwrap());
            let history = usize::try_from(HISTORY).unwrap();
            let there = number <= revision && number + history > revision;
            assert_eq!(kept, there.then_some(number), "at revision {revision}");
        }
    }
}
