//! The drafts, and how they are found.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::routes::key;
use super::shared::{IdSet, Pages, Trie, mark};
use crate::model::id::{ApiId, GroupId, ServiceId};
use crate::model::path::{hash_bytes, mix};
use crate::store::record::ApiRecord;

/// Every draft. Clones share what they have in common.
#[derive(Clone, Debug, Default)]
pub(crate) struct Drafts {
    records: Pages<Arc<ApiRecord>>,
    names: Trie<ApiId>,
    /// By group, method and path.
    routes: Trie<ApiId>,
    by_service: Pages<IdSet>,
    by_group: Pages<IdSet>,
}

fn name_index(group: GroupId, name: &str) -> u32 {
    key(mix(hash_bytes(name.as_bytes()), group.number().into()))
}

fn route_index(draft: &ApiRecord) -> u32 {
    key(draft.version.pattern().hash(draft.group.number()))
}

impl Drafts {
    /// These drafts, given in the order of their ids, each once.
    pub(super) fn filled(records: Vec<(u32, Arc<ApiRecord>)>) -> Self {
        let mut names = Vec::with_capacity(records.len());
        let mut routes = Vec::with_capacity(records.len());
        let mut by_service: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        let mut by_group: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (id, draft) in &records {
            names.push((name_index(draft.group, &draft.name), ApiId::new(*id)));
            routes.push((route_index(draft), ApiId::new(*id)));
            by_group.entry(draft.group.number()).or_default().push(*id);
            if let Some(service) = draft.version.service() {
                by_service.entry(service.number()).or_default().push(*id);
            }
        }
        let sets = |ids: BTreeMap<u32, Vec<u32>>| {
            Pages::filled(ids.into_iter().map(|(at, ids)| (at, IdSet::filled(ids))))
        };
        Self {
            names: Trie::filled(names),
            routes: Trie::filled(routes),
            by_service: sets(by_service),
            by_group: sets(by_group),
            records: Pages::filled(records.into_iter()),
        }
    }

    pub(super) fn get(&self, id: ApiId) -> Option<&Arc<ApiRecord>> {
        self.records.get(id.number())
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = ApiId> + '_ {
        self.records.iter().map(|(id, _)| ApiId::new(id))
    }

    pub(super) fn named(&self, group: GroupId, name: &str) -> Option<ApiId> {
        let named = |id: &&ApiId| {
            self.get(**id).is_some_and(|api| api.group == group && &*api.name == name)
        };
        self.names.under(name_index(group, name)).find(named).copied()
    }

    /// Whether no other draft of its group has its name.
    pub(super) fn is_only(&self, id: ApiId, draft: &ApiRecord) -> bool {
        let mut found = self.names.under(name_index(draft.group, &draft.name));
        found.all(|other| {
            let same = |api: &Arc<ApiRecord>| api.group == draft.group && api.name == draft.name;
            *other == id || !self.get(*other).is_some_and(same)
        })
    }

    pub(super) fn of_service(&self, service: ServiceId) -> Option<&IdSet> {
        self.by_service.get(service.number())
    }

    pub(super) fn of_group(&self, group: GroupId) -> Option<&IdSet> {
        self.by_group.get(group.number())
    }

    /// The other drafts with the same group, method and paths.
    pub(super) fn rivals<'a>(
        &'a self,
        id: ApiId,
        draft: &'a ApiRecord,
    ) -> impl Iterator<Item = ApiId> + 'a {
        let pattern = draft.version.pattern();
        self.routes.under(route_index(draft)).copied().filter(move |other| {
            *other != id
                && self.get(*other).is_some_and(|api| {
                    api.group == draft.group
                        && api.version.verb() == draft.version.verb()
                        && api.version.pattern().same_paths(pattern)
                })
        })
    }

    /// Puts a draft in, or takes it out.
    pub(super) fn put(&mut self, id: ApiId, record: Option<Arc<ApiRecord>>) {
        let before = match &record {
            Some(record) => self.records.set(id.number(), Arc::clone(record)),
            None => self.records.take(id.number()),
        };
        if let Some(before) = before {
            self.index(id, &before, false);
        }
        if let Some(record) = record {
            self.index(id, &record, true);
        }
    }

    fn index(&mut self, id: ApiId, draft: &ApiRecord, present: bool) {
        let (named, routed) = (name_index(draft.group, &draft.name), route_index(draft));
        if present {
            self.names.insert(named, id);
            self.routes.insert(routed, id);
        } else {
            self.names.remove(named, |other| *other == id);
            self.routes.remove(routed, |other| *other == id);
        }
        mark(&mut self.by_group, draft.group.number(), id.number(), present);
        if let Some(service) = draft.version.service() {
            mark(&mut self.by_service, service.number(), id.number(), present);
        }
    }
}
