//! WebSocket: what is passed, when, and until when.

use std::net::SocketAddr;
use std::time::Duration;

use backhaul::gateway::{Peer, Scheme};
use backhaul::model::api::{Mode, Protocol};
use backhaul::serve::Server;
use backhaul::{Api, Change, Gateway, Group, Http, Kind, Receipt, Registry};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::gateway::harness::{
    LIVE, Origin, PATIENCE, Told, apply, ask, read_all, read_head, talk,
};

const AGREED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\
                      Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
                      Sec-WebSocket-Protocol: chat\r\n\r\n";
const ASKED: &str = "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n\
                     Upgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n\
                     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: chat\r\n\r\n";

/// A registry with one API at `/chat`, changed like this.
async fn shop(origin: SocketAddr, change: impl FnOnce(Api) -> Api) -> Registry {
    let registry = Registry::builder().allow_loopback().in_memory().await.unwrap();
    let api = Api::get("/chat").service_same_path("talk");
    let setup = Change::new()
        .service("talk", Kind::HTTP)
        .define("talk", LIVE, Http::to(format!("http://{origin}")))
        .group("group", Group::host("a"))
        .api("group/chat", change(api))
        .publish("group/chat", LIVE);
    apply(&registry, setup).await;
    registry
}

fn websocket(mut api: Api) -> Api {
    api.protocol = vec![Protocol::Http, Protocol::Https, Protocol::Websocket];
    api
}

async fn by_hyper(gateway: Gateway) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, peer)) = listener.accept().await {
            let service = TowerToHyperService::new(gateway.peer(Peer::new(peer, Scheme::Http)));
            let server = hyper::server::conn::http1::Builder::new();
            let connection = server.serve_connection(TokioIo::new(stream), service);
            tokio::spawn(connection.with_upgrades());
        }
    });
    address
}

async fn by_server(gateway: Gateway) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { Server::new(gateway).serve(listener).await });
    address
}

/// An origin that agrees, then sends back whatever comes, in upper case.
async fn shouting() -> Origin {
    Origin::start(|mut stream, _| async move {
        stream.write_all(AGREED.as_bytes()).await.unwrap();
        let mut place = [0; 1024];
        while let Ok(count @ 1..) = stream.read(&mut place).await {
            place[..count].make_ascii_uppercase();
            if stream.write_all(&place[..count]).await.is_err() {
                return;
            }
        }
    })
    .await
}

async fn connect(address: SocketAddr) -> (TcpStream, Told) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(ASKED.as_bytes()).await.unwrap();
    let head = tokio::time::timeout(PATIENCE, read_head(&mut stream)).await.expect("no answer");
    (stream, Told(head))
}

async fn shout(stream: &mut TcpStream, text: &str) -> String {
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = vec![0; text.len()];
    let read = tokio::time::timeout(PATIENCE, stream.read_exact(&mut answer));
    read.await.expect("nothing comes back").unwrap();
    String::from_utf8(answer).unwrap()
}

async fn ends(stream: &mut TcpStream) {
    assert_eq!(read_all(stream).await, "");
}

#[tokio::test]
async fn bytes_flow_both_ways_behind_both_servers() {
    let origin = shouting().await;
    let registry = shop(origin.address, websocket).await;
    let gateway = Gateway::new(&registry);
    for address in [by_hyper(gateway.clone()).await, by_server(gateway).await] {
        let (mut stream, head) = connect(address).await;
        assert_eq!(head.status(), 101);
        assert_eq!(head.header("connection"), Some("upgrade"));
        assert_eq!(head.header("upgrade"), Some("websocket"));
        assert_eq!(head.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        assert_eq!(head.header("sec-websocket-protocol"), Some("chat"));
        assert!(head.header("x-ca-request-id").is_some());
        for text in ["hello", "GET / HTTP/1.1\r\n\r\n", "x"] {
            assert_eq!(shout(&mut stream, text).await, text.to_ascii_uppercase());
        }
        stream.shutdown().await.unwrap();
        ends(&mut stream).await;
        let seen = origin.last();
        for line in [
            "connection: upgrade",
            "upgrade: websocket",
            "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
            "sec-websocket-version: 13",
            "sec-websocket-protocol: chat",
        ] {
            assert!(seen.iter().any(|it| it.eq_ignore_ascii_case(line)), "{line}: {seen:?}");
        }
    }
}

#[tokio::test]
async fn nothing_is_passed_before_the_backend_agrees() {
    let (agree, agreed) = watch::channel(false);
    let (told, mut seen) = watch::channel(Vec::new());
    let origin = Origin::start(move |mut stream, _| {
        let (mut agreed, told) = (agreed.clone(), told.clone());
        async move {
            let mut early = [0; 64];
            tokio::select! {
                read = stream.read(&mut early) => {
                    told.send_replace(early[..read.unwrap_or(0)].to_vec());
                    return;
                }
                _ = agreed.wait_for(|it| *it) => {}
            }
            stream.write_all(AGREED.as_bytes()).await.unwrap();
            let count = stream.read(&mut early).await.unwrap();
            told.send_replace(early[..count].to_vec());
        }
    })
    .await;
    let registry = shop(origin.address, websocket).await;
    let address = by_server(Gateway::new(&registry)).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let early = "\x01\x02 is no request\r\n";
    stream.write_all(format!("{ASKED}{early}").as_bytes()).await.unwrap();
    while origin.heads().is_empty() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(seen.borrow().is_empty(), "bytes before the 101");
    agree.send_replace(true);
    let wait = tokio::time::timeout(PATIENCE, seen.wait_for(|it| !it.is_empty()));
    assert_eq!(*wait.await.expect("nothing after it").unwrap(), early.as_bytes());
}

#[tokio::test]
async fn without_the_protocol_it_is_a_request_like_any_other() {
    let origin = Origin::named("plain").await;
    let registry = shop(origin.address, |api| api).await;
    for address in
        [by_hyper(Gateway::new(&registry)).await, by_server(Gateway::new(&registry)).await]
    {
        let more = "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        let answers = talk(address, format!("{ASKED}{more}")).await;
        assert_eq!(answers.matches("HTTP/1.1 200").count(), 2, "{answers}");
        let first = origin.heads()[0].to_ascii_lowercase();
        assert!(!first.contains("upgrade"), "{first}");
    }
}

#[tokio::test]
async fn an_api_for_websockets_only_takes_nothing_else() {
    let origin = shouting().await;
    let only = |mut api: Api| {
        api.protocol = vec![Protocol::Websocket];
        api
    };
    let registry = shop(origin.address, only).await;
    let address = by_server(Gateway::new(&registry)).await;
    let told = ask(address, "GET /chat", &["Host: a"]).await;
    assert_eq!((told.status(), told.code()), (403, "I403PT"), "{told:?}");
    assert!(origin.heads().is_empty());
    let (mut stream, head) = connect(address).await;
    assert_eq!(head.status(), 101);
    assert_eq!(shout(&mut stream, "hi").await, "HI");
}

#[tokio::test]
async fn beside_https_it_lets_nothing_else_in_by_http() {
    let origin = shouting().await;
    let beside = |api: Api| api.protocol([Protocol::Https, Protocol::Websocket]);
    let registry = shop(origin.address, beside).await;
    let address = by_server(Gateway::new(&registry)).await;
    let told = ask(address, "GET /chat", &["Host: a"]).await;
    assert_eq!((told.status(), told.code()), (403, "I403PT"), "{told:?}");
    assert!(origin.heads().is_empty());
}

#[tokio::test]
async fn u_07_what_the_backend_answers_instead_is_passed_on() {
    for (answer, status, code) in [
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", 403, ""),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, ""),
        (
            "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
            502,
            "D502BR",
        ),
        (
            "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: other\r\n\
             Sec-WebSocket-Accept: x\r\n\r\n",
            502,
            "D502BR",
        ),
    ] {
        let origin = Origin::raw(answer).await;
        let registry = shop(origin.address, websocket).await;
        let address = by_server(Gateway::new(&registry)).await;
        let (_, head) = connect(address).await;
        assert_eq!((head.status(), head.code()), (status, code), "{answer}");
    }
}

#[tokio::test]
async fn an_unasked_101_is_never_passed_on() {
    let origin = Origin::raw(AGREED).await;
    let registry = shop(origin.address, websocket).await;
    let address = by_server(Gateway::new(&registry)).await;
    let told = ask(address, "GET /chat", &["Host: a"]).await;
    assert_eq!((told.status(), told.code()), (502, "D502BR"));
}

#[tokio::test]
async fn mapping_leaves_the_handshake_alone() {
    let origin = shouting().await;
    let registry = shop(origin.address, |api| websocket(api).mode(Mode::Mapping)).await;
    let address = by_server(Gateway::new(&registry)).await;
    let (mut stream, head) = connect(address).await;
    assert_eq!(head.status(), 101);
    assert_eq!(shout(&mut stream, "hi").await, "HI");
    assert!(origin.last().iter().any(|line| line.contains("dGhlIHNhbXBsZSBub25jZQ==")));
}

async fn moved(registry: &Registry, to: SocketAddr) -> Receipt {
    apply(registry, Change::new().define("talk", LIVE, Http::to(format!("http://{to}")))).await
}

#[tokio::test]
async fn a_tunnel_keeps_its_definition_until_it_ends_or_is_closed() {
    let (old, new) = (shouting().await, shouting().await);
    let registry = shop(old.address, websocket).await;
    let address = by_server(Gateway::new(&registry)).await;
    let (mut first, _) = connect(address).await;
    let (mut second, _) = connect(address).await;
    assert_eq!(shout(&mut first, "a").await, "A");
    let receipt = moved(&registry, new.address).await;
    // It goes on with the old one, and is waited for.
    assert_eq!(shout(&mut first, "b").await, "B");
    receipt.drained(Duration::from_millis(30)).await.unwrap_err();
    let (mut third, _) = connect(address).await;
    assert_eq!(shout(&mut third, "c").await, "C");
    assert_eq!((old.heads().len(), new.heads().len()), (2, 1));
    second.shutdown().await.unwrap();
    ends(&mut second).await;
    receipt.drained(Duration::from_millis(30)).await.unwrap_err();
    receipt.close_tunnels(Duration::from_millis(30));
    ends(&mut first).await;
    receipt.drained(PATIENCE).await.unwrap();
    assert_eq!(shout(&mut third, "d").await, "D");
}

#[tokio::test]
async fn a_tunnel_at_rest_is_closed() {
    let origin = shouting().await;
    let registry = shop(origin.address, websocket).await;
    let gateway = Gateway::new(&registry).tunnel_idle(Duration::from_millis(60));
    let address = by_server(gateway).await;
    let (mut stream, _) = connect(address).await;
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert_eq!(shout(&mut stream, "a").await, "A");
    }
    ends(&mut stream).await;
}

#[tokio::test]
async fn the_end_of_either_side_is_the_other_ones() {
    let origin = Origin::start(|mut stream, _| async move {
        stream.write_all(AGREED.as_bytes()).await.unwrap();
        stream.write_all(b"bye").await.unwrap();
    })
    .await;
    let registry = shop(origin.address, websocket).await;
    let address = by_server(Gateway::new(&registry)).await;
    let (mut stream, _) = connect(address).await;
    assert_eq!(read_all(&mut stream).await, "bye");
    drop(stream);
    let receipt = moved(&registry, origin.address).await;
    receipt.drained(PATIENCE).await.unwrap();
}

#[tokio::test]
async fn a_server_that_stops_waits_for_tunnels_and_then_cuts_them() {
    let origin = shouting().await;
    let registry = shop(origin.address, websocket).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::new(Gateway::new(&registry));
    let (stop, mut stopped) = watch::channel(false);
    let serving = tokio::spawn(async move {
        let stopped = async move { drop(stopped.wait_for(|it| *it).await) };
        server.serve_until(listener, stopped, Duration::from_millis(100)).await
    });
    let (mut stream, _) = connect(address).await;
    assert_eq!(shout(&mut stream, "a").await, "A");
    stop.send_replace(true);
    assert_eq!(shout(&mut stream, "b").await, "B");
    assert_eq!(serving.await.unwrap().left, 1);
    ends(&mut stream).await;
    let receipt = moved(&registry, "127.0.0.1:1".parse().unwrap()).await;
    receipt.drained(PATIENCE).await.unwrap();
}

#[tokio::test]
async fn tunnels_count_against_the_servers_limit() {
    let origin = shouting().await;
    let registry = shop(origin.address, websocket).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::new(Gateway::new(&registry)).max_connections(1);
    tokio::spawn(async move { server.serve(listener).await });
    let (mut first, _) = connect(address).await;
    assert_eq!(shout(&mut first, "a").await, "A");
    let mut refused = TcpStream::connect(address).await.unwrap();
    ends(&mut refused).await;
    drop(first);
    let reached = async {
        loop {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let _ = stream.write_all(ASKED.as_bytes()).await;
            if read_head(&mut stream).await.contains("101") {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, reached).await.expect("the place is not given back");
}
