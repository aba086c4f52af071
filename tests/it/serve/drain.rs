//! The end of a server.

use std::time::Duration;

use backhaul::Body;
use http::Response;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};

use super::frames::{GOAWAY, HEADERS, Http2, request};
use super::harness::{Answers, PATIENCE, Served, read_until};

const GET: &str = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

/// A backend that answers once it is let.
async fn gated() -> (Served, watch::Sender<bool>) {
    let (open, gate) = watch::channel(false);
    let served = Served::by(move |_| {
        let mut gate = gate.clone();
        async move {
            gate.wait_for(|open| *open).await.unwrap();
            Ok(Response::new(Body::from("done")))
        }
    })
    .await;
    (served, open)
}

async fn seen(served: &Served, count: usize) {
    let there = async {
        while served.seen() < count {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, there).await.unwrap();
}

#[tokio::test]
async fn t_22_what_is_under_way_is_finished() {
    let (served, open) = gated().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = served.server.clone();
    let serving = tokio::spawn(async move {
        let shutdown = async { drop(stopped.await) };
        server.serve_until(listener, shutdown, PATIENCE).await
    });
    let mut busy = TcpStream::connect(address).await.unwrap();
    busy.write_all(GET.as_bytes()).await.unwrap();
    let mut h2 = Http2::start(TcpStream::connect(address).await.unwrap()).await;
    h2.send(&request(1, "/a")).await;
    seen(&served, 2).await;
    let mut idle = TcpStream::connect(address).await.unwrap();
    idle.write_all(b"GET /b").await.unwrap();
    let silent = TcpStream::connect(address).await.unwrap();
    stop.send(()).unwrap();
    // Idle ones are closed at once, and nothing new is accepted.
    for mut stream in [idle, silent] {
        let read = tokio::time::timeout(PATIENCE, stream.read_u8()).await.unwrap();
        assert!(read.is_err());
    }
    assert!(TcpStream::connect(address).await.is_err());
    assert!(h2.until(|frame| frame.kind == GOAWAY).await);
    open.send(true).unwrap();
    let answers = Answers::read(&mut busy).await;
    assert_eq!(answers.last().body(), "done");
    assert_eq!(answers.last().header("connection"), Some("close"));
    assert!(h2.until(|frame| frame.kind == HEADERS && frame.status() == Some(200)).await);
    assert!(h2.ends().await);
    assert_eq!(serving.await.unwrap().left, 0);
}

#[tokio::test]
async fn what_does_not_end_in_time_is_dropped_and_counted() {
    let (served, _open) = gated().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(GET.as_bytes()).await.unwrap();
        clients.push(client);
    }
    let shutdown = seen(&served, 3);
    let drained = served.server.serve_until(listener, shutdown, Duration::from_millis(1)).await;
    assert_eq!(drained.left, 3);
    for mut client in clients {
        assert!(Answers::read(&mut client).await.0.is_empty());
    }
}

#[tokio::test]
async fn a_connection_from_elsewhere_can_be_ended_too() {
    let (served, open) = gated().await;
    let (mut client, io) = tokio::io::duplex(1_000);
    let (stop, stopped) = oneshot::channel::<()>();
    let server = served.server.clone();
    let serving = tokio::spawn(async move {
        let shutdown = async { drop(stopped.await) };
        server.connection_until(io, super::harness::peer(), shutdown).await;
    });
    client.write_all(GET.as_bytes()).await.unwrap();
    seen(&served, 1).await;
    stop.send(()).unwrap();
    open.send(true).unwrap();
    let answer = read_until(&mut client, "done").await;
    assert!(answer.contains("connection: close"), "{answer}");
    serving.await.unwrap();
}
