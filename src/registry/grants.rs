//! Who may call what, where, and how it is found.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::routes::key;
use super::shared::{IdSet, Pages, WideTrie, mark};
use crate::model::id::{ApiId, EnvironmentId, ResourceId};
use crate::model::path::mix;
use crate::store::Key;
use crate::store::record::GrantRecord;

/// Every grant. Clones share what they have in common.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grants {
    all: WideTrie<Arc<GrantRecord>>,
    /// The applications that may call an API somewhere.
    by_api: Pages<IdSet>,
    /// The APIs an application may call somewhere.
    by_app: Pages<IdSet>,
    /// How many there are in each environment.
    counts: Arc<BTreeMap<EnvironmentId, usize>>,
}

fn index(api: ApiId, at: EnvironmentId, app: ResourceId) -> u32 {
    key(mix(mix(mix(0, api.number().into()), at.number().into()), app.number().into()))
}

impl Grants {
    pub(crate) fn get(
        &self,
        api: ApiId,
        at: EnvironmentId,
        app: ResourceId,
    ) -> Option<&Arc<GrantRecord>> {
        let key = Key::Grant(api, at, app);
        self.all.under(index(api, at, app)).find(|grant| grant.key() == key)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<GrantRecord>> {
        self.all.iter().map(|(_, grant)| grant)
    }

    /// The applications that may call an API somewhere.
    pub(super) fn apps_of(&self, api: ApiId) -> impl Iterator<Item = ResourceId> + '_ {
        self.by_api.get(api.number()).into_iter().flat_map(IdSet::iter).map(ResourceId::new)
    }

    /// The APIs that an application may call somewhere.
    pub(super) fn apis_of(&self, app: ResourceId) -> impl Iterator<Item = ApiId> + '_ {
        self.by_app.get(app.number()).into_iter().flat_map(IdSet::iter).map(ApiId::new)
    }

    /// The environments in which an application may call an API.
    pub(super) fn environments(
        &self,
        api: ApiId,
        app: ResourceId,
    ) -> impl Iterator<Item = EnvironmentId> + '_ {
        let there = move |at: &EnvironmentId| self.get(api, *at, app).is_some();
        self.counts.keys().copied().filter(there)
    }

    /// What an application was granted.
    pub(super) fn of_app(&self, app: ResourceId) -> impl Iterator<Item = &Arc<GrantRecord>> {
        self.apis_of(app).flat_map(move |api| {
            self.environments(api, app).filter_map(move |at| self.get(api, at, app))
        })
    }

    /// Who was granted an API.
    pub(super) fn on_api(&self, api: ApiId) -> impl Iterator<Item = &Arc<GrantRecord>> {
        self.apps_of(api).flat_map(move |app| {
            self.environments(api, app).filter_map(move |at| self.get(api, at, app))
        })
    }

    /// How many grants there are in an environment.
    pub(super) fn count(&self, at: EnvironmentId) -> usize {
        self.counts.get(&at).copied().unwrap_or(0)
    }

    pub(super) fn put(
        &mut self,
        (api, at, app): (ApiId, EnvironmentId, ResourceId),
        record: Option<Arc<GrantRecord>>,
    ) {
        let (place, key) = (index(api, at, app), Key::Grant(api, at, app));
        let before = self.all.remove(place, |grant| grant.key() == key);
        let present = record.is_some();
        if let Some(record) = record {
            self.all.insert(place, record);
        }
        if before.is_some() == present {
            return;
        }
        let count = Arc::make_mut(&mut self.counts).entry(at).or_default();
        *count = if present { *count + 1 } else { count.saturating_sub(1) };
        let anywhere = present || self.environments(api, app).next().is_some();
        mark(&mut self.by_api, api.number(), app.number(), anywhere);
        mark(&mut self.by_app, app.number(), api.number(), anywhere);
    }
}
