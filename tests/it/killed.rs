//! A publishing process that is killed again and again: nothing it acknowledged is lost, nothing is
//! torn, and it always starts again.
//!
//! The process is this test once more, with a file to work on in its environment. It says what it
//! acknowledged line by line; whoever killed it compares that with the file.

#![allow(clippy::print_stdout, reason = "what was acknowledged, and how much of it, is told")]

use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use backhaul::registry::{History, Status};
use backhaul::{Api, Change, Definition, Environment, Group, Http, Kind, Registry, Revision};

const CHILD: &str = "BACKHAUL_TEST_KILLED";
const TEST: &str = "killed::a_process_that_is_killed_loses_nothing_it_acknowledged";
const LIVE: Environment = Environment::PRODUCTION;
/// Kills, and changes acknowledged before each. More of both with `BACKHAUL_LONG=1`.
const CYCLES: usize = 50;
const LONG: usize = 1_000;
const ACKNOWLEDGED: usize = 50;
/// They are always defined together, with the same port.
const TOGETHER: [&str; 3] = ["orders", "payments", "stock"];
const API: &str = "shop/get_order";

/// What the process said of one change.
#[derive(Debug)]
struct Acknowledged {
    revision: Revision,
    token: String,
}

#[tokio::test]
async fn a_process_that_is_killed_loses_nothing_it_acknowledged() {
    if let Ok(file) = std::env::var(CHILD) {
        publish(Path::new(&file)).await;
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.redb");
    let cycles = if std::env::var_os("BACKHAUL_LONG").is_some() { LONG } else { CYCLES };
    let (mut last, mut total) = (Revision::ZERO, 0);
    for cycle in 0..cycles {
        let acknowledged = kill_after(&file, ACKNOWLEDGED + fastrand::usize(..20));
        assert!(acknowledged.len() >= ACKNOWLEDGED, "cycle {cycle}: it did not start again");
        assert!(acknowledged[0].revision > last, "cycle {cycle}: a revision was used again");
        total += acknowledged.len();
        last = check(&file, &acknowledged).await;
    }
    println!("{total} changes acknowledged in {cycles} processes that were killed");
}

/// Starts the process and kills it while it goes on publishing: what it had acknowledged.
fn kill_after(file: &Path, changes: usize) -> Vec<Acknowledged> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "--nocapture", TEST]).env(CHILD, file);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let said = |line: String| {
        let (revision, token) = line.strip_prefix("acknowledged ")?.split_once(' ')?;
        let revision = Revision::new(revision.parse().ok()?);
        Some(Acknowledged { revision, token: token.to_owned() })
    };
    let mut acknowledged = Vec::new();
    while acknowledged.len() < changes {
        let Some(line) = lines.next() else { break };
        acknowledged.extend(said(line.unwrap()));
    }
    // At any point of a change, so that some are under way in the file.
    std::thread::sleep(std::time::Duration::from_micros(fastrand::u64(..8_000)));
    child.kill().unwrap();
    child.wait().unwrap();
    // What it said before it was killed counts, though it may have been cut off.
    acknowledged.extend(lines.map_while(Result::ok).filter_map(said));
    acknowledged
}

/// Everything acknowledged is in the file, and what is in it is whole.
async fn check(file: &Path, acknowledged: &[Acknowledged]) -> Revision {
    let registry = open(file).await;
    let now = registry.revision();
    assert!(now >= acknowledged.last().unwrap().revision, "the last one was lost");
    assert!(now <= acknowledged.last().unwrap().revision.next(), "more than one was under way");
    for Acknowledged { revision, token } in acknowledged {
        let receipt = registry.receipt(*revision).expect("an acknowledged change was lost");
        assert_eq!(receipt.stamp().why.as_deref(), Some(&**token));
    }
    // The newest change, acknowledged or under way, is there as a whole.
    let newest = registry.receipt(now).unwrap();
    let token = newest.stamp().why.clone().unwrap();
    let urls: Vec<_> = TOGETHER.iter().map(|service| url(&registry, service)).collect();
    assert!(urls.iter().all(|url| *url == urls[0]), "torn: {urls:?}");
    if let (Some(port), Some(url)) = (token.strip_prefix("port "), &urls[0]) {
        assert!(url.ends_with(&format!(":{port}")), "{token}, yet {url}");
    }
    let published = registry.publication(API, &LIVE).unwrap();
    let online = published.is_some_and(|published| published.status == Status::Online);
    assert_eq!(online, urls[0].is_some(), "published without a definition, or the other way round");
    now
}

fn url(registry: &Registry, service: &str) -> Option<String> {
    let view = registry.service(service).unwrap().unwrap();
    let definition: &Definition = &view.definition(&LIVE)?.definition;
    let keys = serde_json::to_value(definition).unwrap();
    keys["url"].as_str().map(str::to_owned)
}

async fn open(file: &Path) -> Registry {
    let builder = Registry::builder().history(History::default().revisions(200));
    builder.open(file).await.expect("it does not start again")
}

/// The process: moves three services together, takes them down and back, for ever.
async fn publish(file: &Path) {
    let registry = open(file).await;
    let mut port = registry.revision().as_u64() % 50_000 + 1;
    if registry.services().is_empty() {
        let setup = Change::new()
            .group("shop", Group::host("shop.example.com"))
            .service("orders", Kind::HTTP)
            .service("payments", Kind::HTTP)
            .service("stock", Kind::HTTP)
            .api(API, Api::get("/orders/[id]").service_same_path("orders"));
        acknowledge(&registry, together(setup, port).publish(API, LIVE), port, true).await;
    }
    if url(&registry, "orders").is_none() {
        acknowledge(&registry, Change::new().undo(registry.revision()), port, false).await;
    }
    loop {
        port = port % 50_000 + 1;
        acknowledge(&registry, together(Change::new(), port), port, true).await;
        if port.is_multiple_of(7) {
            let gone = TOGETHER
                .iter()
                .fold(Change::new(), |change, service| change.delete_definition(*service, LIVE));
            acknowledge(&registry, gone, port, false).await;
            acknowledge(&registry, Change::new().undo(registry.revision()), port, false).await;
        }
    }
}

fn together(change: Change, port: u64) -> Change {
    TOGETHER.iter().fold(change, |change, service| {
        change.define(*service, LIVE, Http::to(format!("http://10.0.0.7:{port}")))
    })
}

async fn acknowledge(registry: &Registry, change: Change, port: u64, defines: bool) {
    let token = if defines { format!("port {port}") } else { format!("down or up at {port}") };
    let receipt = registry.publisher("mover").because(token.as_str()).apply(change).await.unwrap();
    let line = format!("\nacknowledged {} {token}\n", receipt.revision());
    std::io::stdout().write_all(line.as_bytes()).unwrap();
}
