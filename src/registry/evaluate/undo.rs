//! Taking changes back.

use std::sync::Arc;

use super::super::change::Undo;
use super::super::history::touch::Touch;
use super::super::rejected::Reason;
use super::{ApiId, Checked, Draft, NAMED};
use crate::model::Revision;
use crate::model::id::EnvironmentId;
use crate::model::limits::MAX_ACCEPTED_EPOCHS;
use crate::store::record::{DefinitionRecord, Past};
use crate::store::{Key, Record};

/// What an undo does with a key that the change wrote.
enum Fate {
    /// What was there before comes back.
    Restore(Option<Record>),
    /// It is as it should be.
    Stay,
    /// Later changes touched it.
    Blocked(Vec<Revision>),
}

impl Draft<'_> {
    pub(super) fn undo(&mut self, undo: Undo) -> Checked {
        let Some(entry) = self.base.log().entry(undo.revision).cloned() else {
            return Err(Reason::NotInHistory(undo.revision));
        };
        let (mut restored, mut blocked) = (Vec::new(), Vec::new());
        for (key, past) in entry.written() {
            match self.fate(key, past, undo)? {
                Fate::Restore(record) => restored.push((key, record)),
                Fate::Stay => {}
                Fate::Blocked(by) => blocked.push((key, by)),
            }
        }
        if !undo.partly && !blocked.is_empty() {
            return Err(self.touched_later(&blocked));
        }
        let keys: Vec<_> = restored.iter().map(|(key, _)| *key).collect();
        for (key, record) in restored {
            self.restore(key, record);
        }
        for key in keys {
            self.name_free(key)?;
        }
        self.undone.push(undo.revision);
        Ok(())
    }

    fn fate(&self, key: Key, past: Option<&Past>, undo: Undo) -> Checked<Fate> {
        let before = match past {
            Some(Past::Was(record)) => Some(record),
            Some(Past::Gone(_)) | None => None,
        };
        let touches: Vec<_> = self.until(key, undo.revision);
        let reaches = touches.last().is_some_and(|last| last.stamp.revision == undo.revision);
        if !reaches && self.next.record(key).is_none() {
            // A publication that was given up, since nothing could have made it live.
            return Ok(Fate::Stay);
        }
        if reaches && self.untouched(key, &touches) {
            return Ok(Fate::Restore(before.cloned()));
        }
        let deleted = touches.last().is_some_and(|touch| touch.after.is_none());
        match (before, self.next.record(key)) {
            (Some(Record::Definition(old)), Some(Record::Definition(now))) if deleted => {
                accept(old, &now, undo.values)
            }
            _ => {
                let mut by: Vec<_> = touches.iter().map(|touch| touch.stamp.revision).collect();
                by.retain(|revision| *revision != undo.revision);
                if by.is_empty() {
                    by.push(self.stamp.revision);
                }
                by.reverse();
                Ok(Fate::Blocked(by))
            }
        }
    }

    /// The changes that wrote a key, the newest first, up to and with that of `revision`.
    fn until(&self, key: Key, revision: Revision) -> Vec<Touch> {
        let mut touches = Vec::new();
        for touch in self.base.touches(key) {
            let last = touch.stamp.revision <= revision;
            touches.push(touch);
            if last {
                break;
            }
        }
        touches
    }

    /// Whether a key is as the last of `touches` left it: nobody wrote it since, or what they did was
    /// taken back.
    fn untouched(&self, key: Key, touches: &[Touch]) -> bool {
        let now = self.next.record(key);
        let mut at = 0;
        if touches.first().is_none_or(|newest| newest.after != now) {
            // This change wrote it: it may have taken some of them back itself.
            match back(touches, &self.undone, now.as_ref(), 0) {
                Some(before) => at = before,
                None => return false,
            }
        }
        while at + 1 < touches.len() {
            let Some(touch) = touches.get(at) else { return false };
            let undoes = touch.entry.as_ref().map_or(&[][..], |entry| &entry.undoes);
            match back(touches, undoes, touch.after.as_ref(), at + 1) {
                Some(before) => at = before,
                None => return false,
            }
        }
        at + 1 == touches.len()
    }

    fn restore(&mut self, key: Key, record: Option<Record>) {
        let index = self.index;
        match key {
            Key::Api(id) => drop(self.drafts.insert((id, index))),
            Key::Group(id) => drop(self.groups.insert((id, index))),
            Key::Resource(id) => drop(self.resources.insert((id, index))),
            Key::Publication(id, at) => drop(self.publications.insert((at, id, index))),
            _ => {}
        }
        self.restored.insert((key, index));
        let stamp = self.stamp();
        self.write(key, record.map(|record| record.stamped(&stamp)));
    }

    /// Dormant publications go with what they need and an undo took away. Which are dormant is known
    /// once all edits are done.
    pub(super) fn displace_users(&mut self) {
        let restored: Vec<_> = self.restored.iter().copied().collect();
        for (key, index) in restored {
            if self.next.record(key).is_some() {
                continue;
            }
            self.index = index;
            for (api, at) in self.dormant_of(key) {
                self.displace(api, at);
            }
        }
    }

    /// The dormant publications that need what is under a key, and go with it. What was live before
    /// the change is somebody's, and stays in the way.
    fn dormant_of(&self, key: Key) -> Vec<(ApiId, EnvironmentId)> {
        let mut dormant = Vec::new();
        for (at, _) in self.next.environments() {
            let Some(stage) = self.next.stage(at) else { continue };
            let apis: Vec<_> = match key {
                Key::Environment(id) if id == at => stage.publications().collect(),
                Key::Service(id) => stage.all_through(id).collect(),
                Key::Api(id) => vec![id],
                _ => continue,
            };
            let was_live = |api: &ApiId| {
                let stage = self.base.stage(at);
                stage.is_some_and(|stage| stage.publication(*api).is_some_and(|p| stage.is_live(p)))
            };
            let asleep = |api: &ApiId| {
                let publication = stage.publication(*api);
                publication.is_some_and(|p| !stage.is_live(p)) && !was_live(api)
            };
            dormant.extend(apis.into_iter().filter(asleep).map(|api| (api, at)));
        }
        dormant
    }

    /// Dormant publications that an undo brought back give way to whoever has their route now.
    pub(super) fn yield_routes(&mut self) {
        let restored: Vec<(ApiId, EnvironmentId)> = self
            .restored
            .iter()
            .filter_map(|(key, _)| match key {
                Key::Publication(api, at) => Some((*api, *at)),
                _ => None,
            })
            .collect();
        for (api, at) in restored {
            let Some(stage) = self.next.stage(at) else { continue };
            let Some(publication) = stage.publication(api) else { continue };
            if !stage.is_live(publication) && stage.routes().rivals(publication).next().is_some() {
                self.displace(api, at);
            }
        }
    }

    fn touched_later(&self, blocked: &[(Key, Vec<Revision>)]) -> Reason {
        let mut by: Vec<_> = blocked.iter().flat_map(|(_, by)| by.iter().copied()).collect();
        by.sort_unstable();
        by.dedup();
        let things = blocked.iter().take(NAMED).map(|(key, _)| self.next.describe(*key)).collect();
        Reason::Touched { things, count: blocked.len(), by }
    }
}

/// Where in `touches` one is, from `from` on, that is taken back so that `now` is left: the one before
/// it.
fn back(
    touches: &[Touch],
    undoes: &[Revision],
    now: Option<&Record>,
    from: usize,
) -> Option<usize> {
    let same = |touch: &Touch| match (&touch.after, now) {
        (Some(one), Some(other)) => one.says_the_same(other),
        (None, None) => true,
        _ => false,
    };
    let taken_back =
        |at: &usize| touches.get(*at).is_some_and(|t| undoes.contains(&t.stamp.revision));
    // Of several the oldest that fits: others may have been left out.
    let mut places = (from..touches.len()).rev().filter(taken_back).map(|at| at + 1);
    places.find(|at| touches.get(*at).is_some_and(same))
}

/// A definition that goes on as it is and makes what was published by `old` live again.
fn accept(old: &DefinitionRecord, now: &Arc<DefinitionRecord>, values: bool) -> Checked<Fate> {
    let mut next = DefinitionRecord::clone(now);
    let mut accepted = next.accepted.to_vec();
    for epoch in [old.epoch].iter().chain(&old.accepted) {
        if !now.accepts(Some(*epoch)) {
            accepted.push(*epoch);
        }
    }
    if accepted.len() > MAX_ACCEPTED_EPOCHS {
        let what = "epochs that a definition accepts";
        return Err(Reason::Limit { what, limit: MAX_ACCEPTED_EPOCHS });
    }
    next.accepted = accepted.into();
    if values {
        next.definition = old.definition.clone();
    }
    if next == **now {
        return Ok(Fate::Stay);
    }
    Ok(Fate::Restore(Some(Record::Definition(Arc::new(next)))))
}
