//! Where nothing may connect to: when it is defined, when it is connected to, and when a name changes.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backhaul::model::definition::Url;
use backhaul::sync::lease;
use backhaul::testing::{FakeUpstream, Script};
use backhaul::transport::dns::{Answer, Failed, Resolve};
use backhaul::transport::{Builder, Egress, Pool, Transport};
use backhaul::{
    Api, Body, Change, Environment, Error, ErrorKind, Gateway, Group, Http, Kind, Registry,
};
use http::{Request, Response};
use http_body_util::BodyExt;

use self::spellings::{Defined, SPELLINGS};

mod policy;
mod spellings;

/// Long enough that only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(20);
/// Long enough to connect on this machine, short enough to be waited for a hundred times.
const SHORT: Duration = Duration::from_millis(20);
/// Nobody is there (RFC 5737).
const NOBODY: &str = "192.0.2.1";

/// Answers every name with the same addresses until it is told others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told(Arc<Mutex<Vec<IpAddr>>>);

impl Told {
    pub(crate) fn new<const N: usize>(addresses: [&str; N]) -> Self {
        let told = Self::default();
        told.tell(addresses);
        told
    }

    pub(crate) fn tell<const N: usize>(&self, addresses: [&str; N]) {
        *self.0.lock().unwrap() = addresses.iter().map(|text| text.parse().unwrap()).collect();
    }
}

#[async_trait::async_trait]
impl Resolve for Told {
    async fn resolve(&self, _: &str, _: Duration) -> Result<Answer, Failed> {
        Ok(Answer::new(self.0.lock().unwrap().iter().copied()))
    }
}

async fn upstream() -> FakeUpstream {
    FakeUpstream::start(|_| Script::ok("reached")).await.unwrap()
}

/// A pool for a name at the port of an upstream.
fn pool(transport: &Transport, host: &str, upstream: &FakeUpstream) -> Pool {
    let url = format!("http://{host}:{}", upstream.address().port());
    Pool::new(transport, &url.parse::<Url>().unwrap(), Arc::new(lease().0)).unwrap()
}

fn resolving(told: &Told) -> Builder {
    Transport::builder().resolver(told.clone())
}

async fn get(pool: &Pool) -> Result<Response<Body>, Error> {
    let request = Request::get("/").header("host", "upstream").body(Body::empty()).unwrap();
    let answer = tokio::time::timeout(PATIENCE, pool.send(request, PATIENCE));
    let (head, body) = answer.await.expect("hangs")?.into_parts();
    // The connection is free again once the body has ended.
    let bytes = body.collect().await?.to_bytes();
    Ok(Response::from_parts(head, Body::from(bytes)))
}

fn assert_refused(outcome: Result<Response<Body>, Error>, what: &str) {
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{what}");
    assert_eq!(error.context(), "address refused by the egress policy", "{what}");
}

#[test]
fn s_03_the_table_is_long_and_says_everything_once() {
    assert!(SPELLINGS.len() >= 120, "{}", SPELLINGS.len());
    let mut seen: Vec<_> = SPELLINGS.iter().map(|(spelling, ..)| spelling).collect();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), SPELLINGS.len());
    for (spelling, _, address) in SPELLINGS {
        let address = address.parse().unwrap();
        assert!(Egress::default().check(address).is_err(), "{spelling}: {address} is allowed");
    }
}

#[tokio::test]
async fn s_03_a_definition_of_it_is_refused_or_a_name() {
    let registry = Registry::in_memory().await.unwrap();
    for scheme in ["http", "https"] {
        for (spelling, expected, _) in SPELLINGS {
            let url = format!("{scheme}://{spelling}/latest/meta-data");
            let change = Change::new().service("service", Kind::HTTP).define(
                "service",
                Environment::PRODUCTION,
                Http::to(url),
            );
            let planned = registry.publisher("test").plan(change).await;
            let found = if planned.is_ok() { Defined::Name } else { Defined::Refused };
            assert_eq!(found, *expected, "{spelling:?}");
        }
    }
}

#[tokio::test]
async fn s_01_a_name_that_resolves_to_it_is_never_dialled() {
    let upstream = upstream().await;
    for (spelling, _, address) in SPELLINGS {
        let told = Told::new([address]);
        let transport = resolving(&told).build().unwrap();
        assert_refused(get(&pool(&transport, "orders.internal", &upstream)).await, spelling);
        assert_eq!(transport.dialled(), 0, "{spelling}");
    }
    assert_eq!(upstream.accepted(), 0);
}

#[tokio::test]
async fn s_05_a_name_that_resolves_to_it_the_second_time_is_not_dialled_again() {
    let upstream = upstream().await;
    let mut reached = 0;
    for (spelling, _, address) in SPELLINGS {
        // The address that is allowed first: loopback where this is not about loopback.
        let egress = Egress::default().allow_loopback();
        let local = egress.check(address.parse().unwrap()).is_err();
        let (first, egress) =
            if local { ("127.0.0.1", egress) } else { (NOBODY, Egress::default()) };
        let told = Told::new([first]);
        let builder = resolving(&told).egress(egress);
        let builder = if local { builder } else { builder.connect_timeout(SHORT) };
        let transport = builder.build().unwrap();
        let pool = pool(&transport, "orders.internal", &upstream);
        assert_eq!(get(&pool).await.is_ok(), local, "{spelling}");
        reached += usize::from(local);
        assert_eq!((transport.dialled(), upstream.accepted()), (1, reached), "{spelling}");

        told.tell([address]);
        let refreshed = transport.refresh_now().await;
        assert_eq!(refreshed.moved, ["orders.internal"], "{spelling}");
        assert_refused(get(&pool).await, spelling);
        assert_eq!((transport.dialled(), upstream.accepted()), (1, reached), "{spelling}");
    }
    assert!(reached >= 60 && SPELLINGS.len() - reached >= 60, "{reached}");
}

#[tokio::test]
async fn s_06_of_several_addresses_only_those_are_dialled_that_are_allowed() {
    let upstream = upstream().await;
    let egress = Egress::default().allow_loopback();
    let mut reached = 0;
    for (spelling, _, address) in SPELLINGS {
        if egress.check(address.parse().unwrap()).is_ok() {
            continue;
        }
        for answer in [[*address, "127.0.0.1"], ["127.0.0.1", *address]] {
            let transport = resolving(&Told::new(answer)).egress(egress.clone()).build().unwrap();
            let pool = pool(&transport, "orders.internal", &upstream);
            assert_eq!(get(&pool).await.unwrap().status(), 200, "{spelling}");
            reached += 1;
            assert_eq!((transport.dialled(), upstream.accepted()), (1, reached), "{spelling}");
        }
    }
    assert!(reached > 120, "{reached}");
}

#[tokio::test]
async fn s_06_an_answer_of_nothing_else_is_refused() {
    let upstream = upstream().await;
    let told = Told::new(["127.0.0.1", "::1", "169.254.169.254", "::ffff:100.100.100.200"]);
    let transport = resolving(&told).build().unwrap();
    assert_refused(get(&pool(&transport, "orders.internal", &upstream)).await, "all of them");
    assert_eq!((transport.dialled(), upstream.accepted()), (0, 0));
}
