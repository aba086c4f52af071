//! Applications, authorizations and settings, and how they are found.

use std::sync::Arc;

use super::callers::Prepared;
use super::routes::key;
use super::shared::{Pages, Trie};
use crate::model::app::AppKey;
use crate::model::id::ResourceId;
use crate::model::path::{hash_bytes, mix};
use crate::model::{App, RegistrySettings, Resource, Sort};
use crate::store::record::ResourceRecord;

/// Every resource. Clones share what they have in common.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resources {
    records: Pages<Arc<ResourceRecord>>,
    names: Trie<ResourceId>,
    /// By the keys and codes of applications.
    credentials: Trie<ResourceId>,
    /// Of applications.
    prepared: Pages<Arc<Prepared>>,
}

/// The name under which the registry's settings are kept.
pub(crate) const SETTINGS: &str = "registry";

fn name_index(sort: Sort, name: &str) -> u32 {
    key(mix(hash_bytes(name.as_bytes()), sort as u64))
}

/// Where a key or a code of an application is found.
fn credentials(app: &App) -> impl Iterator<Item = u32> + '_ {
    let keys = app.keys.iter().map(|AppKey { key, .. }| key.as_str());
    let codes = app.codes.iter().map(|code| code.expose());
    keys.chain(codes).map(|text| key(hash_bytes(text.as_bytes())))
}

impl Resources {
    pub(super) fn get(&self, id: ResourceId) -> Option<&Arc<ResourceRecord>> {
        self.records.get(id.number())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (ResourceId, &Arc<ResourceRecord>)> {
        self.records.iter().map(|(id, record)| (ResourceId::new(id), record))
    }

    pub(super) fn named(&self, sort: Sort, name: &str) -> Option<ResourceId> {
        let mut found = self.names.under(name_index(sort, name));
        found.find(|id| self.has_name(**id, sort, name)).copied()
    }

    /// Whether nothing but this resource has its name.
    pub(super) fn is_only(&self, id: ResourceId, record: &ResourceRecord) -> bool {
        let (sort, name) = (record.resource.sort(), record.name.as_str());
        let mut found = self.names.under(name_index(sort, name));
        found.all(|other| *other == id || !self.has_name(*other, sort, name))
    }

    fn has_name(&self, id: ResourceId, sort: Sort, name: &str) -> bool {
        let same = |record: &Arc<ResourceRecord>| {
            record.resource.sort() == sort && record.name.as_str() == name
        };
        self.get(id).is_some_and(same)
    }

    /// Another application that has a key or a code of this one.
    pub(super) fn rival(&self, id: ResourceId, app: &App) -> Option<ResourceId> {
        let shares = |other: &ResourceId| {
            let record = self.get(*other).and_then(|record| record.resource.app());
            record.is_some_and(|other| share_a_credential(app, other))
        };
        credentials(app)
            .flat_map(|index| self.credentials.under(index))
            .find(|other| **other != id && shares(other))
            .copied()
    }

    pub(super) fn settings(&self) -> Option<&RegistrySettings> {
        let id = self.named(Sort::Registry, SETTINGS)?;
        match &self.get(id)?.resource {
            Resource::Registry(settings) => Some(settings),
            _ => None,
        }
    }

    pub(super) fn prepared(&self, id: ResourceId) -> Option<&Arc<Prepared>> {
        self.prepared.get(id.number())
    }

    /// The applications with a key or a code of this hash.
    pub(super) fn under_credential(&self, hash: u64) -> impl Iterator<Item = ResourceId> {
        self.credentials.under(key(hash)).copied()
    }

    pub(super) fn put(&mut self, id: ResourceId, record: Option<Arc<ResourceRecord>>) {
        let before = match &record {
            Some(record) => self.records.set(id.number(), Arc::clone(record)),
            None => self.records.take(id.number()),
        };
        if let Some(before) = before {
            let name = name_index(before.resource.sort(), before.name.as_str());
            self.names.remove(name, |other| *other == id);
            for index in before.resource.app().into_iter().flat_map(credentials) {
                self.credentials.remove(index, |other| *other == id);
            }
        }
        match record.as_ref().and_then(|record| record.resource.app()) {
            Some(app) => drop(self.prepared.set(id.number(), Arc::new(Prepared::of(app)))),
            None => drop(self.prepared.take(id.number())),
        }
        if let Some(record) = record {
            self.names.insert(name_index(record.resource.sort(), record.name.as_str()), id);
            for index in record.resource.app().into_iter().flat_map(credentials) {
                self.credentials.insert(index, id);
            }
        }
    }
}

fn share_a_credential(one: &App, other: &App) -> bool {
    one.keys.iter().any(|key| other.keys.iter().any(|theirs| theirs.key == key.key))
        || one.codes.iter().any(|code| other.codes.contains(code))
}
