//! A gateway in an axum application: what is not a route of its own goes through the gateway.

#![allow(clippy::print_stdout, reason = "an example says what to try")]

use std::error::Error;
use std::net::SocketAddr;

use axum::Router;
use axum::routing::get;
use backhaul::{Api, Change, Environment, Gateway, Group, Kind, Mock, Registry};
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
    registry.publisher("axum_server").apply(change).await?;

    let app = Router::new()
        .route("/health", get(async || "ok"))
        .fallback_service(Gateway::new(&registry))
        // So that backends are told the client's address.
        .into_make_service_with_connect_info::<SocketAddr>();
    let listener = TcpListener::bind(demo::address()).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    demo::run(address, "/banner", "hello from a mock").await
}
