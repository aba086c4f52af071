//! What is true, as a document.

use std::collections::BTreeMap;

use super::{
    ApiEntry, AppEntry, Document, EnvironmentEntry, GrantEntry, GroupEntry, Named, ServiceEntry,
};
use crate::model::environment::Declaration;
use crate::model::id::{ApiId, ServiceId};
use crate::model::{Api, Environment, Resource, ServiceName, Version};
use crate::registry::Registry;
use crate::registry::state::State;
use crate::store::record::ApiRecord;

impl Registry {
    /// Everything that is true now, as a document, each table in the order of its names.
    ///
    /// Applied to an empty registry it makes the same true there; applied here it changes nothing. What
    /// is published but dormant is not in it, nor is the history. **It holds secrets in the clear.**
    #[must_use]
    pub fn export_document(&self) -> Document {
        export(&self.state())
    }
}

fn export(state: &State) -> Document {
    let mut document = Document::new();
    let declared = state.environments().skip(Environment::BUILT_IN.len());
    document.environments = declared
        .map(|(_, record)| {
            let declaration = Declaration::new(&*record.description);
            EnvironmentEntry::new(record.name.clone(), declaration)
        })
        .collect();
    document.services =
        state.services().map(|(id, _)| id).filter_map(|id| service(state, id)).collect();
    for (_, entry) in state.groups() {
        let record = &entry.record;
        document.groups.push(GroupEntry::new(record.name.clone(), record.group.clone()));
    }
    for (_, record) in state.resources() {
        let name = record.name.clone();
        match record.resource.clone() {
            Resource::App(app) => document.apps.push(AppEntry::new(name, app)),
            Resource::VpcAccess(access) => document.vpc_accesses.push(Named::new(name, access)),
            Resource::ObjectGrant(grant) => document.object_grants.push(Named::new(name, grant)),
            Resource::Credential(value) => document.credentials.push(Named::new(name, value)),
            Resource::Registry(settings) => document.registry = Some(settings),
        }
    }
    let apis = state.apis().filter_map(|id| api(state, id, state.api(id)?));
    document.apis = apis.collect();
    let grants = state.grants().iter().filter_map(|record| {
        let app = state.resource(record.app)?.name.clone();
        let (api, at) = (state.api_name(record.api)?, state.environment(record.environment)?);
        Some(GrantEntry::new(app, api, at.name.clone(), record.grant))
    });
    document.grants = grants.collect();
    sort(&mut document);
    document
}

/// Two exports of the same state are the same text.
fn sort(document: &mut Document) {
    document.environments.sort_by(|one, other| one.name.cmp(&other.name));
    document.services.sort_by(|one, other| one.name.cmp(&other.name));
    document.groups.sort_by(|one, other| one.name.cmp(&other.name));
    document.apps.sort_by(|one, other| one.name.cmp(&other.name));
    document.vpc_accesses.sort_by(|one, other| one.name.cmp(&other.name));
    document.object_grants.sort_by(|one, other| one.name.cmp(&other.name));
    document.credentials.sort_by(|one, other| one.name.cmp(&other.name));
    document.apis.sort_by(|one, other| one.name.cmp(&other.name));
    document.grants.sort_by(|one, other| {
        (&one.app, &one.api, &one.environment).cmp(&(&other.app, &other.api, &other.environment))
    });
}

fn service(state: &State, id: ServiceId) -> Option<ServiceEntry> {
    let record = state.service(id)?;
    let mut entry = ServiceEntry::new(record.name.clone(), record.service.kind.clone());
    entry.description.clone_from(&record.service.description);
    for (at, environment) in state.environments() {
        if let Some(defined) = state.stage(at).and_then(|stage| stage.definition(id)) {
            entry.definition.insert(environment.name.clone(), defined.definition.clone());
        }
    }
    Some(entry)
}

fn api(state: &State, id: ApiId, draft: &ApiRecord) -> Option<ApiEntry> {
    let written = |version: &Version| -> Api {
        let service = state.service_name(version);
        version.api(service.as_ref().map(ServiceName::as_str))
    };
    let mut entry = ApiEntry::new(state.api_name(id)?, written(&draft.version));
    let mut other = BTreeMap::new();
    for (at, environment) in state.environments() {
        let Some(stage) = state.stage(at) else { continue };
        let Some(publication) = stage.publication(id).filter(|p| stage.is_live(p)) else {
            continue;
        };
        entry.publish.push(environment.name.clone());
        if publication.version != draft.version {
            other.insert(environment.name.clone(), written(&publication.version));
        }
    }
    entry.version = other;
    Some(entry)
}
