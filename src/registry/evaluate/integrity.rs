//! What must hold of things that an undo brought back or took away: the other edits see to it before
//! they write, an undo writes first.

use super::super::rejected::Reason;
use super::super::stage::Stage;
use super::super::state::State;
use super::{ApiId, Checked, Draft, NAMED};
use crate::model::Version;
use crate::model::id::{EnvironmentId, GroupId, ResourceId, ServiceId};
use crate::store::Key;

impl Draft<'_> {
    /// Whether what is under a key, or no longer is, fits in with everything else.
    pub(super) fn fits(&self, key: Key) -> Checked {
        match key {
            Key::Environment(id) => self.environment_fits(id),
            Key::Service(id) => self.service_fits(id),
            Key::Definition(service, at) => self.definition_fits(service, at),
            Key::Group(id) => self.group_fits(id),
            Key::Api(id) => self.api_fits(id),
            Key::Publication(api, at) => self.publication_fits(api, at),
            Key::Resource(id) => self.resource_fits(id),
            Key::Grant(api, at, app) => self.grant_fits(api, at, app),
            Key::Next | Key::Revision(_) => Ok(()),
        }
    }

    /// Whether nothing else has the name of what an undo brought back: the edits behind it find
    /// things by their names.
    pub(super) fn name_free(&self, key: Key) -> Checked {
        let (only, name) = match key {
            Key::Environment(id) => {
                let Some(record) = self.next.environment(id) else { return Ok(()) };
                let mut others = self.next.environments().filter(|(other, _)| *other != id);
                (others.all(|(_, other)| other.name != record.name), record.name.as_str())
            }
            Key::Service(id) => {
                let Some(record) = self.next.service(id) else { return Ok(()) };
                (self.next.is_only_service(id, &record.name), record.name.as_str())
            }
            Key::Group(id) => {
                let Some(entry) = self.next.group(id) else { return Ok(()) };
                let name = &entry.record.name;
                (self.next.is_only_group(id, name), name.as_str())
            }
            Key::Api(id) => {
                let Some(draft) = self.next.api(id) else { return Ok(()) };
                (self.next.is_only_api(id, draft), &*draft.name)
            }
            Key::Resource(id) => {
                let Some(record) = self.next.resource(id) else { return Ok(()) };
                (self.next.is_only_resource(id, record), record.name.as_str())
            }
            _ => return Ok(()),
        };
        if only { Ok(()) } else { Err(Reason::NameTaken(name.to_owned())) }
    }

    fn environment_fits(&self, id: EnvironmentId) -> Checked {
        match self.base.environment(id) {
            Some(before) if self.next.environment(id).is_none() => {
                self.environment_unused(id, &before.name)?;
                self.nothing_published(|stage| stage.publications().collect(), Some(id))
            }
            _ => Ok(()),
        }
    }

    fn service_fits(&self, id: ServiceId) -> Checked {
        if self.next.service(id).is_some() {
            return Ok(());
        }
        self.service_unused(id)?;
        self.nothing_published(|stage| stage.all_through(id).collect(), None)?;
        let defined = self.next.environments().filter(|(at, _)| {
            self.next.stage(*at).is_some_and(|stage| stage.definition(id).is_some())
        });
        let defined: Vec<_> = defined.map(|(_, record)| &record.name).collect();
        if defined.is_empty() {
            return Ok(());
        }
        let users = defined.iter().take(NAMED).map(|name| format!("its definition in {name}"));
        Err(Reason::InUse { users: users.collect(), count: defined.len() })
    }

    fn definition_fits(&self, service: ServiceId, at: EnvironmentId) -> Checked {
        if self.next.stage(at).is_none_or(|stage| stage.definition(service).is_none()) {
            return Ok(());
        }
        self.there(Key::Environment(at))?;
        self.there(Key::Service(service))?;
        self.variables_through(service, at)
    }

    fn group_fits(&self, id: GroupId) -> Checked {
        let Some(entry) = self.next.group(id) else {
            let apis = self.next.drafts_in(id).filter(|apis| !apis.is_empty());
            return apis
                .map_or(Ok(()), |apis| Err(self.in_use(apis.iter().map(ApiId::new), apis.len())));
        };
        for environment in entry.accepted.hosts.iter().filter_map(|(_, bound)| bound.as_ref()) {
            self.environment_named(environment)?;
        }
        self.variables_of_group(id)
    }

    fn api_fits(&self, id: ApiId) -> Checked {
        let Some(draft) = self.next.api(id) else {
            let published = |stage: &Stage| stage.publication(id).map(|_| id).into_iter().collect();
            let left: Vec<_> = self.next.grants().apps_of(id).collect();
            if !left.is_empty() {
                let names =
                    left.iter().take(NAMED).map(|app| self.base.describe(Key::Resource(*app)));
                return Err(Reason::InUse { users: names.collect(), count: left.len() });
            }
            return self.nothing_published(published, None);
        };
        self.there(Key::Group(draft.group))?;
        self.service_there(&draft.version)
    }

    /// Nothing that needs what was taken away is published any more, live or dormant.
    fn nothing_published(
        &self,
        which: impl Fn(&Stage) -> Vec<ApiId>,
        only: Option<EnvironmentId>,
    ) -> Checked {
        let stages = self.next.environments().map(|(at, _)| at).chain(only);
        for at in stages.filter(|at| only.is_none_or(|only| only == *at)) {
            let left = self.next.stage(at).map(&which).unwrap_or_default();
            if !left.is_empty() {
                let keys = left.iter().take(NAMED).map(|api| Key::Publication(*api, at));
                let users = keys.map(|key| self.base.describe(key)).collect();
                return Err(Reason::InUse { users, count: left.len() });
            }
        }
        Ok(())
    }

    fn publication_fits(&self, api: ApiId, at: EnvironmentId) -> Checked {
        let Some(publication) = self.next.stage(at).and_then(|stage| stage.publication(api)) else {
            return Ok(());
        };
        self.there(Key::Environment(at))?;
        self.there(Key::Api(api))?;
        self.service_there(&publication.version)?;
        self.variables_of_publication(at, api)
    }

    fn resource_fits(&self, id: ResourceId) -> Checked {
        let left: Vec<_> = self.next.grants().apis_of(id).collect();
        if self.next.resource(id).is_some() || left.is_empty() {
            return Ok(());
        }
        let names = left.iter().take(NAMED).map(|api| self.base.describe(Key::Api(*api)));
        Err(Reason::InUse { users: names.collect(), count: left.len() })
    }

    fn grant_fits(&self, api: ApiId, at: EnvironmentId, app: ResourceId) -> Checked {
        if self.next.grants().get(api, at, app).is_none() {
            return Ok(());
        }
        self.there(Key::Environment(at))?;
        self.there(Key::Api(api))?;
        self.there(Key::Resource(app))
    }

    fn service_there(&self, version: &Version) -> Checked {
        version.service().map_or(Ok(()), |service| self.there(Key::Service(service)))
    }

    fn there(&self, key: Key) -> Checked {
        match self.next.record(key) {
            Some(_) => Ok(()),
            None => Err(Reason::Missing(self.next.describe(key))),
        }
    }
}

impl State {
    /// What is, or was, under a key, in words.
    pub(crate) fn describe(&self, key: Key) -> String {
        use crate::store::Record;
        let record = self.touches(key).find_map(|touch| touch.after);
        let at = |id| {
            self.environment(id).map_or_else(|| format!("environment {id}"), |e| e.name.to_string())
        };
        match (key, record) {
            (_, Some(Record::Environment(record))) => format!("environment {}", record.name),
            (_, Some(Record::Service(record))) => format!("service {:?}", record.name),
            (_, Some(Record::Group(record))) => format!("group {:?}", record.name),
            (_, Some(Record::Api(record))) => {
                let group = self.touches(Key::Group(record.group)).find_map(|touch| touch.after);
                match group {
                    Some(Record::Group(group)) => format!("API {}/{}", group.name, record.name),
                    _ => format!("API {}", record.name),
                }
            }
            (_, Some(Record::Resource(record))) => {
                format!("{} {:?}", record.resource.sort(), record.name)
            }
            (Key::Grant(api, id, app), _) => format!(
                "the grant of {} in {} to {}",
                self.describe(Key::Api(api)),
                at(id),
                self.describe(Key::Resource(app))
            ),
            (Key::Definition(service, id), _) => {
                format!("the definition of {} in {}", self.describe(Key::Service(service)), at(id))
            }
            (Key::Publication(api, id), _) => {
                format!("{} in {}", self.describe(Key::Api(api)), at(id))
            }
            (key, _) => format!("{key:?}"),
        }
    }
}
