//! How a change becomes durable, then visible, whatever the store or the caller does meanwhile.

use std::sync::Arc;
use std::time::Duration;

use backhaul::registry::Reason;
use backhaul::store::{MemoryStore, Store, StoreError};
use backhaul::{BackendService, Change, CommitError, Kind, Registry, Revision};
use tokio::task::JoinSet;

use self::scripted::{Find, ScriptedStore, Step, Watch};
use super::rules::{LIVE, http, shop};

mod draining;
mod scripted;

async fn open(store: Arc<dyn Store>) -> Registry {
    Registry::builder().store(store).await.unwrap()
}

/// A change that can be made again and again, and can be told apart.
fn note(text: &str) -> Change {
    let service = BackendService::new(Kind::HTTP).description(text);
    Change::new().service("notes", service)
}

fn noted(registry: &Registry) -> Option<String> {
    Some(registry.service("notes").unwrap()?.description().to_owned())
}

/// Waits until a registry is at a revision.
async fn reaches(registry: &Registry, revision: u64) {
    while registry.revision() < Revision::new(revision) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_caller_who_goes_away_leaves_no_change_durable_but_invisible() {
    // One poll for each point at which the caller can be waiting, and more.
    for polls in 0..24 {
        let store = ScriptedStore::new([Step::Slowly(4)]);
        let registry = open(Arc::<ScriptedStore>::clone(&store)).await;
        let publisher = registry.publisher("test");
        let mut applying = Box::pin(publisher.apply(note("first")));
        for _ in 0..polls {
            if futures_poll(applying.as_mut()).await {
                break;
            }
        }
        drop(applying);
        // Asking is not waiting: a change that nobody began is not made.
        if polls > 0 {
            reaches(&registry, 1).await;
        }
        let kept = store.inner.load().await.unwrap().revision;
        assert_eq!(kept, registry.revision(), "dropped after {polls} polls");
        assert_eq!(noted(&registry).is_some(), polls > 0);
        // And the next one finds the turn free.
        let next = publisher.apply(note("second")).await.unwrap();
        assert_eq!(next.revision(), kept.next());
        assert_eq!(noted(&registry).as_deref(), Some("second"));
    }
}

/// Polls once, lets everybody else run, and says whether it was ready.
async fn futures_poll<F: Future>(mut future: std::pin::Pin<&mut F>) -> bool {
    let ready =
        std::future::poll_fn(|cx| std::task::Poll::Ready(future.as_mut().poll(cx).is_ready()))
            .await;
    tokio::task::yield_now().await;
    ready
}

#[tokio::test]
async fn what_is_visible_is_durable() {
    let store = ScriptedStore::new([Step::Slowly(16)]);
    let registry = open(Arc::<ScriptedStore>::clone(&store)).await;
    let publisher = registry.publisher("test");
    let mut applying = Box::pin(publisher.apply(note("first")));
    while !futures_poll(applying.as_mut()).await {
        let kept = store.inner.load().await.unwrap().revision;
        assert!(registry.revision() <= kept);
    }
    assert_eq!(registry.revision(), Revision::new(1));
}

#[tokio::test(start_paused = true)]
async fn a_commit_whose_answer_is_lost_is_looked_up() {
    for lost_looks in [0, 1, 7] {
        let store = ScriptedStore::new([Step::Kept, Step::NotKept]);
        let registry = open(Arc::<ScriptedStore>::clone(&store)).await;
        let publisher = registry.publisher("test");
        store.find(Find::FailFirst(lost_looks));
        let receipt = publisher.apply(note("kept")).await.unwrap();
        assert_eq!(receipt.revision(), Revision::new(1));
        assert_eq!(noted(&registry).as_deref(), Some("kept"));

        store.find(Find::FailFirst(lost_looks));
        let error = publisher.apply(note("lost")).await.unwrap_err();
        // It was looked up and is not there: what was unknown is known.
        assert!(matches!(error, CommitError::Store(StoreError::Unavailable(_))), "{error}");
        assert_eq!(noted(&registry).as_deref(), Some("kept"));

        let receipt = publisher.apply(note("next")).await.unwrap();
        assert_eq!(receipt.revision(), Revision::new(2));
        assert_eq!(store.inner.load().await.unwrap().revision, Revision::new(2));
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_looked_up_is_not_guessed() {
    for (step, revision) in [(Step::Kept, 1), (Step::NotKept, 0)] {
        let store = ScriptedStore::new([step]);
        let registry = open(Arc::<ScriptedStore>::clone(&store)).await;
        store.find(Find::FailFirst(u32::MAX));
        let publisher = registry.publisher("test");
        let error = publisher.apply(note("which?")).await.unwrap_err();
        let CommitError::Ambiguous(id) = error else { panic!("{error}") };
        // Its id tells once the store can be asked again.
        store.find(Find::FailFirst(0));
        let found = store.as_ref().find_change(id).await;
        assert_eq!(found, (revision > 0).then_some(Revision::new(revision)));
        // If it was kept it becomes visible all the same; either way changes go on.
        reaches(&registry, revision).await;
        assert_eq!(noted(&registry).is_some(), revision > 0);
        let next = publisher.apply(note("next")).await.unwrap();
        assert_eq!(next.revision(), Revision::new(revision + 1));
    }
}

#[tokio::test]
async fn a_store_that_fails_refuses_the_change_and_the_old_state_serves() {
    let store = ScriptedStore::new([Step::Through, Step::Fail, Step::Fail]);
    let registry = open(Arc::<ScriptedStore>::clone(&store)).await;
    let publisher = registry.publisher("test");
    publisher.apply(shop().publish("shop/get_order", LIVE)).await.unwrap();
    let gateway = backhaul::Gateway::new(&registry);
    let target = || {
        let method = http::Method::GET;
        let found = gateway.resolve(&method, "shop.example.com", "/orders/1", None);
        found.map(|resolved| resolved.generation())
    };
    for _ in 0..2 {
        let moved = Change::new().define("orders", LIVE, http(2));
        let error = publisher.apply(moved).await.unwrap_err();
        assert!(matches!(error, CommitError::Store(StoreError::Unavailable(_))), "{error}");
        assert_eq!(target().unwrap(), Revision::new(1));
    }
    publisher.apply(Change::new().define("orders", LIVE, http(2))).await.unwrap();
    assert_eq!(target().unwrap(), Revision::new(2));
}

/// Two registries on one store, of which the second hears of the first only when it commits.
async fn deaf_pair() -> (Registry, Registry) {
    let store = MemoryStore::new();
    let deaf = ScriptedStore::over(store.clone(), []);
    deaf.watch(Watch::FirstIsDeaf);
    (open(Arc::new(store)).await, open(deaf).await)
}

#[tokio::test]
async fn a_change_is_evaluated_anew_when_another_was_committed_first() {
    for others in [1, 2, 15, 16, 17, 100, 300] {
        let (one, other) = deaf_pair().await;
        for number in 0..others {
            one.publisher("one").apply(note(&number.to_string())).await.unwrap();
        }
        assert_eq!(other.revision(), Revision::ZERO);
        let receipt = other.publisher("other").apply(shop()).await.unwrap();
        assert_eq!(receipt.revision(), Revision::new(others + 1), "after {others}");
        assert_eq!(noted(&other), Some((others - 1).to_string()));
        // The first one follows.
        reaches(&one, others + 1).await;
        assert!(one.service("orders").unwrap().is_some());
    }
}

#[tokio::test]
async fn what_another_committed_first_counts() {
    let (one, other) = deaf_pair().await;
    one.publisher("one").apply(Change::new().service("orders", Kind::MOCK)).await.unwrap();
    let error = other.publisher("other").apply(shop()).await.unwrap_err();
    let CommitError::Rejected(rejected) = &error else { panic!("{error}") };
    assert!(matches!(rejected.reason, Reason::KindImmutable { .. }), "{error}");
    assert_eq!(other.revision(), one.revision());
}

#[tokio::test(start_paused = true)]
async fn a_change_outlasts_a_queue_of_others_and_gives_up_in_the_end() {
    let busy = async |milliseconds| {
        let until = tokio::time::Instant::now() + Duration::from_millis(milliseconds);
        let registry = open(ScriptedStore::new([Step::OthersFirst(until); 64])).await;
        registry.publisher("test").apply(note("first")).await
    };
    busy(20).await.unwrap();

    let begun = tokio::time::Instant::now();
    let error = busy(60_000).await.unwrap_err();
    assert!(matches!(error, CommitError::Contended), "{error}");
    assert!(begun.elapsed() < Duration::from_millis(1_500), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_went_back_is_an_error_and_not_a_wait() {
    let store = ScriptedStore::new([]);
    let registry = open(Arc::<ScriptedStore>::clone(&store)).await;
    let publisher = registry.publisher("test");
    publisher.apply(note("first")).await.unwrap();
    store.replay([Step::Conflict(Revision::ZERO)]);
    let late = tokio::time::timeout(Duration::from_secs(60), publisher.apply(note("second"))).await;
    let error = late.expect("it waits for what never comes").unwrap_err();
    assert!(matches!(error, CommitError::Store(StoreError::Conflict { .. })), "{error}");
    publisher.apply(note("third")).await.unwrap();
}

#[tokio::test]
async fn a_follower_sees_what_others_commit() {
    let store = MemoryStore::new();
    let (one, other) = (open(Arc::new(store.clone())).await, open(Arc::new(store)).await);
    one.publisher("one").apply(shop().publish("shop/get_order", LIVE)).await.unwrap();
    reaches(&other, 1).await;
    let gateway = backhaul::Gateway::new(&other);
    let target = || {
        let method = http::Method::GET;
        let found = gateway.resolve(&method, "shop.example.com", "/orders/1", None);
        found.map(|resolved| resolved.generation().as_u64()).ok()
    };
    assert_eq!(target(), Some(1));
    one.publisher("one").apply(Change::new().define("orders", LIVE, http(2))).await.unwrap();
    reaches(&other, 2).await;
    assert_eq!(target(), Some(2));
    other.publisher("other").apply(Change::new().delete_definition("orders", LIVE)).await.unwrap();
    assert_eq!(target(), None);
    reaches(&one, 3).await;
    let status = one.publication("shop/get_order", &LIVE).unwrap().unwrap().status;
    assert_eq!(status, backhaul::registry::Status::Offline);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_be_watched_holds_nobody_up() {
    let store = ScriptedStore::new([]);
    store.watch(Watch::Fails);
    let registry = open(store).await;
    let begun = tokio::time::Instant::now();
    for number in 0..10 {
        registry.publisher("test").apply(note(&number.to_string())).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn a_registry_that_is_gone_lets_its_store_go() {
    let store = ScriptedStore::new([]);
    let there = Arc::downgrade(&store);
    let registry = open(store).await;
    registry.publisher("test").apply(note("first")).await.unwrap();
    drop(registry);
    while there.upgrade().is_some() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn publishers_at_once_make_revisions_without_gaps() {
    let store = MemoryStore::new();
    let registries = [open(Arc::new(store.clone())).await, open(Arc::new(store)).await];
    let mut publishers = JoinSet::new();
    for number in 0..64_usize {
        let registry = registries[number % 2].clone();
        publishers.spawn(async move {
            let change = Change::new().service(format!("service-{number}"), Kind::HTTP);
            registry.publisher("test").apply(change).await.unwrap().revision().as_u64()
        });
    }
    let mut revisions = publishers.join_all().await;
    revisions.sort_unstable();
    assert!(revisions.into_iter().eq(1..=64));
    for registry in registries {
        reaches(&registry, 64).await;
        assert_eq!(registry.services().len(), 64);
    }
}

#[tokio::test]
async fn a_change_that_was_made_is_there_when_it_is_opened_again() {
    let store = MemoryStore::new();
    let registry = open(Arc::new(store.clone())).await;
    let staging: backhaul::Environment = "STAGING".parse().unwrap();
    let change = shop()
        .environment(staging.clone(), "")
        .environment("GONE".parse().unwrap(), "")
        .group("bound", backhaul::Group::new().stage_host("staging.example.com", "STAGING"))
        .define("orders", staging.clone(), http(2))
        .publish("shop/get_order", staging.clone())
        .publish("shop/get_order", LIVE);
    registry.publisher("test").apply(change).await.unwrap();
    let gone = Change::new().retire_environment("GONE".parse().unwrap());
    registry.publisher("test").apply(gone.delete_definition("orders", LIVE)).await.unwrap();
    drop(registry);
    let again = open(Arc::new(store)).await;
    let status = |name| again.publication("shop/get_order", name).unwrap().unwrap().status;
    assert_eq!(status(&staging), backhaul::registry::Status::Online);
    assert_eq!(status(&LIVE), backhaul::registry::Status::Offline);
    // Names and ids go on where they were.
    let next = Change::new()
        .environment("LATER".parse().unwrap(), "")
        .service("stock", Kind::HTTP)
        .group("more", backhaul::Group::host("staging.example.com").base_path("/more"));
    assert_eq!(again.publisher("test").apply(next).await.unwrap().revision(), Revision::new(3));
    assert_eq!(again.services().len(), 2);
}
