//! The part of the model that is about taking changes back.

use std::collections::BTreeSet;

use super::edit::{Refusal, Undo};
use super::model::Work;
use super::world::{Definition, Goes, Id, Key, Publication, Thing};

/// Epochs that a definition accepts beside its own.
const ACCEPTED: usize = 8;

impl Work<'_> {
    /// Brings back what was there before at everything the change of a revision wrote.
    pub(super) fn undo(&mut self, undo: Undo) -> Result<(), Refusal> {
        if !self.model.remembers(undo.revision) {
            return Err(Refusal::NotInHistory);
        }
        let before = self.model.at(undo.revision - 1);
        let after = self.model.at(undo.revision);
        let (mut back, mut blocked) = (Vec::new(), BTreeSet::new());
        for key in self.model.written(undo.revision) {
            let old = before.thing(key);
            match (old, after.thing(key), self.now.thing(key)) {
                _ if self.is_as_left_by(key, undo.revision) => back.push((key, old.cloned())),
                (Some(Thing::Definition(old)), None, Some(Thing::Definition(now))) => {
                    let merged = accepting(old, now, undo.values)?;
                    if merged != *now {
                        back.push((key, Some(Thing::Definition(merged))));
                    }
                }
                _ => {
                    let later = self.model.writers(key).filter(|by| *by > undo.revision);
                    let later: Vec<_> = later.collect();
                    // This very change did.
                    blocked.extend(if later.is_empty() { vec![self.revision] } else { later });
                }
            }
        }
        if !undo.partly && !blocked.is_empty() {
            return Err(Refusal::Touched(blocked.into_iter().collect()));
        }
        let keys: Vec<_> = back.iter().map(|(key, _)| *key).collect();
        self.bring_back(back);
        self.undone.push(undo.revision);
        keys.into_iter().try_for_each(|key| self.name_free(key))
    }

    fn bring_back(&mut self, back: Vec<(Key, Option<Thing>)>) {
        for (key, thing) in back {
            self.restored.insert(key);
            if let Key::Publication(api, at) = key {
                self.published.push((api, at));
            }
            match thing {
                Some(thing) => self.put(key, thing),
                None => drop(self.take(key)),
            }
        }
    }

    /// What sleeps goes with what it needs, as with a delete.
    pub(super) fn take_sleepers(&mut self) {
        let taken: Vec<_> =
            self.restored.iter().copied().filter(|key| self.now.thing(*key).is_none()).collect();
        let before = self.model.now().clone();
        self.take_all(|now, key| {
            let Key::Publication(api, at) = key else { return false };
            let publication = now.publication(api, at).expect("there");
            let needs = |gone: &Key| match *gone {
                Key::Draft(id) => id == api,
                Key::Service(id) => publication.version.goes_to(id),
                _ => false,
            };
            // What was live before the change is somebody's, and stays in the way.
            let was_live = before.is_live(api, at);
            !now.is_live(api, at) && !was_live && taken.iter().any(needs)
        });
    }

    /// Whether nobody wrote something since a revision; a change that was taken back later, so that
    /// what was before it is there again, does not count.
    fn is_as_left_by(&self, key: Key, revision: u64) -> bool {
        let model = self.model;
        let mut writes: Vec<(u64, Option<&Thing>, &[u64])> = model
            .writers(key)
            .filter(|by| *by >= revision)
            .map(|by| (by, model.at(by).thing(key), model.taken_back_by(by)))
            .collect();
        if self.now.things.get(&key) != model.now().things.get(&key) {
            writes.push((self.revision, self.now.thing(key), &self.undone));
        }
        while writes.len() > 1 {
            let last = writes.len() - 1;
            let (_, now, undone) = writes[last];
            let taken_back = (1..last)
                .find(|place| undone.contains(&writes[*place].0) && writes[place - 1].1 == now);
            match taken_back {
                Some(place) => writes.truncate(place),
                None => return false,
            }
        }
        true
    }

    /// The edits behind it find things by their names.
    fn name_free(&self, key: Key) -> Result<(), Refusal> {
        let now = &self.now;
        let taken = match (key, now.thing(key)) {
            (Key::Service(id), Some(Thing::Service(own))) => {
                now.services().any(|(other, s)| other != id && s.name == own.name)
            }
            (Key::Group(id), Some(Thing::Group(own))) => {
                now.groups().any(|(other, g)| other != id && g.name == own.name)
            }
            (Key::Draft(id), Some(Thing::Draft(own))) => now.drafts().any(|(other, draft)| {
                other != id && draft.group == own.group && draft.name == own.name
            }),
            _ => false,
        };
        if taken { Err(Refusal::NameTaken) } else { Ok(()) }
    }

    /// What was brought back finds everything it needs, and nothing needs what was taken away.
    pub(super) fn fits(&self) -> Result<(), Refusal> {
        self.restored.iter().try_for_each(|key| match self.now.thing(*key) {
            Some(thing) => self.is_at_home(*key, thing),
            None => match *key {
                Key::Service(id) => {
                    self.service_unused(id)?;
                    self.nothing_published(|_, publication| publication.version.goes_to(id))?;
                    let defined = self.now.definitions().any(|((service, _), _)| service == id);
                    if defined { Err(Refusal::InUse) } else { Ok(()) }
                }
                Key::Group(id) => self.group_empty(id),
                Key::Draft(id) => self.nothing_published(|api, _| api == id),
                Key::Definition(..) | Key::Publication(..) => Ok(()),
            },
        })
    }

    fn nothing_published(&self, needs: impl Fn(Id, &Publication) -> bool) -> Result<(), Refusal> {
        let published =
            self.now.things.keys().filter_map(|key| match (*key, self.now.thing(*key)) {
                (Key::Publication(api, _), Some(Thing::Publication(own))) => Some((api, own)),
                _ => None,
            });
        for (api, publication) in published {
            if needs(api, publication) {
                return Err(Refusal::InUse);
            }
        }
        Ok(())
    }

    fn is_at_home(&self, key: Key, thing: &Thing) -> Result<(), Refusal> {
        match (key, thing) {
            (Key::Service(_), _) | (Key::Group(_), _) => Ok(()),
            (Key::Draft(_), Thing::Draft(own)) => {
                self.now.group(own.group).ok_or(Refusal::Missing)?;
                self.service_there(&own.version.goes)
            }
            (Key::Definition(service, _), _) => self.service_there(&Goes::Service(service)),
            (Key::Publication(api, _), Thing::Publication(own)) => {
                self.now.draft(api).ok_or(Refusal::Missing)?;
                self.service_there(&own.version.goes)
            }
            other => unreachable!("{other:?}"),
        }
    }

    fn service_there(&self, goes: &Goes) -> Result<(), Refusal> {
        let there = |id: &Id| self.now.service(*id).is_some();
        match goes {
            Goes::Service(id) if !there(id) => Err(Refusal::Missing),
            _ => Ok(()),
        }
    }
}

/// A definition that was made after `old` was deleted, with what was published by `old`.
fn accepting(old: &Definition, now: &Definition, values: bool) -> Result<Definition, Refusal> {
    let mut merged = now.clone();
    for epoch in [old.epoch].iter().chain(&old.accepted) {
        if !now.accepts(*epoch) {
            merged.accepted.push(*epoch);
        }
    }
    if merged.accepted.len() > ACCEPTED {
        return Err(Refusal::Limit);
    }
    if values {
        merged.to.clone_from(&old.to);
    }
    Ok(merged)
}
