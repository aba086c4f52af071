//! A deployment as it is done: one origin takes the place of another while everything is under way.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use backhaul::model::api::Protocol;
use backhaul::serve::Server;
use backhaul::{Api, Change, Gateway, Group, Http, Kind, Registry};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::gateway::harness::{LIVE, PATIENCE, apply, read_all, read_head};

/// An origin that says its name, and knows how many connections are open.
struct Deployed {
    address: SocketAddr,
    open: Arc<AtomicUsize>,
}

/// Lets downloads go on.
type Gate = watch::Receiver<bool>;

impl Deployed {
    async fn start(name: &'static str, gate: Gate) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let open = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&open);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let (count, gate) = (Arc::clone(&count), gate.clone());
                tokio::spawn(async move {
                    serve(stream, name, gate).await;
                    count.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, open }
    }
}

async fn serve(mut stream: TcpStream, name: &str, mut gate: Gate) {
    loop {
        let head = read_head(&mut stream).await;
        if head.is_empty() {
            return;
        }
        let named = format!("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n{name}");
        if head.contains("/chat") {
            let agreed = "HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                          sec-websocket-accept: x\r\n\r\n";
            stream.write_all(agreed.as_bytes()).await.unwrap();
            let mut place = [0; 64];
            while let Ok(1..) = stream.read(&mut place).await {
                stream.write_all(name.as_bytes()).await.unwrap();
            }
            return;
        }
        if head.contains("/up") {
            let mut body = Vec::new();
            while !body.ends_with(b"0\r\n\r\n") {
                assert!(stream.read_buf(&mut body).await.unwrap() > 0, "an upload was cut");
            }
            stream.write_all(named.as_bytes()).await.unwrap();
        } else if head.contains("/down") {
            let begun = format!("HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{name}....");
            stream.write_all(begun.as_bytes()).await.unwrap();
            gate.wait_for(|open| *open).await.unwrap();
            stream.write_all(b".....E").await.unwrap();
        } else {
            stream.write_all(named.as_bytes()).await.unwrap();
        }
    }
}

async fn begin(address: SocketAddr, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

/// Asks and asks until it is told to stop; every answer has to be good. Hands out the names in order.
async fn hammer(address: SocketAddr, stop: Arc<AtomicBool>) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut names = String::new();
    while !stop.load(Ordering::SeqCst) {
        stream.write_all(b"GET /quick HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let head = read_head(&mut stream).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        let mut name = [0];
        stream.read_exact(&mut name).await.unwrap();
        names.push(char::from(name[0]));
    }
    names
}

async fn live(to: SocketAddr) -> (Registry, SocketAddr) {
    let registry = Registry::builder().allow_loopback().in_memory().await.unwrap();
    let mut api = Api::any("/*").service_same_path("shop");
    api.protocol = vec![Protocol::Http, Protocol::Https, Protocol::Websocket];
    let setup = Change::new()
        .service("shop", Kind::HTTP)
        .define("shop", LIVE, Http::to(format!("http://{to}")))
        .group("group", Group::host("a"))
        .api("group/everything", api)
        .publish("group/everything", LIVE);
    apply(&registry, setup).await;
    let server = Server::new(Gateway::new(&registry));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { server.serve(listener).await });
    (registry, address)
}

const CHAT: &str = "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
                    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n\r\n";
const UP: &str = "POST /up HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
                  Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n";
const DOWN: &str = "GET /down HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

async fn say(tunnel: &mut TcpStream) -> char {
    tunnel.write_all(b"?").await.unwrap();
    let mut name = [0];
    tunnel.read_exact(&mut name).await.unwrap();
    char::from(name[0])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_origin_is_replaced_with_everything_under_way_and_nothing_fails() {
    let (release, gate) = watch::channel(false);
    let (old, new) = (Deployed::start("A", gate.clone()).await, Deployed::start("B", gate).await);
    let (registry, address) = live(old.address).await;
    let stop = Arc::<AtomicBool>::default();
    let mut hammering = JoinSet::new();
    for _ in 0..4 {
        hammering.spawn(hammer(address, Arc::clone(&stop)));
    }
    let (mut uploads, mut downloads, mut tunnels) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..3 {
        uploads.push(begin(address, UP).await);
        let mut download = begin(address, DOWN).await;
        assert!(read_head(&mut download).await.starts_with("HTTP/1.1 200"));
        downloads.push(download);
        let mut tunnel = begin(address, CHAT).await;
        assert!(read_head(&mut tunnel).await.starts_with("HTTP/1.1 101"));
        assert_eq!(say(&mut tunnel).await, 'A');
        tunnels.push(tunnel);
    }
    // The uploads are with the origin by then: three tunnels, three downloads and they.
    while old.open.load(Ordering::SeqCst) < 9 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let change = Change::new().define("shop", LIVE, Http::to(format!("http://{}", new.address)));
    let receipt = apply(&registry, change).await;
    let mut after = begin(address, DOWN.replace("/down", "/quick").as_str()).await;
    assert!(read_all(&mut after).await.ends_with("\r\n\r\nB"));
    assert!(receipt.drained(Duration::from_millis(30)).await.is_err());
    for mut upload in uploads {
        upload.write_all(b"0\r\n\r\n").await.unwrap();
        assert!(read_all(&mut upload).await.ends_with("\r\n\r\nA"));
    }
    release.send_replace(true);
    for mut download in downloads {
        assert_eq!(read_all(&mut download).await, "A.........E");
    }
    for mut tunnel in tunnels {
        assert!(receipt.drained(Duration::from_millis(30)).await.is_err());
        assert_eq!(say(&mut tunnel).await, 'A');
        tunnel.shutdown().await.unwrap();
        assert_eq!(read_all(&mut tunnel).await, "");
    }
    receipt.drained(PATIENCE).await.unwrap();
    // Closed here is seen there a moment later.
    let idle = async {
        while old.open.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), idle).await.expect("the old origin is in use");
    stop.store(true, Ordering::SeqCst);
    while let Some(names) = hammering.join_next().await {
        let names = names.unwrap();
        assert!(names.ends_with('B'), "{names}");
        assert!(!names.contains("BA"), "the old origin came back: {names}");
    }
}
