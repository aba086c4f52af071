//! Rows R, as far as the gateway decides them: what a request or an answer may cost.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use backhaul::testing::{Script, Step};
use backhaul::{Api, Body, Change};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::front::Front;
use crate::gateway::harness::{LIVE, PATIENCE, Shop, answered_by, apply, bytes, call};

#[tokio::test]
async fn r_09_headers_are_few_and_small() {
    let front = Front::open().await;
    // `Host` and `Connection` are two of the hundred.
    let lines: Vec<_> = (0..98).map(|index| format!("X-{index}: 1")).collect();
    let mut lines: Vec<_> = lines.iter().map(String::as_str).collect();
    assert_eq!(front.ask("GET /", &lines).await.status(), 200);
    lines.push("X-One-Too-Many: 1");
    assert_eq!(front.ask("GET /", &lines).await.status(), 431);
    let large = format!("X: {}", "v".repeat(17 * 1024));
    assert_eq!(front.ask("GET /", &[&large]).await.code(), "I431HD");
    assert_eq!(front.count(), 1);
}

#[tokio::test]
async fn r_10_a_body_too_large_is_refused_before_the_backend_is_asked() {
    let front = Front::open().await;
    let length = 11 * 1024 * 1024;
    let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n");
    let answer = front.talk(format!("{head}Connection: close\r\n\r\n")).await;
    assert_eq!((answer.status(), answer.code()), (413, "I413RL"));
    assert_eq!(front.count(), 0);
    // Of unknown length it is counted as it flows, and never arrives whole.
    let small = Api::post("/small").service_same_path("all").max_body(5);
    apply(&front.registry, Change::new().api("all/small", small).publish("all/small", LIVE)).await;
    let head = "POST /small HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    let answer = front.talk(format!("{head}3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n")).await;
    assert_eq!(answer.code(), "I413RL");
    assert!(!front.upstream.received().iter().any(|received| received.complete));
}

/// Pieces without end, counted as they are taken.
struct Endless(Arc<AtomicUsize>);

impl http_body::Body for Endless {
    type Data = Bytes;
    type Error = backhaul::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<backhaul::Result<Frame<Bytes>>>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Poll::Ready(Some(Ok(Frame::data(bytes("piece")))))
    }
}

#[tokio::test]
async fn r_11_no_body_is_read_further_than_its_reader_wants() {
    let (hand_over, mut uploads) = mpsc::unbounded_channel();
    let answered = Arc::<AtomicUsize>::default();
    let answer = Arc::clone(&answered);
    let (_registry, gateway) = answered_by(move |request: Request<Body>| {
        hand_over.send(request.into_body()).unwrap();
        let body = Body::new(Endless(Arc::clone(&answer)));
        async move { Ok(Response::new(body)) }
    })
    .await;
    let taken = Arc::<AtomicUsize>::default();
    let body = Endless(Arc::clone(&taken));
    let request = Request::post("/").header("host", "a").body(body).unwrap();
    let mut download = call(&gateway, request).await.into_body();
    let mut upload = uploads.recv().await.unwrap();
    assert_eq!(taken.load(Ordering::SeqCst), 0);
    for read in 1..=3 {
        upload.frame().await.unwrap().unwrap();
        assert_eq!(taken.load(Ordering::SeqCst), read);
        download.frame().await.unwrap().unwrap();
        assert_eq!(answered.load(Ordering::SeqCst), read);
    }
}

#[tokio::test]
async fn r_12_an_answer_without_end_ends_with_its_client() {
    let front = Front::before(|_| {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        // More than all buffers on the way hold.
        let piece = format!("{:x}\r\n{}\r\n", 64 * 1024 * 1024, "a".repeat(64 * 1024 * 1024));
        Script::raw(head).write(piece).then(Step::Hang)
    })
    .await;
    let mut client = TcpStream::connect(front.address).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    client.read_exact(&mut [0; 1024]).await.unwrap();
    assert_eq!(front.upstream.open(), 1);
    drop(client);
    assert!(front.upstream.has_open(0, PATIENCE).await, "the upstream is still asked");
}

#[tokio::test]
async fn r_13_nothing_is_decompressed() {
    // A gzip header, and then what no decoder would take.
    let bomb = b"\x1f\x8b\x08\x00not a deflate stream";
    let length = bomb.len();
    let mut answer =
        format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {length}\r\n\r\n")
            .into_bytes();
    answer.extend_from_slice(bomb);
    let front = Front::answering(answer).await;
    let head = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Encoding: gzip\r\n";
    let mut request = format!("{head}Content-Length: {length}\r\n\r\n").into_bytes();
    request.extend_from_slice(bomb);
    let answer = front.talk(request).await;
    assert_eq!((answer.status(), answer.header("content-encoding")), (200, Some("gzip")));
    assert!(answer.body().ends_with("not a deflate stream"));
    let received = front.last();
    assert_eq!(
        (&received.body[..], received.header("content-encoding")),
        (&bomb[..], vec!["gzip".to_owned()])
    );
}

#[tokio::test]
async fn r_17_there_are_too_few_names_to_collide() {
    // Headers and targets are bounded before anything is hashed by name; the query is not hashed at all.
    let front = Front::open().await;
    let lines: Vec<_> = (0..120).map(|index| format!("X-{index}: 1")).collect();
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    assert_eq!(front.ask("GET /", &lines).await.status(), 431);
    assert_eq!(front.count(), 0);
    let query: Vec<_> = (0..1_500).map(|index| format!("k{index}")).collect();
    let target = format!("/?{}", query.join("&"));
    assert_eq!(front.ask(&format!("GET {target}"), &[]).await.status(), 200);
    assert_eq!(front.last().target(), target);
}

/// Envoy's line: what costs a hundred times what the client spent is a security issue.
const MOST: usize = 100;

#[tokio::test]
async fn r_18_no_refusal_is_a_hundred_times_its_request() {
    let shop = Shop::open().await;
    let long = format!("GET /shop/{}", "%3C".repeat(2_700));
    let large = format!("X-Ca-Stage: {}", "<".repeat(16_000));
    for (line, header) in [
        ("GET /", "A: b"),
        ("GET /shop/none", "A: b"),
        ("TRACE /", "A: b"),
        (&*long, "A: b"),
        ("GET /shop/orders/1", &*large),
    ] {
        let answer = shop.ask(line, &[header]).await;
        assert!(answer.status() >= 400, "{answer:?}");
        let sent = line.len() + header.len();
        assert!(answer.0.len() < MOST * sent, "{} for {sent}", answer.0.len());
    }
}
