//! Publishing, unpublishing, displacing.

use std::sync::Arc;

use super::super::change::Expect;
use super::super::event::Event;
use super::super::rejected::Reason;
use super::{ApiId, Checked, Draft, expected};
use crate::model::id::{EnvironmentId, ServiceId};
use crate::model::limits::MAX_SHAPES;
use crate::model::{ApiName, Environment, Revision};
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
        let epoch = match draft.version.service() {
            Some(service) => Some(self.epoch_of(service, at, environment)?),
            None => None,
        };
        let publication = Arc::new(PublicationRecord {
            api: id,
            group: draft.group,
            version: Arc::clone(&draft.version),
            epoch,
            stamp: self.stamp(),
        });
        let stage = self.next.stage(at);
        let before = stage.and_then(|stage| stage.publication(id)).cloned();
        let was_live =
            before.as_ref().is_some_and(|old| stage.is_some_and(|stage| stage.is_live(old)));
        let before = match before {
            // Publishing gives a dormant publication up; it does not revive it.
            Some(_) if !was_live => {
                self.events.push(Event::Displaced { api: id, environment: at });
                None
            }
            before => before.map(|before| before.stamp.revision),
        };
        self.events.push(Event::Published { api: id, environment: at, before });
        self.write(Key::Publication(id, at), Some(Record::Publication(publication)));
        self.publications.insert((at, id, self.index));
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
            None => Reason::UnknownEnvironment(environment.clone()),
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
        let stage = self.next.stage(at);
        let Some((stage, publication)) =
            stage.and_then(|stage| Some((stage, stage.publication(id)?)))
        else {
            return Err(Reason::NotPublished { api: name, environment: environment.clone() });
        };
        if stage.is_live(publication) {
            self.events.push(Event::Unpublished { api: id, environment: at });
            self.write(Key::Publication(id, at), None);
        } else {
            self.displace(id, at);
        }
        Ok(())
    }

    /// Gives a dormant publication up.
    pub(super) fn displace(&mut self, api: ApiId, environment: EnvironmentId) {
        self.events.push(Event::Displaced { api, environment });
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
