//! Declaring and retiring environments.

use std::sync::Arc;

use super::super::change::Expect;
use super::super::rejected::Reason;
use super::{ApiId, Checked, Draft, NAMED, expected};
use crate::model::Environment;
use crate::model::id::{EnvironmentId, GroupId};
use crate::model::limits::{MAX_ENVIRONMENT_DESCRIPTION, MAX_ENVIRONMENTS};
use crate::store::record::EnvironmentRecord;
use crate::store::{Key, Record};

impl Draft<'_> {
    pub(super) fn declare_environment(
        &mut self,
        name: &Environment,
        description: &str,
        expect: Option<Expect>,
    ) -> Checked {
        declared(name)?;
        expected(expect, self.environment_before(name))?;
        if description.chars().count() > MAX_ENVIRONMENT_DESCRIPTION {
            let reason = "is longer than 200 characters".to_owned();
            return Err(Reason::Invalid { field: "description".to_owned(), reason });
        }
        let id = match self.next.environment_id(name.as_str()) {
            Some(id) => id,
            None => self.new_environment()?,
        };
        let before = self.next.environment(id);
        if before.is_some_and(|before| *before.description == *description) {
            return Ok(());
        }
        let record = EnvironmentRecord {
            name: name.clone(),
            description: description.into(),
            by_document: self.mark(before.map(|before| before.by_document)),
            stamp: self.stamp(),
        };
        self.write(Key::Environment(id), Some(Record::Environment(Arc::new(record))));
        Ok(())
    }

    fn new_environment(&mut self) -> Checked<EnvironmentId> {
        // Ids are never reused, so the limit is on all that were ever declared.
        let built_in = u16::try_from(Environment::BUILT_IN.len()).unwrap_or(0);
        if usize::from(self.ids.environment) >= MAX_ENVIRONMENTS {
            return Err(Reason::Limit { what: "declared environments", limit: MAX_ENVIRONMENTS });
        }
        let id = EnvironmentId::new(built_in + self.ids.environment);
        self.ids.environment += 1;
        Ok(id)
    }

    pub(super) fn retire_environment(
        &mut self,
        name: &Environment,
        expect: Option<Expect>,
    ) -> Checked {
        declared(name)?;
        let id = self.environment_named(name)?;
        expected(expect, self.environment_before(name))?;
        self.environment_unused(id, name)?;
        let dormant = self.next.stage(id).map(|stage| stage.publications().collect::<Vec<_>>());
        for api in dormant.into_iter().flatten() {
            self.displace(api, id);
        }
        self.write(Key::Environment(id), None);
        Ok(())
    }

    /// Nothing is defined or published in an environment, and no host is bound to it.
    pub(super) fn environment_unused(&self, id: EnvironmentId, name: &Environment) -> Checked {
        let Some(stage) = self.next.stage(id) else {
            return Ok(());
        };
        let count = stage.defined() + stage.inline().len();
        if count > 0 {
            let services = stage.definitions().filter_map(|(id, _)| self.next.service(id));
            let services = services.map(|service| format!("service {}", service.name));
            let apis = stage.inline().iter().map(ApiId::new);
            let apis = apis.filter_map(|api| self.next.api_name(api));
            let users = services.chain(apis.map(|api| format!("API {api}")));
            return Err(Reason::InUse { users: users.take(NAMED).collect(), count });
        }
        let bound = |group: &GroupId| {
            self.next.group(*group).is_some_and(|entry| {
                entry.accepted.hosts.iter().any(|(_, bound)| bound.as_ref() == Some(name))
            })
        };
        let grants = self.next.grants().count(id);
        if grants > 0 {
            return Err(Reason::InUse {
                users: vec!["what was granted there".into()],
                count: grants,
            });
        }
        let groups: Vec<_> = (0..self.ids.group).map(GroupId::new).filter(bound).collect();
        if groups.is_empty() {
            return Ok(());
        }
        let named = groups.iter().take(NAMED).filter_map(|id| self.next.group(*id));
        let users = named.map(|entry| format!("group {}", entry.record.name)).collect();
        Err(Reason::InUse { users, count: groups.len() })
    }

    fn environment_before(&self, name: &Environment) -> Option<crate::model::Revision> {
        Some(self.base.environment(self.environment_meant(name)?)?.stamp.revision)
    }
}

fn declared(name: &Environment) -> Checked {
    if Environment::BUILT_IN.contains(name) {
        Err(Reason::BuiltInEnvironment(name.clone()))
    } else {
        Ok(())
    }
}
