//! One sequence of changes, made in both.

use std::sync::Arc;

use backhaul::store::MemoryStore;
use backhaul::{Change, CommitError, Receipt, Registry};

use super::Tally;
use super::observe::{Made, Seen, seen, wanted};
use super::operations::{Step, add};
use super::past::Past;
use super::requests;
use crate::reference::against::{reason, results};
use crate::reference::edit::{Edit, Refusal, Undo};
use crate::reference::model::Model;
use crate::reference::plan::Plan;
use crate::reference::world::{Key, Thing};

/// Applies the changes to a registry and to the model, and compares after each; in the end also with
/// what other registries make of the same store.
pub(super) async fn follow(steps: &[Step], seed: u64, tally: &mut Tally) {
    let store = MemoryStore::new();
    let follower = open(&store).await;
    let mut run = Run::begin(open(&store).await, seed, tally);
    for step in steps {
        let edits: Vec<_> = step.edits.iter().map(|edit| run.model.resolve(edit)).collect();
        match step.planned {
            None => run.change(&edits).await,
            Some(after) => run.plan(&edits, after).await,
        }
        run.apply_due().await;
    }
    run.past.agrees(&run.registry, &run.model);
    let restarted = open(&store).await;
    while follower.revision() < run.registry.revision() {
        tokio::task::yield_now().await;
    }
    for other in [restarted, follower] {
        assert_eq!(&seen(&other), &run.before, "of the same store");
        requests::compare(&other, &run.model, seed);
        run.past.agrees_somewhere(&other, &run.model, seed);
    }
}

async fn open(store: &MemoryStore) -> Registry {
    Registry::builder().store(Arc::new(store.clone())).await.unwrap()
}

struct Run<'a> {
    registry: Registry,
    model: Model,
    past: Past,
    /// What the registry showed last.
    before: (Seen, Made),
    /// Plans, and after how many steps they are applied.
    planned: Vec<(usize, Plan, backhaul::Plan)>,
    step: u64,
    tally: &'a mut Tally,
}

impl<'a> Run<'a> {
    fn begin(registry: Registry, step: u64, tally: &'a mut Tally) -> Self {
        let before = seen(&registry);
        let (model, past, planned) = (Model::default(), Past::default(), Vec::new());
        Self { registry, model, past, before, planned, step, tally }
    }

    async fn change(&mut self, edits: &[Edit]) {
        self.tally.operations += edits.len();
        let change = edits.iter().fold(Change::new(), add);
        let made = self.registry.publisher("model").apply(change).await;
        let said = self.model.says();
        let wanted = self.model.apply(edits).map_err(|(_, refusal)| refusal);
        self.answered(&made, &wanted, edits);
        self.agree(made.ok(), edits);
        if let ([Edit::Undo(_)], Ok(())) = (edits, wanted)
            && self.step.is_multiple_of(2)
        {
            self.take_back(said).await;
        }
    }

    /// Taking an undo back leads to where it began.
    async fn take_back(&mut self, said: Vec<(Key, Thing)>) {
        let undo = Undo { revision: self.model.revision(), values: false, partly: false };
        let edits = [Edit::Undo(undo)];
        let change = edits.iter().fold(Change::new(), add);
        let made = self.registry.publisher("model").apply(change).await;
        self.model.apply(&edits).unwrap();
        assert_eq!(self.model.says(), said, "after undoing {undo:?}");
        self.agree(Some(made.unwrap()), &edits);
        self.tally.operations += 1;
        self.tally.redone += 1;
    }

    async fn plan(&mut self, edits: &[Edit], after: usize) {
        let change = edits.iter().fold(Change::new(), add);
        let made = self.registry.publisher("model").plan(change).await;
        let wanted = self.model.plan(edits);
        let (plan, refused) = match wanted {
            Ok(plan) => (Some(plan), Ok(())),
            Err((_, refusal)) => (None, Err(refusal)),
        };
        self.answered(&made, &refused, edits);
        assert_eq!(seen(&self.registry), self.before, "a plan left traces");
        self.planned.extend(plan.zip(made.ok()).map(|(plan, made)| (after, plan, made)));
    }

    async fn apply_due(&mut self) {
        let due = self.planned.iter().position(|(after, ..)| *after == 0);
        for (after, ..) in &mut self.planned {
            *after = after.saturating_sub(1);
        }
        let Some(due) = due else { return };
        let (_, plan, planned) = self.planned.remove(due);
        self.tally.operations += 1;
        self.tally.plans += 1;
        let fresh = self.model.apply_plan(&plan);
        let made = self.registry.publisher("model").apply(&planned).await;
        match &made {
            Ok(receipt) => {
                assert!(fresh, "the model says it is stale: {plan:?}");
                let (done, foreseen) = (results(receipt.outcomes()), results(planned.outcomes()));
                assert_eq!(done, foreseen, "of {plan:?}");
            }
            Err(CommitError::Stale { moved, .. }) => {
                assert!(!fresh, "{moved:?} did not move: {plan:?}");
                self.tally.stale += 1;
            }
            Err(other) => panic!("{other} {plan:?}"),
        }
        self.agree(made.ok(), &[]);
    }

    fn answered<T>(
        &mut self,
        made: &Result<T, CommitError>,
        wanted: &Result<(), Refusal>,
        edits: &[Edit],
    ) {
        let made = match made {
            Ok(_) => Ok(()),
            Err(CommitError::Rejected(rejected)) => {
                Err(reason(&rejected.reason).unwrap_or_else(|| panic!("{rejected}")))
            }
            Err(other) => panic!("{other}"),
        };
        // Of several things that do not fit after an undo, either may be told.
        let undoes = edits.iter().any(|edit| matches!(edit, Edit::Undo(_)));
        let unfit = |answer: &Result<(), Refusal>| {
            undoes && matches!(answer, Err(Refusal::InUse | Refusal::Missing))
        };
        assert!(
            made == *wanted || (unfit(&made) && unfit(wanted)),
            "{made:?} {wanted:?} {edits:?}"
        );
        let answer = match wanted {
            Ok(()) => "Ok".to_owned(),
            Err(refusal) => format!("{refusal:?}").split('(').next().unwrap().to_owned(),
        };
        *self.tally.answers.entry(answer).or_default() += 1;
    }

    /// Both show the same, and what is refused leaves everything as it was.
    fn agree(&mut self, receipt: Option<Receipt>, edits: &[Edit]) {
        let now = seen(&self.registry);
        self.step += 1;
        let Some(receipt) = receipt else {
            assert_eq!(now, self.before, "a refused change left traces: {edits:?}");
            return;
        };
        assert_eq!(now.0, wanted(&self.model), "after {edits:?}");
        requests::compare(&self.registry, &self.model, self.step);
        self.past.keep(&receipt);
        self.past.agrees_somewhere(&self.registry, &self.model, self.step);
        self.before = now;
    }
}
