//! The anonymous rows of the acceptance table, with the HTTP adapter behind the gateway.

use std::net::SocketAddr;
use std::time::Duration;

use backhaul::testing::{FakeUpstream, Gate, Received, Script, Step};
use backhaul::{Api, Change, Gateway, Group, Http, Kind, Mock, Receipt, Registry};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::harness::{HOST, LIVE, PATIENCE, TEST, Told, apply, ask, read_head, serve};

/// `orders` at two origins: TEST as it is, RELEASE below a base path and with a host of its own.
struct Table {
    registry: Registry,
    address: SocketAddr,
    test: FakeUpstream,
    live: FakeUpstream,
}

async fn upstream(answer: impl Fn() -> Script + Send + Sync + 'static) -> FakeUpstream {
    FakeUpstream::start(move |_: &Received| answer()).await.unwrap()
}

fn live(origin: &FakeUpstream) -> Http {
    Http::to(format!("{}/base", origin.url())).host("orders.internal")
}

async fn table(answer: impl Fn() -> Script + Send + Sync + 'static) -> Table {
    let (test, origin) = (upstream(|| Script::ok("test")).await, upstream(answer).await);
    let registry = Registry::builder().allow_loopback().in_memory().await.unwrap();
    let order = Api::get("/orders/[id]").service("orders", "/v1/orders/[id]");
    let mock = Mock::new().status(203).header("x-banner", "1").body("hello from the mock");
    let change = Change::new()
        .service("orders", Kind::HTTP)
        .define("orders", TEST, Http::to(test.url()))
        .define("orders", LIVE, live(&origin))
        .group("shop", Group::host("shop.example.com").base_path("/shop"))
        .api("shop/get_order", order.timeout(Duration::from_millis(300)))
        .api("shop/banner", Api::get("/banner").inline(mock))
        .publish("shop/get_order", TEST)
        .publish("shop/get_order", LIVE)
        .publish("shop/banner", TEST);
    apply(&registry, change).await;
    let address = serve(&Gateway::new(&registry)).await;
    Table { registry, address, test, live: origin }
}

impl Table {
    async fn ask(&self, line: &str, headers: &[&str]) -> Told {
        let headers: Vec<_> = [HOST].iter().chain(headers).copied().collect();
        ask(self.address, line, &headers).await
    }

    async fn moved(&self, to: &FakeUpstream) -> Receipt {
        apply(&self.registry, Change::new().define("orders", LIVE, live(to))).await
    }
}

const ORDER: &str = "GET /shop/orders/42?x=1";

#[tokio::test]
async fn each_environment_has_its_origin() {
    let table = table(|| Script::ok("live")).await;
    assert_eq!(table.ask(ORDER, &[]).await.body(), "live");
    let [received] = &table.live.received()[..] else { panic!("not one request") };
    assert_eq!(received.line(), "GET /base/v1/orders/42?x=1 HTTP/1.1");
    assert_eq!(received.header("host"), ["orders.internal"]);
    assert_eq!(table.ask(ORDER, &["X-Ca-Stage: TEST"]).await.body(), "test");
    let [received] = &table.test.received()[..] else { panic!("not one request") };
    assert_eq!(received.line(), "GET /v1/orders/42?x=1 HTTP/1.1");
    assert_eq!(received.header("host"), [table.test.address().to_string()]);
    assert_eq!(table.ask(ORDER, &["X-Ca-Stage: NOPE"]).await.code(), "I400SG");
    assert_eq!(table.ask("GET /shop/none", &[]).await.code(), "I404NF");
}

#[tokio::test]
async fn the_mock_answers_where_it_is_published() {
    let table = table(|| Script::ok("live")).await;
    let answer = table.ask("GET /shop/banner", &["X-Ca-Stage: TEST"]).await;
    assert_eq!((answer.status(), answer.body()), (203, "hello from the mock"));
    assert_eq!(answer.header("x-banner"), Some("1"));
    assert_eq!(table.ask("GET /shop/banner", &[]).await.code(), "I404NF");
}

#[tokio::test]
async fn an_origin_that_fails_is_told_apart() {
    let hanging = table(|| Script::new().then(Step::Hang)).await;
    assert_eq!(hanging.ask(ORDER, &[]).await.code(), "D504TO");
    let broken = table(|| Script::raw("HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\na")).await;
    assert_eq!(broken.ask(ORDER, &[]).await.code(), "D502BR");
    assert_eq!(broken.ask(ORDER, &[]).await.code(), "D502BR");
    assert_eq!(broken.live.accepted(), 2, "a connection in doubt was used again");
    let Table { registry, address, live, .. } = broken;
    drop(live);
    let answer = ask(address, ORDER, &[HOST]).await;
    assert_eq!(answer.code(), "D504CO");
    assert!(!answer.0.contains("127.0.0.1"), "{answer:?}");
    drop(registry);
}

#[tokio::test]
async fn a_download_completes_where_it_began() {
    let gate = Gate::new();
    let wait = gate.clone();
    let table = table(move || {
        Script::raw("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf")
            .then(Step::Wait(wait.clone()))
            .write("half")
    })
    .await;
    let mut download = TcpStream::connect(table.address).await.unwrap();
    let request = format!("{ORDER} HTTP/1.1\r\n{HOST}\r\n\r\n");
    download.write_all(request.as_bytes()).await.unwrap();
    read_head(&mut download).await;
    let next = upstream(|| Script::ok("next")).await;
    let receipt = table.moved(&next).await;
    assert_eq!(table.ask(ORDER, &[]).await.body(), "next");
    receipt.drained(Duration::from_millis(20)).await.unwrap_err();
    gate.open();
    let mut body = [0; 8];
    tokio::time::timeout(PATIENCE, download.read_exact(&mut body)).await.unwrap().unwrap();
    assert_eq!(&body, b"halfhalf");
    receipt.drained(PATIENCE).await.unwrap();
    assert_eq!(table.live.received().len(), 1);
}

#[tokio::test]
async fn without_a_definition_nothing_is_found() {
    let table = table(|| Script::ok("live")).await;
    apply(&table.registry, Change::new().delete_definition("orders", LIVE)).await;
    assert_eq!(table.ask(ORDER, &[]).await.code(), "I404NF");
    assert_eq!(table.ask(ORDER, &["X-Ca-Stage: TEST"]).await.body(), "test");
    assert!(table.live.received().is_empty());
}
