//! What a plan was made on: if any of it moved, the plan is stale, and only then.

use std::sync::Arc;

use super::change::{Change, Operation};
use super::history::touch::Touch;
use super::shared::IdSet;
use super::state::State;
use crate::model::id::{ApiId, EnvironmentId, GroupId, ResourceId, ServiceId};
use crate::model::{ApiName, Environment, GroupName, ResourceName, Revision, ServiceName, Sort};
use crate::store::Key;
use crate::store::record::RevisionRecord;

/// One question that evaluating a change asked: it is asked of two states, and the answers compared.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Read {
    /// Who has the name?
    Environment(Environment),
    /// Who has the name?
    Service(ServiceName),
    /// Who has the name?
    Group(GroupName),
    /// Who has the name?
    Api(ApiName),
    /// Who has the name?
    Resource(Sort, ResourceName),
    /// What was it granted?
    Granted(ResourceId),
    /// Who was granted it?
    GrantedOn(ApiId),
    /// Who wrote it last?
    Record(Key),
    /// Which epochs are live?
    Epochs(ServiceId, EnvironmentId),
    /// What is published against an epoch of it, live or not?
    Published(ServiceId, EnvironmentId, Revision),
    /// Which drafts go to it?
    Drafts(ServiceId),
    /// Which drafts are in it?
    Members(GroupId),
    /// How much is published in it, in each environment?
    Addressed(GroupId),
    /// What that names stage variables is published in it, in each environment?
    Substituted(GroupId),
}

/// What evaluating `change` on `base`, which led to `after` and did what `entry` says, depended on.
pub(crate) fn reads(
    change: &Change,
    base: &State,
    after: &State,
    entry: &RevisionRecord,
) -> Arc<[Read]> {
    let mut asked = Asked { base, after, reads: Vec::new() };
    for edit in &change.edits {
        asked.operation(&edit.operation);
    }
    for (key, _) in entry.written() {
        asked.written(key);
    }
    let mut reads = asked.reads;
    reads.sort_unstable();
    reads.dedup();
    reads.into()
}

struct Asked<'a> {
    base: &'a State,
    after: &'a State,
    reads: Vec<Read>,
}

impl Asked<'_> {
    fn written(&mut self, key: Key) {
        if self.is_fresh(key) {
            // Whoever creates something else first gets this number; what is meant goes by its name.
            return;
        }
        self.reads.push(Read::Record(key));
        match key {
            Key::Definition(service, at) => self.published(service, at),
            Key::Publication(api, at) => {
                self.epochs(api, at);
                self.variables(api, at);
            }
            Key::Group(group) => {
                if self.readdresses(group) {
                    self.reads.push(Read::Addressed(group));
                }
                if self.revalues(group) {
                    self.reads.push(Read::Substituted(group));
                }
            }
            _ => {}
        }
    }

    /// Whether what is published in a group is reached by other hosts or another base path.
    fn readdresses(&self, group: GroupId) -> bool {
        let address = |state: &State| Some(state.group(group)?.record.group.address());
        address(self.base) != address(self.after)
    }

    /// Whether a group's stage variables stand for something else.
    fn revalues(&self, group: GroupId) -> bool {
        let variables =
            |state: &State| state.group(group).map(|entry| entry.record.group.variables.clone());
        variables(self.base) != variables(self.after)
    }

    /// What a definition publishes before and after: what is moved, ended or brought back.
    fn published(&mut self, service: ServiceId, at: EnvironmentId) {
        for state in [self.base, self.after] {
            let definition = state.stage(at).and_then(|stage| stage.definition(service));
            if let Some(record) = definition {
                let epochs = record.accepted.iter().chain([&record.epoch]);
                self.reads.extend(epochs.map(|epoch| Read::Published(service, at, *epoch)));
            }
        }
    }

    /// What an API's publication, before and after, is live by.
    fn epochs(&mut self, api: ApiId, at: EnvironmentId) {
        for state in [self.base, self.after] {
            let published = state.stage(at).and_then(|stage| stage.publication(api));
            let service = published.and_then(|published| published.version.service());
            let service = service.filter(|service| !self.is_fresh(Key::Service(*service)));
            self.reads.extend(service.map(|service| Read::Epochs(service, at)));
        }
    }

    /// What an API's stage variables stand for, where it names any.
    fn variables(&mut self, api: ApiId, at: EnvironmentId) {
        for state in [self.base, self.after] {
            let published = state.stage(at).and_then(|stage| stage.publication(api));
            let open = published.filter(|published| published.version.is_open());
            let group = open.map(|published| Key::Group(published.group));
            self.reads.extend(group.filter(|key| !self.is_fresh(*key)).map(Read::Record));
        }
    }

    /// Whether a key's number was not given to anything yet.
    fn is_fresh(&self, key: Key) -> bool {
        let next = self.base.next();
        let built_in = u16::try_from(Environment::BUILT_IN.len()).unwrap_or(0);
        let environment =
            |id: EnvironmentId| id.number() >= built_in.saturating_add(next.environment);
        match key {
            Key::Environment(id) => environment(id),
            Key::Service(id) => id.number() >= next.service,
            Key::Definition(id, at) => id.number() >= next.service || environment(at),
            Key::Group(id) => id.number() >= next.group,
            Key::Api(id) => id.number() >= next.api,
            Key::Publication(id, at) => id.number() >= next.api || environment(at),
            Key::Resource(id) => id.number() >= next.resource,
            Key::Grant(api, at, app) => {
                api.number() >= next.api || environment(at) || app.number() >= next.resource
            }
            Key::Next | Key::Revision(_) => true,
        }
    }

    fn operation(&mut self, operation: &Operation) {
        match operation {
            Operation::DeclareEnvironment { name, .. } | Operation::RetireEnvironment { name } => {
                self.environment(name);
            }
            Operation::Service { name, .. } | Operation::DescribeService { name, .. } => {
                self.service(name);
            }
            Operation::RenameService { from, to } => {
                self.service(from);
                self.service(to);
            }
            Operation::DeleteService { name } => self.whole_service(name),
            Operation::Define { service, environment, .. }
            | Operation::Update { service, environment, .. }
            | Operation::DeleteDefinition { service, environment } => {
                self.definition(service, environment);
            }
            Operation::Promote { service, from, to } => {
                self.definition(service, to);
                let (service, from) = (self.service(service), self.environment(from));
                if let (Some(service), Some(from)) = (service, from) {
                    self.reads.push(Read::Record(Key::Definition(service, from)));
                }
            }
            Operation::Group { name, .. } => {
                self.group(name);
            }
            Operation::RenameGroup { from, to } => {
                self.group(from);
                self.group(to);
            }
            Operation::DeleteGroup { name } => {
                let group = self.group(name);
                self.reads.extend(group.map(Read::Members));
            }
            Operation::Api { name, api } => {
                self.api(name);
                api.backend.service.as_deref().map(|service| self.service(service));
            }
            Operation::RenameApi { from, to } => {
                self.api(from);
                self.api(to);
            }
            Operation::DeleteApi { name } => {
                if let Some(Key::Api(api)) = self.api(name) {
                    self.reads.push(Read::GrantedOn(api));
                }
            }
            Operation::Publish { api, environment } => self.publish(api, environment),
            Operation::Switch { api, environment, .. }
            | Operation::Unpublish { api, environment } => {
                self.publication(api, environment);
            }
            Operation::Resource { .. }
            | Operation::RenameResource { .. }
            | Operation::DeleteResource { .. }
            | Operation::Grant { .. }
            | Operation::Revoke { .. } => self.right(operation),
            Operation::Undo(undo) => self.undo(undo.revision),
        }
    }

    fn undo(&mut self, revision: Revision) {
        let entry = self.base.log().entry(revision).cloned();
        for (key, _) in entry.iter().flat_map(|entry| entry.written()) {
            self.written(key);
        }
    }

    /// What an edit of a resource or a grant depends on.
    fn right(&mut self, operation: &Operation) {
        match operation {
            Operation::Resource { name, resource } => {
                self.resource(resource.sort(), name);
            }
            Operation::RenameResource { sort, from, to } => {
                self.resource(*sort, from);
                self.resource(*sort, to);
            }
            Operation::DeleteResource { sort, name } => {
                let id = self.resource(*sort, name);
                self.reads.extend(id.map(Read::Granted));
            }
            Operation::Grant { app, api, environment, .. }
            | Operation::Revoke { app, api, environment } => {
                self.granted(app, api, environment);
            }
            _ => {}
        }
    }

    fn environment(&mut self, name: &Environment) -> Option<EnvironmentId> {
        self.reads.push(Read::Environment(name.clone()));
        let id = self.base.environment_id(name.as_str())?;
        self.reads.push(Read::Record(Key::Environment(id)));
        Some(id)
    }

    fn service(&mut self, name: &str) -> Option<ServiceId> {
        let name: ServiceName = name.parse().ok()?;
        let id = self.base.service_id(&name);
        self.reads.push(Read::Service(name));
        id
    }

    fn whole_service(&mut self, name: &str) {
        let Some(id) = self.service(name) else { return };
        self.reads.extend([Read::Drafts(id), Read::Record(Key::Service(id))]);
        for (at, _) in self.base.environments() {
            self.published(id, at);
        }
    }

    fn definition(&mut self, service: &str, environment: &Environment) {
        let (service, at) = (self.service(service), self.environment(environment));
        if let (Some(service), Some(at)) = (service, at) {
            self.written(Key::Definition(service, at));
        }
    }

    fn group(&mut self, name: &str) -> Option<GroupId> {
        let name: GroupName = name.parse().ok()?;
        let id = self.base.group_id(&name);
        self.reads.push(Read::Group(name));
        self.reads.extend(id.map(|id| Read::Record(Key::Group(id))));
        id
    }

    fn api(&mut self, name: &str) -> Option<Key> {
        let name: ApiName = name.parse().ok()?;
        self.reads.push(Read::Group(name.group().clone()));
        let id = self.base.api_id(&name).map(Key::Api);
        self.reads.push(Read::Api(name));
        self.reads.extend(id.map(Read::Record));
        id
    }

    fn resource(&mut self, sort: Sort, name: &str) -> Option<ResourceId> {
        let name: ResourceName = name.parse().ok()?;
        let id = self.base.resource_id(sort, name.as_str());
        self.reads.push(Read::Resource(sort, name));
        self.reads.extend(id.map(|id| Read::Record(Key::Resource(id))));
        id
    }

    fn granted(&mut self, app: &str, api: &str, environment: &Environment) {
        let (app, api) = (self.resource(Sort::App, app), self.api(api));
        if let (Some(app), Some(Key::Api(api)), Some(at)) =
            (app, api, self.environment(environment))
        {
            self.written(Key::Grant(api, at, app));
        }
    }

    fn publish(&mut self, api: &str, environment: &Environment) {
        self.publication(api, environment);
        let Ok(name) = api.parse::<ApiName>() else { return };
        let at = self.base.environment_id(environment.as_str());
        let draft = |state: &State| state.api(state.api_id(&name)?).cloned();
        // What the change itself creates goes somewhere too.
        let draft = draft(self.base).or_else(|| draft(self.after));
        let key = draft.and_then(|draft| draft.version.service()).zip(at);
        let key = key.map(|(service, at)| Key::Definition(service, at));
        self.reads.extend(key.filter(|key| !self.is_fresh(*key)).map(Read::Record));
    }

    fn publication(&mut self, api: &str, environment: &Environment) {
        let (api, at) = (self.api(api), self.environment(environment));
        let (Some(Key::Api(api)), Some(at)) = (api, at) else { return };
        self.written(Key::Publication(api, at));
    }
}

impl Read {
    /// Whether two states answer the same.
    pub(crate) fn agrees(&self, one: &State, other: &State) -> bool {
        match self {
            Self::Environment(name) => {
                one.environment_id(name.as_str()) == other.environment_id(name.as_str())
            }
            Self::Service(name) => one.service_id(name) == other.service_id(name),
            Self::Group(name) => one.group_id(name) == other.group_id(name),
            Self::Api(name) => one.api_id(name) == other.api_id(name),
            Self::Resource(sort, name) => {
                let id = |state: &State| state.resource_id(*sort, name.as_str());
                id(one) == id(other)
            }
            Self::GrantedOn(api) => one.grants().on_api(*api).eq(other.grants().on_api(*api)),
            Self::Granted(app) => one.grants().of_app(*app).eq(other.grants().of_app(*app)),
            Self::Record(key) => match (one.touched(*key), other.touched(*key)) {
                // That it was deleted once was forgotten in the meantime.
                (Some(_), None) => !one.has(*key),
                (then, now) => then == now,
            },
            Self::Epochs(service, at) => {
                let epochs = |state: &State| {
                    let definition = state.stage(*at)?.definition(*service)?;
                    Some((definition.epoch, definition.accepted.clone()))
                };
                epochs(one) == epochs(other)
            }
            Self::Published(service, at, epoch) => {
                let apis = |state| State::stage(state, *at)?.of_epoch(*service, *epoch);
                same(apis(one), apis(other))
            }
            Self::Drafts(service) => same(one.drafts_of(*service), other.drafts_of(*service)),
            Self::Members(group) => same(one.drafts_in(*group), other.drafts_in(*group)),
            Self::Addressed(group) => {
                let published = |state: &State| {
                    let stages = state.environments().filter_map(|(at, _)| state.stage(at));
                    let counts = stages.map(|stage| stage.routes().published(*group));
                    counts.collect::<Vec<_>>()
                };
                published(one) == published(other)
            }
            Self::Substituted(group) => {
                let published = |state: &State| {
                    let stages = state.environments();
                    let stages = stages.filter_map(|(at, _)| Some((at, state.stage(at)?)));
                    let apis = stages.flat_map(|(at, stage)| {
                        stage.substituted_in(*group).map(move |api| {
                            (at, api, stage.publication(api).map(|it| it.stamp.revision))
                        })
                    });
                    apis.collect::<Vec<_>>()
                };
                published(one) == published(other)
            }
        }
    }

    /// What was asked about, in words, and who wrote it last.
    pub(crate) fn describe(&self, now: &State) -> String {
        let wrote = |key| {
            let touch = now.touches(key).next();
            let by = |touch: Touch| format!(" (revision {})", touch.stamp.revision);
            format!("{}{}", now.describe(key), touch.map(by).unwrap_or_default())
        };
        match self {
            Self::Environment(name) => format!("environment {name}"),
            Self::Service(name) => format!("service {:?}", name.as_str()),
            Self::Group(name) => format!("group {:?}", name.as_str()),
            Self::Api(name) => format!("API {name}"),
            Self::Resource(sort, name) => format!("{sort} {:?}", name.as_str()),
            Self::GrantedOn(api) => format!("who was granted {}", now.describe(Key::Api(*api))),
            Self::Granted(app) => {
                format!("what was granted to {}", now.describe(Key::Resource(*app)))
            }
            Self::Record(key) => wrote(*key),
            Self::Epochs(service, at) => wrote(Key::Definition(*service, *at)),
            Self::Published(service, at, _) => {
                format!("what is published by {}", now.describe(Key::Definition(*service, *at)))
            }
            Self::Drafts(service) => {
                format!("the drafts of {}", now.describe(Key::Service(*service)))
            }
            Self::Members(group) => format!("the APIs of {}", now.describe(Key::Group(*group))),
            Self::Addressed(group) | Self::Substituted(group) => {
                format!("what is published in {}", now.describe(Key::Group(*group)))
            }
        }
    }
}

fn same(one: Option<&IdSet>, other: Option<&IdSet>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.same(other),
        (None, None) => true,
        (Some(set), None) | (None, Some(set)) => set.is_empty(),
    }
}
