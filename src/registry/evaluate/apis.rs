//! Drafts.

use std::sync::Arc;

use super::super::change::Expect;
use super::super::rejected::Reason;
use super::{ApiId, Checked, Draft, expected};
use crate::model::id::{EnvironmentId, GroupId, ServiceId};
use crate::model::{Api, ApiName, Environment, Protocol, Revision, Version};
use crate::store::record::ApiRecord;
use crate::store::{Key, Record};

impl Draft<'_> {
    pub(super) fn api(&mut self, name: &str, api: &Api, expect: Option<Expect>) -> Checked {
        let name: ApiName = name.parse()?;
        expected(expect, self.api_before(&name))?;
        let (group, _) = self.group_named(name.group().as_str())?;
        let service = match &api.backend.service {
            Some(service) => Some(self.service_named(service)?.0),
            None => None,
        };
        if let Some(kind) = api.backend.inline.as_ref().map(|definition| definition.kind())
            && !(self.laws.known)(&kind)
        {
            return Err(Reason::UnknownKind(kind));
        }
        self.upgradable(api, service)?;
        let version = Version::accept(api, service)?;
        let known = self.next.api_id(&name);
        let id = known.unwrap_or_else(|| ApiId::new(self.ids.api));
        match known.and_then(|id| self.next.api(id)) {
            Some(before) if *before.version == version => return Ok(()),
            Some(_) => {}
            None => self.ids.api += 1,
        }
        self.put_api(id, group, name.name().into(), Arc::new(version));
        Ok(())
    }

    /// An API passes on WebSocket only to backends that can.
    fn upgradable(&self, api: &Api, service: Option<ServiceId>) -> Checked {
        if !api.protocol.contains(&Protocol::Websocket) {
            return Ok(());
        }
        let record = service.and_then(|id| self.next.service(id));
        let shared = record.map(|record| record.service.kind.clone());
        let own = || api.backend.inline.as_ref().map(|definition| definition.kind());
        match shared.or_else(own) {
            Some(kind) if !(self.laws.upgrades)(&kind) => {
                Err(Reason::NotUpgradable { service: record.map(|it| it.name.clone()), kind })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn rename_api(&mut self, from: &str, to: &str, expect: Option<Expect>) -> Checked {
        let (id, from) = self.api_named(from)?;
        expected(expect, self.api_before(&from))?;
        let to: ApiName = to.parse()?;
        if from.group() != to.group() {
            let (from, to) = (from.group().clone(), to.group().clone());
            return Err(Reason::OtherGroup { from, to });
        }
        if to == from {
            return Ok(());
        }
        if self.next.api_id(&to).is_some() {
            return Err(Reason::NameTaken(to.to_string()));
        }
        let Some(before) = self.next.api(id).cloned() else {
            return Ok(());
        };
        self.put_api(id, before.group, to.name().into(), Arc::clone(&before.version));
        Ok(())
    }

    pub(super) fn delete_api(&mut self, name: &str, expect: Option<Expect>) -> Checked {
        let (id, name) = self.api_named(name)?;
        expected(expect, self.api_before(&name))?;
        self.api_unpublished(id)?;
        for (environment, _) in self.published(id, false) {
            self.displace(id, environment);
        }
        let apps: Vec<_> = self.next.grants().apps_of(id).collect();
        for app in apps {
            self.revoke_all(id, app);
        }
        self.write(Key::Api(id), None);
        Ok(())
    }

    /// An API is live nowhere.
    pub(super) fn api_unpublished(&self, id: ApiId) -> Checked {
        let live = self.published(id, true);
        if live.is_empty() {
            return Ok(());
        }
        let users = live.iter().map(|(_, name)| format!("environment {name}")).collect();
        Err(Reason::InUse { users, count: live.len() })
    }

    /// Where an API is published and live, or dormant.
    fn published(&self, id: ApiId, live: bool) -> Vec<(EnvironmentId, Environment)> {
        let stages = self.next.environments().filter_map(|(environment, record)| {
            let stage = self.next.stage(environment)?;
            let publication = stage.publication(id)?;
            (stage.is_live(publication) == live).then(|| (environment, record.name.clone()))
        });
        stages.collect()
    }

    fn put_api(&mut self, id: ApiId, group: GroupId, name: Arc<str>, version: Arc<Version>) {
        let by_document = self.mark(self.next.api(id).map(|before| before.by_document));
        let record = ApiRecord { group, name, version, by_document, stamp: self.stamp() };
        self.write(Key::Api(id), Some(Record::Api(Arc::new(record))));
        self.drafts.insert((id, self.index));
    }

    /// No other draft of the group has the method and paths.
    pub(super) fn draft_alone(&self, id: ApiId) -> Checked {
        let Some(draft) = self.next.api(id) else {
            return Ok(());
        };
        let Some(holder) = self.next.rivals(id, draft).next() else {
            return Ok(());
        };
        let Some(holder) = self.next.api_name(holder) else {
            return Ok(());
        };
        Err(Reason::RouteTaken {
            method: draft.version.verb().as_str(),
            path: draft.version.pattern().to_string(),
            holder,
            environment: None,
        })
    }

    fn api_before(&self, name: &ApiName) -> Option<Revision> {
        Some(self.base.api(self.api_meant(name)?)?.stamp.revision)
    }
}
