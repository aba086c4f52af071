//! Whose failure it was, for each kind there is: party × stage × service × environment × generation.

use std::collections::BTreeMap;

use backhaul::error::{Party, Stage};
use backhaul::observe::{Metrics, Outcome, names};
use backhaul::{Api, Body, Change, Custom, Error, ErrorKind, Registry, Retry};
use http::{Request, Response};

use super::metrics::sample;
use super::recorder::Recorder;
use crate::gateway::harness::{LIVE, TEST, answered_with, apply, call, kind};

/// Answers with the failure that the path names by its code.
async fn failing(request: Request<Body>) -> backhaul::Result<Response<Body>> {
    let code = request.uri().path().trim_start_matches('/').to_owned();
    let kind = ErrorKind::ALL.iter().find(|kind| kind.answer().code == code).unwrap();
    Err(Error::new(*kind, Retry::Never, "on purpose"))
}

#[tokio::test]
async fn a_failure_is_told_with_whose_it_was_and_where() {
    let (recorder, metrics) = (Recorder::default(), Metrics::new());
    let builder = recorder.builder().observer(metrics.clone());
    let (registry, gateway) = answered_with(builder, failing).await;
    for kind in ErrorKind::ALL {
        let uri = format!("/{}", kind.answer().code);
        let request = Request::get(uri).header("host", "a").body(Body::empty()).unwrap();
        drop(call(&gateway, request).await);
        let ended = recorder.told().ended.pop().unwrap();
        let (party, stage) = (kind.party(), kind.usual_stage());
        let place = ended.place.unwrap();
        assert_eq!(place.service.as_ref().unwrap().as_str(), "inside");
        assert_eq!((place.environment, place.generation), (LIVE, registry.revision()));
        if *kind == ErrorKind::ClientGone {
            assert_eq!(ended.outcome, Outcome::Aborted { stage });
            continue;
        }
        assert_eq!(ended.outcome, Outcome::Failed { kind: *kind, party, stage });
        let (party, stage, code) = (names::party(party), names::stage(stage), kind.answer().code);
        let labels = format!(
            "service=\"inside\",environment=\"RELEASE\",party=\"{party}\",stage=\"{stage}\",code=\"{code}\""
        );
        assert_eq!(sample(&metrics.text(), "backhaul_failures_total", &labels), Some(1.0));
    }
}

#[tokio::test]
async fn a_client_that_went_away_is_in_no_failure() {
    let metrics = Metrics::new();
    let builder = Registry::builder().observer(metrics.clone());
    let (_registry, gateway) = answered_with(builder, |_| std::future::pending()).await;
    let request = Request::get("/").header("host", "a").body(Body::empty()).unwrap();
    let mut gateway = gateway;
    drop(tower_service::Service::call(&mut gateway, request));
    let text = metrics.text();
    assert!(!text.contains("backhaul_failures_total{"), "{text}");
    let labels = "service=\"inside\",environment=\"RELEASE\"";
    let aborted = format!("{labels},stage=\"call\"");
    assert_eq!(sample(&text, "backhaul_aborted_requests_total", &aborted), Some(1.0));
    let without = format!("{labels},status=\"(none)\"");
    assert_eq!(sample(&text, "backhaul_requests_total", &without), Some(1.0));
    assert_eq!(sample(&text, "backhaul_requests_in_flight", labels), Some(0.0));
}

/// The table: what a client sends, and what is told of it.
#[tokio::test]
async fn a_refusal_is_told_with_how_far_the_request_had_come() {
    let recorder = Recorder::default();
    let (registry, gateway) = recorder.before(|_| async { Ok(Response::new(Body::empty())) }).await;
    let app = Api::get("/app").service("inside", "/").access(backhaul::model::Access::App);
    let change = Change::new().api("group/app_only", app).publish("group/app_only", LIVE);
    apply(&registry, change).await;
    let get = |uri: &str| Request::get(uri).header("host", "a");
    let table = [
        (get("/a/../b"), ErrorKind::InvalidPath, None),
        (Request::get("/").header("host", "b"), ErrorKind::UnknownHost, None),
        (get("/").header("x-ca-stage", "NOPE"), ErrorKind::InvalidStage, None),
        (get("/").header("x-ca-stage", "TEST"), ErrorKind::NotFound, None),
        (get("/app"), ErrorKind::MissingCredentials, Some(Stage::Admit)),
        (get("/").method("TRACE"), ErrorKind::UnsupportedMethod, None),
    ];
    let mut stages = BTreeMap::new();
    for (request, kind, routed) in table {
        drop(call(&gateway, request.body(Body::empty()).unwrap()).await);
        let ended = recorder.told().ended.pop().unwrap();
        let Outcome::Failed { kind: told, party, stage } = ended.outcome else {
            panic!("{ended:?}");
        };
        assert_eq!((told, party), (kind, Party::Client));
        assert_eq!(stage, routed.unwrap_or_else(|| kind.usual_stage()));
        assert_eq!(ended.place.is_some(), routed.is_some(), "{kind:?}");
        *stages.entry(names::stage(stage)).or_insert(0) += 1;
    }
    assert!(stages.len() >= 3, "{stages:?}");
    let large = Request::post("/").header("host", "a").body(Body::from("a".repeat(2000))).unwrap();
    drop(call(&gateway, large).await);
    let ended = recorder.told().ended.pop().unwrap();
    assert!(ended.place.is_some(), "the limit is its API's");
}

#[tokio::test]
async fn each_environment_and_generation_is_told_apart() {
    let recorder = Recorder::default();
    let (registry, gateway) = recorder.before(|_| async { Ok(Response::new(Body::empty())) }).await;
    let custom = || Custom::new("inside").unwrap();
    let change = Change::new().define("inside", TEST, custom()).publish("group/everything", TEST);
    let second = apply(&registry, change).await.revision();
    let inline = Api::get("/own").inline(custom());
    let change = Change::new()
        .service("unused", kind("inside"))
        .api("group/with_its_own", inline)
        .publish("group/with_its_own", TEST);
    let third = apply(&registry, change).await.revision();
    for (uri, service, revision) in [("/x", Some("inside"), second), ("/own", None, third)] {
        let request = Request::get(uri).header("host", "a").header("x-ca-stage", "TEST");
        drop(call(&gateway, request.body(Body::empty()).unwrap()).await);
        let place = recorder.told().ended.pop().unwrap().place.unwrap();
        assert_eq!(place.service.as_ref().map(|service| service.as_str()), service);
        assert_eq!((place.environment, place.generation), (TEST, revision));
    }
}
