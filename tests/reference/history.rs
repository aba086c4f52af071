//! The part of the model that is about what was: found by comparing whole revisions.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::edit::{ApiName, Edit, Undo};
use super::model::Model;
use super::world::{Goes, Id, Key, Place, Publication, Thing, World, environment, place};

/// A version of an API that was published somewhere.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Version {
    /// The revision that published it.
    pub(crate) by: u64,
    pub(crate) online: bool,
    /// The revision that took it offline, the last time.
    pub(crate) ended: Option<u64>,
    pub(crate) service: Option<String>,
    pub(crate) method: String,
    pub(crate) path: String,
}

impl Model {
    /// The oldest revision that can be taken back.
    pub(super) fn first(&self) -> u64 {
        let kept = u64::try_from(self.kept).expect("a number");
        self.revision().saturating_sub(kept.saturating_sub(1)).max(1)
    }

    pub(crate) fn remembers(&self, revision: u64) -> bool {
        self.first() <= revision && revision <= self.revision()
    }

    pub(super) fn taken_back_by(&self, revision: u64) -> &[u64] {
        &self.undoes[usize::try_from(revision).expect("few")]
    }

    fn wrote(&self, revision: u64, key: Key) -> bool {
        self.at(revision).things.get(&key) != self.at(revision - 1).things.get(&key)
    }

    /// What the change of a revision wrote, whether it says the same as before or not.
    pub(super) fn written(&self, revision: u64) -> Vec<Key> {
        let (before, after) = (self.at(revision - 1), self.at(revision));
        let fresh = after.things.keys().filter(|key| !before.things.contains_key(key));
        let keys = before.things.keys().chain(fresh).copied();
        keys.filter(|key| self.wrote(revision, *key)).collect()
    }

    /// The revisions that wrote something, the oldest first, as far as the history reaches back.
    pub(super) fn writers(&self, key: Key) -> impl Iterator<Item = u64> + '_ {
        (self.first()..=self.revision()).filter(move |revision| self.wrote(*revision, key))
    }

    /// The same, with the one that made what was there before all of them.
    fn known_writers(&self, key: Key) -> Vec<u64> {
        let oldest = self.at(self.first() - 1).things.get(&key);
        oldest.map(|written| written.by).into_iter().chain(self.writers(key)).collect()
    }

    /// What a revision published.
    pub(super) fn version(&self, api: Id, at: Place, revision: u64) -> Option<&Publication> {
        let key = Key::Publication(api, at);
        self.known_writers(key)
            .contains(&revision)
            .then(|| self.at(revision).publication(api, at))?
    }

    /// The versions of an API that were published somewhere, the newest first.
    pub(crate) fn versions(&self, name: &ApiName, at: Place) -> Vec<Version> {
        let Some(api) = self.api_ever(name) else { return Vec::new() };
        let writers = self.known_writers(Key::Publication(api, at));
        let made = writers.iter().rev().filter_map(|by| {
            let version = &self.at(*by).publication(api, at)?.version;
            let service = match version.goes {
                Goes::Service(id) => self.now().service(id).map(|service| service.name.clone()),
                Goes::Inline(_) => None,
            };
            let live = |revision: u64| {
                let world = self.at(revision);
                let same = world.things.get(&Key::Publication(api, at));
                same.is_some_and(|written| written.by == *by) && world.is_live(api, at)
            };
            let online = live(self.revision());
            let mut ends = (by + 1..=self.revision()).filter(|end| live(end - 1) && !live(*end));
            let ended = ends.next_back().filter(|_| !online);
            let (method, path) = (version.method.clone(), version.path.clone());
            Some(Version { by: *by, online, ended, service, method, path })
        });
        made.collect()
    }

    /// What a service meant somewhere, the newest first: by which revision, where it led and since when.
    pub(crate) fn definitions(&self, name: &str, at: Place) -> Vec<(u64, Option<(String, u64)>)> {
        let Some(id) = self.ever(|world| world.service_named(name)) else { return Vec::new() };
        let writers = self.known_writers(Key::Definition(id, at));
        let meant = |by: &u64| {
            let definition = self.at(*by).definition(id, at);
            (*by, definition.map(|definition| (definition.to.clone(), definition.epoch)))
        };
        writers.iter().rev().map(meant).collect()
    }

    /// Who has a name, or had it last.
    fn ever(&self, named: impl Fn(&World) -> Option<Id>) -> Option<Id> {
        (self.first() - 1..=self.revision()).rev().find_map(|revision| named(self.at(revision)))
    }

    fn api_ever(&self, name: &ApiName) -> Option<Id> {
        let group = self.ever(|world| world.group_named(&name.0))?;
        self.ever(|world| {
            let mut drafts = world.drafts();
            let found = drafts.find(|(_, draft)| draft.group == group && draft.name == name.1);
            found.map(|(id, _)| id)
        })
    }

    /// An edit that says how many revisions, or versions, it goes back, as one that names them.
    pub(crate) fn resolve(&self, edit: &Edit) -> Edit {
        match edit.clone() {
            Edit::Undo(undo) => {
                let revision = self.revision().saturating_sub(undo.revision);
                Edit::Undo(Undo { revision, ..undo })
            }
            Edit::Switch { api, environment, version: back } => {
                let versions = self.versions(&api, place(&environment));
                let place = usize::try_from(back).expect("few");
                // One too many now and then: there is none.
                let version = versions.get(place % (versions.len() + 1)).map_or(0, |v| v.by);
                Edit::Switch { api, environment, version }
            }
            other => other,
        }
    }

    /// Dormant publications that no undo of what is remembered could make live again.
    pub(crate) fn unrevivable(&self) -> Vec<(ApiName, String)> {
        let now = self.now();
        let lost = now.publications().filter(|((api, at), publication)| {
            let Goes::Service(service) = publication.version.goes else { return false };
            let accepts = |revision: u64| {
                let definition = self.at(revision).definition(service, *at);
                definition.zip(publication.epoch).is_some_and(|(d, epoch)| d.accepts(epoch))
            };
            !now.is_live(*api, *at) && !(self.first() - 1..=self.revision()).any(accepts)
        });
        lost.map(|((api, at), _)| (self.api_name(api), environment(at))).collect()
    }

    /// Where requests go that reach something, by API and environment.
    pub(crate) fn reachable(&self) -> BTreeMap<(ApiName, String), String> {
        let all = self.publications().into_iter();
        all.filter_map(|(key, published)| Some((key, published.target?))).collect()
    }

    /// Takes a publication away as if it had never been.
    pub(crate) fn forget(&mut self, api: &ApiName, environment: &str) {
        let Some(id) = self.now().draft_named(api) else { return };
        for world in &mut self.worlds {
            Arc::make_mut(world).things.remove(&Key::Publication(id, place(environment)));
        }
    }

    /// What everything says, whoever said so.
    pub(crate) fn says(&self) -> Vec<(Key, Thing)> {
        let things = self.now().things.iter();
        things.map(|(key, written)| (*key, Thing::clone(&written.thing))).collect()
    }
}
