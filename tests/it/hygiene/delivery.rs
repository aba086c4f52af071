//! Rows U: how often a request is delivered, and what happens when one side stops.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use backhaul::model::definition::WireProtocol;
use backhaul::registry::Builder;
use backhaul::testing::{FakeUpstream, Script, Step};
use backhaul::{Api, Body, Change, Gateway, Http, Registry};
use h2::Reason;
use http::Request;
use http_body_util::BodyExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::answers::before;
use super::front::{Front, leading_to, leading_to_by};
use crate::gateway::harness::{LIVE, PATIENCE, Told, apply, call, code, read_head};
use crate::transport::http2::{Asked, upstream};

/// How often `/bad` came.
fn deliveries(front: &Front) -> usize {
    front.upstream.received().iter().filter(|one| one.target() == "/bad").count()
}

#[tokio::test]
async fn u_10_what_may_have_been_acted_on_is_not_sent_again() {
    for answer in ["", "HTTP/1.1 200 OK\r\nContent-"] {
        for method in ["POST", "PATCH", "GET", "PUT", "DELETE"] {
            let front = before(Script::raw(answer).then(Step::Close)).await;
            // It goes out on a connection that was used before.
            assert_eq!(front.ask("GET /", &[]).await.body(), "fine");
            let head = format!("{method} /bad HTTP/1.1\r\nHost: a\r\nConnection: close\r\n");
            let told = front.talk(format!("{head}Content-Length: 5\r\n\r\nhello")).await;
            assert_eq!((told.status(), told.code()), (504, "D504CO"), "{method}: {told:?}");
            assert_eq!((deliveries(&front), front.upstream.accepted()), (1, 1), "{method}");
            assert_eq!(front.last().body, b"hello", "{method}");
        }
    }
}

#[tokio::test]
async fn u_12_a_body_that_was_begun_is_not_sent_again() {
    let front = before(Script::new().then(Step::Close)).await;
    assert_eq!(front.ask("GET /", &[]).await.body(), "fine");
    let mut client = TcpStream::connect(front.address).await.unwrap();
    let head = "PUT /bad HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    let told = Told(tokio::time::timeout(PATIENCE, read_head(&mut client)).await.unwrap());
    assert_eq!((told.status(), told.code()), (504, "D504CO"), "{told:?}");
    assert_eq!((deliveries(&front), front.upstream.accepted()), (1, 1));
    assert!(!front.last().complete);
}

#[tokio::test]
async fn u_13_failures_make_no_more_requests_than_clients_do() {
    let fails = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
    for (script, status) in [(Script::raw(fails), 503), (Script::raw("").then(Step::Close), 504)] {
        let front = before(script).await;
        for _ in 0..100 {
            assert_eq!(front.ask("GET /bad", &[]).await.status(), status);
        }
        assert_eq!(front.count(), 100);
    }
}

#[tokio::test(start_paused = true)]
async fn u_14_whatever_is_tried_again_one_deadline_is_kept() {
    let asked = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&asked);
    let upstream = upstream(100, move |(_, mut response): Asked| {
        count.fetch_add(1, Ordering::SeqCst);
        async move {
            // What was refused was not processed, and is sent again.
            tokio::time::sleep(Duration::from_millis(900)).await;
            response.send_reset(Reason::REFUSED_STREAM);
        }
    })
    .await;
    let (registry, gateway) = leading_to("http://127.0.0.1:1").await;
    let mut http = Http::to(&upstream.url);
    http.protocol = Some(WireProtocol::Http2);
    let second = Duration::from_secs(1);
    let api = Api::any("/*").service_same_path("all").timeout(second);
    let change = Change::new().define("all", LIVE, http).api("all/everything", api);
    apply(&registry, change.publish("all/everything", LIVE)).await;
    let begun = Instant::now();
    let request = Request::get("/").header("host", "a").body(Body::empty()).unwrap();
    assert_eq!(code(&call(&gateway, request).await), "D504TO");
    let taken = begun.elapsed();
    assert!(taken >= second && taken <= second + Duration::from_millis(50), "{taken:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

/// Writes until nobody reads any more, and says how much that was.
async fn upload(mut to: tokio::net::tcp::OwnedWriteHalf, most: usize) -> usize {
    let piece = [b'x'; 64 * 1024];
    let mut written = 0;
    while written < most {
        match to.write(&piece[..piece.len().min(most - written)]).await {
            Ok(count) => written += count,
            Err(_) => break,
        }
    }
    written
}

#[tokio::test]
async fn u_16_an_answer_before_the_body_ended_is_passed_on_and_stops_the_upload() {
    const LARGE: usize = 100_000_000;
    let answer = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig";
    let front = before(Script::new().write(answer).then(Step::Hang)).await;
    let api = Api::put("/bad").service_same_path("all").max_body(LARGE as u64);
    let change = Change::new().api("all/upload", api).publish("all/upload", LIVE);
    apply(&front.registry, change).await;
    let client = TcpStream::connect(front.address).await.unwrap();
    let (mut from, mut to) = client.into_split();
    let head = format!("PUT /bad HTTP/1.1\r\nHost: a\r\nContent-Length: {LARGE}\r\n\r\n");
    to.write_all(head.as_bytes()).await.unwrap();
    let uploading = tokio::spawn(upload(to, LARGE));
    let mut told = Vec::new();
    let reading = tokio::io::AsyncReadExt::read_to_end(&mut from, &mut told);
    // A reset after the answer is an end, too.
    let _ = tokio::time::timeout(PATIENCE, reading).await.expect("nothing ends");
    let told = Told(String::from_utf8(told).unwrap());
    assert_eq!((told.status(), told.code(), told.body()), (413, "", "big"), "{told:?}");
    let written = tokio::time::timeout(PATIENCE, uploading).await.expect("it goes on").unwrap();
    assert!(written < LARGE, "all of it was taken");
    assert!(front.upstream.has_open(0, PATIENCE).await);
    assert_eq!(front.ask("GET /", &[]).await.body(), "fine");
    assert_eq!(front.upstream.accepted(), 2);
}

#[tokio::test]
async fn u_17_a_client_that_goes_takes_its_request_along() {
    let begun = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";
    for (script, answered) in [
        (Script::new().then(Step::Read).then(Step::Hang), false),
        (Script::raw(begun).then(Step::Hang), true),
    ] {
        for politely in [true, false] {
            let front = before(script.clone()).await;
            let mut client = TcpStream::connect(front.address).await.unwrap();
            client.write_all(b"GET /bad HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
            if answered {
                assert!(read_head(&mut client).await.starts_with("HTTP/1.1 200 "));
            }
            assert!(front.upstream.has_open(1, PATIENCE).await);
            if politely {
                client.shutdown().await.unwrap();
            } else {
                drop(client);
            }
            assert!(front.upstream.has_open(0, PATIENCE).await, "{answered} {politely}");
            assert_eq!(front.ask("GET /", &[]).await.body(), "fine");
            assert_eq!((front.upstream.accepted(), deliveries(&front)), (2, 1));
        }
    }
}

/// Polls a future, and gives it up when it has been waiting this often and does so again.
async fn patiently<F: Future>(future: F, mut times: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(move |cx| match future.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if times == 0 => Poll::Ready(None),
        Poll::Pending => {
            times -= 1;
            Poll::Pending
        }
    })
    .await
}

async fn told(gateway: &Gateway, target: &str) -> String {
    let request = Request::post(target).header("host", "a").body(Body::from(target.to_owned()));
    let body = call(gateway, request.unwrap()).await.into_body();
    String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

/// So few that one lost with its request is soon missed.
fn few_places() -> Builder {
    Registry::builder().transport(|it| it.max_connections(2))
}

/// Gives a thousand requests up somewhere on their way: whatever is answered is one's own.
async fn stays_right(gateway: &Gateway) {
    let (mut cut, mut whole, mut seed) = (0, 0, 7_u32);
    for number in 0..1_000 {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let times = usize::try_from(seed >> 24).unwrap() % 5;
        let target = format!("/{number}");
        match patiently(told(gateway, &target), times).await {
            Some(answer) => {
                assert_eq!(answer, target, "the answer of another request");
                whole += 1;
            }
            None => cut += 1,
        }
        if number % 10 == 0 {
            let target = format!("/after/{number}");
            let answer = tokio::time::timeout(PATIENCE, told(gateway, &target)).await;
            assert_eq!(answer.expect("no place is left"), target);
        }
    }
    assert!(cut >= 100 && whole >= 100, "{cut} were cut, {whole} were not");
}

#[tokio::test]
async fn u_18_requests_given_up_anywhere_leave_the_pool_as_it_should_be() {
    let upstream = FakeUpstream::start(|request| {
        let target = request.target();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", target.len());
        let (first, rest) = target.split_at(1);
        Script::raw(head).write(first).write(rest)
    })
    .await
    .unwrap();
    let (_registry, gateway) = leading_to_by(few_places(), upstream.url()).await;
    stays_right(&gateway).await;
    assert!(upstream.until(|open| open <= 1, PATIENCE).await);
}

#[tokio::test]
async fn u_18_over_http2_too() {
    let upstream = upstream(100, |(request, mut response): Asked| async move {
        let target = request.uri().path().to_owned();
        // Whoever asked may be gone.
        let Ok(mut stream) = response.send_response(http::Response::new(()), false) else { return };
        tokio::task::yield_now().await;
        let _ = stream.send_data(target.into(), true);
    })
    .await;
    let (registry, gateway) = leading_to_by(few_places(), "http://127.0.0.1:1").await;
    let mut http = Http::to(&upstream.url);
    http.protocol = Some(WireProtocol::Http2);
    apply(&registry, Change::new().define("all", LIVE, http)).await;
    stays_right(&gateway).await;
    assert!(upstream.accepted() <= 2, "streams end, their connection stays");
}
