//! What may be forgotten.

use std::collections::BTreeSet;
use std::time::Duration;

use super::super::state::State;
use crate::model::Revision;
use crate::model::id::{ApiId, EnvironmentId, ServiceId};
use crate::model::limits::{HISTORY_AGE, HISTORY_REVISIONS};
use crate::store::record::Past;
use crate::store::{Key, Record};
use crate::time::Timestamp;

/// Revisions one commit forgets at most, so that a smaller limit is reached in slices.
const FORGOTTEN: usize = 8;
/// A revision that wrote more than this is the last that one commit forgets.
const LARGE: usize = 1_000;
/// Dormant publications one commit gives up at most, so that none takes long.
const RECLAIMED: usize = 256;

/// How much history is kept: how far back changes can be looked at and undone.
///
/// What is older than either limit is forgotten by the commits that follow, a few revisions each, and
/// with it what only an undo of it could have brought back. The newest revision is always kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub struct History {
    revisions: usize,
    age: Duration,
}

impl Default for History {
    /// 1,000 revisions of the last 30 days.
    fn default() -> Self {
        Self { revisions: HISTORY_REVISIONS, age: HISTORY_AGE }
    }
}

impl History {
    /// At most this many revisions.
    pub const fn revisions(mut self, revisions: usize) -> Self {
        self.revisions = revisions;
        self
    }

    /// None that is older than this many days.
    pub const fn days(mut self, days: u32) -> Self {
        self.age = Duration::from_secs(days as u64 * 24 * 60 * 60);
        self
    }
}

/// Publications that nothing can make live again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Unreachable {
    environment: EnvironmentId,
    service: ServiceId,
    epoch: Revision,
}

impl State {
    /// The revisions that the history is too long by at `now`, the oldest first: a slice of them.
    pub(crate) fn beyond(&self, history: History, now: Timestamp) -> Vec<Revision> {
        let Some(first) = self.log().first() else { return Vec::new() };
        let excess = self.log().len().saturating_sub(history.revisions.max(1));
        let age = u64::try_from(history.age.as_millis()).unwrap_or(u64::MAX);
        let oldest = Timestamp::from_millis(now.as_millis().saturating_sub(age));
        let mut beyond = Vec::new();
        for revision in (first.as_u64()..self.revision().as_u64()).map(Revision::new) {
            let Some(entry) = self.log().entry(revision) else { break };
            if beyond.len() >= excess && entry.stamp.when >= oldest {
                break;
            }
            beyond.push(revision);
            if beyond.len() == FORGOTTEN || entry.touched.len() > LARGE {
                break;
            }
        }
        beyond
    }

    /// Forgets a revision, and notes which publications can no longer be made live again.
    pub(crate) fn forget(&mut self, revision: Revision) {
        let entry = self.log().entry(revision).cloned();
        self.log_mut().forget(revision);
        let Some(entry) = entry else { return };
        // Many publications have few epochs: each is looked at once.
        let mut epochs = BTreeSet::new();
        for (key, past) in &entry.touched {
            let Past::Was(record) = past else { continue };
            match (*key, record) {
                (Key::Definition(service, environment), Record::Definition(definition)) => {
                    let accepted = definition.accepted.iter().chain([&definition.epoch]);
                    epochs.extend(accepted.map(|epoch| (service, environment, *epoch)));
                }
                // An undo may have brought it back after its definition was forgotten.
                (Key::Publication(_, environment), Record::Publication(publication)) => {
                    let service = publication.version.service();
                    let epoch = service.zip(publication.epoch);
                    epochs.extend(epoch.map(|(service, epoch)| (service, environment, epoch)));
                }
                _ => {}
            }
        }
        for (service, environment, epoch) in epochs {
            self.note_unreachable(service, environment, epoch);
        }
    }

    /// Notes everything that nothing can make live again.
    pub(crate) fn note_all_unreachable(&mut self) {
        let stages = self.environments().map(|(id, _)| id).collect::<Vec<_>>();
        for environment in stages {
            let epochs = self.stage(environment).map(|stage| stage.epochs().collect::<Vec<_>>());
            for (service, epoch) in epochs.into_iter().flatten() {
                self.note_unreachable(service, environment, epoch);
            }
        }
    }

    fn note_unreachable(&mut self, service: ServiceId, at: EnvironmentId, epoch: Revision) {
        let Some(stage) = self.stage(at) else { return };
        let there = stage.of_epoch(service, epoch).is_some_and(|apis| !apis.is_empty());
        let live = stage.definition(service).is_some_and(|d| d.accepts(Some(epoch)));
        let item = Unreachable { environment: at, service, epoch };
        if !there || live || self.unreachable().contains(&item) {
            return;
        }
        let revivable = self.touches(Key::Definition(service, at)).any(
            |touch| matches!(&touch.after, Some(Record::Definition(d)) if d.accepts(Some(epoch))),
        );
        if !revivable {
            self.unreachable_mut().push(item);
        }
    }

    /// A slice of the publications that nothing can make live again.
    pub(crate) fn reclaimable(&mut self) -> Vec<(ApiId, EnvironmentId)> {
        while let Some(item) = self.unreachable().last().copied() {
            let apis = self
                .stage(item.environment)
                .and_then(|stage| stage.of_epoch(item.service, item.epoch))
                .map(|apis| apis.iter().take(RECLAIMED).collect::<Vec<_>>());
            match apis.filter(|apis| !apis.is_empty()) {
                Some(apis) => {
                    let at = item.environment;
                    return apis.into_iter().map(|api| (ApiId::new(api), at)).collect();
                }
                None => drop(self.unreachable_mut().pop()),
            }
        }
        Vec::new()
    }
}
