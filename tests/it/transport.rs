//! The pool on the wire.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what cannot be set up fails the test"
)]

use std::sync::Arc;
use std::time::Duration;

use backhaul::model::definition::Url;
use backhaul::sync::{Drained, lease};
use backhaul::testing::{FakeUpstream, Gate, Received, Script, Step};
use backhaul::transport::{Builder, Egress, Pool, Transport};
use backhaul::{Body, Error, ErrorKind, Retry};
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::{Body as _, Frame};
use http_body_util::BodyExt;
use tokio::sync::mpsc;

#[cfg(any(feature = "tls-aws-lc", feature = "tls-ring"))]
mod certificates;
mod framing;
#[cfg(any(feature = "tls-aws-lc", feature = "tls-ring"))]
mod hello;
pub(crate) mod http2;
mod lifetime;
#[cfg(unix)]
mod local;
#[cfg(any(feature = "tls-aws-lc", feature = "tls-ring"))]
pub(crate) mod tls;
mod upload;

/// Long enough that only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(20);

fn local() -> Builder {
    Transport::builder().egress(Egress::default().allow_loopback())
}

fn pool(builder: Builder, upstream: &FakeUpstream) -> (Pool, Drained) {
    pool_for(builder, &upstream.url())
}

fn pool_for(builder: Builder, url: &str) -> (Pool, Drained) {
    let (lease, drained) = lease();
    let transport = builder.build().unwrap();
    let pool = Pool::new(&transport, &url.parse::<Url>().unwrap(), Arc::new(lease)).unwrap();
    (pool, drained)
}

fn get(target: &str) -> Request<Body> {
    request(Method::GET, target, Body::empty())
}

fn request(method: Method, target: &str, body: Body) -> Request<Body> {
    Request::builder().method(method).uri(target).header("host", "upstream").body(body).unwrap()
}

async fn send(pool: &Pool, request: Request<Body>) -> Result<Response<Body>, Error> {
    tokio::time::timeout(PATIENCE, pool.send(request, PATIENCE)).await.expect("hangs")
}

async fn text(response: Response<Body>) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

async fn get_text(pool: &Pool, target: &str) -> String {
    text(send(pool, get(target)).await.unwrap()).await
}

/// A body that a test feeds piece by piece.
struct Fed(mpsc::Receiver<Result<&'static str, Error>>);

fn fed() -> (mpsc::Sender<Result<&'static str, Error>>, Body) {
    let (feeder, pieces) = mpsc::channel(16);
    (feeder, Body::new(Fed(pieces)))
}

impl http_body::Body for Fed {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.0
            .poll_recv(cx)
            .map(|piece| piece.map(|piece| piece.map(|text| Frame::data(Bytes::from(text)))))
    }
}

#[tokio::test]
async fn a_request_goes_out_as_it_is_and_the_connection_is_used_again() {
    let upstream = FakeUpstream::start(|_| Script::ok("hello")).await.unwrap();
    let (pool, _) = pool(local(), &upstream);
    for _ in 0..3 {
        assert_eq!(get_text(&pool, "/a//b?x=%20").await, "hello");
    }
    assert_eq!(pool.idle(), 1);
    let received = upstream.received();
    assert_eq!(received[0].head, b"GET /a//b?x=%20 HTTP/1.1\r\nhost: upstream\r\n\r\n");
    assert_eq!(received.len(), 3);
    assert_eq!(upstream.accepted(), 1);
}

#[tokio::test]
async fn a_refused_address_is_not_dialled() {
    let upstream = FakeUpstream::start(|_| Script::ok("")).await.unwrap();
    let port = upstream.address().port();
    // The resolver takes the last ones for 127.0.0.1 too.
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "127.1", "0x7f000001"] {
        let (pool, _) = pool_for(Transport::builder(), &format!("http://{host}:{port}"));
        let error = send(&pool, get("/")).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Connect, Retry::Always), "{host}");
    }
    let (pool, _) = pool_for(local(), &format!("http://localhost:{port}"));
    assert_eq!(send(&pool, get("/")).await.unwrap().status(), 200);
    assert_eq!(upstream.accepted(), 1);
}

#[tokio::test]
async fn a_closed_port_and_an_unknown_name_are_connect_errors() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    for url in [closed.as_str(), "http://no-such-name.invalid"] {
        let (pool, _) = pool_for(local(), url);
        let error = send(&pool, get("/")).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Connect, Retry::Always), "{url}");
        assert_eq!(error.status(), 504);
    }
}

#[tokio::test]
async fn without_a_place_a_request_waits_and_is_then_told_busy() {
    let gate = Gate::new();
    let own = gate.clone();
    let script =
        move |_: &Received| Script::new().then(Step::Wait(own.clone())).and(Script::ok("late"));
    let upstream = FakeUpstream::start(script).await.unwrap();
    let (pool, _) = pool(local().max_connections(2), &upstream);
    let pool = Arc::new(pool);
    let held: Vec<_> = (0..2).map(|_| spawn_get(&pool)).collect();
    assert!(upstream.has_open(2, PATIENCE).await);
    while upstream.received().len() < 2 {
        tokio::task::yield_now().await;
    }
    let error = pool.send(get("/"), Duration::from_millis(20)).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Busy, Retry::Always));
    let waiting = spawn_get(&pool);
    gate.open();
    for answer in held.into_iter().chain([waiting]) {
        assert_eq!(answer.await.unwrap(), "late");
    }
    assert_eq!(upstream.accepted(), 2);
}

fn spawn_get(pool: &Arc<Pool>) -> tokio::task::JoinHandle<String> {
    let pool = Arc::clone(pool);
    tokio::spawn(async move { get_text(&pool, "/").await })
}

#[tokio::test]
async fn many_at_once_share_few_connections() {
    let upstream = FakeUpstream::start(|_| Script::ok("x")).await.unwrap();
    let (pool, _) = pool(local().max_connections(8).max_idle(4), &upstream);
    let pool = Arc::new(pool);
    let all: Vec<_> = (0..400).map(|_| spawn_get(&pool)).collect();
    for answer in all {
        assert_eq!(answer.await.unwrap(), "x");
    }
    assert_eq!(upstream.received().len(), 400);
    assert!(pool.idle() <= 4, "{}", pool.idle());
    assert!(upstream.has_open(pool.idle(), PATIENCE).await);
}

#[tokio::test]
async fn u_22_a_backend_that_hangs_holds_up_nobody_elses_requests() {
    let gate = Gate::new();
    let own = gate.clone();
    let slow = FakeUpstream::start(move |_: &Received| {
        Script::new().then(Step::Wait(own.clone())).and(Script::ok("late"))
    })
    .await
    .unwrap();
    let quick = FakeUpstream::start(|_| Script::ok("quick")).await.unwrap();
    let transport = local().max_connections(2).max_waiting(2).build().unwrap();
    let pool = |upstream: &FakeUpstream| {
        let url: Url = upstream.url().parse().unwrap();
        Arc::new(Pool::new(&transport, &url, Arc::new(lease().0)).unwrap())
    };
    let (stuck, free) = (pool(&slow), pool(&quick));
    let held: Vec<_> = (0..4).map(|_| spawn_get(&stuck)).collect();
    assert!(slow.has_open(2, PATIENCE).await);
    for _ in 0..200 {
        // Neither connections nor places to wait are anybody else's.
        let error = stuck.send(get("/"), PATIENCE).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Busy);
        assert_eq!(get_text(&free, "/").await, "quick");
    }
    assert_eq!((slow.accepted(), quick.accepted()), (2, 1));
    gate.open();
    for answer in held {
        assert_eq!(answer.await.unwrap(), "late");
    }
}
