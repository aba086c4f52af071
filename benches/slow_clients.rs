//! Slow clients of all kinds at once beside good traffic: `serve` is the gateway, `drive ADDRESS` both
//! sorts of clients. `slow_clients.sh` runs the two.

#![allow(clippy::print_stdout, reason = "a benchmark's output is its result")]
#![allow(clippy::expect_used, reason = "a benchmark that cannot run must say so and stop")]

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use backhaul::serve::Server;
use backhaul::{
    Api, Backend, BackendService, Body, Call, Change, Custom, Environment, Gateway, Group, Kind,
    Registry,
};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use tokio::net::TcpSocket;

#[path = "slow_clients/attack.rs"]
mod attack;
#[path = "slow_clients/good.rs"]
mod good;
mod support;

use attack::Attack;
use good::Traffic;
use support::{Limit, figure};

/// What nobody's socket buffers take: a slow reader has to read.
const LARGE: usize = 64 * 1024 * 1024;
/// Of what good clients get otherwise.
const LEAST_SHARE: f64 = 0.95;
/// How long good traffic is alone, before and after.
const ALONE: Duration = Duration::from_secs(10);

/// Connections that wait to be accepted: as many as the kernel allows by default. With the 128 of
/// `TcpListener::bind`, a burst of clients is told to come again in a second.
const BACKLOG: u32 = 4_096;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let role = arguments.next().unwrap_or_default();
    match (role.as_str(), arguments.next()) {
        ("serve", None) => support::runtime(1).block_on(serve()),
        ("drive", Some(address)) => support::runtime(1).block_on(drive(address.parse()?)),
        _ => Err("either `serve` or `drive ADDRESS`".into()),
    }
}

/// Reads every body, then answers: `/large` at length.
#[derive(Clone, Debug)]
struct Answering(Bytes);

#[async_trait]
impl Backend for Answering {
    async fn send(&self, request: Request<Body>, _: &Call) -> backhaul::Result<Response<Body>> {
        let large = request.uri().path() == "/large";
        request.into_body().collect().await?;
        let answer = if large { self.0.clone() } else { Bytes::from_static(good::ANSWER) };
        Ok(Response::new(Body::from(answer)))
    }
}

/// A gateway with the server's own limits, until it is killed. Says where it listens.
async fn serve() -> Result<(), Box<dyn Error>> {
    let answering = Answering(Bytes::from(vec![b'x'; LARGE]));
    let registry = Registry::builder()
        .kind("answering", move |_: serde_json::Value| Ok(answering.clone()))
        .in_memory()
        .await?;
    let live = Environment::PRODUCTION;
    let service: BackendService = Kind::custom("answering")?.into();
    let change = Change::new()
        .service("all", service)
        .define("all", live.clone(), Custom::new("answering")?)
        .group("all", Group::host("127.0.0.1"))
        .api("all/everything", Api::any("/*").service_same_path("all"))
        .publish("all/everything", live);
    registry.publisher("benchmark").apply(change).await?;
    let socket = TcpSocket::new_v4()?;
    socket.bind(([127, 0, 0, 1], 0).into())?;
    let listener = socket.listen(BACKLOG)?;
    println!("{}", listener.local_addr()?);
    Server::new(Gateway::new(&registry)).serve(listener).await;
    Ok(())
}

async fn drive(address: SocketAddr) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let before = Traffic::during(address, tokio::time::sleep(ALONE)).await;
    println!("alone: {before}");
    let attacks = Attack::all(address, folder.path());
    let mut ended = Vec::new();
    let during = Traffic::during(address, async {
        ended = attack::run(&attacks).await;
    })
    .await;
    println!("under attack: {during}");
    let after = Traffic::during(address, tokio::time::sleep(ALONE)).await;
    println!("alone again: {after}");
    let mut late = 0;
    for (attack, ended) in attacks.iter().zip(ended) {
        let ended = ended.map_err(|why| format!("{}: {why}", attack.name))?;
        println!("{}: {ended}, at most {} s", attack.name, attack.limit.as_secs());
        late += ended.late;
    }
    let share = during.rate() / f64::midpoint(before.rate(), after.rate());
    let what = format!(
        "requests answered each second on {} kept connections that ask {} times a second, median; {} \
         connections each of silent, slow head, slow body, slow reader at once, default limits; as a \
         share of the same before and after",
        good::CLIENTS,
        good::A_SECOND,
        attack::CONNECTIONS,
    );
    figure("slow_clients.good_traffic", share, "ratio", Limit::AtLeast(LEAST_SHARE), &what);
    figure("slow_clients.good_p99", during.p99(), "ms", Limit::Open, "of the same, under attack");
    let what = "slow connections that were open a second after their limit";
    figure("slow_clients.late", f64::from(late), "count", Limit::AtMost(0.0), what);
    Ok(())
}
