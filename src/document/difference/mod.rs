//! What has to change so that a registry is as a document says: pure, and the least there is.
//!
//! | file | question |
//! |---|---|
//! | `names` | who has which name once everything is renamed? |
//! | `services`, `apis`, `rights` | what is new, and what is different? |
//! | `prune` | what did a document create that this one no longer has? |
//! | `place` | which edit was made for which key? |

use std::collections::{BTreeSet, HashSet};
use std::hash::Hash;

use super::{Document, Fault};
use crate::model::Sort;
use crate::model::id::{ApiId, EnvironmentId, GroupId, ResourceId, ServiceId};
use crate::registry::Change;
use crate::registry::state::State;

mod apis;
mod names;
mod place;
mod prune;
mod rights;
mod services;

pub(super) use self::place::{Place, told};

use self::names::Names;

/// A change, and for each of its edits where in the document it comes from.
#[derive(Debug, Default)]
pub(super) struct Difference {
    pub(super) change: Change,
    pub(super) places: Vec<Place>,
    /// What is wrong with the document beside what the change would be refused for.
    pub(super) faults: Vec<Fault>,
}

/// What leads from `state` to what `document` says. Empty if nothing has to change.
pub(super) fn difference(state: &State, document: &Document) -> Difference {
    let mut work = Work {
        state,
        document,
        names: Names::default(),
        kept: Kept::default(),
        undefined: BTreeSet::new(),
        going: BTreeSet::new(),
        difference: Difference::default(),
    };
    work.difference.change.by_document = true;
    work.once();
    work.versions_are_published();
    work.environments();
    work.renames();
    work.services();
    work.authorizations();
    work.groups();
    work.apps();
    work.keep_unread();
    work.undefine();
    work.delete_definitions();
    work.apis();
    work.prune();
    work.grants();
    work.difference
}

struct Work<'a> {
    state: &'a State,
    document: &'a Document,
    names: Names,
    kept: Kept,
    /// Definitions that are going to be taken back: what is published by them goes with them.
    undefined: BTreeSet<(ServiceId, EnvironmentId)>,
    /// APIs that are going to be deleted.
    going: BTreeSet<ApiId>,
    difference: Difference,
}

/// What is there and is named by the document.
#[derive(Default)]
struct Kept {
    services: BTreeSet<ServiceId>,
    groups: BTreeSet<GroupId>,
    apis: BTreeSet<ApiId>,
    resources: BTreeSet<ResourceId>,
}

impl Work<'_> {
    /// Adds an edit that comes from a place.
    fn edit(&mut self, place: Place, edit: impl FnOnce(Change) -> Change) {
        let change = std::mem::take(&mut self.difference.change);
        self.difference.change = edit(change);
        self.difference.places.push(place);
    }

    /// What is read from a text has every name once; what is put together may not.
    fn once(&mut self) {
        let document = self.document;
        self.each_once(document.environments.iter().map(|e| &e.name), Place::Environment);
        self.each_once(document.services.iter().map(|e| &e.name), Place::Service);
        self.each_once(document.groups.iter().map(|e| &e.name), Place::Group);
        self.each_once(document.apps.iter().map(|e| &e.name), Place::App);
        self.each_once(document.apis.iter().map(|e| &e.name), Place::Api);
        let resource = |sort| move |at| Place::Resource(sort, at);
        let credentials = document.credentials.iter().map(|e| &e.name);
        self.each_once(credentials, resource(Sort::Credential));
        let accesses = document.vpc_accesses.iter().map(|e| &e.name);
        self.each_once(accesses, resource(Sort::VpcAccess));
        let grants = document.object_grants.iter().map(|e| &e.name);
        self.each_once(grants, resource(Sort::ObjectGrant));
        let grants = document.grants.iter().map(|e| (&e.app, &e.api, &e.environment));
        self.each_once(grants, Place::Grant);
    }

    /// What is said to be published somewhere is published there.
    fn versions_are_published(&mut self) {
        let document = self.document;
        for (index, entry) in document.apis.iter().enumerate() {
            for environment in entry.version.keys() {
                if !entry.publish.contains(environment) {
                    let place = Place::Version(index, environment.clone());
                    self.fault(&place, "", "is not in publish");
                }
            }
        }
    }

    fn each_once<N: Eq + Hash>(
        &mut self,
        names: impl Iterator<Item = N>,
        place: impl Fn(usize) -> Place,
    ) {
        let mut seen = HashSet::new();
        for (index, name) in names.enumerate() {
            if !seen.insert(name) {
                self.fault(&place(index), "", "stands there twice");
            }
        }
    }

    fn fault(&mut self, place: &Place, key: &str, reason: impl Into<String>) {
        let path = place.path(self.document, key);
        self.difference.faults.push(Fault::new(path, reason));
    }
}
