//! The gateway behind the server that this crate brings, `serve::Server` with its defaults, on one thread;
//! and a second address where its service can be moved.
//!
//! `served_proxy ORIGIN [ROUTES [metrics|FILE]]`: in memory; with its requests counted; or with its store in
//! a file that is not there yet.
//! On standard output are two lines: where it serves, and where it can be moved. There, a line that is an
//! address makes it the service's origin, and is answered by `moved` once the change was applied.

#![allow(clippy::print_stdout, reason = "where it listens is its only output")]

use std::error::Error;
use std::time::Duration;

use backhaul::observe::Metrics;
use backhaul::serve::Server;
use backhaul::{Change, Environment, Gateway, Registry};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};

mod shop;

/// Connections that wait to be accepted: a thousand clients come at once.
const BACKLOG: u32 = 4_096;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let origin = arguments.next().ok_or("which origin?")?;
    let routes = arguments.next().map_or(Ok(0), |count| count.parse())?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let builder = Registry::builder().allow_loopback();
        let registry = match arguments.next().as_deref() {
            Some("metrics") => builder.observer(Metrics::new()).in_memory().await?,
            Some(file) => builder.open(file).await?,
            None => builder.in_memory().await?,
        };
        shop::fill(&registry, &origin, routes).await?;
        let socket = TcpSocket::new_v4()?;
        socket.bind(([127, 0, 0, 1], 0).into())?;
        let listener = socket.listen(BACKLOG)?;
        let control = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}\n{}", listener.local_addr()?, control.local_addr()?);
        let mut stop = signal(SignalKind::terminate())?;
        let server = Server::new(Gateway::new(&registry).environment(Environment::PRODUCTION));
        tokio::spawn(obey(control, registry));
        let stopped = async move {
            stop.recv().await;
        };
        server.serve_until(listener, stopped, Duration::ZERO).await;
        Ok(())
    })
}

/// Takes one client after the other.
async fn obey(control: TcpListener, registry: Registry) {
    while let Ok((client, _)) = control.accept().await {
        if let Err(error) = moves(client, &registry).await {
            println!("{error}");
        }
    }
}

async fn moves(client: TcpStream, registry: &Registry) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut client = BufReader::new(client);
    let mut line = String::new();
    while client.read_line(&mut line).await? > 0 {
        let origin = line.trim_end();
        let change = Change::new().define("orders", Environment::PRODUCTION, shop::to(origin));
        registry.publisher("benchmark").apply(change).await?;
        client.write_all(b"moved\n").await?;
        line.clear();
    }
    Ok(())
}
