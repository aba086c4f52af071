//! What a change did, and whether the old side is idle.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::delta::Delta;
use super::left_out::LeftOut;
use super::outcome::{Counts, Outcome, Outcomes};
use crate::model::{Revision, Stamp};
use crate::registry::history::effect::effects;
use crate::registry::target::Superseded;
use crate::registry::{Committed, Registry};

/// What a change did.
///
/// It holds plain values and owns nothing that requests need: keeping one keeps nothing from being
/// drained.
#[derive(Clone)]
pub struct Receipt {
    outcomes: Outcomes,
    superseded: Arc<[Superseded]>,
    counts: Counts,
}

/// A deadline passed and requests of an old definition are still on their way.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{requests} requests still use what revision {revision} replaced: {places}")]
#[non_exhaustive]
pub struct StillBusy {
    /// The revision that replaced it.
    pub revision: Revision,
    /// How many requests are left. 0: only connections are.
    pub requests: usize,
    /// Which definitions they use.
    pub places: String,
}

impl Registry {
    /// What the change of a revision did: the receipt it was answered with, also after a restart, as
    /// far as the history reaches back. `None`: it does not, or there is no such revision yet.
    ///
    /// Costs what was changed since. What an earlier process replaced counts as drained.
    #[must_use]
    pub fn receipt(&self, revision: Revision) -> Option<Receipt> {
        self.committed(revision).map(Receipt::new)
    }
}

impl Receipt {
    pub(super) fn new(committed: Committed) -> Self {
        let Committed { before, after, entry, superseded } = committed;
        let effects = effects(&before, &after, &entry);
        let outcomes = Outcomes::new(before, after, entry, effects);
        let counts = outcomes.counts();
        Self { outcomes, superseded, counts }
    }

    /// The revision the change became.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.stamp().revision
    }

    /// Who made it, when and why.
    #[must_use]
    pub fn stamp(&self) -> &Stamp {
        &self.outcomes.entry.stamp
    }

    /// Why the limits on its reach were overridden, if they were.
    #[must_use]
    pub fn forced(&self) -> Option<&str> {
        self.outcomes.entry.forced.as_deref()
    }

    /// The revisions it took back.
    #[must_use]
    pub fn undoes(&self) -> &[Revision] {
        &self.outcomes.entry.undoes
    }

    /// How many APIs it did what to. O(1).
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// What it did to each API in each environment, made as it is asked for.
    pub fn outcomes(&self) -> impl Iterator<Item = Outcome> + '_ {
        self.outcomes.iter()
    }

    /// What became of everything it writes, field by field, made as it is asked for. Secrets are not
    /// shown.
    pub fn deltas(&self) -> impl Iterator<Item = Delta> + '_ {
        self.outcomes.deltas()
    }

    /// What an undo could not bring back, and why. Empty for any other change. Costs what happened
    /// since the changes it took back.
    #[must_use]
    pub fn left_out(&self) -> Vec<LeftOut> {
        self.outcomes.left_out()
    }

    /// How many requests still use a definition that this change replaced.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.superseded.iter().map(|old| old.requests.strong_count()).sum()
    }

    /// Waits until the last request and connection of every definition this change replaced is gone:
    /// the old endpoints may then be switched off. At once if it replaced none.
    ///
    /// A connection that the next definition took over, because nothing changed for it, is not
    /// waited for.
    ///
    /// # Errors
    ///
    /// [`StillBusy`] when `deadline` passes first. It can be waited for again.
    pub async fn drained(&self, deadline: Duration) -> Result<(), StillBusy> {
        let all = async {
            for old in self.superseded.iter() {
                old.drained.clone().await;
                if let Some(closed) = &old.closed {
                    closed.clone().await;
                }
            }
        };
        tokio::time::timeout(deadline, all).await.map_err(|_| self.busy())
    }

    /// Closes the tunnels (WebSocket) that still use a definition this change replaced, `within` that
    /// time from now; those that end by themselves before are not cut. Without it they go on until
    /// either side closes them or nothing moves in them for long. Said several times, the earliest
    /// moment counts.
    pub fn close_tunnels(&self, within: Duration) {
        let due = tokio::time::Instant::now() + within;
        for old in self.superseded.iter() {
            old.tunnels.by(due);
        }
    }

    fn busy(&self) -> StillBusy {
        let left = self.superseded.iter().filter(|old| old.is_busy());
        let places: Vec<_> = left
            .take(10)
            .map(|old| match &old.place.service {
                Some(service) => format!("{service} in {}", old.place.environment),
                None => format!("an inline definition in {}", old.place.environment),
            })
            .collect();
        let (revision, requests) = (self.revision(), self.in_flight());
        StillBusy { revision, requests, places: places.join(", ") }
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receipt")
            .field("stamp", self.stamp())
            .field("counts", &self.counts)
            .field("in_flight", &self.in_flight())
            .finish_non_exhaustive()
    }
}
