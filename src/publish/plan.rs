//! What a change would do.

use std::fmt;
use std::sync::Arc;

use super::delta::Delta;
use super::impact::Impact;
use super::left_out::LeftOut;
use super::outcome::{Outcome, Outcomes};
use super::warning::{Warning, warnings};
use crate::model::Revision;
use crate::registry::{Change, Foreseen, Planned, Registry};

/// What a change would do, and the change.
///
/// It holds plain values of the moment it was made: keeping one keeps nothing from being drained.
/// [`Publisher::apply`](super::Publisher::apply) makes the change it was made of, unless something it
/// depends on has moved in the meantime: what it names, what it writes, and what is published through
/// the definitions it replaces.
#[derive(Clone)]
pub struct Plan {
    pub(super) registry: Registry,
    change: Arc<Change>,
    planned: Planned,
    pub(super) outcomes: Outcomes,
    impact: Impact,
    warnings: Arc<[Warning]>,
}

impl Plan {
    pub(super) fn new(registry: Registry, change: Arc<Change>, foreseen: Foreseen) -> Self {
        let Foreseen { made, store, effects, reads, in_flight, rate } = foreseen;
        let planned = Planned { store, base: Arc::clone(&made.before), reads };
        let outcomes = Outcomes::new(made.before, made.after, made.entry, effects);
        let impact = Impact::new(&outcomes, in_flight, rate);
        let warnings = warnings(&outcomes).into();
        Self { registry, change, planned, outcomes, impact, warnings }
    }

    /// The revision it was made at.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.planned.base.revision()
    }

    /// How much the change would touch.
    #[must_use]
    pub fn impact(&self) -> &Impact {
        &self.impact
    }

    /// What it would do to each API in each environment, made as it is asked for.
    pub fn outcomes(&self) -> impl Iterator<Item = Outcome> + '_ {
        self.outcomes.iter()
    }

    /// What looks like a mistake, and is not refused.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// What would become of everything it writes, field by field, made as it is asked for. Secrets are not
    /// shown.
    pub fn deltas(&self) -> impl Iterator<Item = Delta> + '_ {
        self.outcomes.deltas()
    }

    /// What an undo could not bring back, and why. Empty for any other change.
    #[must_use]
    pub fn left_out(&self) -> Vec<LeftOut> {
        self.outcomes.left_out()
    }

    pub(super) fn proposed(&self) -> (Arc<Change>, Planned) {
        (Arc::clone(&self.change), self.planned.clone())
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("revision", &self.revision())
            .field("impact", &self.impact)
            .field("warnings", &self.warnings)
            .finish_non_exhaustive()
    }
}
