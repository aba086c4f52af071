//! How soon after the last byte of the last old request its definition counts as drained.
//!
//! Figure: `drain.latency`.

#![allow(clippy::expect_used, reason = "a benchmark that cannot run must say so and stop")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use backhaul::{Api, Change, Environment, Gateway, Group, Http, Kind, Registry};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::Instant;

mod support;

use support::{Limit, figure, percentile, runtime};

const SAMPLES: usize = 1_000;
const LIVE: Environment = Environment::PRODUCTION;
const SECOND: Duration = Duration::from_secs(1);

fn main() {
    runtime(2).block_on(run());
}

async fn run() {
    let finish = Arc::new(Notify::new());
    let origin = origin(Arc::clone(&finish)).await;
    let registry = Registry::builder().allow_loopback().in_memory().await.expect("it opens");
    let publisher = registry.publisher("benchmark");
    let change = Change::new()
        .service("orders", Kind::HTTP)
        .define("orders", LIVE, to(origin, 0))
        .group("shop", Group::host("127.0.0.1"))
        .api("shop/download", Api::get("/download").service("orders", "/"))
        .publish("shop/download", LIVE);
    publisher.apply(change).await.expect("the change is accepted");
    let gateway = serve(&registry).await;

    let mut samples = Vec::new();
    for sample in 1..=SAMPLES {
        let mut client = TcpStream::connect(gateway).await.expect("the gateway listens");
        client.write_all(b"GET /download HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").await.expect("sent");
        read_until(&mut client, b"first").await;
        let change = Change::new().define("orders", LIVE, to(origin, sample));
        let receipt = publisher.apply(change).await.expect("the change is accepted");
        let drained = tokio::spawn(async move {
            receipt.drained(10 * SECOND).await.expect("the download ends");
            Instant::now()
        });
        // So that somebody waits when the last byte comes.
        tokio::time::sleep(Duration::from_millis(2)).await;
        assert!(!drained.is_finished(), "a download is still running");
        finish.notify_one();
        read_until(&mut client, b"last!").await;
        let last_byte = Instant::now();
        let drained = drained.await.expect("drained");
        samples.push(drained.saturating_duration_since(last_byte).as_secs_f64() * 1_000.0);
    }
    let method = "p99 of 1,000: a client reads the last byte of the only request left, until \
        Receipt::drained resolves; real sockets";
    let worst = percentile(&mut samples, 0.99);
    figure("drain.latency", worst, "ms", Limit::AtMost(1.0), method);
}

/// The same origin by another base path is another definition.
fn to(origin: SocketAddr, generation: usize) -> Http {
    Http::to(format!("http://{origin}/g{generation}"))
}

async fn read_until(stream: &mut TcpStream, end: &[u8]) {
    let mut read = Vec::new();
    while !read.ends_with(end) {
        assert!(stream.read_buf(&mut read).await.expect("readable") > 0, "closed too early");
    }
}

/// Answers each request with half a body, and the rest when it is told.
async fn origin(finish: Arc<Notify>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let finish = Arc::clone(&finish);
            tokio::spawn(async move {
                read_until(&mut stream, b"\r\n\r\n").await;
                let _ = stream.set_nodelay(true);
                let head = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nfirst";
                stream.write_all(head).await.expect("the gateway reads");
                finish.notified().await;
                stream.write_all(b"last!").await.expect("the gateway reads");
                // Until the gateway closes.
                let _ = stream.read(&mut [0]).await;
            });
        }
    });
    address
}

async fn serve(registry: &Registry) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let gateway = Gateway::new(registry);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = TowerToHyperService::new(gateway.clone());
            let http = hyper::server::conn::http1::Builder::new();
            tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}
