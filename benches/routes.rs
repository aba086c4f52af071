//! What a look-up costs among a million published APIs.
//!
//! Figures: `route.hot`, `route.cold_ratio`.

#![allow(clippy::expect_used, reason = "a benchmark that cannot run must say so and stop")]
#![allow(clippy::indexing_slicing, reason = "indexes are drawn from the length")]

use std::collections::HashMap;
use std::hint::black_box;
use std::time::Instant;

use backhaul::store::MemoryStore;
use backhaul::{Environment, Gateway};
use http::Method;

#[path = "support/population.rs"]
mod population;
mod support;

use population::Population;
use support::{Limit, figure, median, runtime};

const POPULATION: Population = Population { apis: 1_000_000, groups: 1_000 };
const HOT: usize = 1_000;
const ROUNDS: usize = 15;

fn main() {
    let registry = runtime(1).block_on(async {
        let store = MemoryStore::new();
        let registry = POPULATION.drafts(&store, |index| POPULATION.pattern(index)).await;
        POPULATION.publish(&registry, &Environment::PRODUCTION).await;
        registry
    });
    let gateway = Gateway::new(&registry);
    hot(&gateway);
    cold(&gateway);
}

fn question(index: usize) -> (String, String) {
    (POPULATION.host(index), POPULATION.path(index))
}

/// Nanoseconds a call, of calls that take turns.
fn time<T>(all: &[T], call: impl Fn(&T)) -> f64 {
    #[expect(clippy::disallowed_methods, reason = "wall time is what is measured")]
    let start = Instant::now();
    all.iter().for_each(call);
    start.elapsed().as_nanos() as f64 / all.len() as f64
}

fn look_up(gateway: &Gateway, (host, path): &(String, String)) {
    let found = gateway.resolve(&Method::GET, host, path, None).expect("it is published");
    black_box(found.generation());
}

/// A thousand routes, random ones in random order, again and again.
fn hot(gateway: &Gateway) {
    let mut random = fastrand::Rng::with_seed(1);
    let questions: Vec<_> = (0..HOT).map(|_| question(random.usize(..POPULATION.apis))).collect();
    let order: Vec<_> = (0..200_000).map(|_| random.usize(..HOT)).collect();
    let mut rounds: Vec<_> =
        (0..ROUNDS).map(|_| time(&order, |index| look_up(gateway, &questions[*index]))).collect();
    let method = "median of 15 rounds of 200,000: the whole of Gateway::resolve, 1,000 routes of \
        1,000,000 in random order";
    figure("route.hot", median(&mut rounds), "ns", Limit::AtMost(500.0), method);
}

/// Every route once in random order, beside a map from full path to a number, asked the same.
fn cold(gateway: &Gateway) {
    let mut random = fastrand::Rng::with_seed(2);
    let mut order: Vec<_> = (0..POPULATION.apis).collect();
    random.shuffle(&mut order);
    let questions: Vec<_> = order.iter().map(|index| question(*index)).collect();
    let full: Vec<_> = questions.iter().map(|(host, path)| format!("{host}{path}")).collect();
    let map: HashMap<String, usize> =
        (0..POPULATION.apis).map(|i| (POPULATION.host(i) + &POPULATION.path(i), i)).collect();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        ours.push(time(&questions, |question| look_up(gateway, question)));
        theirs.push(time(&full, |path| {
            black_box(map.get(path).expect("it is there"));
        }));
    }
    let (ours, theirs) = (median(&mut ours), median(&mut theirs));
    figure("route.cold", ours, "ns", Limit::Open, "Gateway::resolve, every route once, shuffled");
    figure("route.cold_map", theirs, "ns", Limit::Open, "std HashMap by full path, the same order");
    let method = "route.cold / route.cold_map, medians of 5 interleaved rounds of 1,000,000";
    figure("route.cold_ratio", ours / theirs, "ratio", Limit::AtMost(5.0), method);
}
