//! What a million APIs weigh.
//!
//! Figures: `memory.per_api`, `memory.per_publication`.

#![allow(clippy::expect_used, reason = "a benchmark that cannot run must say so and stop")]

use backhaul::store::MemoryStore;
use backhaul::{Environment, Registry};

#[path = "support/population.rs"]
mod population;
mod support;

use population::Population;
use support::{Limit, figure, runtime, settled};

const POPULATION: Population = Population { apis: 1_000_000, groups: 1_000 };

fn main() {
    runtime(1).block_on(run());
}

async fn run() {
    // What the runtime and the first registry need once is not counted.
    let warm = Population { apis: 1_000, groups: 10 };
    let first = warm.drafts(&MemoryStore::new(), |index| warm.pattern(index)).await;
    warm.publish(&first, &Environment::PRODUCTION).await;

    let before = settled().await;
    let store = MemoryStore::new();
    let registry = POPULATION.drafts(&store, |index| format!("/items/i{index}/parts")).await;
    POPULATION.publish(&registry, &Environment::PRODUCTION).await;
    let one = settled().await;
    POPULATION.publish(&registry, &Environment::TEST).await;
    let two = settled().await;
    let per = |more: u64, less: u64| more.saturating_sub(less) as f64 / POPULATION.apis as f64;
    let method = "growth of resident memory / 1,000,000: store, draft, one publication and route; \
        three-segment path, system allocator";
    figure("memory.per_api", per(one, before), "bytes", Limit::AtMost(1_024.0), method);
    let method = "growth of resident memory / 1,000,000 by publishing all in another environment";
    figure("memory.per_publication", per(two, one), "bytes", Limit::AtMost(256.0), method);
    keep(&registry);
}

fn keep(registry: &Registry) {
    assert!(registry.revision().as_u64() > 40, "the registry is there until the end");
}
