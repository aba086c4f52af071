//! A history that is cut short: what is older is refused, and with it goes only what nothing could
//! have brought back.

use backhaul::registry::History;
use backhaul::{Change, CommitError, Registry};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm};

use super::observe::{api_names, full, reachable};
use super::operations::{self, ENVIRONMENTS, Step, add};
use super::requests;
use crate::reference::against::reason;
use crate::reference::edit::{Edit, Refusal, Undo};
use crate::reference::model::Model;

const SEQUENCES: u32 = 400;
const LONGEST: usize = 60;
/// Changes after which everything that nothing can bring back is surely gone: one epoch goes at a time.
const SETTLED: usize = 40;

#[derive(Debug, Default)]
struct Seen {
    /// Dormant publications that went.
    reclaimed: usize,
    /// Undos that came too late.
    late: usize,
}

#[test]
fn what_the_history_forgets_nobody_could_reach() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let seen = std::cell::RefCell::new(Seen::default());
    let config = Config {
        cases: SEQUENCES,
        failure_persistence: None,
        rng_algorithm: RngAlgorithm::XorShift,
        ..Config::default()
    };
    let sequences = (vec(any::<operations::Drawn>(), 1..=LONGEST), 1..6_usize);
    super::runner(config)
        .run(&sequences, |(drawn, kept)| {
            let steps = operations::steps(&drawn);
            runtime.block_on(follow(&steps, kept, &mut seen.borrow_mut()));
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
    let seen = seen.into_inner();
    assert!(seen.reclaimed > 100 && seen.late > 100, "{seen:?}");
}

async fn follow(steps: &[Step], kept: usize, seen: &mut Seen) {
    let history = History::default().revisions(kept);
    let registry = Registry::builder().history(history).in_memory().await.unwrap();
    let mut model = Model::keeping(kept);
    for (step, edits) in (0..).zip(steps.iter().map(|step| &step.edits)) {
        let edits: Vec<_> = edits.iter().map(|edit| model.resolve(edit)).collect();
        change(&registry, &mut model, &edits, seen).await;
        requests::compare(&registry, &model, step);
        too_late(&registry, &model, seen).await;
    }
    for _ in 0..SETTLED {
        change(&registry, &mut model, &[], seen).await;
    }
    assert_eq!(model.unrevivable(), [], "still there");
}

async fn change(registry: &Registry, model: &mut Model, edits: &[Edit], seen: &mut Seen) {
    let change = edits.iter().fold(Change::new(), add);
    let made = match registry.publisher("model").apply(change).await {
        Ok(_) => Ok(()),
        Err(CommitError::Rejected(rejected)) => Err(reason(&rejected.reason).expect("known")),
        Err(other) => panic!("{other}"),
    };
    assert_eq!(made, model.apply(edits).map_err(|(_, refusal)| refusal), "{edits:?}");
    seen.reclaimed += reclaimed(registry, model);
    assert_eq!(reachable(registry), model.reachable(), "after {edits:?}");
}

/// Lets the model forget what the registry gave up, which nothing could have brought back.
fn reclaimed(registry: &Registry, model: &mut Model) -> usize {
    let lost = model.unrevivable();
    let mut count = 0;
    for name in api_names() {
        for at in &ENVIRONMENTS {
            let there = registry.publication(&full(&name), at).unwrap().is_some();
            let key = (name.clone(), at.to_string());
            if !there && model.publications().contains_key(&key) {
                assert!(lost.contains(&key), "{key:?} could have come back");
                model.forget(&key.0, &key.1);
                count += 1;
            }
        }
    }
    count
}

async fn too_late(registry: &Registry, model: &Model, seen: &mut Seen) {
    let Some(revision) = (1..=model.revision()).rev().find(|revision| !model.remembers(*revision))
    else {
        return;
    };
    let undo = Edit::Undo(Undo { revision, values: false, partly: true });
    let refused = registry.publisher("model").apply(add(Change::new(), &undo)).await.unwrap_err();
    let CommitError::Rejected(rejected) = refused else { panic!("{refused}") };
    assert_eq!(reason(&rejected.reason), Some(Refusal::NotInHistory));
    assert!(registry.receipt(backhaul::Revision::new(revision)).is_none());
    seen.late += 1;
}
