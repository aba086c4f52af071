//! A tunnel is a request that ends when it does.

use backhaul::model::api::Protocol;
use backhaul::observe::{Metrics, Outcome};
use backhaul::serve::Server;
use backhaul::{Api, Change, Gateway, Group, Http, Kind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::metrics::sample;
use super::recorder::Recorder;
use crate::gateway::harness::{LIVE, Origin, apply, read_head};

const ASKED: &str = "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\
                     Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const AGREED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\
                      Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

#[tokio::test]
async fn a_tunnel_is_told_with_its_end_and_its_bytes() {
    let origin = Origin::start(|mut stream, _| async move {
        stream.write_all(AGREED.as_bytes()).await.unwrap();
        let mut place = [0; 3];
        stream.read_exact(&mut place).await.unwrap();
        stream.write_all(b"hello").await.unwrap();
        let _ = stream.read(&mut place).await;
    })
    .await;
    let (recorder, metrics) = (Recorder::default(), Metrics::new());
    let builder = recorder.builder().observer(metrics.clone()).allow_loopback();
    let registry = builder.in_memory().await.unwrap();
    let mut api = Api::get("/chat").service_same_path("talk");
    api.protocol = vec![Protocol::Http, Protocol::Websocket];
    let setup = Change::new()
        .service("talk", Kind::HTTP)
        .define("talk", LIVE, Http::to(format!("http://{}", origin.address)))
        .group("group", Group::host("a"))
        .api("group/chat", api)
        .publish("group/chat", LIVE);
    apply(&registry, setup).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let gateway = Gateway::new(&registry);
    tokio::spawn(async move { Server::new(gateway).serve(listener).await });
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(ASKED.as_bytes()).await.unwrap();
    assert!(read_head(&mut client).await.contains(" 101 "));
    client.write_all(b"abc").await.unwrap();
    let mut place = [0; 5];
    client.read_exact(&mut place).await.unwrap();
    assert!(recorder.told().ended.is_empty(), "it goes on");
    let at = "service=\"talk\",environment=\"RELEASE\"";
    assert_eq!(sample(&metrics.text(), "backhaul_requests_in_flight", at), Some(1.0));
    assert_eq!(sample(&metrics.text(), "backhaul_connections_open", at), Some(1.0));
    drop(client);
    let ended = recorder.only().await;
    assert_eq!((ended.outcome, ended.status), (Outcome::Answered, Some(101)));
    assert_eq!((ended.received, ended.sent), (3, 5));
    recorder.until(|told| told.pools[0].open() == 0).await;
}
