//! Applications, authorizations, settings.

use std::sync::Arc;

use super::super::change::Expect;
use super::super::rejected::Reason;
use super::super::resources::SETTINGS;
use super::{Checked, Draft, expected};
use crate::model::id::ResourceId;
use crate::model::{Resource, ResourceName, Revision, Sort};
use crate::store::record::ResourceRecord;
use crate::store::{Key, Record};

impl Draft<'_> {
    pub(super) fn resource(
        &mut self,
        name: &str,
        resource: &Resource,
        expect: Option<Expect>,
    ) -> Checked {
        let name: ResourceName = name.parse()?;
        let sort = resource.sort();
        expected(expect, self.resource_before(sort, &name))?;
        resource.check()?;
        if let Resource::Registry(settings) = resource
            && let Some(region) = &settings.region
        {
            region.parse::<super::super::Region>().map_err(|error| Reason::Invalid {
                field: "region".to_owned(),
                reason: error.to_string(),
            })?;
        }
        let known = self.next.resource_id(sort, name.as_str());
        let id = known.unwrap_or_else(|| ResourceId::new(self.ids.resource));
        let before = known.and_then(|id| self.next.resource(id)).cloned();
        match &before {
            Some(before) if before.resource == *resource => return Ok(()),
            Some(_) => {}
            None => self.ids.resource += 1,
        }
        let by_document = self.mark(before.map(|before| before.by_document));
        self.put_resource(id, name, resource.clone(), by_document);
        Ok(())
    }

    pub(super) fn rename_resource(
        &mut self,
        sort: Sort,
        from: &str,
        to: &str,
        expect: Option<Expect>,
    ) -> Checked {
        let (id, from) = self.resource_named(sort, from)?;
        expected(expect, self.resource_before(sort, &from))?;
        let to: ResourceName = to.parse()?;
        if to == from {
            return Ok(());
        }
        if self.next.resource_id(sort, to.as_str()).is_some() {
            return Err(Reason::NameTaken(to.to_string()));
        }
        if let Some(before) = self.next.resource(id).cloned() {
            self.put_resource(id, to, before.resource.clone(), before.by_document);
        }
        Ok(())
    }

    /// Deletes a resource. Nothing stands in the way: what an application was granted goes with it, and
    /// what refers to an authorization is refused from then on.
    pub(super) fn delete_resource(
        &mut self,
        sort: Sort,
        name: &str,
        expect: Option<Expect>,
    ) -> Checked {
        let (id, name) = self.resource_named(sort, name)?;
        expected(expect, self.resource_before(sort, &name))?;
        let granted: Vec<_> = self.next.grants().apis_of(id).collect();
        for api in granted {
            self.revoke_all(api, id);
        }
        self.write(Key::Resource(id), None);
        Ok(())
    }

    fn put_resource(
        &mut self,
        id: ResourceId,
        name: ResourceName,
        resource: Resource,
        by_document: bool,
    ) {
        let record = ResourceRecord { name, resource, by_document, stamp: self.stamp() };
        self.write(Key::Resource(id), Some(Record::Resource(Arc::new(record))));
        self.resources.insert((id, self.index));
    }

    /// No other application has a key or a code of this one, and there is one of the settings.
    pub(super) fn resource_alone(&self, id: ResourceId) -> Checked {
        let Some(record) = self.next.resource(id) else {
            return Ok(());
        };
        if record.resource.sort() == Sort::Registry && record.name.as_str() != SETTINGS {
            let reason = format!("the settings are called {SETTINGS:?}");
            return Err(Reason::Invalid { field: "name".to_owned(), reason });
        }
        let rival = record.resource.app().and_then(|app| self.next.rival_app(id, app));
        match rival.and_then(|rival| self.next.resource(rival)) {
            // Which one is not told: a code is a secret.
            Some(rival) => Err(Reason::CredentialTaken(rival.name.clone())),
            None => Ok(()),
        }
    }

    pub(super) fn resource_named(
        &self,
        sort: Sort,
        name: &str,
    ) -> Checked<(ResourceId, ResourceName)> {
        let name: ResourceName = name.parse()?;
        match self.next.resource_id(sort, name.as_str()) {
            Some(id) => Ok((id, name)),
            None => Err(Reason::UnknownResource { sort, name }),
        }
    }

    fn resource_before(&self, sort: Sort, name: &ResourceName) -> Option<Revision> {
        let known = self.next.resource_id(sort, name.as_str());
        let gone = || {
            let id = self.base.resource_id(sort, name.as_str());
            id.filter(|id| self.next.resource(*id).is_none())
        };
        Some(self.base.resource(known.or_else(gone)?)?.stamp.revision)
    }
}
