//! How long it takes from the call of a change until another thread's look-up sees it.
//!
//! Figures: `cutover.1m`, `cutover.growth`, `unpublish.1m`, `undo.1m`, `publish_one.1m`, and how long
//! planning takes: `plan.1m`. Each also as `.p99`.

#![allow(clippy::expect_used, reason = "a benchmark that cannot run must say so and stop")]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use backhaul::store::MemoryStore;
use backhaul::{Change, Environment, Gateway, Registry};
use http::Method;

#[path = "support/population.rs"]
mod population;
mod support;

use population::{Population, SERVICE, apply, to};
use support::{Limit, figure, in_a_task, median, percentile};

const SAMPLES: usize = 1_000;
const LIVE: Environment = Environment::PRODUCTION;
const PLANNED: &str = "median of 1,000: plan of a move, its counts and warnings, no probe, memory \
     store, default settings, one thread looking up all the time, another a fifth of it";
const METHOD: &str = "median of 1,000: call of apply until a look-up of another thread sees it, \
     memory store, default settings, one thread looking up all the time, another a fifth of it";

fn main() {
    in_a_task(run());
}

async fn run() {
    let small = measure(Population { apis: 1_000, groups: 100 }, false).await;
    let large = measure(Population { apis: 1_000_000, groups: 1_000 }, true).await;
    let one = measure(Population { apis: 1_000_000, groups: 1 }, false).await;
    report("cutover.1m", large.cutover.clone(), 50.0);
    let growth = median(&mut large.cutover.clone()) / median(&mut small.cutover.clone());
    figure(
        "cutover.growth",
        growth,
        "ratio",
        Limit::AtMost(2.0),
        "cutover.1m / the same with 1,000",
    );
    report("unpublish.1m", large.unpublish, 50.0);
    report("undo.1m", large.undo, 50.0);
    report_as("plan.1m", large.plan, 100.0, PLANNED);
    let worse = [large.publish, one.publish]
        .into_iter()
        .max_by(|a, b| median(&mut a.clone()).total_cmp(&median(&mut b.clone())));
    report("publish_one.1m", worse.expect("there are two"), 200.0);
}

fn report(name: &str, samples: Vec<f64>, at_most: f64) {
    report_as(name, samples, at_most, METHOD);
}

fn report_as(name: &str, mut samples: Vec<f64>, at_most: f64, method: &str) {
    figure(name, median(&mut samples), "µs", Limit::AtMost(at_most), method);
    let worst = percentile(&mut samples, 0.99);
    figure(&format!("{name}.p99"), worst, "µs", Limit::Open, "the p99 of the same samples");
}

#[derive(Default)]
struct Samples {
    cutover: Vec<f64>,
    unpublish: Vec<f64>,
    undo: Vec<f64>,
    plan: Vec<f64>,
    publish: Vec<f64>,
}

async fn measure(population: Population, unpublish: bool) -> Samples {
    let store = MemoryStore::new();
    let registry = population.drafts(&store, |index| population.pattern(index)).await;
    population.publish(&registry, &LIVE).await;
    let watch = Watch::start(&registry, population);
    let mut samples = Samples::default();
    for port in 0..SAMPLES {
        let change = Change::new().define(SERVICE, LIVE, to(port % 60_000 + 2));
        samples.cutover.push(watch.time(&registry, change, |before, now| now > before).await);
    }
    for sample in 0..SAMPLES {
        let index = sample * 7_919 % population.apis;
        apply(&registry, Change::new().unpublish(population.name(index), LIVE)).await;
        watch.look_at(population, index);
        let change = Change::new().publish(population.name(index), LIVE);
        samples.publish.push(watch.time(&registry, change, |_, now| now > 0).await);
    }
    if unpublish {
        for port in 0..SAMPLES {
            let change = Change::new().delete_definition(SERVICE, LIVE);
            samples.unpublish.push(watch.time(&registry, change, |_, now| now == 0).await);
            let undo = Change::new().undo(registry.revision());
            samples.undo.push(watch.time(&registry, undo, |_, now| now > 0).await);
            samples.plan.push(plan(&registry, port, population.apis).await);
        }
    }
    samples
}

/// Microseconds until a move is planned: how many APIs move, and what looks like a mistake.
async fn plan(registry: &Registry, port: usize, apis: usize) -> f64 {
    let (change, publisher) = (Change::new().define(SERVICE, LIVE, to(port + 10_000)), "benchmark");
    #[expect(clippy::disallowed_methods, reason = "wall time is what is measured")]
    let start = Instant::now();
    let plan = registry.publisher(publisher).plan(change).await.expect("it can be planned");
    let (moved, warnings) = (plan.impact().counts().moved, plan.warnings().len());
    let microseconds = start.elapsed().as_nanos() as f64 / 1_000.0;
    assert_eq!((moved, warnings), (apis, 0));
    tokio::time::sleep(Duration::from_micros(200)).await;
    microseconds
}

/// A thread that looks one thing up again and again, and another that looks everything up.
struct Watch(Arc<Shared>, Vec<JoinHandle<()>>);

struct Shared {
    asked: Mutex<(String, String)>,
    /// Counts the changes of `asked`.
    version: AtomicU64,
    /// The version that `seen` answers.
    answered: AtomicU64,
    /// The generation that answers, 0 for none.
    seen: AtomicU64,
    /// When `seen` became what it is, in nanoseconds after the start.
    at: AtomicU64,
    start: Instant,
    stop: AtomicBool,
}

impl Watch {
    fn start(registry: &Registry, population: Population) -> Self {
        let asked = Mutex::new((population.host(0), population.path(0)));
        let shared = Arc::new(Shared {
            asked,
            version: AtomicU64::new(1),
            answered: AtomicU64::new(0),
            seen: AtomicU64::new(0),
            at: AtomicU64::new(0),
            #[expect(clippy::disallowed_methods, reason = "wall time is what is measured")]
            start: Instant::now(),
            stop: AtomicBool::new(false),
        });
        let gateway = Gateway::new(registry);
        let observer = std::thread::spawn({
            let (shared, gateway) = (Arc::clone(&shared), gateway.clone());
            move || shared.observe(&gateway)
        });
        let reader = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.read(&gateway, population)
        });
        Self(shared, vec![observer, reader])
    }

    fn look_at(&self, population: Population, index: usize) {
        let asked = (population.host(index), population.path(index));
        *self.0.asked.lock().expect("nobody panics") = asked;
        self.0.version.fetch_add(1, Ordering::AcqRel);
    }

    /// Microseconds from the call until the observer sees what `done` says yes to.
    async fn time(
        &self,
        registry: &Registry,
        change: Change,
        done: impl Fn(u64, u64) -> bool,
    ) -> f64 {
        let publisher = registry.publisher("benchmark");
        while self.0.answered.load(Ordering::Acquire) != self.0.version.load(Ordering::Acquire) {
            std::hint::spin_loop();
        }
        let before = self.0.seen.load(Ordering::Acquire);
        let call = self.0.now();
        publisher.apply(change).await.expect("the change is accepted");
        while !done(before, self.0.seen.load(Ordering::Acquire)) {
            std::hint::spin_loop();
        }
        let nanoseconds = self.0.at.load(Ordering::Acquire).saturating_sub(call);
        // What a change leaves behind is cleared away before the next one is timed.
        tokio::time::sleep(Duration::from_micros(200)).await;
        nanoseconds as f64 / 1_000.0
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::Release);
        for thread in self.1.drain(..) {
            thread.join().expect("no reader panics");
        }
    }
}

impl Shared {
    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn observe(&self, gateway: &Gateway) {
        let (mut version, mut last) = (0, u64::MAX);
        let (mut host, mut path) = (String::new(), String::new());
        while !self.stop.load(Ordering::Acquire) {
            let asked = self.version.load(Ordering::Acquire);
            if asked != version {
                (host, path) = self.asked.lock().expect("nobody panics").clone();
                (version, last) = (asked, u64::MAX);
            }
            let found = gateway.resolve(&Method::GET, &host, &path, None);
            let seen = found.map_or(0, |found| found.generation().as_u64());
            if seen != last {
                self.at.store(self.now(), Ordering::Release);
                self.seen.store(seen, Ordering::Release);
                last = seen;
            }
            self.answered.store(version, Ordering::Release);
        }
    }

    /// A fifth busy, whatever it finds: with two cores, one more thread that rests less measures the
    /// scheduler, in one run so and in the next otherwise.
    fn read(&self, gateway: &Gateway, population: Population) {
        let mut index = 0;
        while !self.stop.load(Ordering::Acquire) {
            let start = self.now();
            for _ in 0..64 {
                index = (index + 7_919) % population.apis;
                let (host, path) = (population.host(index), population.path(index));
                drop(gateway.resolve(&Method::GET, &host, &path, None));
            }
            std::thread::sleep(4 * Duration::from_nanos(self.now() - start));
        }
    }
}
