//! What a document created and this one no longer has. What something else still needs, stays.

use std::collections::BTreeSet;

use super::{Place, Work};
use crate::model::id::{ApiId, EnvironmentId, GroupId, ServiceId};
use crate::model::{Environment, Sort};

impl Work<'_> {
    /// What the document names and could not be read, stays too.
    pub(super) fn keep_unread(&mut self) {
        let document = self.document;
        for name in document.unread("backend_service").filter_map(|name| name.parse().ok()) {
            self.kept.services.extend(self.service_id(&name));
        }
        for name in document.unread("group").filter_map(|name| name.parse().ok()) {
            self.kept.groups.extend(self.group_id(&name));
        }
        for name in document.unread("app").filter_map(|name| name.parse().ok()) {
            self.kept.resources.extend(self.app_id(&name));
        }
        let sorts = [
            ("vpc_access", Sort::VpcAccess),
            ("object_grant", Sort::ObjectGrant),
            ("credential", Sort::Credential),
        ];
        for (table, sort) in sorts {
            for name in document.unread(table) {
                self.kept.resources.extend(self.state.resource_id(sort, name));
            }
        }
    }

    /// Finds the definitions that go: whatever is published by them goes with them, at once.
    pub(super) fn undefine(&mut self) {
        let defined: Vec<BTreeSet<&Environment>> =
            self.document.services.iter().map(|entry| entry.definition.keys().collect()).collect();
        let mut wanted = BTreeSet::new();
        for (entry, environments) in self.document.services.iter().zip(defined) {
            let Some(id) = self.service_id(&entry.name) else { continue };
            let at = environments.into_iter().filter_map(|name| self.environment_id(name));
            wanted.extend(at.map(|at| (id, at)));
        }
        for (at, _) in self.state.environments() {
            let Some(stage) = self.state.stage(at) else { continue };
            for (service, record) in stage.definitions() {
                let read = || !self.is_unread(service);
                if record.by_document && !wanted.contains(&(service, at)) && read() {
                    self.undefined.insert((service, at));
                }
            }
        }
    }

    /// Whether something of a service could not be read.
    fn is_unread(&self, id: ServiceId) -> bool {
        let name = self.renamed_service(id);
        name.is_some_and(|name| self.document.is_broken("backend_service", &name, ".definition"))
    }

    pub(super) fn prune(&mut self) {
        self.going = self.apis_that_go();
        self.revoke();
        self.delete_apis();
        self.delete_services();
        self.delete_groups();
        self.delete_resources();
        self.retire_environments();
    }

    /// APIs that a document created, this one no longer has, and nobody else published.
    fn apis_that_go(&self) -> BTreeSet<ApiId> {
        let ours = |id: &ApiId| {
            let record = self.state.api(*id);
            !self.kept.apis.contains(id) && record.is_some_and(|record| record.by_document)
        };
        let unpublished = |id: &ApiId| {
            self.live(*id).into_iter().all(|(at, _)| self.published_by_document(*id, at))
        };
        self.state.apis().filter(ours).filter(unpublished).collect()
    }

    fn revoke(&mut self) {
        let document = self.document;
        let wanted: BTreeSet<_> = document
            .grants
            .iter()
            .filter_map(|entry| {
                let (api, app) = (self.api_id(&entry.api)?, self.app_id(&entry.app)?);
                Some((api, self.environment_id(&entry.environment)?, app))
            })
            .collect();
        for grant in self.state.grants().iter() {
            let place = (grant.api, grant.environment, grant.app);
            let goes_anyway = self.going.contains(&grant.api) || self.resource_goes(grant.app);
            if !grant.by_document || wanted.contains(&place) || goes_anyway {
                continue;
            }
            let (app, api) = (self.renamed_app(grant.app), self.renamed_api(grant.api));
            let environment = self.state.environment(grant.environment);
            let (Some(app), Some(api), Some(environment)) = (app, api, environment) else {
                continue;
            };
            let environment = environment.name.clone();
            let place = Place::Gone(format!("the grant of {api} in {environment} to {app:?}"));
            self.edit(place, |change| change.revoke(app, api, environment));
        }
    }

    fn delete_apis(&mut self) {
        for id in self.going.clone() {
            let Some(name) = self.renamed_api(id) else { continue };
            for (_, environment) in self.live(id) {
                let place = Place::Gone(format!("API {name} in {environment}"));
                self.edit(place, |change| change.unpublish(name.as_str(), environment));
            }
            let place = Place::Gone(format!("API {name}"));
            self.edit(place, |change| change.delete_api(name));
        }
    }

    /// Before anything is published: an API that is to be published where its service means nothing any
    /// more is refused.
    pub(super) fn delete_definitions(&mut self) {
        for (service, at) in self.undefined.clone() {
            let environment = self.state.environment(at).map(|record| record.name.clone());
            let name = self.renamed_service(service);
            let (Some(environment), Some(name)) = (environment, name) else { continue };
            let what = format!("the definition of backend_service {name:?} in {environment}");
            self.edit(Place::Gone(what), |change| change.delete_definition(name, environment));
        }
    }

    fn delete_services(&mut self) {
        for (id, record) in self.state.services() {
            if !record.by_document || self.kept.services.contains(&id) || self.needed_by_others(id)
            {
                continue;
            }
            let name = record.name.to_string();
            let place = Place::Gone(format!("backend_service {name:?}"));
            self.edit(place, |change| change.delete_service(name));
        }
    }

    /// Whether an API stays that the document does not name.
    fn is_anothers(&self, api: ApiId) -> bool {
        !self.going.contains(&api) && !self.kept.apis.contains(&api)
    }

    /// Whether something that stays, and that the document does not name, goes through a service.
    fn needed_by_others(&self, id: ServiceId) -> bool {
        let mut drafts = self.state.drafts_of(id).into_iter().flat_map(|drafts| drafts.iter());
        drafts.any(|api| self.is_anothers(ApiId::new(api)))
            || self.state.environments().any(|(at, _)| self.used_by_others(id, at))
    }

    /// Whether somebody else defined a service somewhere, or published something through it.
    fn used_by_others(&self, id: ServiceId, at: EnvironmentId) -> bool {
        let Some(stage) = self.state.stage(at) else { return false };
        let Some(definition) = stage.definition(id) else { return false };
        let theirs = |api: ApiId| !self.published_by_document(api, at);
        let live = || stage.live_through(id).flat_map(|apis| apis.iter()).map(ApiId::new);
        !definition.by_document || (!self.undefined.contains(&(id, at)) && live().any(theirs))
    }

    fn delete_groups(&mut self) {
        let left = |group: GroupId| {
            let mut apis = self.state.drafts_in(group).into_iter().flat_map(|apis| apis.iter());
            apis.any(|api| self.is_anothers(ApiId::new(api)))
        };
        let gone: Vec<_> = self
            .state
            .groups()
            .filter(|(id, entry)| {
                entry.record.by_document && !self.kept.groups.contains(id) && !left(*id)
            })
            .map(|(_, entry)| entry.record.name.to_string())
            .collect();
        for name in gone {
            let place = Place::Gone(format!("group {name:?}"));
            self.edit(place, |change| change.delete_group(name));
        }
    }

    pub(super) fn resource_goes(&self, id: crate::model::id::ResourceId) -> bool {
        let record = self.state.resource(id);
        !self.kept.resources.contains(&id) && record.is_some_and(|record| record.by_document)
    }

    fn delete_resources(&mut self) {
        for (id, record) in self.state.resources() {
            if !self.resource_goes(id) {
                continue;
            }
            let (sort, name) = (record.resource.sort(), record.name.to_string());
            let place = match sort {
                Sort::Registry => Place::Registry,
                _ => Place::Gone(format!("{sort} {name:?}")),
            };
            self.edit(place, |change| change.delete_resource(sort, name));
        }
    }

    fn retire_environments(&mut self) {
        let document = self.document;
        for (at, record) in self.state.environments().skip(Environment::BUILT_IN.len()) {
            let named = document.environments.iter().any(|entry| entry.name == record.name);
            if named || !record.by_document || self.has_others(at) {
                continue;
            }
            let name = record.name.clone();
            let place = Place::Gone(format!("environment {name}"));
            self.edit(place, |change| change.retire_environment(name));
        }
    }

    /// Whether an environment has something in it that no document created.
    fn has_others(&self, at: EnvironmentId) -> bool {
        let Some(stage) = self.state.stage(at) else { return false };
        let inline = || stage.inline().iter().map(ApiId::new);
        let grants = || self.state.grants().iter().filter(|grant| grant.environment == at);
        stage.definitions().any(|(_, record)| !record.by_document)
            || inline().any(|api| !self.published_by_document(api, at))
            || grants().any(|grant| !grant.by_document)
    }
}
