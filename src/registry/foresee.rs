//! What a change would do, and what one did, without doing anything.

use std::sync::{Arc, PoisonError};

use super::commit::{Committed, Prepared, Proposal, work_out};
use super::history::effect::{Effect, effects};
use super::reads::{Read, reads};
use super::snapshot::Snapshot;
use super::{Change, CommitError, Registry, Rejected};
use crate::backend::Backend;
use crate::model::{Definition, Revision};
use crate::store::Store;

/// What a change would do.
#[derive(Debug)]
pub(crate) struct Foreseen {
    pub(crate) made: Committed,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) effects: Vec<Effect>,
    pub(crate) reads: Arc<[Read]>,
    /// Requests on their way by definitions that it would replace.
    pub(crate) in_flight: usize,
    /// Requests a second, lately, to what it would touch.
    pub(crate) rate: f64,
}

impl Registry {
    /// Evaluates a change on what is true now.
    pub(crate) async fn plan(&self, proposal: &Proposal) -> Result<Foreseen, CommitError> {
        let before = self.0.snapshot.current().as_ref().clone();
        let prepared = self.0.prepare(&before, proposal).await?;
        let (change, store) = (Arc::clone(&proposal.change), Arc::clone(&self.0.store));
        let size = prepared.evaluated.writes.len();
        work_out(size, move || foresee(&before, prepared, &change, store)).await
    }

    /// Everything that stands in a change's way, at most `limit` refusals; none if it can be made.
    pub(crate) async fn refusals(&self, proposal: &Proposal, limit: usize) -> Vec<Rejected> {
        self.0.refusals(proposal, limit).await
    }

    /// What answers for a definition, made for the purpose and known to nobody else; or what is
    /// missing for it.
    pub(crate) fn candidate(&self, definition: &Definition) -> Result<Arc<dyn Backend>, String> {
        self.0.kinds.candidate(definition)
    }

    /// What the change of a revision did.
    pub(crate) fn committed(&self, revision: Revision) -> Option<Committed> {
        let now = Arc::clone(self.0.snapshot.current().state());
        let entry = Arc::clone(now.log().entry(revision)?);
        let after = now.rewound(revision)?;
        let before = after.rewound_by(&entry)?;
        let recent = self.0.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let superseded = recent.iter().find(|(of, _)| *of == revision);
        let superseded = superseded.map(|(_, superseded)| Arc::clone(superseded));
        Some(Committed {
            before: Arc::new(before),
            after: Arc::new(after),
            entry,
            superseded: superseded.unwrap_or_default(),
        })
    }
}

/// What a change that was prepared on `before` would do.
fn foresee(
    before: &Snapshot,
    prepared: Prepared,
    change: &Change,
    store: Arc<dyn Store>,
) -> Foreseen {
    let Prepared { evaluated, snapshot, superseded } = prepared;
    let entry = evaluated.entry;
    let made = Committed {
        before: Arc::clone(before.state()),
        after: Arc::clone(snapshot.state()),
        entry,
        // A plan stands in nobody's way, and nothing stands in its.
        superseded: [].into(),
    };
    // The prepared snapshot shares pages with the current one: then it would count as a request.
    drop(snapshot);
    let owners = |old: &super::Superseded| old.requests.strong_count().saturating_sub(1);
    let in_flight = superseded.iter().map(owners).sum();
    let effects = effects(&made.before, &made.after, &made.entry);
    let rate = before.rate_of(&effects, &made.before);
    let reads = reads(change, &made.before, &made.after, &made.entry);
    Foreseen { made, store, effects, reads, in_flight, rate }
}
