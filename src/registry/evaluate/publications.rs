//! Publishing, unpublishing, displacing.

use std::sync::Arc;

use super::super::change::Expect;
use super::super::rejected::Reason;
use super::{ApiId, Checked, Draft, expected};
use crate::model::id::{EnvironmentId, GroupId, ServiceId};
use crate::model::limits::MAX_SHAPES;
use crate::model::{ApiName, Environment, Revision, Version};
use crate::store::record::PublicationRecord;
use crate::store::{Key, Record};

impl Draft<'_> {
    pub(super) fn publish(
        &mut self,
        api: &str,
        environment: &Environment,
        expect: Option<Expect>,
    ) -> Checked {
        let (id, name) = self.api_named(api)?;
        let at = self.environment_named(environment)?;
        expected(expect, self.publication_before(&name, environment))?;
        let Some(draft) = self.next.api(id).cloned() else {
            return Ok(());
        };
        self.put_publication(id, draft.group, Arc::clone(&draft.version), at, environment)
    }

    /// Publishes an older version again, as it was.
    pub(super) fn switch(
        &mut self,
        api: &str,
        environment: &Environment,
        version: Revision,
        expect: Option<Expect>,
    ) -> Checked {
        let (id, name) = self.api_named(api)?;
        let at = self.environment_named(environment)?;
        expected(expect, self.publication_before(&name, environment))?;
        let found =
            self.base.touches(Key::Publication(id, at)).find_map(|touch| match touch.after {
                Some(Record::Publication(old)) if old.stamp.revision == version => Some(old),
                _ => None,
            });
        let Some(old) = found else {
            return Err(Reason::NoVersion { api: name, environment: environment.clone(), version });
        };
        self.put_publication(id, old.group, Arc::clone(&old.version), at, environment)
    }

    fn put_publication(
        &mut self,
        api: ApiId,
        group: GroupId,
        version: Arc<Version>,
        at: EnvironmentId,
        environment: &Environment,
    ) -> Checked {
        let epoch = match version.service() {
            Some(service) => Some(self.epoch_of(service, at, environment)?),
            None => None,
        };
        let stamp = self.stamp();
        let stage = self.next.stage(at);
        let live = stage.and_then(|stage| stage.publication(api).filter(|p| stage.is_live(p)));
        let by_document = self.mark(live.map(|before| before.by_document));
        let publication = PublicationRecord { api, group, version, epoch, by_document, stamp };
        self.write(Key::Publication(api, at), Some(Record::Publication(Arc::new(publication))));
        self.publications.insert((at, api, self.index));
        Ok(())
    }

    fn epoch_of(
        &self,
        service: ServiceId,
        at: EnvironmentId,
        environment: &Environment,
    ) -> Checked<Revision> {
        let definition = self.next.stage(at).and_then(|stage| stage.definition(service));
        if let Some(definition) = definition {
            return Ok(definition.epoch);
        }
        Err(match self.next.service(service) {
            Some(service) => Reason::NoDefinition {
                service: service.name.clone(),
                environment: environment.clone(),
            },
            None => Reason::Missing("the service it goes to".to_owned()),
        })
    }

    pub(super) fn unpublish(
        &mut self,
        api: &str,
        environment: &Environment,
        expect: Option<Expect>,
    ) -> Checked {
        let (id, name) = self.api_named(api)?;
        let at = self.environment_named(environment)?;
        expected(expect, self.publication_before(&name, environment))?;
        if self.next.stage(at).and_then(|stage| stage.publication(id)).is_none() {
            return Err(Reason::NotPublished { api: name, environment: environment.clone() });
        }
        self.write(Key::Publication(id, at), None);
        Ok(())
    }

    /// Gives a dormant publication up.
    pub(super) fn displace(&mut self, api: ApiId, environment: EnvironmentId) {
        self.write(Key::Publication(api, environment), None);
    }

    /// Gives the dormant publications up whose method and path another API now takes.
    pub(super) fn displace_rivals(&mut self, api: ApiId, at: EnvironmentId) {
        let Some(stage) = self.next.stage(at) else {
            return;
        };
        let Some(publication) = stage.publication(api) else {
            return;
        };
        let rivals = stage.routes().rivals(publication);
        let dormant: Vec<_> =
            rivals.filter(|rival| !stage.is_live(rival)).map(|rival| rival.api).collect();
        for rival in dormant {
            self.displace(rival, at);
        }
    }

    /// No other live publication of the group has the method and paths here, and the group has not
    /// too many shapes.
    pub(super) fn publication_alone(&self, at: EnvironmentId, api: ApiId) -> Checked {
        let Some(stage) = self.next.stage(at) else {
            return Ok(());
        };
        let Some(publication) = stage.publication(api) else {
            return Ok(());
        };
        if stage.routes().shapes(publication.group) > MAX_SHAPES {
            return Err(Reason::Limit { what: "shapes of path in one group", limit: MAX_SHAPES });
        }
        let rival = stage.routes().rivals(publication).find(|rival| stage.is_live(rival));
        let Some(holder) = rival.and_then(|rival| self.next.api_name(rival.api)) else {
            return Ok(());
        };
        Err(Reason::RouteTaken {
            method: publication.version.verb().as_str(),
            path: publication.version.pattern().to_string(),
            holder,
            environment: self.next.environment(at).map(|record| record.name.clone()),
        })
    }

    fn publication_before(&self, name: &ApiName, environment: &Environment) -> Option<Revision> {
        let at = self.environment_meant(environment)?;
        Some(self.base.stage(at)?.publication(self.api_meant(name)?)?.stamp.revision)
    }
}
