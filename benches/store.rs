//! What the store in a file costs: opening a million published APIs, and commits in fsyncs of the same
//! disk.
//!
//! Figures: `open.redb_1m`, `store.apply_fsyncs`, `store.publish_fsyncs`, and what they are made of.

#![allow(clippy::expect_used, reason = "a benchmark that cannot run must say so and stop")]

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use backhaul::store::RedbStore;
use backhaul::{Api, Body, Change, Environment, Gateway, Mock, Registry};
use http::{Request, StatusCode};
use tower_service::Service as _;

#[path = "support/population.rs"]
mod population;
mod support;

use population::{Population, SERVICE, apply, to};
use support::{Limit, figure, in_a_task, median, percentile};

const LIVE: Environment = Environment::PRODUCTION;
const MILLION: Population = Population { apis: 1_000_000, groups: 1_000 };
const THOUSAND: Population = Population { apis: 1_000, groups: 100 };
const SAMPLES: usize = 300;
const OPENED: usize = 3;

fn main() {
    in_a_task(run());
}

async fn run() {
    // On the disk the project is on: temporary folders may be in memory.
    let folder = tempfile::tempdir_in(concat!(env!("CARGO_MANIFEST_DIR"), "/target"));
    let folder = folder.expect("target/ takes a folder");
    commits(folder.path()).await;
    open(folder.path()).await;
}

/// Interleaved, so that all three see the same disk.
async fn commits(folder: &Path) {
    let registry = Registry::open(folder.join("commits.redb")).await.expect("it opens");
    THOUSAND.draft(&registry, |index| THOUSAND.pattern(index)).await;
    THOUSAND.publish(&registry, &LIVE).await;
    let mut file = File::create(folder.join("appended")).expect("a file can be made");
    let (mut fsyncs, mut applies, mut publishes) = (Vec::new(), Vec::new(), Vec::new());
    for sample in 0..SAMPLES {
        let start = now();
        file.write_all(&[7; 200]).expect("the disk has space");
        file.sync_data().expect("the disk can be synced");
        fsyncs.push(micros(start));
        let start = now();
        apply(&registry, Change::new().define(SERVICE, LIVE, to(sample + 2))).await;
        applies.push(micros(start));
        let name = THOUSAND.name(sample * 7 % THOUSAND.apis);
        let start = now();
        apply(&registry, Change::new().publish(name, LIVE)).await;
        publishes.push(micros(start));
    }
    let fsync = median(&mut fsyncs);
    figure("store.fsync", fsync, "µs", Limit::Open, "median of 300: 200 bytes appended and synced");
    let tail = percentile(&mut applies.clone(), 0.99);
    figure("store.apply.p99", tail, "µs", Limit::Open, "the p99 of 300 applies");
    let method = "median of 300 / median fsync of the same disk, interleaved; 1,000 APIs, redb";
    let apply = median(&mut applies) / fsync;
    figure("store.apply_fsyncs", apply, "ratio", Limit::AtMost(3.0), method);
    let publish = median(&mut publishes) / fsync;
    figure("store.publish_fsyncs", publish, "ratio", Limit::AtMost(2.0), method);
}

/// From the call of open until the first request is answered.
async fn open(folder: &Path) {
    let path = folder.join("million.redb");
    let size = {
        let registry = MILLION.filled(Registry::builder()).await;
        let extra = Change::new()
            .api("group0/canned", Api::get("/canned").inline(Mock::new().status(203)))
            .publish("group0/canned", LIVE);
        apply(&registry, extra).await;
        RedbStore::create(&path, registry.contents()).await.expect("the file can be made");
        std::fs::metadata(&path).expect("it is there").len()
    };
    let mut seconds = Vec::new();
    for _ in 0..OPENED {
        // What reading the file once brings into memory is there: the page cache is warm.
        std::io::copy(&mut File::open(&path).expect("it is there"), &mut std::io::sink())
            .expect("it can be read");
        let start = now();
        let registry = Registry::open(&path).await.expect("it opens");
        let request = Request::get("http://h0.example.com/canned").header("host", "h0.example.com");
        let request = request.body(Body::empty()).expect("a request");
        let answer = Gateway::new(&registry).call(request).await.expect("it is infallible");
        seconds.push(micros(start) / 1_000_000.0);
        assert_eq!(answer.status(), StatusCode::NON_AUTHORITATIVE_INFORMATION);
        let view = registry.service(SERVICE).expect("a name").expect("it is there");
        assert_eq!(view.definition(&LIVE).expect("it is there").published, MILLION.apis);
    }
    let mib = size as f64 / f64::from(1 << 20);
    figure("open.redb_1m.size", mib, "MiB", Limit::Open, "the file's size");
    let method = "worst of 3: Registry::open until a request is answered, 1,000,000 published APIs, warm \
        page cache, two cores";
    let worst = percentile(&mut seconds, 1.0);
    figure("open.redb_1m", worst, "s", Limit::AtMost(6.0), method);
}

#[expect(clippy::disallowed_methods, reason = "wall time is what is measured")]
fn now() -> Instant {
    Instant::now()
}

fn micros(start: Instant) -> f64 {
    start.elapsed().as_nanos() as f64 / 1_000.0
}
