//! The registry against the reference model: after every change both must have answered the same, and
//! hold the same.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use backhaul::registry::Reason;
use backhaul::store::MemoryStore;
use backhaul::{Change, CommitError, Registry};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRunner};

use super::reference::edit::{Edit, Refusal};
use super::reference::model::Model;

mod observe;
mod operations;
mod requests;

/// Edits that are made in one run; after every change, of 1.7 edits on average, all is compared.
const OPERATIONS: usize = 100_000;
/// Edits in the longest sequence: the names are so few that more would say nothing new.
const LONGEST: usize = 80;
/// How many sequences, of 40 edits on average, surely come to [`OPERATIONS`].
const SEQUENCES: u32 = 2_700;
/// Answers the model can give: accepted, and every refusal.
const ANSWERS: usize = 12;

#[test]
fn the_registry_does_what_the_model_does() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answers = Mutex::new(BTreeMap::new());
    let made = Cell::new(0);
    let config = Config {
        cases: SEQUENCES,
        failure_persistence: None,
        rng_algorithm: RngAlgorithm::XorShift,
        ..Config::default()
    };
    let sequences = vec(any::<operations::Drawn>(), 1..=LONGEST);
    TestRunner::new(config)
        .run(&(sequences, any::<u32>()), |(drawn, seed)| {
            let changes = operations::changes(&drawn);
            made.set(made.get() + drawn.len());
            runtime.block_on(follow(&changes, seed.into(), &answers))
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
    let answers = answers.into_inner().unwrap();
    assert!(made.get() >= OPERATIONS, "{}", made.get());
    assert_eq!(answers.len(), ANSWERS, "an answer that never came: {answers:?}");
    let all = answers.values().sum::<usize>();
    // About half are; what is refused early meets no rule.
    assert!(answers["Ok(())"] > all / 3, "too much is refused: {answers:?}");
    assert!(answers["Err(RouteTaken)"] > all / 100, "too few meet: {answers:?}");
}

/// Applies the changes to a registry and to the model, and compares after each; in the end also with
/// what other registries make of the same store.
async fn follow(
    changes: &[Vec<Edit>],
    seed: u64,
    answers: &Mutex<BTreeMap<String, usize>>,
) -> Result<(), TestCaseError> {
    let store = MemoryStore::new();
    let registry = open(&store).await;
    let follower = open(&store).await;
    let mut model = Model::default();
    let mut before = observe::seen(&registry);
    for (step, edits) in (seed..).zip(changes) {
        let change = edits.iter().fold(Change::new(), operations::add);
        let made = registry.publisher("model").apply(change).await;
        let wanted = model.apply(edits).map_err(|(_, refusal)| refusal);
        prop_assert_eq!(&answer(made.map(drop)), &wanted, "{:?}", edits);
        let now = observe::seen(&registry);
        match &wanted {
            Ok(()) => {
                prop_assert_eq!(&now.0, &observe::wanted(&model), "after {:?}", edits);
                requests::compare(&registry, &model, step)?;
            }
            Err(_) => prop_assert_eq!(&now, &before, "a refused change left traces"),
        }
        before = now;
        *answers.lock().unwrap().entry(format!("{wanted:?}")).or_default() += 1;
    }
    let restarted = open(&store).await;
    while follower.revision() < registry.revision() {
        tokio::task::yield_now().await;
    }
    for other in [restarted, follower] {
        prop_assert_eq!(&observe::seen(&other), &before, "of the same store");
        requests::compare(&other, &model, seed)?;
    }
    Ok(())
}

async fn open(store: &MemoryStore) -> Registry {
    Registry::builder().store(Arc::new(store.clone())).await.unwrap()
}

/// What the registry answered, in the model's words.
fn answer(made: Result<(), CommitError>) -> Result<(), Refusal> {
    let rejected = match made {
        Ok(()) => return Ok(()),
        Err(CommitError::Rejected(rejected)) => rejected,
        Err(other) => panic!("{other}"),
    };
    Err(match rejected.reason {
        Reason::UnknownService(_) => Refusal::UnknownService,
        Reason::UnknownGroup(_) => Refusal::UnknownGroup,
        Reason::UnknownApi(_) => Refusal::UnknownApi,
        Reason::NameTaken(_) => Refusal::NameTaken,
        Reason::KindImmutable { .. } => Refusal::KindImmutable,
        Reason::KindMismatch { .. } => Refusal::KindMismatch,
        Reason::NoDefinition { .. } => Refusal::NoDefinition,
        Reason::NotPublished { .. } => Refusal::NotPublished,
        Reason::InUse { .. } => Refusal::InUse,
        Reason::RouteTaken { .. } => Refusal::RouteTaken,
        Reason::HostTaken { .. } => Refusal::HostTaken,
        other => panic!("the model knows nothing of {other}"),
    })
}
