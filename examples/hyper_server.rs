//! A gateway in a hyper server: one task per connection, the client's address given once for each.

#![allow(clippy::print_stdout, reason = "an example says what to try")]

use std::error::Error;
use std::time::Duration;

use backhaul::gateway::{Peer, Scheme};
use backhaul::{Api, Change, Environment, Gateway, Group, Kind, Mock, Registry};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

#[path = "support/demo.rs"]
mod demo;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let registry = Registry::in_memory().await?;
    let live = Environment::PRODUCTION;
    // A mock answers by itself; `Kind::HTTP` and `Http::to("http://10.0.0.7:8080")` would forward.
    let change = Change::new()
        .service("banner", Kind::MOCK)
        .define("banner", live.clone(), Mock::new().body("hello from a mock"))
        .group("shop", Group::host("127.0.0.1").and_host("localhost"))
        .api("shop/get_banner", Api::get("/banner").service_same_path("banner"))
        .publish("shop/get_banner", live);
    registry.publisher("hyper_server").apply(change).await?;

    let listener = TcpListener::bind(demo::address()).await?;
    let address = listener.local_addr()?;
    tokio::spawn(accept(listener, Gateway::new(&registry)));
    demo::run(address, "/banner", "hello from a mock").await
}

async fn accept(listener: TcpListener, gateway: Gateway) {
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            // Out of descriptors, most likely: some will be closed soon.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let gateway = gateway.peer(Peer::new(peer, Scheme::Http));
        let mut server = http1::Builder::new();
        server.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(10));
        let service = TowerToHyperService::new(gateway);
        let connection = server.serve_connection(TokioIo::new(stream), service);
        // A client that goes away is nothing to report.
        tokio::spawn(async move { connection.await.ok() });
    }
}
