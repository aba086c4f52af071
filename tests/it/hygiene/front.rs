//! A gateway before one upstream, by the HTTP adapter, with raw bytes at both ends.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use backhaul::registry::Builder;
use backhaul::testing::{FakeUpstream, Received, Script};
use backhaul::{Api, Change, Gateway, Group, Http, Kind, Registry};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::gateway::harness::{LIVE, Told, apply, ask, serve, talk};

/// Everything on host `a` goes to one upstream.
pub(super) struct Front {
    pub(super) registry: Registry,
    pub(super) gateway: Gateway,
    pub(super) address: SocketAddr,
    pub(super) upstream: FakeUpstream,
}

/// A gateway that sends everything on host `a` to this URL.
pub(super) async fn leading_to(url: impl Into<String>) -> (Registry, Gateway) {
    leading_to_by(Registry::builder(), url).await
}

/// The same with a registry that is opened so.
pub(super) async fn leading_to_by(builder: Builder, url: impl Into<String>) -> (Registry, Gateway) {
    let registry = builder.allow_loopback().in_memory().await.unwrap();
    let change = Change::new()
        .service("all", Kind::HTTP)
        .define("all", LIVE, Http::to(url))
        .group("all", Group::host("a"))
        .api("all/everything", Api::any("/*").service_same_path("all"))
        .publish("all/everything", LIVE);
    apply(&registry, change).await;
    let gateway = Gateway::new(&registry);
    (registry, gateway)
}

impl Front {
    /// Before an upstream that answers `fine`.
    pub(super) async fn open() -> Self {
        Self::before(|_| Script::ok("fine")).await
    }

    /// Before an upstream that sends these bytes.
    pub(super) async fn answering(answer: impl AsRef<[u8]>) -> Self {
        let script = Script::raw(answer);
        Self::before(move |_| script.clone()).await
    }

    pub(super) async fn before<F>(script: F) -> Self
    where
        F: Fn(&Received) -> Script + Send + Sync + 'static,
    {
        let upstream = FakeUpstream::start(script).await.unwrap();
        let (registry, gateway) = leading_to(upstream.url()).await;
        let address = serve(&gateway).await;
        Self { registry, gateway, address, upstream }
    }

    /// Asks with `Host: a`.
    pub(super) async fn ask(&self, line: &str, headers: &[&str]) -> Told {
        let headers: Vec<_> = ["Host: a"].iter().chain(headers).copied().collect();
        ask(self.address, line, &headers).await
    }

    /// Sends these bytes and reads until the gateway closes.
    pub(super) async fn talk(&self, bytes: impl AsRef<[u8]>) -> Told {
        Told(talk(self.address, bytes).await)
    }

    /// The last request that the upstream received.
    pub(super) fn last(&self) -> Received {
        self.upstream.received().pop().expect("the upstream received nothing")
    }

    /// How many requests it received.
    pub(super) fn count(&self) -> usize {
        self.upstream.received().len()
    }
}

/// An origin that keeps every byte of a connection until `done` says that it has them all, then answers
/// and closes.
pub(super) struct Tape {
    pub(super) address: SocketAddr,
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl Tape {
    pub(super) async fn until(done: fn(&[u8]) -> bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let bytes = Arc::<Mutex<Vec<u8>>>::default();
        let kept = Arc::clone(&bytes);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut read = Vec::new();
                while !done(&read) && stream.read_buf(&mut read).await.unwrap_or(0) > 0 {}
                *kept.lock().unwrap() = read;
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                // Who asked may be gone.
                let _ = stream.write_all(answer).await;
            }
        });
        Self { address, bytes }
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }
}
