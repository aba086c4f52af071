//! Backends of kind http, from their definitions to the wire.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what cannot be set up fails the test"
)]

use std::sync::Arc;
use std::time::Duration;

use backhaul::backend::http::HttpFactory;
use backhaul::backend::{Backend, Built, Call, Factory};
use backhaul::model::InvalidDefinition;
use backhaul::model::definition::{Settings, Tls};
use backhaul::sync::{Drained, lease};
use backhaul::testing::{FakeUpstream, Gate, Script, Step, context};
use backhaul::transport::{Egress, Transport};
use backhaul::{
    Api, Body, Change, Definition, Environment, Error, ErrorKind, Gateway, Group, Http, Kind, Mock,
    Place, Registry, Revision,
};
use http::{Request, Response};
use http_body_util::BodyExt;

use crate::gateway::harness::call;

fn transport(egress: Egress) -> Transport {
    Transport::builder().egress(egress).build().unwrap()
}

fn build(definition: impl Into<Definition>) -> (Result<Built, InvalidDefinition>, Drained) {
    let (lease, drained) = lease();
    let egress = Egress::default().allow_loopback();
    let context = context(transport(egress), Arc::new(lease));
    (HttpFactory::default().build(&definition.into(), &context), drained)
}

fn ready(http: Http) -> (Arc<dyn Backend>, Drained) {
    match build(http) {
        (Ok(Built::Ready(backend)), drained) => (backend, drained),
        (other, _) => panic!("{other:?}"),
    }
}

async fn send(backend: &dyn Backend, request: Request<Body>) -> Result<Response<Body>, Error> {
    let place = Place::new(None, Environment::PRODUCTION, Revision::new(1));
    let call = Call::new(place, Duration::from_secs(20));
    backend.send(request, &call).await
}

fn get(target: &str) -> http::request::Builder {
    Request::builder().uri(target)
}

#[tokio::test]
async fn the_base_path_goes_before_the_path_and_the_query_stays() {
    let upstream = FakeUpstream::start(|_| Script::ok("")).await.unwrap();
    for (base, target, expected) in [
        ("", "/v1/orders/42?x=1", "/v1/orders/42?x=1"),
        ("/", "/v1", "/v1"),
        ("/base", "/v1/orders/42?x=1", "/base/v1/orders/42?x=1"),
        ("/base/", "/", "/base/"),
        ("/a/b", "/?", "/a/b/?"),
        ("/base", "//x/%20", "/base//x/%20"),
    ] {
        let (backend, _) = ready(Http::to(format!("{}{base}", upstream.url())));
        let request = get(target).body(Body::empty()).unwrap();
        send(&*backend, request).await.unwrap();
        let line = upstream.received().pop().unwrap().line();
        assert_eq!(line, format!("GET {expected} HTTP/1.1"));
    }
}

#[tokio::test]
async fn host_is_the_definitions_or_the_clients_or_the_urls() {
    let upstream = FakeUpstream::start(|_| Script::ok("")).await.unwrap();
    let authority = upstream.address().to_string();
    for (defined, passed, expected) in [
        (Some("orders.internal"), None, "orders.internal"),
        (Some("orders.internal:81"), Some("shop.example.com"), "orders.internal:81"),
        (None, Some("shop.example.com"), "shop.example.com"),
        (None, None, authority.as_str()),
    ] {
        let mut http = Http::to(upstream.url());
        http.host = defined.map(str::to_owned);
        let (backend, _) = ready(http);
        let mut request = get("/");
        if let Some(passed) = passed {
            request = request.header("host", passed);
        }
        let request = request.version(http::Version::HTTP_2).body(Body::empty());
        send(&*backend, request.unwrap()).await.unwrap();
        let received = upstream.received().pop().unwrap();
        assert_eq!(received.header("host"), [expected]);
        assert!(received.line().ends_with(" HTTP/1.1"));
    }
}

#[tokio::test]
async fn a_refused_literal_fails_the_definition_and_names_the_field() {
    let context = context(transport(Egress::default()), Arc::new(lease().0));
    for host in [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "2130706433",
        "0",
        "[::1]",
        "[::ffff:169.254.169.254]",
        "169.254.169.254",
        "100.100.100.200",
        "[fe80::1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[2001::1]",
    ] {
        let url = format!("http://{host}:8080/x");
        let factory = HttpFactory::default();
        let error = factory.build(&Http::to(&url).into(), &context).unwrap_err();
        assert_eq!(error.field, "url", "{url}");
        assert!(error.reason.contains("egress policy refuses"), "{}", error.reason);
        let mut several: serde_json::Value = serde_json::json!({ "kind": "http" });
        several["endpoints"] = serde_json::json!([{ "url": "http://10.0.0.1" }, { "url": url }]);
        let several: Definition = serde_json::from_value(several).unwrap();
        let error = factory.build(&several, &context).unwrap_err();
        assert_eq!(error.field, "endpoints[1].url", "{url}");
    }
    for url in ["http://10.0.0.7:8080", "http://localhost", "http://orders.internal"] {
        let built = HttpFactory::default().build(&Http::to(url).into(), &context);
        assert!(matches!(built, Ok(Built::Ready(_))), "{url}");
    }
}

#[test]
fn what_is_not_served_yet_is_kept_and_said_to_be_missing() {
    let mut balance = Http::to("http://10.0.0.7");
    balance.balance = Some("round_robin".to_owned());
    let several = serde_json::json!({
        "kind": "http", "endpoints": [{ "url": "http://10.0.0.1" }]
    });
    let several: Definition = serde_json::from_value(several).unwrap();
    for (definition, what) in
        [(balance.into(), "several endpoints"), (several, "several endpoints")]
    {
        match build(definition) {
            (Ok(Built::Missing(missing)), _) => assert!(missing.contains(what), "{missing}"),
            (other, _) => panic!("{other:?}"),
        }
    }
}

#[test]
fn tls_settings_without_tls_are_refused() {
    let mut tls = Http::to("http://10.0.0.7");
    tls.tls = Some(Tls::default());
    let error = build(tls).0.unwrap_err();
    assert_eq!(error.field, "tls");
}

#[cfg(not(any(feature = "tls-aws-lc", feature = "tls-ring")))]
#[test]
fn https_without_tls_says_which_feature_is_missing() {
    match build(Http::to("https://orders.internal")) {
        (Ok(Built::Missing(missing)), _) => {
            assert_eq!(missing, "TLS: build with feature tls-aws-lc or tls-ring");
        }
        (other, _) => panic!("{other:?}"),
    }
}

#[test]
fn definitions_of_another_kind_are_refused() {
    let error = build(Mock::new()).0.unwrap_err();
    assert_eq!(error.field, "kind");
    assert_eq!(HttpFactory::default().kind(), Kind::HTTP);
    let definition: Definition = Http::default().into();
    assert!(matches!(definition.settings, Settings::Http(_)));
    assert_eq!(build(definition).0.unwrap_err().field, "url");
}

#[tokio::test]
async fn a_backend_that_is_dropped_drains() {
    let upstream = FakeUpstream::start(|_| Script::ok("x")).await.unwrap();
    let (backend, drained) = ready(Http::to(upstream.url()));
    let request = get("/").body(Body::empty()).unwrap();
    drop(send(&*backend, request).await.unwrap());
    assert!(!drained.is_drained());
    drop(backend);
    tokio::time::timeout(Duration::from_secs(20), drained).await.unwrap();
}

#[tokio::test]
async fn a_path_too_long_for_the_base_path_is_refused_before_it_is_sent() {
    let upstream = FakeUpstream::start(|_| Script::ok("x")).await.unwrap();
    let (backend, _) = ready(Http::to(format!("{}/{}", upstream.url(), "b".repeat(1000))));
    let request = get(&format!("/{}", "c".repeat(65_000))).body(Body::empty());
    let error = send(&*backend, request.unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UrlTooLarge);
    assert_eq!(upstream.accepted(), 0);
}

/// A gateway that sends everything on host `a` to this URL.
async fn published(builder: backhaul::registry::Builder, url: &str) -> (Registry, Gateway) {
    let registry = builder.in_memory().await.unwrap();
    let change = Change::new()
        .service("all", Kind::HTTP)
        .define("all", Environment::PRODUCTION, Http::to(url))
        .group("all", Group::host("a"))
        .api("all/everything", Api::any("/*").service_same_path("all"))
        .publish("all/everything", Environment::PRODUCTION);
    registry.publisher("test").apply(change).await.unwrap();
    let gateway = Gateway::new(&registry);
    (registry, gateway)
}

async fn asked(gateway: Gateway) -> (u16, String) {
    let request = get("/").header("host", "a").body(Body::empty()).unwrap();
    let response = call(&gateway, request).await;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn limits_set_where_a_registry_is_opened_hold_for_what_is_published() {
    let gate = Gate::new();
    let wait = Step::Wait(gate.clone());
    let upstream =
        FakeUpstream::start(move |_| Script::new().then(wait.clone()).and(Script::ok("late")));
    let upstream = upstream.await.unwrap();
    let builder = Registry::builder()
        .transport(|it| it.max_connections(1).max_waiting(0))
        .allow_loopback()
        .transport(|it| it.max_idle(0));
    let (_registry, gateway) = published(builder, &upstream.url()).await;
    let held = tokio::spawn(asked(gateway.clone()));
    assert!(upstream.has_open(1, Duration::from_secs(20)).await);
    let (status, body) = asked(gateway.clone()).await;
    assert!(status == 503 && body.contains("D503BB"), "{status} {body}");
    gate.open();
    assert_eq!(held.await.unwrap(), (200, "late".to_owned()));
    assert_eq!(asked(gateway).await, (200, "late".to_owned()));
    assert_eq!(upstream.accepted(), 2, "a connection was kept");
}

#[tokio::test]
async fn whatever_is_set_of_the_transport_the_egress_policy_stays() {
    for builder in [
        Registry::builder().egress(Egress::default().deny_private()).transport(|it| it.max_idle(0)),
        Registry::builder().transport(|it| it.max_idle(0)).egress(Egress::default().deny_private()),
    ] {
        let registry = builder.allow_loopback().in_memory().await.unwrap();
        let plan = async |url: &str| {
            let change = Change::new().service("all", Kind::HTTP).define(
                "all",
                Environment::PRODUCTION,
                Http::to(url),
            );
            registry.publisher("test").plan(change).await.is_ok()
        };
        assert!(plan("http://127.0.0.1").await);
        assert!(!plan("http://10.0.0.7").await);
    }
}
