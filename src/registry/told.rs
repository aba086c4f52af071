//! What is told of changes: to requests, whether their definition was replaced, and to who observes.

use std::sync::Arc;

use tokio::time::Instant;

use super::Inner;
use super::commit::CommitError;
use super::snapshot::Snapshot;
use super::target::Superseded;
use crate::model::Revision;
use crate::observe::limits::MAX_DRAINS;
use crate::observe::{ChangeRefused, DrainBegun, DrainEnded, Observers, Reason, RevisionApplied};

impl Inner {
    /// A change is visible.
    pub(super) fn tell_applied(&self, revision: Revision, superseded: &[Superseded], own: bool) {
        superseded.iter().for_each(Superseded::come_true);
        if self.observers.is_empty() {
            return;
        }
        let applied = RevisionApplied { revision, superseded: superseded.len(), own };
        self.observers.tell(|one| one.revision_applied(&applied));
        for superseded in superseded.iter().take(MAX_DRAINS) {
            tokio::spawn(drain(self.observers.clone(), superseded.clone(), revision));
        }
    }

    /// Everything was loaded again; `old` served until now.
    pub(super) fn tell_reloaded(&self, revision: Revision, old: &Arc<Snapshot>) {
        let superseded = old.replaced_by(&self.snapshot.current());
        self.tell_applied(revision, &superseded, false);
    }

    /// A change was not made.
    pub(super) fn tell_refused(&self, error: &CommitError) {
        if self.observers.is_empty() {
            return;
        }
        let (reason, message) = (reason(error), error.to_string());
        let refused = ChangeRefused { reason, message: &message };
        self.observers.tell(|one| one.change_refused(&refused));
    }
}

fn reason(error: &CommitError) -> Reason {
    match error {
        CommitError::Rejected(_) | CommitError::TooLong(_) => Reason::Rejected,
        CommitError::Stale { .. } => Reason::Stale,
        CommitError::TooFar(_) => Reason::TooFar,
        CommitError::Store(_) | CommitError::Ambiguous(_) => Reason::Store,
        CommitError::Contended => Reason::Contended,
        CommitError::Unfinished(_) => Reason::Unfinished,
    }
}

/// Tells of a definition until nothing is left of it.
async fn drain(observers: Observers, superseded: Superseded, by: Revision) {
    let Superseded { place, drained, closed, .. } = superseded;
    let began = Instant::now();
    observers.tell(|one| one.drain_begun(&DrainBegun { place: &place, by }));
    drained.await;
    if let Some(closed) = closed {
        closed.await;
    }
    let took = began.elapsed();
    observers.tell(|one| one.drain_ended(&DrainEnded { place: &place, by, took }));
}
