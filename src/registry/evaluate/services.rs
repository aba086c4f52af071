//! Services and their definitions.

use std::sync::Arc;

use super::super::change::Expect;
use super::super::rejected::Reason;
use super::{Checked, Draft, expected};
use crate::model::definition::Settings;
use crate::model::id::{EnvironmentId, ServiceId};
use crate::model::variable;
use crate::model::version::check_description;
use crate::model::{BackendService, Definition, Environment, Kind, Revision, ServiceName};
use crate::store::record::{DefinitionRecord, ServiceRecord};
use crate::store::{Key, Record};

/// Why shared definitions name no stage variables.
const NO_VARIABLES: &str = "names a stage variable, which only an API's own backend may: a shared \
                            definition would mean another endpoint for every group";

impl Draft<'_> {
    pub(super) fn service(
        &mut self,
        name: &str,
        service: &BackendService,
        expect: Option<Expect>,
    ) -> Checked {
        let name: ServiceName = name.parse()?;
        expected(expect, self.service_before(&name))?;
        check_description(&service.description)?;
        if !(self.laws.known)(&service.kind) {
            return Err(Reason::UnknownKind(service.kind.clone()));
        }
        let Some(id) = self.next.service_id(&name) else {
            self.creatable(&service.kind)?;
            let id = ServiceId::new(self.ids.service);
            self.ids.service += 1;
            self.put_service(id, name, service.clone());
            return Ok(());
        };
        let Some(before) = self.next.service(id).cloned() else {
            return Ok(());
        };
        if before.service.kind != service.kind {
            let (is, given) = (before.service.kind.clone(), service.kind.clone());
            return Err(Reason::KindImmutable { service: name, is, given });
        }
        if !service.description.is_empty() && service.description != before.service.description {
            self.put_service(id, name, service.clone());
        }
        Ok(())
    }

    /// Whether the registry's policy lets a kind be created. A mixed service is made of its parts.
    fn creatable(&self, kind: &Kind) -> Checked {
        let policy = self.laws.creation;
        Ok(policy.map_or(Ok(()), |policy| policy.check(kind))?)
    }

    pub(super) fn describe_service(
        &mut self,
        name: &str,
        description: &str,
        expect: Option<Expect>,
    ) -> Checked {
        let (id, name) = self.service_named(name)?;
        expected(expect, self.service_before(&name))?;
        check_description(description)?;
        let Some(before) = self.next.service(id).cloned() else {
            return Ok(());
        };
        if before.service.description != description {
            self.put_service(id, name, before.service.clone().description(description));
        }
        Ok(())
    }

    pub(super) fn rename_service(
        &mut self,
        from: &str,
        to: &str,
        expect: Option<Expect>,
    ) -> Checked {
        let (id, from) = self.service_named(from)?;
        expected(expect, self.service_before(&from))?;
        let to: ServiceName = to.parse()?;
        if to == from {
            return Ok(());
        }
        if self.next.service_id(&to).is_some() {
            return Err(Reason::NameTaken(to.to_string()));
        }
        let Some(before) = self.next.service(id).cloned() else {
            return Ok(());
        };
        self.put_service(id, to, before.service.clone());
        Ok(())
    }

    pub(super) fn delete_service(&mut self, name: &str, expect: Option<Expect>) -> Checked {
        let (id, name) = self.service_named(name)?;
        expected(expect, self.service_before(&name))?;
        self.service_unused(id)?;
        let environments: Vec<_> = self.next.environments().map(|(id, _)| id).collect();
        for environment in environments {
            let Some(stage) = self.next.stage(environment) else {
                continue;
            };
            for api in stage.all_through(id).collect::<Vec<_>>() {
                self.displace(api, environment);
            }
            self.remove_definition(id, environment);
        }
        self.write(Key::Service(id), None);
        Ok(())
    }

    /// No draft goes to a service, and nothing is published through it.
    pub(super) fn service_unused(&self, id: ServiceId) -> Checked {
        if let Some(drafts) = self.next.drafts_of(id).filter(|drafts| !drafts.is_empty()) {
            return Err(self.in_use(drafts.iter().map(super::ApiId::new), drafts.len()));
        }
        for (environment, _) in self.next.environments() {
            let Some(stage) = self.next.stage(environment) else {
                continue;
            };
            let count = stage.live_count(id);
            if count > 0 {
                let live = stage.live_through(id).flat_map(|apis| apis.iter());
                return Err(self.in_use(live.map(super::ApiId::new), count));
            }
        }
        Ok(())
    }

    pub(super) fn define(
        &mut self,
        service: &str,
        environment: &Environment,
        definition: &Definition,
        expect: Option<Expect>,
        must_exist: bool,
    ) -> Checked {
        let (id, name) = self.service_named(service)?;
        let at = self.environment_named(environment)?;
        expected(expect, self.definition_before(&name, environment))?;
        let is = self.next.service(id).map(|service| service.service.kind.clone());
        if let Some(is) = is.filter(|is| *is != definition.kind()) {
            return Err(Reason::KindMismatch { service: name, is, given: definition.kind() });
        }
        if let Some(field) = variable::key_in(definition) {
            return Err(Reason::Invalid { field, reason: NO_VARIABLES.to_owned() });
        }
        definition.check()?;
        let stage = self.next.stage(at);
        let before = stage.and_then(|stage| stage.definition(id)).cloned();
        let parts = |definition: &Definition| match &definition.settings {
            Settings::Mixed(mixed) => mixed.parts(),
            _ => Vec::new(),
        };
        let there = before.as_ref().map(|before| parts(&before.definition)).unwrap_or_default();
        let new = parts(definition).into_iter().filter(|kind| !there.contains(kind));
        new.collect::<Vec<_>>().iter().try_for_each(|kind| self.creatable(kind))?;
        let epoch = match &before {
            Some(before) if before.definition == *definition => return Ok(()),
            Some(before) => before.epoch,
            None if must_exist => {
                return Err(Reason::NoDefinition {
                    service: name,
                    environment: environment.clone(),
                });
            }
            None => self.stamp.revision,
        };
        let definition = definition.clone();
        let by_document = self.mark(before.as_ref().map(|before| before.by_document));
        let accepted = before.map_or_else(Box::default, |before| before.accepted.clone());
        let record =
            DefinitionRecord { definition, epoch, accepted, by_document, stamp: self.stamp() };
        self.write(Key::Definition(id, at), Some(Record::Definition(Arc::new(record))));
        Ok(())
    }

    /// Gives a service the definition in one environment that it has in another.
    pub(super) fn promote(
        &mut self,
        service: &str,
        from: &Environment,
        to: &Environment,
        expect: Option<Expect>,
    ) -> Checked {
        let (id, name) = self.service_named(service)?;
        let at = self.environment_named(from)?;
        let Some(record) = self.next.stage(at).and_then(|stage| stage.definition(id)).cloned()
        else {
            return Err(Reason::NoDefinition { service: name, environment: from.clone() });
        };
        self.define(service, to, &record.definition, expect, false)
    }

    pub(super) fn delete_definition(
        &mut self,
        service: &str,
        environment: &Environment,
        expect: Option<Expect>,
    ) -> Checked {
        let (id, name) = self.service_named(service)?;
        let at = self.environment_named(environment)?;
        expected(expect, self.definition_before(&name, environment))?;
        if self.remove_definition(id, at) {
            Ok(())
        } else {
            Err(Reason::NoDefinition { service: name, environment: environment.clone() })
        }
    }

    /// Deletes a definition and says whether there was one.
    fn remove_definition(&mut self, service: ServiceId, environment: EnvironmentId) -> bool {
        let Some(stage) = self.next.stage(environment) else {
            return false;
        };
        if stage.definition(service).is_none() {
            return false;
        }
        // What this change itself published would come back to life if it defined the service again:
        // both would be of one epoch.
        let young = stage.definition(service).is_some_and(|d| d.epoch == self.stamp.revision);
        if young {
            let apis = stage.of_epoch(service, self.stamp.revision).cloned().unwrap_or_default();
            for api in apis.iter().map(super::ApiId::new) {
                self.write(Key::Publication(api, environment), None);
            }
        }
        self.write(Key::Definition(service, environment), None);
        true
    }

    fn put_service(&mut self, id: ServiceId, name: ServiceName, service: BackendService) {
        let by_document = self.mark(self.next.service(id).map(|before| before.by_document));
        let record = ServiceRecord { name, service, by_document, stamp: self.stamp() };
        self.write(Key::Service(id), Some(Record::Service(Arc::new(record))));
    }

    fn service_before(&self, name: &ServiceName) -> Option<Revision> {
        Some(self.base.service(self.service_meant(name)?)?.stamp.revision)
    }

    fn definition_before(&self, name: &ServiceName, environment: &Environment) -> Option<Revision> {
        let at = self.environment_meant(environment)?;
        let definition = self.base.stage(at)?.definition(self.service_meant(name)?)?;
        Some(definition.stamp.revision)
    }
}
