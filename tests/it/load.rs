//! Cut-overs and bulk unpublishing on real sockets, while clients keep calling.
//!
//! A generation stands in three places of a definition: which origin it is, the base path of its URL
//! and its Host. An origin answers with the generation it was asked by, if all three agree. Clients
//! know the last generation whose `apply` had returned when they sent their request.

#![allow(clippy::print_stdout, reason = "the rate that was reached is told, not asserted")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use backhaul::testing::{FakeUpstream, Received, Script};
use backhaul::{Api, Change, Definition, Environment, Gateway, Group, Http, Kind, Registry};
use http::Method;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::served::{Client, Served};

const LIVE: Environment = Environment::PRODUCTION;
const SERVICES: [&str; 2] = ["orders", "stock"];
/// APIs of each service.
const APIS: usize = 10_000;
const CLIENTS: usize = 16;
const CUT_OVERS: u64 = 100;
/// Answers that are waited for after each change: each client gets some by the new generation.
const ANSWERS: usize = 3 * CLIENTS;
/// The largest change while APIs are being made.
const BATCH: usize = 5_000;

/// What clients and origins tell the test.
#[derive(Debug, Default)]
struct Ledger {
    /// The last generation of each service whose `apply` has returned.
    returned: [AtomicU64; 2],
    /// The call that deleted the definition of `orders` has returned.
    deleted: AtomicBool,
    enough: AtomicBool,
    /// Both services move together after this revision.
    alone_until: AtomicU64,
    answers: AtomicUsize,
    refused: AtomicUsize,
    /// Requests an old origin received although they were sent after the call had returned.
    late: AtomicUsize,
    /// Requests that saw two generations.
    mixed: AtomicUsize,
    failed: AtomicUsize,
}

impl Ledger {
    fn count(counter: &AtomicUsize) {
        counter.fetch_add(1, Ordering::SeqCst);
    }

    fn assert_clean(&self) {
        for (what, counter) in [
            ("sent after the call returned, yet at an old origin", &self.late),
            ("saw two generations", &self.mixed),
            ("failed", &self.failed),
        ] {
            assert_eq!(counter.load(Ordering::SeqCst), 0, "requests that {what}");
        }
    }

    /// Waits until so many more answers have come.
    async fn more(&self, answers: usize) {
        let enough = self.answers.load(Ordering::SeqCst) + answers;
        while self.answers.load(Ordering::SeqCst) < enough {
            sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Answers with the generation of the definition that sent it here. Odd generations live at one
/// origin, even ones at the other.
fn origin(parity: u64, ledger: &Arc<Ledger>) -> impl Fn(&Received) -> Script + use<> {
    let ledger = Arc::clone(ledger);
    move |request| {
        let target = request.target();
        let mut segments = target.split('/').skip(1);
        let service = segments.next().unwrap();
        let generation: u64 = segments.next().unwrap().parse().unwrap();
        let header = |name| request.header(name).pop().unwrap();
        if header("host") != format!("{service}-{generation}.internal")
            || generation % 2 != parity
            || segments.next() != Some(service)
        {
            Ledger::count(&ledger.mixed);
        }
        if generation < header("x-returned").parse().unwrap() {
            Ledger::count(&ledger.late);
        }
        Script::ok(generation.to_string())
    }
}

struct House {
    registry: Registry,
    served: Served,
    origins: [FakeUpstream; 2],
    ledger: Arc<Ledger>,
}

impl House {
    async fn new() -> Self {
        let ledger = Ledger { alone_until: AtomicU64::new(u64::MAX), ..Ledger::default() };
        let ledger = Arc::new(ledger);
        let even = FakeUpstream::start(origin(0, &ledger)).await.unwrap();
        let odd = FakeUpstream::start(origin(1, &ledger)).await.unwrap();
        let registry = Registry::builder().allow_loopback().in_memory().await.unwrap();
        let served = Served::start(Gateway::new(&registry)).await;
        let house = Self { registry, served, origins: [even, odd], ledger };
        house.apply(Change::new().group("shop", Group::host("shop.example.com"))).await;
        for service in SERVICES {
            let definition = house.definition(service, 0);
            let change = Change::new().service(service, Kind::HTTP);
            house.apply(change.define(service, LIVE, definition)).await;
            house.publish(service).await;
        }
        house
    }

    async fn publish(&self, service: &str) {
        for first in (0..APIS).step_by(BATCH) {
            let change = (first..first + BATCH).fold(Change::new(), |change, index| {
                let name = format!("shop/{service}_{index}");
                let api = Api::get(format!("/{service}/{index}")).service_same_path(service);
                change.api(&name, api).publish(name, LIVE)
            });
            self.apply(change).await;
        }
    }

    async fn apply(&self, change: Change) -> usize {
        let counts = self.registry.publisher("load").apply(change).await.unwrap().counts();
        counts.moved + counts.unpublished
    }

    fn definition(&self, service: &str, generation: u64) -> Definition {
        let at = &self.origins[usize::try_from(generation % 2).unwrap()];
        let url = format!("{}/{service}/{generation}", at.url());
        Http::to(url).host(format!("{service}-{generation}.internal")).into()
    }

    /// Moves services to a generation, all in one change, and says so once the call has returned.
    async fn cut_over(&self, services: &[&str], generation: u64) {
        let change = services.iter().fold(Change::new(), |change, service| {
            change.define(*service, LIVE, self.definition(service, generation))
        });
        assert_eq!(self.apply(change).await, services.len() * APIS);
        for (service, returned) in SERVICES.iter().zip(&self.ledger.returned) {
            if services.contains(service) {
                returned.store(generation, Ordering::SeqCst);
            }
        }
    }

    fn clients(&self) -> Vec<JoinHandle<()>> {
        (0..CLIENTS)
            .map(|number| {
                let caller = Caller { ledger: Arc::clone(&self.ledger), seen: 0 };
                tokio::spawn(caller.keep_calling(self.served.address, number))
            })
            .collect()
    }

    /// Looks at both services in turn, without the network in between: far more often than requests
    /// can, so that it would see one move before the other.
    fn watch(&self) -> JoinHandle<()> {
        let (gateway, ledger) = (Gateway::new(&self.registry), Arc::clone(&self.ledger));
        tokio::task::spawn_blocking(move || {
            let mut seen = 0;
            for service in SERVICES.iter().cycle() {
                if ledger.deleted.load(Ordering::SeqCst) || ledger.enough.load(Ordering::SeqCst) {
                    return;
                }
                let path = format!("/{service}/0");
                let found = gateway.resolve(&Method::GET, "shop.example.com", &path, None);
                let revision = match found {
                    Ok(found) => found.generation().as_u64(),
                    // It is being deleted.
                    Err(_) => return,
                };
                if seen > ledger.alone_until.load(Ordering::SeqCst) && revision < seen {
                    Ledger::count(&ledger.mixed);
                }
                seen = seen.max(revision);
                std::thread::sleep(Duration::from_micros(20));
            }
        })
    }

    async fn stop(&self, clients: Vec<JoinHandle<()>>) {
        self.ledger.enough.store(true, Ordering::SeqCst);
        for client in clients {
            client.await.unwrap();
        }
        self.ledger.assert_clean();
    }
}

/// Calls APIs of both services in turn.
struct Caller {
    ledger: Arc<Ledger>,
    /// The highest generation that an answer before came from.
    seen: u64,
}

impl Caller {
    async fn keep_calling(mut self, server: std::net::SocketAddr, number: usize) {
        let mut client = Client::connect(server).await;
        for turn in 0.. {
            if self.ledger.enough.load(Ordering::SeqCst) {
                return;
            }
            let index = (turn * 7 + number * 613) % APIS;
            self.call(&mut client, turn % 2, index).await;
        }
    }

    async fn call(&mut self, client: &mut Client, service: usize, index: usize) {
        let deleted = self.ledger.deleted.load(Ordering::SeqCst);
        let returned = self.ledger.returned[service].load(Ordering::SeqCst);
        let request = format!(
            "GET /{}/{index} HTTP/1.1\r\nHost: shop.example.com\r\nX-Returned: {returned}\r\n\r\n",
            SERVICES[service],
        );
        client.send(&request).await;
        let answer = client.answer().await;
        match answer.status {
            200 if !(deleted && service == 0) => self.check(&answer.body, returned),
            404 if service == 0 && answer.head.contains("x-ca-error-code: i404nf") => {
                Ledger::count(&self.ledger.refused);
            }
            _ => Ledger::count(&self.ledger.failed),
        }
        Ledger::count(&self.ledger.answers);
    }

    fn check(&mut self, body: &str, returned: u64) {
        let generation: u64 = body.parse().unwrap();
        if generation < returned {
            Ledger::count(&self.ledger.late);
        }
        // Whoever has seen one service move together with the other finds the other moved too.
        if self.seen >= TOGETHER && generation < self.seen {
            Ledger::count(&self.ledger.mixed);
        }
        self.seen = self.seen.max(generation);
    }
}

/// From this generation on both services move together.
const TOGETHER: u64 = CUT_OVERS + 1;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_sent_after_a_cut_over_sees_what_was_before() {
    let house = House::new().await;
    let clients = house.clients();
    let watcher = house.watch();
    house.ledger.more(ANSWERS).await;
    let started = Instant::now();
    let before = house.ledger.answers.load(Ordering::SeqCst);
    for generation in 1..=CUT_OVERS {
        house.cut_over(&SERVICES[..1], generation).await;
        house.ledger.more(ANSWERS).await;
    }
    let revision = house.registry.revision().as_u64();
    house.ledger.alone_until.store(revision, Ordering::SeqCst);
    for generation in TOGETHER..TOGETHER + CUT_OVERS {
        house.cut_over(&SERVICES, generation).await;
        house.ledger.more(ANSWERS).await;
    }
    let answers = house.ledger.answers.load(Ordering::SeqCst) - before;
    let rate = answers as f64 / started.elapsed().as_secs_f64();
    println!("{} cut-overs under {rate:.0} requests a second", 2 * CUT_OVERS);
    assert_eq!(house.ledger.refused.load(Ordering::SeqCst), 0);
    assert!(!watcher.is_finished(), "nobody watched");

    let gone = house.apply(Change::new().delete_definition("orders", LIVE)).await;
    house.ledger.deleted.store(true, Ordering::SeqCst);
    assert_eq!(gone, APIS);
    house.ledger.more(10 * ANSWERS).await;
    assert!(house.ledger.refused.load(Ordering::SeqCst) > ANSWERS, "nobody called what is gone");
    watcher.await.unwrap();
    house.stop(clients).await;
}
