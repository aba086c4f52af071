//! What is told of the connections to a backend.

use backhaul::observe::Metrics;
use backhaul::testing::{FakeUpstream, Script};
use backhaul::{Api, Change, Environment, Gateway, Group, Http, Kind, Registry};
use http::Request;
use http_body_util::BodyExt;

use super::metrics::sample;
use super::recorder::Recorder;
use crate::gateway::harness::{apply, call};

const LIVE: Environment = Environment::PRODUCTION;
const LABELS: &str = "service=\"orders\",environment=\"RELEASE\"";

async fn shop(recorder: &Recorder, metrics: &Metrics, url: &str) -> (Registry, Gateway) {
    let builder = recorder.builder().observer(metrics.clone()).allow_loopback();
    let registry = builder.in_memory().await.unwrap();
    let change = Change::new()
        .service("orders", Kind::HTTP)
        .define("orders", LIVE, Http::to(url))
        .group("shop", Group::host("a"))
        .api("shop/everything", Api::any("/*").service_same_path("orders"))
        .publish("shop/everything", LIVE);
    apply(&registry, change).await;
    let gateway = Gateway::new(&registry);
    (registry, gateway)
}

async fn ask(gateway: &Gateway) {
    let request = Request::get("/").header("host", "a").body(backhaul::Body::empty()).unwrap();
    let answer = call(gateway, request).await;
    assert_eq!(answer.status(), 200);
    answer.into_body().collect().await.unwrap();
}

#[tokio::test]
async fn a_connection_is_told_of_from_its_beginning_to_its_end() {
    let upstream = FakeUpstream::start(|_| Script::ok("hello")).await.unwrap();
    let other = FakeUpstream::start(|_| Script::ok("other")).await.unwrap();
    let (recorder, metrics) = (Recorder::default(), Metrics::new());
    let (registry, gateway) = shop(&recorder, &metrics, &upstream.url()).await;
    // A plan compiles a pool, too; it makes no connection, so nobody is told.
    let moves = || Change::new().define("orders", LIVE, Http::to(other.url()));
    registry.publisher("test").plan(moves()).await.unwrap();
    assert!(recorder.told().pools.is_empty());
    for _ in 0..3 {
        ask(&gateway).await;
    }
    let pool = {
        let told = recorder.told();
        assert_eq!((told.pools.len(), told.opened, told.reused, told.closed), (1, 1, 2, 0));
        std::sync::Arc::clone(&told.pools[0])
    };
    assert_eq!(pool.place().service.as_ref().unwrap().as_str(), "orders");
    assert_eq!((pool.open(), pool.idle(), pool.opened(), pool.reused()), (1, 1, 1, 2));
    let says = |family: &str, labels: &str| sample(&metrics.text(), family, labels);
    let protocol = format!("{LABELS},protocol=\"http1\"");
    assert_eq!(says("backhaul_connections_opened_total", &protocol), Some(1.0));
    assert_eq!(says("backhaul_connections_reused_total", LABELS), Some(2.0));
    assert_eq!(says("backhaul_connections_open", LABELS), Some(1.0));
    assert_eq!(says("backhaul_connections_idle", LABELS), Some(1.0));
    apply(&registry, moves()).await;
    recorder.until(|told| told.closed == 1 && told.pools_closed == 1).await;
    assert_eq!((pool.open(), pool.idle()), (0, 0));
    drop(pool);
    recorder.told().pools.clear();
    ask(&gateway).await;
    // What the old pool counted is not forgotten with it.
    assert_eq!(says("backhaul_connections_reused_total", LABELS), Some(2.0));
    assert_eq!(says("backhaul_connections_opened_total", &protocol), Some(2.0));
    assert_eq!(says("backhaul_connections_open", LABELS), Some(1.0));
}

#[tokio::test]
async fn a_connection_that_is_not_made_is_not_counted() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let (recorder, metrics) = (Recorder::default(), Metrics::new());
    let (_registry, gateway) = shop(&recorder, &metrics, &url).await;
    let request = Request::get("/").header("host", "a").body(backhaul::Body::empty()).unwrap();
    assert_eq!(call(&gateway, request).await.status(), 504);
    assert_eq!(recorder.told().opened, 0);
}
