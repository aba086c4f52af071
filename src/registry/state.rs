//! What is true at one revision.
//!
//! Everything is found by small ids; names lead to ids. Clones share what they have in common, so
//! that a state per revision costs what the revision changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::callers::{Caller, CallerKey};
use super::drafts::Drafts;
use super::grants::Grants;
use super::history::horizon::Unreachable;
use super::history::log::Log;
use super::resources::Resources;
use super::routes::key;
use super::shared::{IdSet, Pages, Trie, WideTrie};
use super::site::{AcceptedGroup, Site, Sites};
use super::stage::Stage;
use crate::model::id::{ApiId, EnvironmentId, GroupId, ResourceId, ServiceId};
use crate::model::limits::MAX_ENVIRONMENTS;
use crate::model::path::hash_bytes;
use crate::model::{
    ApiName, App, Environment, GroupName, Host, RegistrySettings, Revision, ServiceName, Sort,
    Stamp, Version,
};
use crate::store::record::{
    ApiRecord, DefinitionRecord, EnvironmentRecord, GrantRecord, GroupRecord, Next,
    PublicationRecord, ResourceRecord, ServiceRecord,
};
use crate::store::{Key, Record};

/// Everything that is true at one revision.
#[derive(Clone, Debug)]
pub(crate) struct State {
    revision: Revision,
    next: Next,
    /// By environment id; `None` where one was retired.
    environments: Arc<Vec<Option<Arc<EnvironmentRecord>>>>,
    stages: Vec<Arc<Stage>>,
    services: Pages<Arc<ServiceRecord>>,
    service_names: Trie<ServiceId>,
    groups: Pages<Arc<GroupEntry>>,
    group_names: Trie<GroupId>,
    hosts: WideTrie<Arc<Sites>>,
    resources: Resources,
    drafts: Drafts,
    grants: Grants,
    log: Log,
    unreachable: Vec<Unreachable>,
}

/// A group, parsed.
#[derive(Debug)]
pub(crate) struct GroupEntry {
    pub(crate) record: Arc<GroupRecord>,
    pub(crate) accepted: AcceptedGroup,
}

/// A record does not fit what is there: a store holds what this crate did not write.
#[derive(Debug, thiserror::Error)]
#[error("record {key:?}: {reason}")]
pub(crate) struct Misfit {
    key: Key,
    reason: String,
}

fn name_key(name: &str) -> u32 {
    key(hash_bytes(name.as_bytes()))
}

impl State {
    /// Nothing but the environments that are always there.
    pub(crate) fn empty() -> Self {
        let built_in = Environment::BUILT_IN.map(|name| {
            let stamp = Arc::new(Stamp::new(Revision::ZERO, "", Default::default()));
            Some(Arc::new(EnvironmentRecord {
                name,
                description: "".into(),
                by_document: false,
                stamp,
            }))
        });
        Self {
            revision: Revision::ZERO,
            next: Next::default(),
            environments: Arc::new(built_in.into()),
            stages: Environment::BUILT_IN.map(|_| Arc::default()).into(),
            services: Pages::default(),
            service_names: Trie::default(),
            groups: Pages::default(),
            group_names: Trie::default(),
            hosts: WideTrie::default(),
            resources: Resources::default(),
            drafts: Drafts::default(),
            grants: Grants::default(),
            log: Log::default(),
            unreachable: Vec::new(),
        }
    }

    // === Reading ===

    pub(crate) fn revision(&self) -> Revision {
        self.revision
    }

    pub(crate) fn next(&self) -> Next {
        self.next
    }

    pub(crate) fn environments(
        &self,
    ) -> impl Iterator<Item = (EnvironmentId, &Arc<EnvironmentRecord>)> {
        (0..)
            .map(EnvironmentId::new)
            .zip(self.environments.iter())
            .filter_map(|(id, record)| record.as_ref().map(|record| (id, record)))
    }

    pub(crate) fn environment(&self, id: EnvironmentId) -> Option<&Arc<EnvironmentRecord>> {
        self.environments.get(usize::from(id.number()))?.as_ref()
    }

    pub(crate) fn environment_id(&self, name: &str) -> Option<EnvironmentId> {
        self.environments().find(|(_, record)| record.name.as_str() == name).map(|(id, _)| id)
    }

    pub(crate) fn stage(&self, id: EnvironmentId) -> Option<&Stage> {
        self.stages.get(usize::from(id.number())).map(Arc::as_ref)
    }

    pub(crate) fn service(&self, id: ServiceId) -> Option<&Arc<ServiceRecord>> {
        self.services.get(id.number())
    }

    pub(crate) fn service_id(&self, name: &ServiceName) -> Option<ServiceId> {
        let named = |id: &&ServiceId| self.service(**id).is_some_and(|s| s.name == *name);
        self.service_names.under(name_key(name.as_str())).find(named).copied()
    }

    /// Whether nothing but this service has its name.
    pub(crate) fn is_only_service(&self, id: ServiceId, name: &ServiceName) -> bool {
        let named = |other: &ServiceId| self.service(*other).is_some_and(|s| s.name == *name);
        let mut found = self.service_names.under(name_key(name.as_str()));
        found.all(|other| *other == id || !named(other))
    }

    pub(crate) fn services(&self) -> impl Iterator<Item = (ServiceId, &Arc<ServiceRecord>)> {
        self.services.iter().map(|(id, record)| (ServiceId::new(id), record))
    }

    pub(crate) fn group(&self, id: GroupId) -> Option<&Arc<GroupEntry>> {
        self.groups.get(id.number())
    }

    pub(crate) fn group_id(&self, name: &GroupName) -> Option<GroupId> {
        let named = |id: &&GroupId| self.group(**id).is_some_and(|g| g.record.name == *name);
        self.group_names.under(name_key(name.as_str())).find(named).copied()
    }

    /// Whether nothing but this group has its name.
    pub(crate) fn is_only_group(&self, id: GroupId, name: &GroupName) -> bool {
        let named = |other: &GroupId| self.group(*other).is_some_and(|g| g.record.name == *name);
        let mut found = self.group_names.under(name_key(name.as_str()));
        found.all(|other| *other == id || !named(other))
    }

    #[cfg(feature = "document")]
    pub(crate) fn groups(&self) -> impl Iterator<Item = (GroupId, &Arc<GroupEntry>)> {
        self.groups.iter().map(|(id, entry)| (GroupId::new(id), entry))
    }

    pub(crate) fn resource(&self, id: ResourceId) -> Option<&Arc<ResourceRecord>> {
        self.resources.get(id)
    }

    pub(crate) fn resource_id(&self, sort: Sort, name: &str) -> Option<ResourceId> {
        self.resources.named(sort, name)
    }

    /// Whether nothing but this resource has its name.
    pub(crate) fn is_only_resource(&self, id: ResourceId, record: &ResourceRecord) -> bool {
        self.resources.is_only(id, record)
    }

    pub(crate) fn resources(&self) -> impl Iterator<Item = (ResourceId, &Arc<ResourceRecord>)> {
        self.resources.iter()
    }

    /// Another application that has a key or a code of this one.
    pub(crate) fn rival_app(&self, id: ResourceId, app: &App) -> Option<ResourceId> {
        self.resources.rival(id, app)
    }

    /// Whose key this is.
    pub(crate) fn caller_by_key(&self, key: &str) -> Option<CallerKey> {
        self.resources.by_key(key)
    }

    /// Whose code this is.
    pub(crate) fn caller_by_code(&self, code: &[u8]) -> Option<Caller> {
        self.resources.by_code(code)
    }

    /// How the registry is set, where a change set it.
    pub(crate) fn settings(&self) -> Option<&RegistrySettings> {
        self.resources.settings()
    }

    /// Who may call what, where.
    pub(crate) fn grants(&self) -> &Grants {
        &self.grants
    }

    pub(crate) fn sites(&self, host: &str) -> Option<&Arc<Sites>> {
        self.hosts.under(name_key(host)).find(|sites| sites.host.as_str() == host)
    }

    pub(crate) fn api(&self, id: ApiId) -> Option<&Arc<ApiRecord>> {
        self.drafts.get(id)
    }

    #[cfg(feature = "document")]
    pub(crate) fn apis(&self) -> impl Iterator<Item = ApiId> + '_ {
        self.drafts.ids()
    }

    pub(crate) fn api_id_in(&self, group: GroupId, name: &str) -> Option<ApiId> {
        self.drafts.named(group, name)
    }

    /// Whether nothing but this API has its name.
    pub(crate) fn is_only_api(&self, id: ApiId, draft: &ApiRecord) -> bool {
        self.drafts.is_only(id, draft)
    }

    pub(crate) fn api_id(&self, name: &ApiName) -> Option<ApiId> {
        self.api_id_in(self.group_id(name.group())?, name.name())
    }

    /// The full name of an API that is there.
    pub(crate) fn api_name(&self, id: ApiId) -> Option<ApiName> {
        let api = self.api(id)?;
        let group = self.group(api.group)?.record.name.clone();
        Some(ApiName::from_checked(group, Arc::clone(&api.name)))
    }

    pub(crate) fn service_name(&self, version: &Version) -> Option<ServiceName> {
        Some(self.service(version.service()?)?.name.clone())
    }

    /// The drafts that go to a service.
    pub(crate) fn drafts_of(&self, service: ServiceId) -> Option<&IdSet> {
        self.drafts.of_service(service)
    }

    /// The drafts of a group.
    pub(crate) fn drafts_in(&self, group: GroupId) -> Option<&IdSet> {
        self.drafts.of_group(group)
    }

    /// The other drafts with the same group, method and paths.
    pub(crate) fn rivals<'a>(
        &'a self,
        id: ApiId,
        draft: &'a ApiRecord,
    ) -> impl Iterator<Item = ApiId> + 'a {
        self.drafts.rivals(id, draft)
    }

    /// The revision by which an API in an environment became what it is: its publication's or its
    /// service's definition's, whichever is later.
    pub(crate) fn effective<'a>(
        &'a self,
        publication: &'a PublicationRecord,
        environment: EnvironmentId,
    ) -> &'a Arc<Stamp> {
        let definition = publication
            .version
            .service()
            .and_then(|service| self.stage(environment)?.definition(service));
        match definition {
            Some(definition) if definition.stamp.revision > publication.stamp.revision => {
                &definition.stamp
            }
            _ => &publication.stamp,
        }
    }

    /// The newest revisions.
    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// Publications that nothing can make live again, but that are still there.
    pub(crate) fn unreachable(&self) -> &[Unreachable] {
        &self.unreachable
    }

    /// Whether there is a record under a key.
    pub(crate) fn has(&self, key: Key) -> bool {
        match key {
            Key::Definition(id, at) => self.stage(at).is_some_and(|s| s.definition(id).is_some()),
            Key::Publication(id, at) => self.stage(at).is_some_and(|s| s.publication(id).is_some()),
            Key::Api(id) => self.api(id).is_some(),
            _ => self.record(key).is_some(),
        }
    }

    /// Every record, as a store keeps it.
    pub(crate) fn records(&self) -> impl Iterator<Item = (Key, Record)> + '_ {
        let declared = self.environments().skip(Environment::BUILT_IN.len()).map(|(id, _)| id);
        let stages = || self.environments().filter_map(|(at, _)| Some((at, self.stage(at)?)));
        let definitions = stages().flat_map(|(at, stage)| {
            stage.definitions().map(move |(service, _)| Key::Definition(service, at))
        });
        let published = stages()
            .flat_map(|(at, stage)| stage.publications().map(move |api| Key::Publication(api, at)));
        let entries = self
            .log
            .first()
            .map_or(0..0, |first| first.as_u64()..self.revision.as_u64().saturating_add(1));
        let keys = std::iter::once(Key::Next)
            .chain(declared.map(Key::Environment))
            .chain(self.services().map(|(id, _)| Key::Service(id)))
            .chain(definitions)
            .chain(self.groups.iter().map(|(id, _)| Key::Group(GroupId::new(id))))
            .chain(self.resources.iter().map(|(id, _)| Key::Resource(id)))
            .chain(self.drafts.ids().map(Key::Api))
            .chain(published)
            .chain(self.grants.iter().map(|grant| grant.key()))
            .chain(entries.map(|revision| Key::Revision(Revision::new(revision))));
        keys.filter_map(|key| Some((key, self.record(key)?)))
    }

    // === Writing ===

    pub(super) fn log_mut(&mut self) -> &mut Log {
        &mut self.log
    }

    pub(super) fn unreachable_mut(&mut self) -> &mut Vec<Unreachable> {
        &mut self.unreachable
    }

    /// Says which revision this is.
    pub(crate) fn advance(&mut self, revision: Revision) {
        self.revision = revision;
        self.log.sweep();
    }

    /// Puts a record under its key, or takes the one that is there away, and keeps every index true.
    pub(crate) fn put(&mut self, key: Key, record: Option<Record>) -> Result<(), Misfit> {
        let misfit = |reason: &str| Misfit { key, reason: reason.to_owned() };
        match (key, record) {
            (Key::Next, Some(Record::Next(next))) => {
                if usize::from(next.environment) > MAX_ENVIRONMENTS {
                    return Err(misfit("counts too many environments"));
                }
                self.next = next;
                self.make_room(Environment::BUILT_IN.len() + usize::from(next.environment));
            }
            (Key::Environment(id), None) => self.put_environment(id, None),
            (Key::Environment(id), Some(Record::Environment(record))) => {
                self.put_environment(id, Some(record));
            }
            (Key::Service(id), None) => self.put_service(id, None),
            (Key::Service(id), Some(Record::Service(record))) => self.put_service(id, Some(record)),
            (Key::Definition(service, environment), record) => {
                let record = match record {
                    None => None,
                    Some(Record::Definition(record)) => Some(record),
                    Some(_) => return Err(misfit("is of another sort")),
                };
                let stage = self.stage_mut(environment).ok_or_else(|| misfit("no environment"))?;
                stage.put_definition(service, record);
            }
            (Key::Group(id), None) => drop(self.put_group(id, None)),
            (Key::Group(id), Some(Record::Group(record))) => {
                let accepted = AcceptedGroup::accept(id, &record.group)
                    .map_err(|error| misfit(&error.to_string()))?;
                let before = self.put_group(id, Some(GroupEntry { record, accepted }));
                self.substitute_all(id, before.as_deref());
            }
            (Key::Api(id), None) => self.drafts.put(id, None),
            (Key::Api(id), Some(Record::Api(record))) => self.drafts.put(id, Some(record)),
            (Key::Publication(..), None) => return self.put_publication(key, None),
            (Key::Publication(..), Some(Record::Publication(record))) => {
                return self.put_publication(key, Some(record));
            }
            (Key::Resource(_) | Key::Grant(..), record) => return self.put_right(key, record),
            (Key::Revision(revision), None) => self.forget(revision),
            (Key::Revision(revision), Some(Record::Revision(entry))) => {
                if entry.stamp.revision != revision {
                    return Err(misfit("is of another revision"));
                }
                let mut log = std::mem::take(&mut self.log);
                log.keep(&entry, |key| self.has(key));
                self.log = log;
            }
            _ => return Err(misfit("is of another sort")),
        }
        Ok(())
    }

    fn put_publication(
        &mut self,
        key: Key,
        record: Option<Arc<PublicationRecord>>,
    ) -> Result<(), Misfit> {
        let Key::Publication(api, environment) = key else {
            return Ok(());
        };
        let group = record.as_ref().filter(|it| it.version.is_open()).map(|it| it.group);
        let stage = self.stage_mut(environment);
        let stage = stage.ok_or_else(|| Misfit { key, reason: "no environment".to_owned() })?;
        stage.put_publication(api, record);
        if group.is_some() || stage.substituted(api).is_some() {
            self.substitute(environment, [(api, group)]);
        }
        Ok(())
    }

    fn put_right(&mut self, key: Key, record: Option<Record>) -> Result<(), Misfit> {
        match (key, record) {
            (Key::Resource(id), None) => self.resources.put(id, None),
            (Key::Resource(id), Some(Record::Resource(record))) => {
                self.resources.put(id, Some(record));
            }
            (Key::Grant(api, at, app), None) => self.grants.put((api, at, app), None),
            (Key::Grant(api, at, app), Some(Record::Grant(record))) if record.key() == key => {
                self.grants.put((api, at, app), Some(record));
            }
            _ => return Err(Misfit { key, reason: "is of another sort or key".to_owned() }),
        }
        Ok(())
    }

    /// Puts drafts and publications in where there are none yet, both given in the order of the APIs,
    /// each once. An environment that is not there is a misfit.
    pub(super) fn fill(
        &mut self,
        drafts: Vec<(u32, Arc<ApiRecord>)>,
        published: BTreeMap<EnvironmentId, Vec<(u32, Arc<PublicationRecord>)>>,
    ) -> Result<(), Misfit> {
        // Drafts in a thread of their own: they share nothing with what is published.
        let (drafts, filled) = std::thread::scope(|scope| {
            let drafts = scope.spawn(|| Drafts::filled(drafts));
            let filled = published.into_iter().map(|(at, publications)| {
                let api = publications.first().map_or(0, |(api, _)| *api);
                let key = Key::Publication(ApiId::new(api), at);
                let stage = self.stage_mut(at);
                let misfit = || Misfit { key, reason: "no environment".to_owned() };
                stage.ok_or_else(misfit).map(|stage| (at, stage.fill(publications)))
            });
            let filled = filled.collect::<Result<Vec<_>, _>>();
            (drafts.join(), filled)
        });
        match drafts {
            Ok(drafts) => self.drafts = drafts,
            Err(panic) => std::panic::resume_unwind(panic),
        }
        for (environment, open) in filled? {
            let open = open.into_iter().map(|(api, group)| (api, Some(group)));
            self.substitute(environment, open);
        }
        Ok(())
    }

    pub(super) fn stage_ids(&self) -> impl Iterator<Item = EnvironmentId> + use<> {
        (0..self.stages.len()).map(|at| EnvironmentId::new(u16::try_from(at).unwrap_or(u16::MAX)))
    }

    pub(super) fn stage_mut(&mut self, id: EnvironmentId) -> Option<&mut Stage> {
        self.stages.get_mut(usize::from(id.number())).map(Arc::make_mut)
    }

    /// Makes room for so many environments, those that were retired included: what was there once can
    /// come back.
    fn make_room(&mut self, count: usize) {
        if self.environments.len() < count {
            Arc::make_mut(&mut self.environments).resize(count, None);
        }
        if self.stages.len() < count {
            self.stages.resize_with(count, Arc::default);
        }
    }

    fn put_environment(&mut self, id: EnvironmentId, record: Option<Arc<EnvironmentRecord>>) {
        let at = usize::from(id.number());
        self.make_room(at + 1);
        let environments = Arc::make_mut(&mut self.environments);
        if let Some(slot) = environments.get_mut(at) {
            *slot = record;
        }
    }

    fn put_service(&mut self, id: ServiceId, record: Option<Arc<ServiceRecord>>) {
        let before = match &record {
            Some(record) => self.services.set(id.number(), Arc::clone(record)),
            None => self.services.take(id.number()),
        };
        if let Some(before) = before {
            self.service_names.remove(name_key(before.name.as_str()), |other| *other == id);
        }
        if let Some(record) = record {
            self.service_names.insert(name_key(record.name.as_str()), id);
        }
    }

    /// Hands out the one before.
    fn put_group(&mut self, id: GroupId, entry: Option<GroupEntry>) -> Option<Arc<GroupEntry>> {
        let entry = entry.map(Arc::new);
        let before = match &entry {
            Some(entry) => self.groups.set(id.number(), Arc::clone(entry)),
            None => self.groups.take(id.number()),
        };
        if let Some(before) = &before {
            self.group_names.remove(name_key(before.record.name.as_str()), |other| *other == id);
            for (host, _) in &before.accepted.hosts {
                self.edit_sites(host, |sites| sites.without(id));
            }
        }
        if let Some(entry) = entry {
            self.group_names.insert(name_key(entry.record.name.as_str()), id);
            for (host, environment) in &entry.accepted.hosts {
                // An environment that is not there is refused at the door; a host bound to one that
                // a damaged store lost serves nothing.
                let bound = environment.as_ref().map(|name| {
                    self.environment_id(name.as_str()).unwrap_or(EnvironmentId::new(u16::MAX))
                });
                let options = Arc::clone(&entry.accepted.options);
                let site = Site { options, environment: bound };
                self.edit_sites(host, |sites| sites.with(site));
            }
        }
        before
    }

    fn edit_sites(&mut self, host: &Host, edit: impl FnOnce(&Sites) -> Sites) {
        let key = name_key(host.as_str());
        let before = self.hosts.remove(key, |sites| sites.host == *host);
        let nobody = || Arc::new(Sites { host: host.clone(), sites: Vec::new() });
        let after = edit(&before.unwrap_or_else(nobody));
        if !after.sites.is_empty() {
            self.hosts.insert(key, Arc::new(after));
        }
    }
}

impl GrantRecord {
    /// Under which key it is kept.
    pub(crate) fn key(&self) -> Key {
        Key::Grant(self.api, self.environment, self.app)
    }
}

impl DefinitionRecord {
    /// Whether a publication of this epoch is live by this definition.
    pub(crate) fn accepts(&self, epoch: Option<Revision>) -> bool {
        epoch.is_some_and(|epoch| epoch == self.epoch || self.accepted.contains(&epoch))
    }
}
