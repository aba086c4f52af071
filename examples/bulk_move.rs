//! Two services move together: plan, look, apply, wait until the old side is idle, undo. The process
//! that does it is killed in the middle, after its change was acknowledged, and started again: it finds
//! its receipt in the file and goes on.
//!
//! Without arguments this is the whole story, with the mover as a child process. With a file, it is the
//! mover.

#![allow(clippy::print_stdout, reason = "an example tells a story")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use backhaul::backend::Probe;
use backhaul::publish::Receipt;
use backhaul::registry::BlastRadius;
use backhaul::{Api, Change, CommitError, Environment, Group, Http, Kind, Registry};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const APIS: usize = 1_000;
const LIVE: Environment = Environment::PRODUCTION;
const SERVICES: [&str; 2] = ["orders", "payments"];
/// What the mover signs its change with, and finds it by.
const MOVER: &str = "bulk-move";
const PATIENCE: Duration = Duration::from_secs(30);
/// What the mover prints when its change is acknowledged.
const MOVED: &str = "moved";

#[tokio::main]
async fn main() -> Result<(), Failure> {
    match std::env::args_os().nth(1) {
        None => tell(),
        Some(file) => carry_on(Path::new(&file)).await,
    }
}

/// Starts the mover, kills it in the middle, and starts it again.
fn tell() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("shop.redb");
    let mut mover = start(&file)?;
    println!("-- first run, until its change is acknowledged");
    let moved = follow(&mut mover, Some(MOVED))?;
    mover.kill()?;
    mover.wait()?;
    ensure(moved, "the mover did not come as far as moving")?;
    println!("-- killed; second run");
    let mut mover = start(&file)?;
    follow(&mut mover, None)?;
    ensure(mover.wait()?.success(), "the second run failed")?;
    println!("every step did what it says");
    Ok(())
}

fn start(file: &Path) -> Result<Child, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    Ok(command.arg(file).stdout(Stdio::piped()).spawn()?)
}

/// Prints what the mover says, until it says `last`.
fn follow(mover: &mut Child, last: Option<&str>) -> Result<bool, Failure> {
    let said = mover.stdout.take().ok_or("the mover says nothing")?;
    for line in BufReader::new(said).lines() {
        let line = line?;
        println!("   {line}");
        if last.is_some_and(|last| line.starts_with(last)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The mover: goes on from wherever the file says it is.
async fn carry_on(file: &Path) -> Result<(), Failure> {
    let limit = BlastRadius::default().apis(APIS);
    let builder = Registry::builder().allow_loopback().blast_radius(limit);
    let registry = builder.open(file).await?;
    if registry.services().is_empty() {
        set_up(&registry).await?;
    }
    let done =
        registry.history().find(|entry| &*entry.stamp.who == MOVER && entry.undoes.is_empty());
    let receipt = match done {
        Some(entry) => {
            println!("found revision {} by {}", entry.stamp.revision, entry.stamp.who);
            registry.receipt(entry.stamp.revision).ok_or("it left the history")?
        }
        None => {
            let receipt = move_together(&registry).await?;
            println!("{MOVED} {} APIs as revision {}", receipt.counts().moved, receipt.revision());
            // Here the first run is killed.
            tokio::time::sleep(PATIENCE).await;
            receipt
        }
    };
    ensure(receipt.counts().moved == 2 * APIS, "not every API moved")?;
    receipt.drained(PATIENCE).await?;
    println!("the old side is idle");
    take_back(&registry, &receipt).await
}

async fn set_up(registry: &Registry) -> Result<(), Failure> {
    let mut change = Change::new().group("shop", Group::host("shop.example.com"));
    for service in SERVICES {
        change = change.service(service, Kind::HTTP).define(service, LIVE, at(service, "old"));
        for index in 0..APIS {
            let name = format!("shop/{service}_{index}");
            let api = Api::get(format!("/{service}/{index}")).service_same_path(service);
            change = change.api(&name, api).publish(name, LIVE);
        }
    }
    let publisher = registry.publisher("set-up").forced("there is nothing yet");
    println!("set up: {} APIs", publisher.apply(change).await?.counts().published);
    Ok(())
}

async fn move_together(registry: &Registry) -> Result<Receipt, Failure> {
    let change = SERVICES
        .iter()
        .fold(Change::new(), |change, service| change.define(*service, LIVE, at(service, "new")));
    let publisher = registry.publisher(MOVER).because("the old house is closed");
    let plan = publisher.plan(change).await?;
    println!("planned: {}", plan.impact());
    for warning in plan.warnings() {
        println!("warning: {warning}");
    }
    let probe = Probe::new().timeout(Duration::from_millis(500));
    for reachable in plan.probe(&probe).await {
        let reached = reachable.probed.as_ref().is_ok_and(|probed| probed.is_reached());
        println!("{} reached: {reached}", reachable.service.as_ref().map_or("?", |s| s.as_str()));
    }
    match publisher.apply(&plan).await {
        Err(CommitError::TooFar(limit)) => println!("refused: {limit}"),
        other => return Err(format!("the limit did not hold: {other:?}").into()),
    }
    Ok(publisher.forced("agreed with both teams").apply(plan).await?)
}

async fn take_back(registry: &Registry, moved: &Receipt) -> Result<(), Failure> {
    let publisher = registry.publisher(MOVER).because("only a drill").forced("only a drill");
    let receipt = publisher.undo(moved.revision()).await?;
    println!("undone: {} APIs moved back", receipt.counts().moved);
    for delta in receipt.deltas() {
        println!("{delta}");
    }
    ensure(receipt.counts().moved == 2 * APIS, "not every API moved back")
}

fn at(service: &str, place: &str) -> Http {
    // Nothing listens there: what is shown is how it is planned and undone, not how it is called.
    let port = if place == "old" { 1 } else { 2 };
    Http::to(format!("http://127.0.0.1:{port}/{service}"))
}

fn ensure(holds: bool, otherwise: &str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}
