//! Whether a million cut-overs leave anything behind.
//!
//! Figures: `churn.rss_growth`, `churn.rate`.

#![allow(clippy::expect_used, reason = "a benchmark that cannot run must say so and stop")]

use backhaul::registry::History;
use backhaul::{Change, Environment, Registry};

#[path = "support/population.rs"]
mod population;
mod support;

use population::{Population, SERVICE, apply, to};
use support::{Limit, figure, in_a_task, settled};

const LIVE: Environment = Environment::PRODUCTION;
const POPULATION: Population = Population { apis: 10_000, groups: 100 };
const CUT_OVERS: usize = 1_000_000;
/// Cut-overs before memory is looked at first: the history is full then, many times over.
const WARM: usize = 50_000;

fn main() {
    in_a_task(run());
}

async fn run() {
    let builder = Registry::builder().history(History::default().revisions(1_000));
    let registry = POPULATION.filled(builder).await;
    churn(&registry, WARM).await;
    let before = settled().await;
    #[expect(clippy::disallowed_methods, reason = "wall time is what is measured")]
    let start = std::time::Instant::now();
    churn(&registry, CUT_OVERS).await;
    let seconds = start.elapsed().as_secs_f64();
    let after = settled().await;
    let growth = (after as f64 / before as f64 - 1.0) * 100.0;
    let method = "growth of resident memory over 1,000,000 cut-overs after 50,000, a history of 1,000 \
        revisions, memory store, 10,000 APIs; every tenth deletes the definition and undoes that";
    figure("churn.rss_growth", growth, "%", Limit::AtMost(5.0), method);
    let rate = CUT_OVERS as f64 / seconds;
    figure("churn.rate", rate, "/s", Limit::Open, "cut-overs a second of the same");
    assert_eq!(registry.history().count(), 1_000, "the history is bounded");
}

async fn churn(registry: &Registry, times: usize) {
    for port in 0..times {
        if port % 10 == 9 {
            let gone = apply(registry, Change::new().delete_definition(SERVICE, LIVE)).await;
            apply(registry, Change::new().undo(gone.revision())).await;
        } else {
            apply(registry, Change::new().define(SERVICE, LIVE, to(port % 60_000 + 2))).await;
        }
    }
}
