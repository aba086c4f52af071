//! `drained` on real sockets: it resolves when the last request of the old definition has ended, in
//! whatever way, and never before.

use std::time::Duration;

use backhaul::testing::{FakeUpstream, Gate, Received, Script, Step};
use backhaul::{Api, Change, Environment, Gateway, Group, Http, Kind, Receipt, Registry};

use super::served::{Client, PATIENCE, Served};

const LIVE: Environment = Environment::PRODUCTION;
/// Long enough to be noticed if `drained` resolved.
const A_WHILE: Duration = Duration::from_millis(100);
const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n";

/// A gateway in front of one service at an old origin that plays a script.
struct House {
    registry: Registry,
    served: Served,
    old: FakeUpstream,
    new: FakeUpstream,
}

impl House {
    async fn new<F>(script: F) -> Self
    where
        F: Fn(&Received) -> Script + Send + Sync + 'static,
    {
        let old = FakeUpstream::start(script).await.unwrap();
        let new = FakeUpstream::start(|_| Script::ok("new")).await.unwrap();
        let registry = Registry::builder().allow_loopback().in_memory().await.unwrap();
        let change = Change::new()
            .service("files", Kind::HTTP)
            .define("files", LIVE, Http::to(old.url()))
            .group("shop", Group::host("shop.example.com"))
            .api("shop/files", Api::any("/*").service_same_path("files"))
            .publish("shop/files", LIVE);
        registry.publisher("test").apply(change).await.unwrap();
        let served = Served::start(Gateway::new(&registry)).await;
        Self { registry, served, old, new }
    }

    /// An old origin that answers with `abcd`, then does as `rest` says.
    async fn with_download(rest: Script) -> Self {
        Self::new(move |_| Script::raw(HEAD).write("abcd").and(rest.clone())).await
    }

    /// A download of which the first half has arrived.
    async fn download(&self) -> Client {
        let mut client = self.request("GET /file").await;
        client.read_until("abcd").await;
        client
    }

    async fn request(&self, line: &str) -> Client {
        let mut client = Client::connect(self.served.address).await;
        client.send(&format!("{line} HTTP/1.1\r\nHost: shop.example.com\r\n\r\n")).await;
        client
    }

    async fn moves(&self) -> Receipt {
        let change = Change::new().define("files", LIVE, Http::to(self.new.url()));
        self.registry.publisher("test").apply(change).await.unwrap()
    }

    /// A request now is answered by the new origin.
    async fn serves_from_new(&self) {
        let answer = self.request("GET /file").await.answer().await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "new"));
    }

    /// The receipt is drained, and the old origin has no connection left.
    async fn is_over(&self, receipt: &Receipt) {
        receipt.drained(PATIENCE).await.unwrap();
        assert_eq!(receipt.in_flight(), 0);
        assert!(self.old.has_open(0, PATIENCE).await, "a connection to the old origin is left");
    }
}

/// `requests` are on their way, and the receipt says so.
async fn is_busy(receipt: &Receipt, requests: usize) {
    let busy = receipt.drained(A_WHILE).await.expect_err("drained while a request was on its way");
    assert_eq!((busy.requests, receipt.in_flight()), (requests, requests));
    assert!(busy.places.contains("files in RELEASE"), "{busy}");
}

#[tokio::test]
async fn the_last_of_several_downloads_ends_the_drain() {
    let gates = [Gate::new(), Gate::new(), Gate::new()];
    let own = gates.clone();
    let house = House::new(move |request| {
        let gate = &own[request.target()[1..].parse::<usize>().unwrap()];
        Script::raw(HEAD).write("abcd").then(Step::Wait(gate.clone())).write("efgh")
    })
    .await;
    let mut downloads = Vec::new();
    for index in 0..gates.len() {
        let mut client = house.request(&format!("GET /{index}")).await;
        client.read_until("abcd").await;
        downloads.push(client);
    }
    let receipt = house.moves().await;
    house.serves_from_new().await;
    for (ended, (gate, mut client)) in gates.iter().zip(downloads).enumerate() {
        is_busy(&receipt, gates.len() - ended).await;
        gate.open();
        assert_eq!(client.read_until("efgh").await, "efgh", "a running download was cut");
    }
    house.is_over(&receipt).await;
}

#[tokio::test]
async fn a_client_that_goes_away_ends_the_drain() {
    let house = House::with_download(Script::new().then(Step::Hang)).await;
    let client = house.download().await;
    let receipt = house.moves().await;
    is_busy(&receipt, 1).await;
    drop(client);
    house.is_over(&receipt).await;
}

#[tokio::test]
async fn a_client_that_goes_away_before_the_answer_ends_the_drain() {
    let house = House::new(|_| Script::new().then(Step::Hang)).await;
    let client = house.request("GET /file").await;
    assert!(house.old.has_open(1, PATIENCE).await);
    let receipt = house.moves().await;
    is_busy(&receipt, 1).await;
    drop(client);
    house.is_over(&receipt).await;
}

#[tokio::test]
async fn a_backend_that_gives_up_ends_the_drain() {
    for end in [Step::Close, Step::Drop] {
        let gate = Gate::new();
        let rest = Script::new().then(Step::Wait(gate.clone())).then(end);
        let house = House::with_download(rest).await;
        let mut client = house.download().await;
        let receipt = house.moves().await;
        is_busy(&receipt, 1).await;
        gate.open();
        assert_eq!(client.read_to_end().await, "", "an answer cut short looks whole");
        house.is_over(&receipt).await;
    }
}

#[tokio::test]
async fn a_server_that_is_dropped_ends_the_drain() {
    let mut house = House::with_download(Script::new().then(Step::Hang)).await;
    let mut client = house.download().await;
    let receipt = house.moves().await;
    is_busy(&receipt, 1).await;
    house.served = Served::start(Gateway::new(&house.registry)).await;
    house.is_over(&receipt).await;
    assert_eq!(client.read_to_end().await, "");
    house.serves_from_new().await;
}

#[tokio::test]
async fn a_client_that_reads_slowly_keeps_the_drain_waiting() {
    // More than all buffers on the way hold together.
    const LENGTH: usize = 32 * 1024 * 1024;
    let house = House::new(|_| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n");
        Script::raw(head).write(vec![b'x'; LENGTH]).then(Step::Close)
    })
    .await;
    let mut client = house.request("GET /file").await;
    client.read_until("\r\n\r\n").await;
    let receipt = house.moves().await;
    is_busy(&receipt, 1).await;
    is_busy(&receipt, 1).await;
    assert_eq!(client.read_exactly(LENGTH).await, LENGTH);
    house.is_over(&receipt).await;
}

#[tokio::test]
async fn an_upload_keeps_the_drain_waiting() {
    let house = House::new(|_| Script::ok("thanks")).await;
    let mut client = Client::connect(house.served.address).await;
    client.send("POST /file HTTP/1.1\r\nHost: shop.example.com\r\nContent-Length: 8\r\n\r\n").await;
    client.send("abcd").await;
    assert!(house.old.has_open(1, PATIENCE).await);
    let receipt = house.moves().await;
    house.serves_from_new().await;
    is_busy(&receipt, 1).await;
    client.send("efgh").await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "thanks"));
    assert_eq!(house.old.received()[0].body, b"abcdefgh");
    house.is_over(&receipt).await;
}

#[tokio::test]
async fn an_upload_that_is_abandoned_ends_the_drain() {
    let house = House::new(|_| Script::ok("thanks")).await;
    let mut client = Client::connect(house.served.address).await;
    client.send("POST /file HTTP/1.1\r\nHost: shop.example.com\r\nContent-Length: 8\r\n\r\n").await;
    client.send("abcd").await;
    assert!(house.old.has_open(1, PATIENCE).await);
    let receipt = house.moves().await;
    is_busy(&receipt, 1).await;
    drop(client);
    house.is_over(&receipt).await;
}

#[tokio::test]
async fn idle_connections_of_the_old_definition_are_closed() {
    let gate = Gate::new();
    let own = gate.clone();
    let house = House::new(move |_| {
        Script::new().then(Step::Read).then(Step::Wait(own.clone())).and(Script::ok("old"))
    })
    .await;
    let mut clients = Vec::new();
    for _ in 0..5 {
        clients.push(house.request("GET /file").await);
    }
    assert!(house.old.has_open(5, PATIENCE).await);
    gate.open();
    for client in &mut clients {
        assert_eq!(client.answer().await.body, "old");
    }
    assert_eq!(house.old.open(), 5, "idle connections are kept while the definition is in use");
    let receipt = house.moves().await;
    house.is_over(&receipt).await;
    house.serves_from_new().await;
    assert_eq!(house.old.accepted(), 5);
}

#[tokio::test]
async fn a_deleted_definition_drains_too() {
    let gate = Gate::new();
    let rest = Script::new().then(Step::Wait(gate.clone())).write("efgh");
    let house = House::with_download(rest).await;
    let mut client = house.download().await;
    let change = Change::new().delete_definition("files", LIVE);
    let receipt = house.registry.publisher("test").apply(change).await.unwrap();
    assert_eq!(house.request("GET /file").await.answer().await.status, 404);
    is_busy(&receipt, 1).await;
    gate.open();
    assert_eq!(client.read_until("efgh").await, "efgh");
    house.is_over(&receipt).await;
}

#[tokio::test]
async fn each_receipt_waits_for_its_own_definition_only() {
    let gate = Gate::new();
    let rest = Script::new().then(Step::Wait(gate.clone())).write("efgh");
    let house = House::with_download(rest).await;
    let mut client = house.download().await;
    let first = house.moves().await;
    house.serves_from_new().await;
    let again = Change::new().define("files", LIVE, Http::to(format!("{}/v2", house.new.url())));
    let second = house.registry.publisher("test").apply(again).await.unwrap();
    second.drained(PATIENCE).await.unwrap();
    is_busy(&first, 1).await;
    gate.open();
    assert_eq!(client.read_until("efgh").await, "efgh");
    house.is_over(&first).await;
}

#[tokio::test]
async fn a_plan_counts_what_is_on_its_way_and_keeps_nothing_there() {
    let house = House::with_download(Script::raw("")).await;
    let clients = [house.download().await, house.download().await];
    let change = Change::new().define("files", LIVE, Http::to(house.new.url()));
    let plan = house.registry.publisher("test").plan(change).await.unwrap();
    assert_eq!(plan.impact().in_flight(), 2);
    assert_eq!(plan.impact().to_string(), "1 API in RELEASE moves; 2 requests in flight");
    let receipt = house.registry.publisher("test").apply(&plan).await.unwrap();
    let found = house.registry.receipt(receipt.revision()).unwrap();
    assert_eq!((receipt.in_flight(), found.in_flight()), (2, 2));
    assert!(found.drained(A_WHILE).await.is_err());
    drop(clients);
    // The plan is still there: it owns nothing.
    found.drained(PATIENCE).await.unwrap();
    receipt.drained(PATIENCE).await.unwrap();
    assert_eq!(plan.impact().in_flight(), 2);
}

#[tokio::test]
async fn a_follower_waits_for_its_own_requests_too() {
    let store = backhaul::store::MemoryStore::new();
    let open = async || {
        let builder = Registry::builder().allow_loopback();
        builder.store(std::sync::Arc::new(store.clone())).await.unwrap()
    };
    let mut house = House::with_download(Script::raw("")).await;
    let writer = open().await;
    let change = Change::new()
        .service("files", Kind::HTTP)
        .define("files", LIVE, Http::to(house.old.url()))
        .group("shop", Group::host("shop.example.com"))
        .api("shop/files", Api::any("/*").service_same_path("files"))
        .publish("shop/files", LIVE);
    writer.publisher("test").apply(change).await.unwrap();
    house.registry = open().await;
    house.served = Served::start(Gateway::new(&house.registry)).await;
    let client = house.download().await;
    let change = Change::new().define("files", LIVE, Http::to(house.new.url()));
    let revision = writer.publisher("test").apply(change).await.unwrap().revision();
    while house.registry.revision() < revision {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let found = house.registry.receipt(revision).unwrap();
    assert_eq!(found.in_flight(), 1);
    assert!(found.drained(A_WHILE).await.is_err());
    drop(client);
    found.drained(PATIENCE).await.unwrap();
}
