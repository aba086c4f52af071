//! What is told of revisions, of refused changes and of drains.

use std::sync::Arc;
use std::time::Duration;

use backhaul::observe::{Outcome, Reason};
use backhaul::registry::BlastRadius;
use backhaul::store::MemoryStore;
use backhaul::{Body, Change, Custom, Gateway, Http, Kind, Registry};
use http::{Request, Response};
use http_body_util::BodyExt;
use tokio::sync::Notify;
use tower_service::Service;

use super::recorder::Recorder;
use crate::gateway::harness::{LIVE, apply, call};

fn get() -> Request<Body> {
    Request::get("/").header("host", "a").body(Body::empty()).unwrap()
}

fn again() -> Custom {
    Custom::new("inside").unwrap().set("again", true)
}

#[tokio::test]
async fn a_change_is_told_of_when_it_is_visible() {
    let recorder = Recorder::default();
    let registry = recorder.builder().in_memory().await.unwrap();
    let change = Change::new().service("orders", Kind::HTTP);
    let first = apply(&registry, change).await.revision().as_u64();
    let to =
        |port| Change::new().define("orders", LIVE, Http::to(format!("http://10.0.0.7:{port}")));
    apply(&registry, to(1)).await;
    apply(&registry, to(2)).await;
    let applied = recorder.told().applied.clone();
    assert_eq!(applied, [(first, 0, true), (first + 1, 0, true), (first + 2, 1, true)]);
}

#[tokio::test]
async fn what_others_commit_is_told_of_as_theirs() {
    let recorder = Recorder::default();
    let store = Arc::new(MemoryStore::new());
    let theirs = Registry::builder().store(Arc::<MemoryStore>::clone(&store)).await.unwrap();
    let _ours = recorder.builder().store(store).await.unwrap();
    let revision = apply(&theirs, Change::new().service("orders", Kind::HTTP)).await.revision();
    recorder.until(|told| !told.applied.is_empty()).await;
    assert_eq!(recorder.told().applied, [(revision.as_u64(), 0, false)]);
}

#[tokio::test]
async fn a_change_that_is_not_made_is_told_of_with_its_reason() {
    let recorder = Recorder::default();
    let limit = BlastRadius::default().apis(0);
    let registry = recorder.builder().blast_radius(limit).in_memory().await.unwrap();
    let publisher = registry.publisher("test");
    let unknown = Change::new().define("nobody", LIVE, Http::to("http://10.0.0.7"));
    publisher.apply(unknown).await.unwrap_err();
    let plan = publisher.plan(Change::new().service("orders", Kind::HTTP)).await.unwrap();
    apply(&registry, Change::new().service("orders", Kind::HTTP)).await;
    publisher.apply(plan).await.unwrap_err();
    let reasons: Vec<_> = recorder.told().refused.iter().map(|(reason, _)| *reason).collect();
    assert_eq!(reasons, [Reason::Rejected, Reason::Stale]);
    assert!(recorder.told().refused[0].1.contains("nobody"));
    let applied = recorder.told().applied.len();
    assert_eq!(applied, 1, "what is planned is not applied");
}

/// A request that is on its way until it is let go.
async fn held(recorder: &Recorder) -> (Registry, Gateway, Arc<Notify>) {
    let go_on = Arc::new(Notify::new());
    let gate = Arc::clone(&go_on);
    let (registry, gateway) = recorder
        .before(move |_| {
            let gate = Arc::clone(&gate);
            async move {
                gate.notified().await;
                Ok(Response::new(Body::from("late")))
            }
        })
        .await;
    (registry, gateway, go_on)
}

#[tokio::test(start_paused = true)]
async fn a_drain_takes_as_long_as_its_last_request() {
    let recorder = Recorder::default();
    let (registry, gateway, go_on) = held(&recorder).await;
    let old = registry.revision();
    let calling = tokio::spawn(gateway.clone().call(get()));
    tokio::task::yield_now().await;
    let new = apply(&registry, Change::new().define("inside", LIVE, again())).await.revision();
    recorder.until(|told| !told.draining.is_empty()).await;
    let (place, by) = recorder.told().draining[0].clone();
    assert_eq!((place.generation, by), (old, new.as_u64()));
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(recorder.told().drained.is_empty());
    go_on.notify_one();
    let answer = calling.await.unwrap().unwrap();
    answer.into_body().collect().await.unwrap();
    recorder.until(|told| !told.drained.is_empty()).await;
    let (place, by, took) = recorder.told().drained[0].clone();
    assert_eq!((place.generation, by), (old, new.as_u64()));
    assert!(took >= Duration::from_secs(5) && took < Duration::from_secs(6), "{took:?}");
    let ended = recorder.only().await;
    assert_eq!((ended.superseded, ended.outcome), (true, Outcome::Answered));
}

#[tokio::test]
async fn a_new_name_supersedes_nothing() {
    let recorder = Recorder::default();
    let (registry, gateway, go_on) = held(&recorder).await;
    let calling = tokio::spawn(gateway.clone().call(get()));
    recorder.until(|told| !told.is_idle()).await;
    apply(&registry, Change::new().rename_service("inside", "renamed")).await;
    go_on.notify_one();
    drop(calling.await);
    let ended = recorder.only().await;
    assert!(!ended.superseded);
    go_on.notify_one();
    drop(call(&gateway, get()).await);
    let ended = recorder.ended(2).await.pop().unwrap();
    assert_eq!(ended.place.unwrap().service.unwrap().as_str(), "renamed");
    // The flag goes with the definition: the next cut-over sets it for those that came by either name.
    let calling = tokio::spawn(gateway.clone().call(get()));
    recorder.until(|told| !told.is_idle()).await;
    tokio::task::yield_now().await;
    apply(&registry, Change::new().define("renamed", LIVE, again())).await;
    go_on.notify_one();
    drop(calling.await);
    assert!(recorder.ended(3).await.pop().unwrap().superseded);
}

#[tokio::test]
async fn an_idle_definition_is_drained_at_once() {
    let recorder = Recorder::default();
    let (registry, _gateway, _) = held(&recorder).await;
    apply(&registry, Change::new().define("inside", LIVE, again())).await;
    recorder.until(|told| told.drained.len() == 1).await;
    apply(&registry, Change::new().delete_definition("inside", LIVE)).await;
    recorder.until(|told| told.drained.len() == 2).await;
    assert_eq!(recorder.told().draining.len(), 2);
}
