//! The main job, on real sockets: 100 APIs share one backend service, and the service moves house
//! while 50 clients keep calling. Then all of them are unpublished at once, and that is undone. The
//! registry is kept in a file in a temporary folder. Exits with an error if any step is not what it
//! says.

#![allow(clippy::print_stdout, reason = "an example tells a story")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use backhaul::gateway::{Peer, Scheme};
use backhaul::registry::Status;
use backhaul::store::RedbStore;
use backhaul::{
    Api, Change, Environment, Gateway, Group, Http, Kind, Publisher, Registry, Revision,
};
use http::StatusCode;
use hyper_util::service::TowerToHyperService;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

#[path = "support/net.rs"]
mod net;

use net::{Client, Failure};

const APIS: usize = 100;
const CLIENTS: usize = 50;
const FILE: &str = "shop.redb";
const HOST: &str = "shop.example.com";
/// How long clients call before the move, and how long after it.
const CALLING: Duration = Duration::from_millis(700);
/// How long the slowest request takes: it is sent before the move and ends after it.
const SLOW: Duration = Duration::from_millis(1_600);
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let shop = Shop::open().await?;
    shop.publish().await?;
    shop.move_house().await?;
    let closed = shop.close().await?;
    shop.take_back(closed).await?;
    shop.start_again().await?;
    println!("\nevery step did what it says");
    Ok(())
}

/// Two origins, and a gateway in front.
struct Shop {
    folder: TempDir,
    publisher: Publisher,
    gateway: SocketAddr,
    old: String,
    new: String,
}

impl Shop {
    async fn open() -> Result<Self, Failure> {
        let (old, new) = (net::origin("old").await?, net::origin("new").await?);
        // Gateways must not reach their own machine unless told so; here everything is on it.
        let folder = TempDir::new()?;
        let registry = Registry::builder().allow_loopback().open(folder.path().join(FILE)).await?;
        let gateway = Gateway::new(&registry);
        let connect =
            move |peer| TowerToHyperService::new(gateway.peer(Peer::new(peer, Scheme::Http)));
        let gateway = net::serve(connect).await?;
        println!("old origin at {old}, new origin at {new}, gateway at http://{gateway}");
        Ok(Self { folder, publisher: registry.publisher("quickstart"), gateway, old, new })
    }

    async fn publish(&self) -> Result<(), Failure> {
        let setup = Change::new()
            .service("orders", Kind::HTTP)
            .define("orders", Environment::PRODUCTION, Http::to(&self.old))
            .group("shop", Group::host(HOST));
        let setup = (0..APIS).fold(setup, |change, index| {
            change.api(name(index), Api::get(path(index)).service_same_path("orders"))
        });
        let setup = setup.publish_all((0..APIS).map(name), &Environment::PRODUCTION);
        let receipt = self.publisher.apply(setup).await?;
        println!("\n1. one service, {APIS} APIs, published as revision {}", receipt.revision());
        ensure(receipt.counts().published == APIS, "not every API was published")?;
        self.expect_everywhere(StatusCode::OK, Some("old")).await
    }

    async fn move_house(&self) -> Result<(), Failure> {
        println!("\n2. the service moves while {CLIENTS} clients keep calling");
        let phase = Arc::new(AtomicU8::new(BEFORE));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|first| tokio::spawn(keep_calling(self.gateway, first, Arc::clone(&phase))))
            .collect();
        let started = Instant::now();
        let slow = tokio::spawn(slow_call(self.gateway));
        sleep(CALLING).await;

        let change = Change::new().define("orders", Environment::PRODUCTION, Http::to(&self.new));
        let plan = self.publisher.plan(change).await?;
        println!("   planned: {}", plan.impact());
        let called = Instant::now();
        let receipt = self.publisher.apply(plan).await?;
        phase.store(AFTER, Ordering::SeqCst);
        let took = called.elapsed();
        let (moved, revision) = (receipt.counts().moved, receipt.revision());
        println!(
            "   one definition changed: {moved} APIs moved as revision {revision} in {took:?}"
        );
        println!("   requests still at the old origin: {}", receipt.in_flight());
        ensure(moved == APIS, "not every API moved")?;

        receipt.drained(PATIENCE).await?;
        println!(
            "   the old origin became idle after {:?}: it may be switched off",
            called.elapsed()
        );
        ensure(started.elapsed() >= SLOW, "drained while a request was on its way")?;
        ensure(slow.await?? == "old", "the slow request did not stay where it was")?;
        sleep(CALLING).await;
        phase.store(ENOUGH, Ordering::SeqCst);
        let mut all = Tally::default();
        for client in clients {
            all.add(&client.await??);
        }
        all.tell();
        all.check()
    }

    async fn close(&self) -> Result<Revision, Failure> {
        let change = Change::new().delete_definition("orders", Environment::PRODUCTION);
        let receipt = self.publisher.apply(change).await?;
        let gone = receipt.counts().unpublished;
        println!("\n3. the definition is deleted: {gone} APIs unpublished at once");
        ensure(gone == APIS, "not every API was unpublished")?;
        self.expect_everywhere(StatusCode::NOT_FOUND, None).await?;
        Ok(receipt.revision())
    }

    async fn take_back(&self, closed: Revision) -> Result<(), Failure> {
        let unpublish = Change::new().unpublish(name(0), Environment::PRODUCTION);
        self.publisher.apply(unpublish).await?;
        let called = Instant::now();
        let receipt = self.publisher.undo(closed).await?;
        let (revived, took) = (receipt.counts().revived, called.elapsed());
        println!("\n4. that is undone: {revived} APIs are published again, in {took:?}");
        let left: Vec<_> = receipt.left_out().iter().map(ToString::to_string).collect();
        println!("   left out: {}", left.join("; "));
        ensure(revived == APIS - 1 && left.len() == 1, "not what nobody touched came back")?;
        self.publisher.apply(Change::new().publish(name(0), Environment::PRODUCTION)).await?;
        self.expect_everywhere(StatusCode::OK, Some("new")).await
    }

    async fn start_again(self) -> Result<(), Failure> {
        let Self { folder, publisher, .. } = self;
        let revision = publisher.registry().revision();
        let copy = folder.path().join("copy.redb");
        RedbStore::create(&copy, publisher.registry().contents()).await?;
        let registry = Registry::open(copy).await?;
        println!("\n5. a copy of the file, opened by another gateway: revision {revision}");
        ensure(registry.revision() == revision, "the copy is of another revision")?;
        let live = Environment::PRODUCTION;
        let online = |index: &usize| {
            let found = registry.publication(&name(*index), &live).ok().flatten();
            found.is_some_and(|found| found.status == Status::Online)
        };
        ensure((0..APIS).filter(online).count() == APIS, "not every API is published there")
    }

    /// Calls every API once.
    async fn expect_everywhere(
        &self,
        status: StatusCode,
        origin: Option<&str>,
    ) -> Result<(), Failure> {
        let mut client = Client::connect(self.gateway, HOST).await?;
        for index in 0..APIS {
            let (got, by) = client.get(&path(index)).await?;
            let expected = got == status && origin.is_none_or(|origin| origin == by);
            ensure(expected, &format!("{} answered {got} {by}", path(index)))?;
        }
        let by = origin.map(|origin| format!(", by the {origin} origin")).unwrap_or_default();
        println!("   called each of them: {APIS} × {status}{by}");
        Ok(())
    }
}

/// What clients know of the move when they send a request.
const BEFORE: u8 = 0;
/// The call that moves the service has returned.
const AFTER: u8 = 1;
const ENOUGH: u8 = 2;

/// Who answered.
#[derive(Default)]
struct Answers {
    old: usize,
    new: usize,
    failed: usize,
}

/// Answers to requests sent before and after the call returned.
#[derive(Default)]
struct Tally {
    before: Answers,
    after: Answers,
}

impl Answers {
    fn add(&mut self, other: &Self) {
        self.old += other.old;
        self.new += other.new;
        self.failed += other.failed;
    }
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.before.add(&other.before);
        self.after.add(&other.after);
    }

    fn tell(&self) {
        println!("   requests sent              old origin   new origin   failed");
        for (when, answers) in [("before", &self.before), ("after", &self.after)] {
            let Answers { old, new, failed } = answers;
            println!("   {when:<6} the call returned   {old:>10}   {new:>10}   {failed:>6}");
        }
    }

    fn check(&self) -> Result<(), Failure> {
        ensure(self.before.failed + self.after.failed == 0, "requests failed")?;
        ensure(self.before.old > 0, "nothing was called before the move")?;
        ensure(self.after.old == 0, "the old origin was called after the call had returned")?;
        ensure(self.after.new > 0, "nothing was called after the move")
    }
}

/// Calls one API after the other until it is enough.
async fn keep_calling(
    gateway: SocketAddr,
    first: usize,
    phase: Arc<AtomicU8>,
) -> Result<Tally, Failure> {
    let mut client = Client::connect(gateway, HOST).await?;
    let mut tally = Tally::default();
    for index in (0..APIS).cycle().skip(first) {
        let answers = match phase.load(Ordering::SeqCst) {
            BEFORE => &mut tally.before,
            AFTER => &mut tally.after,
            _ => break,
        };
        match client.get(&path(index)).await? {
            (StatusCode::OK, origin) if origin == "old" => answers.old += 1,
            (StatusCode::OK, origin) if origin == "new" => answers.new += 1,
            _ => answers.failed += 1,
        }
    }
    Ok(tally)
}

/// One request that is at the old origin before the service moves, and ends after.
async fn slow_call(gateway: SocketAddr) -> Result<String, Failure> {
    let mut client = Client::connect(gateway, HOST).await?;
    let (_, origin) = client.get_slow(&path(0), SLOW).await?;
    Ok(origin)
}

fn name(index: usize) -> String {
    format!("shop/order_{index}")
}

fn path(index: usize) -> String {
    format!("/orders/{index}")
}

fn ensure(holds: bool, otherwise: &str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}
