//! Who may call what, where.

use std::sync::Arc;

use super::super::change::Expect;
use super::super::rejected::Reason;
use super::{ApiId, Checked, Draft, expected};
use crate::model::id::{EnvironmentId, ResourceId};
use crate::model::{ApiName, Environment, Grant, ResourceName, Sort};
use crate::store::record::GrantRecord;
use crate::store::{Key, Record};

/// A grant's place, and the names it goes by.
type Granted = ((ApiId, EnvironmentId, ResourceId), (ResourceName, ApiName));

impl Draft<'_> {
    pub(super) fn grant(
        &mut self,
        names: (&str, &str, &Environment),
        grant: Grant,
        expect: Option<Expect>,
    ) -> Checked {
        let (place, _) = self.granted(names)?;
        let (api, environment, app) = place;
        self.grant_expected(place, expect)?;
        let before = self.next.grants().get(api, environment, app).cloned();
        if before.as_ref().is_some_and(|before| before.grant == grant) {
            return Ok(());
        }
        let by_document = self.mark(before.map(|before| before.by_document));
        let stamp = self.stamp();
        let record = GrantRecord { api, environment, app, grant, by_document, stamp };
        let key = Key::Grant(api, environment, app);
        self.write(key, Some(Record::Grant(Arc::new(record))));
        Ok(())
    }

    pub(super) fn revoke(
        &mut self,
        names: (&str, &str, &Environment),
        expect: Option<Expect>,
    ) -> Checked {
        let (place, (app_name, api_name)) = self.granted(names)?;
        let (api, environment, app) = place;
        self.grant_expected(place, expect)?;
        if self.next.grants().get(api, environment, app).is_none() {
            let environment = names.2.clone();
            return Err(Reason::NotGranted { app: app_name, api: api_name, environment });
        }
        self.write(Key::Grant(api, environment, app), None);
        Ok(())
    }

    /// Takes back that an application may call an API, everywhere.
    pub(super) fn revoke_all(&mut self, api: ApiId, app: ResourceId) {
        let environments: Vec<_> = self.next.grants().environments(api, app).collect();
        for at in environments {
            self.write(Key::Grant(api, at, app), None);
        }
    }

    fn granted(&self, (app, api, environment): (&str, &str, &Environment)) -> Checked<Granted> {
        let (app, app_name) = self.resource_named(Sort::App, app)?;
        let (api, api_name) = self.api_named(api)?;
        let at = self.environment_named(environment)?;
        Ok(((api, at, app), (app_name, api_name)))
    }

    fn grant_expected(
        &self,
        (api, at, app): (ApiId, EnvironmentId, ResourceId),
        expect: Option<Expect>,
    ) -> Checked {
        let before = self.base.grants().get(api, at, app);
        expected(expect, before.map(|grant| grant.stamp.revision))
    }
}
