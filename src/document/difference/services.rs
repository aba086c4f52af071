//! Environments, services and their definitions, authorizations, groups.

use super::{Place, Work};
use crate::model::{Environment, Resource, Sort};
use crate::registry::resources::SETTINGS;

impl Work<'_> {
    pub(super) fn environments(&mut self) {
        let document = self.document;
        for (index, entry) in document.environments.iter().enumerate() {
            let there = self.environment_id(&entry.name).and_then(|id| self.state.environment(id));
            let description = entry.declaration.description.as_str();
            let built_in = Environment::BUILT_IN.contains(&entry.name);
            if built_in || there.is_none_or(|record| *record.description != *description) {
                self.edit(Place::Environment(index), |change| {
                    change.environment(entry.name.clone(), description)
                });
            }
        }
    }

    pub(super) fn services(&mut self) {
        let document = self.document;
        for (index, entry) in document.services.iter().enumerate() {
            let name = entry.name.as_str();
            let id = self.service_id(&entry.name);
            let there = id.and_then(|id| self.state.service(id)).map(|record| &record.service);
            match there {
                Some(there) if there.kind == entry.kind => {
                    if there.description != entry.description {
                        self.edit(Place::Service(index), |change| {
                            change.describe_service(name, entry.description.as_str())
                        });
                    }
                }
                _ => self.edit(Place::Service(index), |change| {
                    let service = crate::BackendService::new(entry.kind.clone());
                    change.service(name, service.description(entry.description.as_str()))
                }),
            }
            self.kept.services.extend(id);
            for (environment, definition) in &entry.definition {
                let at = self.environment_id(environment).and_then(|at| self.state.stage(at));
                let there = id.and_then(|id| at?.definition(id));
                if there.is_none_or(|there| there.definition != *definition) {
                    let place = Place::Definition(index, environment.clone());
                    self.edit(place, |change| {
                        change.define(name, environment.clone(), definition.clone())
                    });
                }
            }
        }
    }

    pub(super) fn authorizations(&mut self) {
        let document = self.document;
        if let Some(settings) = &document.registry {
            let resource = Resource::from(settings.clone());
            self.resource(Place::Registry, SETTINGS, resource);
        }
        for (index, entry) in document.credentials.iter().enumerate() {
            let place = Place::Resource(Sort::Credential, index);
            self.resource(place, entry.name.as_str(), entry.value.clone().into());
        }
        for (index, entry) in document.vpc_accesses.iter().enumerate() {
            let place = Place::Resource(Sort::VpcAccess, index);
            self.resource(place, entry.name.as_str(), entry.value.clone().into());
        }
        for (index, entry) in document.object_grants.iter().enumerate() {
            let place = Place::Resource(Sort::ObjectGrant, index);
            self.resource(place, entry.name.as_str(), entry.value.clone().into());
        }
    }

    fn resource(&mut self, place: Place, name: &str, resource: Resource) {
        let id = self.state.resource_id(resource.sort(), name);
        self.kept.resources.extend(id);
        let there = id.and_then(|id| self.state.resource(id));
        if there.is_none_or(|there| there.resource != resource) {
            self.edit(place, |change| change.resource(name, resource));
        }
    }

    pub(super) fn groups(&mut self) {
        let document = self.document;
        for (index, entry) in document.groups.iter().enumerate() {
            let id = self.group_id(&entry.name);
            self.kept.groups.extend(id);
            let there = id.and_then(|id| self.state.group(id));
            if there.is_none_or(|there| there.record.group != entry.group) {
                self.edit(Place::Group(index), |change| {
                    change.group(entry.name.as_str(), entry.group.clone())
                });
            }
        }
    }
}
