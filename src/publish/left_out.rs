//! What an undo could not bring back, and why.

use std::collections::BTreeSet;
use std::fmt;

use super::outcome::Outcomes;
use crate::model::Revision;
use crate::model::id::{EnvironmentId, ServiceId};
use crate::registry::state::State;
use crate::store::record::{DefinitionRecord, Past, RevisionRecord};
use crate::store::{Key, Record};

/// Something an undo left as it is.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct LeftOut {
    /// What, in words: `API shop/get_order in RELEASE`.
    pub what: String,
    /// The changes that touched it after the one that was undone, the oldest first. Empty: nobody
    /// touched it, but its route belongs to another API now.
    pub by: Vec<Revision>,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by: Vec<_> = self.by.iter().map(ToString::to_string).collect();
        match by.as_slice() {
            [] => write!(f, "{}: its route is taken by now", self.what),
            [one] => write!(f, "{}: touched by revision {one}", self.what),
            _ => write!(f, "{}: touched by revisions {}", self.what, by.join(", ")),
        }
    }
}

impl Outcomes {
    /// What the change, as far as it is an undo, left as it is. Costs what happened since the changes
    /// it took back, and tells of them as far as the history reaches back.
    pub(super) fn left_out(&self) -> Vec<LeftOut> {
        let mut left = Vec::new();
        for undone in &self.entry.undoes {
            let Some(entry) = self.after.log().entry(*undone).cloned() else { continue };
            for (key, past) in entry.written() {
                if self.entry.before(key).is_none() && !self.stays(key, past) {
                    left.push((key, self.touched_since(*undone, key)));
                }
                if let (Key::Definition(..), Some(Past::Was(Record::Definition(old)))) = (key, past)
                {
                    left.extend(self.displaced_since(*undone, key, old));
                }
            }
        }
        let named =
            left.into_iter().map(|(key, by)| LeftOut { what: self.after.describe(key), by });
        named.collect()
    }

    /// Whether a definition is as the undo would have left it anyway.
    fn stays(&self, key: Key, past: Option<&Past>) -> bool {
        match (self.before.record(key), past) {
            (Some(Record::Definition(now)), Some(Past::Was(Record::Definition(old)))) => {
                now.accepts(Some(old.epoch))
            }
            _ => false,
        }
    }

    fn touched_since(&self, undone: Revision, key: Key) -> Vec<Revision> {
        // By the entries in between: what was gone may have come and gone again since.
        let later = undone.as_u64().saturating_add(1)..self.entry.stamp.revision.as_u64();
        let wrote = |revision: &Revision| {
            let entry = self.after.log().entry(*revision);
            entry.is_some_and(|entry| entry.before(key).is_some())
        };
        later.map(Revision::new).filter(wrote).collect()
    }

    /// The publications of a definition that was deleted which were given up before it came back.
    fn displaced_since(
        &self,
        undone: Revision,
        key: Key,
        old: &DefinitionRecord,
    ) -> Vec<(Key, Vec<Revision>)> {
        let Key::Definition(service, at) = key else { return Vec::new() };
        let mut seen = BTreeSet::new();
        let mut left = Vec::new();
        for later in undone.as_u64() + 1..self.entry.stamp.revision.as_u64() {
            let Some(entry) = self.after.log().entry(Revision::new(later)).cloned() else {
                continue;
            };
            for key in given_up(&entry, service, at, old) {
                if seen.insert(key) && !is_live(&self.after, key) {
                    left.push((key, self.touched_since(undone, key)));
                }
            }
        }
        left
    }
}

/// The publications by a definition that a change wrote over or removed.
fn given_up(
    entry: &RevisionRecord,
    service: ServiceId,
    at: EnvironmentId,
    old: &DefinitionRecord,
) -> Vec<Key> {
    let by_old = entry.touched.iter().filter(|(key, past)| match (key, past) {
        (Key::Publication(_, place), Past::Was(Record::Publication(publication))) => {
            let through = publication.version.service();
            *place == at && through == Some(service) && old.accepts(publication.epoch)
        }
        _ => false,
    });
    by_old.map(|(key, _)| *key).collect()
}

fn is_live(state: &State, key: Key) -> bool {
    let Key::Publication(api, at) = key else { return false };
    let stage = state.stage(at);
    stage.is_some_and(|stage| stage.publication(api).is_some_and(|p| stage.is_live(p)))
}
