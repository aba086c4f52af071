//! What benchmarks share: a runtime, a line per figure, percentiles, resident memory.
//!
//! Include it with `mod support;`.

#![allow(dead_code, reason = "each benchmark uses a part of it")]
#![allow(clippy::print_stdout, reason = "a benchmark's output is its result")]
#![allow(clippy::expect_used, reason = "a benchmark that cannot run must say so and stop")]

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::runtime::{Builder, Runtime};

/// What a figure must keep to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    AtMost(f64),
    AtLeast(f64),
    /// Nothing: it explains another figure.
    Open,
}

/// Prints a figure and appends it to `target/figures.jsonl`. The name and the unit are those the
/// limits are written down with.
pub(crate) fn figure(name: &str, value: f64, unit: &str, limit: Limit, method: &str) {
    let mut line = Map::new();
    line.insert("figure".to_owned(), name.into());
    line.insert("value".to_owned(), value.into());
    line.insert("unit".to_owned(), unit.into());
    let kept = match limit {
        Limit::AtMost(most) => {
            line.insert("at_most".to_owned(), most.into());
            format!("at most {most}: {}", if value <= most { "met" } else { "MISSED" })
        }
        Limit::AtLeast(least) => {
            line.insert("at_least".to_owned(), least.into());
            format!("at least {least}: {}", if value >= least { "met" } else { "MISSED" })
        }
        Limit::Open => String::new(),
    };
    line.insert("method".to_owned(), method.into());

    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/target");
    fs::create_dir_all(folder).expect("target/ can be made");
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(format!("{folder}/figures.jsonl"))
        .expect("target/figures.jsonl can be written");
    writeln!(file, "{}", Value::Object(line)).expect("target/figures.jsonl can be written");
    println!("{name:<26} {value:>14.3} {unit:<6} {kept}");
}

/// The value that `share` (0 to 1) of the samples do not exceed. Sorts them.
pub(crate) fn percentile(samples: &mut [f64], share: f64) -> f64 {
    samples.sort_unstable_by(f64::total_cmp);
    let mut above = samples.iter().enumerate();
    let count = samples.len() as f64;
    let reached = above.find(|(place, _)| (place + 1) as f64 >= share * count);
    *reached.expect("a percentile needs samples").1
}

/// The value in the middle. Sorts the samples.
pub(crate) fn median(samples: &mut [f64]) -> f64 {
    percentile(samples, 0.5)
}

/// A runtime with so many threads for tasks.
pub(crate) fn runtime(workers: usize) -> Runtime {
    let runtime = Builder::new_multi_thread().worker_threads(workers).enable_all().build();
    runtime.expect("a runtime can be made")
}

/// Runs a benchmark in a task, as a service would: `block_on` would measure the way between two threads.
pub(crate) fn in_a_task(benchmark: impl Future<Output = ()> + Send + 'static) {
    runtime(1).block_on(async { tokio::spawn(benchmark).await.expect("the benchmark ends well") });
}

/// Bytes of this process that are in memory, once old snapshots are dropped.
pub(crate) async fn settled() -> u64 {
    tokio::time::sleep(Duration::from_secs(2)).await;
    resident_bytes()
}

/// Bytes of this process that are in memory. From `smaps_rollup`, since what `statm` says lags behind
/// by some pages for each thread.
fn resident_bytes() -> u64 {
    let rollup =
        fs::read_to_string("/proc/self/smaps_rollup").expect("Linux tells resident memory");
    let kib = rollup.lines().find_map(|line| line.strip_prefix("Rss:")).map(str::trim);
    let number: Option<u64> =
        kib.and_then(|kib| kib.strip_suffix(" kB")).and_then(|kib| kib.parse().ok());
    1024 * number.expect("the resident memory is given in kB")
}
