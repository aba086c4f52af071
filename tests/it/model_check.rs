//! The registry against the reference model: after every change both must have answered the same, and
//! hold the same, now and of the past.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

mod horizon;
mod observe;
mod operations;
mod past;
mod requests;
mod run;

/// Edits, and plans that are applied, in one run; after every change, of 1.7 edits on average, all is
/// compared.
const OPERATIONS: usize = 200_000;
/// Edits in the longest sequence: the names are so few that more would say nothing new.
const LONGEST: usize = 80;
/// How many sequences, of 48 operations on average, surely come to [`OPERATIONS`].
const SEQUENCES: u32 = 4_400;
/// Answers the model can give: accepted, and every refusal.
const ANSWERS: usize = 17;

/// How often what happened.
#[derive(Debug, Default)]
struct Tally {
    operations: usize,
    answers: BTreeMap<String, usize>,
    /// Undos that were undone.
    redone: usize,
    /// Plans that were made, and that had become stale.
    plans: usize,
    stale: usize,
}

/// The same sequences in every run, so that a change fails for its own sake; others with
/// `BACKHAUL_LONG`, and by the fuzz target `changes`.
fn runner(config: Config) -> TestRunner {
    if std::env::var_os("BACKHAUL_LONG").is_some() {
        return TestRunner::new(config);
    }
    let random = TestRng::from_seed(RngAlgorithm::XorShift, b"backhaul's model");
    TestRunner::new_with_rng(config, random)
}

#[test]
fn the_registry_does_what_the_model_does() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let tally = RefCell::new(Tally::default());
    for steps in operations::rare() {
        runtime.block_on(run::follow(&steps, 0, &mut tally.borrow_mut()));
    }
    let config = Config {
        cases: SEQUENCES,
        failure_persistence: None,
        rng_algorithm: RngAlgorithm::XorShift,
        ..Config::default()
    };
    let sequences = vec(any::<operations::Drawn>(), 1..=LONGEST);
    runner(config)
        .run(&(sequences, any::<u32>()), |(drawn, seed)| {
            let steps = operations::steps(&drawn);
            runtime.block_on(run::follow(&steps, seed.into(), &mut tally.borrow_mut()));
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
    let tally = tally.into_inner();
    let written = format!("{} operations against the model: {tally:?}\n", tally.operations);
    std::io::Write::write_all(&mut std::io::stderr(), written.as_bytes()).unwrap();
    assert!(tally.operations >= OPERATIONS, "{tally:?}");
    assert_eq!(tally.answers.len(), ANSWERS, "an answer that never came: {tally:?}");
    let all = tally.answers.values().sum::<usize>();
    // About half are; what is refused early meets no rule.
    assert!(tally.answers["Ok"] > all / 3, "too much is refused: {tally:?}");
    assert!(tally.answers["RouteTaken"] > all / 100, "too few meet: {tally:?}");
    assert!(tally.redone > all / 100, "too little is taken back: {tally:?}");
    let (plans, stale) = (tally.plans, tally.stale);
    assert!(stale > plans / 20 && stale < plans, "plans are all stale or all fresh: {tally:?}");
}
