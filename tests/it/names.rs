//! Names of backends: who resolves them, for how long, and what a change means for requests.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use backhaul::model::definition::Url;
use backhaul::testing::{FakeUpstream, Gate, Received, Script, Step};
use backhaul::transport::dns::{Answer, Failed, Lifetimes, Resolve};
use backhaul::transport::{Egress, IDLE_LIMIT, Pool, Transport};
use backhaul::{Api, Body, Change, Environment, Gateway, Group, Http, Kind, Registry};
use backhaul::{Error, ErrorKind};
use http::Request;
use http_body_util::BodyExt;

use crate::egress::Told;

#[cfg(all(unix, feature = "dns"))]
mod named;
mod shared;

/// Long enough that only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Two upstreams at the same port of two addresses of this machine: a name moves between them, the
/// port stays.
struct Two {
    here: FakeUpstream,
    there: FakeUpstream,
}

const HERE: &str = "127.0.0.1";
const THERE: &str = "127.0.0.2";

async fn two(script: impl Fn(&'static str) -> Script + Clone + Send + Sync + 'static) -> Two {
    for _ in 0..50 {
        let own = script.clone();
        let here = FakeUpstream::start(move |_: &Received| own("here")).await.unwrap();
        let (own, port) = (script.clone(), here.address().port());
        let there = (THERE.parse::<IpAddr>().unwrap(), port).into();
        // Somebody else may have the port there.
        if let Ok(there) = FakeUpstream::start_at(there, move |_: &Received| own("there")).await {
            return Two { here, there };
        }
    }
    panic!("no port is free at both addresses");
}

impl Two {
    fn url(&self) -> String {
        format!("http://orders.internal:{}", self.here.address().port())
    }
}

fn pool(transport: &Transport, url: &str) -> Pool {
    let url: Url = url.parse().unwrap();
    Pool::new(transport, &url, Arc::new(backhaul::sync::lease().0)).unwrap()
}

async fn get(pool: &Pool) -> Result<String, Error> {
    let request = Request::get("/").header("host", "upstream").body(Body::empty()).unwrap();
    let answer =
        tokio::time::timeout(PATIENCE, pool.send(request, PATIENCE)).await.expect("hangs")?;
    let bytes = answer.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8(bytes.to_vec()).unwrap())
}

fn local() -> backhaul::transport::Builder {
    Transport::builder().egress(Egress::default().allow_loopback())
}

#[tokio::test]
async fn u_23_after_a_refresh_requests_go_to_the_new_address_and_old_connections_end() {
    let two = two(Script::ok).await;
    let told = Told::new([HERE]);
    let transport = local().resolver(told.clone()).build().unwrap();
    let pool = pool(&transport, &two.url());
    for _ in 0..3 {
        assert_eq!(get(&pool).await.unwrap(), "here");
    }
    assert_eq!((two.here.accepted(), two.here.open()), (1, 1));
    told.tell([THERE]);
    assert_eq!(transport.refresh_now().await.moved, ["orders.internal"]);
    for _ in 0..3 {
        assert_eq!(get(&pool).await.unwrap(), "there");
    }
    assert!(two.here.has_open(0, PATIENCE).await, "the old connection is closed");
    assert_eq!((two.here.accepted(), two.there.accepted()), (1, 1));
}

#[tokio::test]
async fn u_23_a_request_under_way_ends_where_it_began() {
    let gate = Gate::new();
    let own = gate.clone();
    let two = two(move |place| match place {
        "here" => Script::new().then(Step::Wait(own.clone())).and(Script::ok("here")),
        place => Script::ok(place),
    })
    .await;
    let told = Told::new([HERE]);
    let transport = local().resolver(told.clone()).build().unwrap();
    let pool = Arc::new(pool(&transport, &two.url()));
    let under_way = {
        let pool = Arc::clone(&pool);
        tokio::spawn(async move { get(&pool).await })
    };
    assert!(two.here.has_open(1, PATIENCE).await);
    told.tell([THERE]);
    transport.refresh_now().await;
    assert_eq!(get(&pool).await.unwrap(), "there");
    gate.open();
    assert_eq!(under_way.await.unwrap().unwrap(), "here");
    assert_eq!(get(&pool).await.unwrap(), "there");
    assert!(two.here.has_open(0, PATIENCE).await, "its connection takes no other");
}

/// Lets time pass until connections were looked at once, and no longer.
async fn sweep() {
    tokio::time::pause();
    tokio::time::advance(IDLE_LIMIT / 4 + Duration::from_millis(1)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn u_23_an_idle_connection_to_an_address_that_is_gone_is_closed_without_a_request() {
    let two = two(Script::ok).await;
    let told = Told::new([HERE]);
    let transport = local().resolver(told.clone()).build().unwrap();
    let pool = pool(&transport, &two.url());
    assert_eq!(get(&pool).await.unwrap(), "here");
    sweep().await;
    assert_eq!(get(&pool).await.unwrap(), "here");
    assert_eq!((two.here.accepted(), pool.idle()), (1, 1), "its address is still there");
    told.tell([THERE]);
    transport.refresh_now().await;
    sweep().await;
    assert!(two.here.has_open(0, PATIENCE).await);
    assert_eq!((pool.idle(), two.there.accepted()), (0, 0));
}

#[tokio::test]
async fn u_23_without_being_told_requests_follow_when_the_answer_expires() {
    let two = two(Script::ok).await;
    let told = Told::new([HERE]);
    let lifetimes = Lifetimes::default().min_ttl(Duration::ZERO).default_ttl(Duration::ZERO);
    let transport = local().resolver(told.clone()).lifetimes(lifetimes).build().unwrap();
    let pool = pool(&transport, &two.url());
    assert_eq!(get(&pool).await.unwrap(), "here");
    told.tell([THERE]);
    let moved = async {
        while get(&pool).await.unwrap() == "here" {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, moved).await.expect("it never moves");
}

#[tokio::test]
async fn an_answer_of_nothing_leaves_connections_and_addresses_as_they_are() {
    let two = two(Script::ok).await;
    let told = Told::new([HERE]);
    let transport = local().resolver(told.clone()).max_idle(0).build().unwrap();
    let pool = pool(&transport, &two.url());
    assert_eq!(get(&pool).await.unwrap(), "here");
    told.tell([]);
    let refreshed = transport.refresh_now().await;
    assert_eq!((refreshed.names, refreshed.failed), (1, vec!["orders.internal".to_owned()]));
    assert_eq!(get(&pool).await.unwrap(), "here");
    assert_eq!(two.here.accepted(), 2);
}

#[tokio::test]
async fn connections_are_spread_over_the_addresses_and_go_round_a_closed_one() {
    let two = two(Script::ok).await;
    let told = Told::new([HERE, THERE]);
    let transport = local().resolver(told).max_idle(0).build().unwrap();
    let pool = pool(&transport, &two.url());
    for _ in 0..10 {
        get(&pool).await.unwrap();
    }
    assert_eq!((two.here.accepted(), two.there.accepted()), (5, 5));
    let address = two.there.address();
    drop(two.there);
    // Once somebody else could listen there nobody does.
    while tokio::net::TcpListener::bind(address).await.is_err() {
        tokio::task::yield_now().await;
    }
    for _ in 0..10 {
        assert_eq!(get(&pool).await.unwrap(), "here");
    }
}

#[tokio::test]
async fn a_name_without_addresses_is_a_failure_to_connect() {
    let transport = local().resolver(Told::new([])).build().unwrap();
    let error = get(&pool(&transport, "http://orders.internal")).await.unwrap_err();
    assert_eq!((error.kind(), error.context()), (ErrorKind::Connect, "name has no address"));
}

/// Counts what it is asked.
#[derive(Clone, Debug, Default)]
struct Counted(Arc<AtomicUsize>);

#[async_trait::async_trait]
impl Resolve for Counted {
    async fn resolve(&self, host: &str, _: Duration) -> Result<Answer, Failed> {
        assert_eq!(host, "orders.internal");
        self.0.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok(Answer::new([HERE.parse().map_err(Failed::new)?]))
    }
}

#[tokio::test]
async fn many_connections_at_once_take_one_look_up() {
    let upstream = FakeUpstream::start(|_| Script::ok("")).await.unwrap();
    let counted = Counted::default();
    let transport = local().resolver(counted.clone()).build().unwrap();
    let url = format!("http://ORDERS.internal:{}", upstream.address().port());
    let pools: Vec<_> = (0..50).map(|_| pool(&transport, &url)).collect();
    let mut asking = tokio::task::JoinSet::new();
    for pool in pools {
        asking.spawn(async move { get(&pool).await.unwrap() });
    }
    assert_eq!(asking.join_all().await.len(), 50);
    assert_eq!((counted.0.load(Ordering::Relaxed), upstream.accepted()), (1, 50));
}

#[tokio::test]
async fn a_registry_resolves_as_it_is_told_and_asks_again_when_it_is_told() {
    let two = two(Script::ok).await;
    let told = Told::new([HERE]);
    let lifetimes = Lifetimes::default().default_ttl(Duration::from_secs(300));
    let resolver = told.clone();
    let registry = Registry::builder()
        .allow_loopback()
        .transport(|it| it.resolver(resolver).lifetimes(lifetimes));
    let registry = registry.in_memory().await.unwrap();
    let live = Environment::PRODUCTION;
    let change = Change::new()
        .service("orders", Kind::HTTP)
        .define("orders", live.clone(), Http::to(two.url()))
        .group("shop", Group::host("shop"))
        .api("shop/everything", Api::any("/*").service_same_path("orders"))
        .publish("shop/everything", live);
    registry.publisher("test").apply(change).await.unwrap();
    let gateway = Gateway::new(&registry);
    let ask = async || {
        let request = Request::get("/a").header("host", "shop").body(Body::empty()).unwrap();
        let answer = crate::gateway::harness::call(&gateway, request).await;
        answer.into_body().collect().await.unwrap().to_bytes()
    };
    assert_eq!(ask().await, "here");
    told.tell([THERE]);
    assert_eq!(ask().await, "here");
    assert_eq!(registry.refresh_now().await.moved, ["orders.internal"]);
    assert_eq!(ask().await, "there");
}
