//! APIs: their drafts, and where they are published.

use std::collections::BTreeSet;

use super::super::ApiEntry;
use super::{Place, Work};
use crate::model::id::{ApiId, EnvironmentId};
use crate::model::{Api, Environment, ServiceName, Version};

impl Work<'_> {
    /// Drafts first, then what goes offline, then what is published: a route may pass from one API to
    /// another.
    pub(super) fn apis(&mut self) {
        let document = self.document;
        let ids: Vec<_> = document.apis.iter().map(|entry| self.api_id(&entry.name)).collect();
        self.kept.apis = ids.iter().flatten().copied().collect();
        for name in document.unread("api").filter_map(|name| name.parse().ok()) {
            self.kept.apis.extend(self.api_id(&name));
        }
        let mut publish = Vec::new();
        for (index, (entry, id)) in document.apis.iter().zip(&ids).enumerate() {
            self.draft(index, entry, *id, &mut publish);
        }
        for (entry, id) in document.apis.iter().zip(&ids) {
            if let Some(id) = id {
                self.withdraw(entry, *id);
            }
        }
        for (index, at) in publish {
            let Some(entry) = document.apis.get(index) else { continue };
            let Some(environment) = entry.publish.get(at) else { continue };
            self.edit(Place::Publish(index, at), |change| {
                change.publish(entry.name.to_string(), environment.clone())
            });
        }
    }

    /// What an API written down comes to in this registry. `None`: its service is not there yet, or it
    /// cannot be accepted.
    fn accepted(&self, api: &Api) -> Option<Version> {
        let service = match &api.backend.service {
            Some(name) => Some(self.service_id(&name.parse::<ServiceName>().ok()?)?),
            None => None,
        };
        Version::accept(api, service).ok()
    }

    /// Makes the draft what it shall be. What is to be published of it is noted; what is to be
    /// published of something else is published on the way.
    fn draft(
        &mut self,
        index: usize,
        entry: &ApiEntry,
        id: Option<ApiId>,
        publish: &mut Vec<(usize, usize)>,
    ) {
        let version = self.accepted(&entry.api);
        let there = id.and_then(|id| self.state.api(id)).map(|draft| &draft.version);
        let mut same = version.is_some() && there.map(AsRef::as_ref) == version.as_ref();
        let name = entry.name.to_string();
        for (at, environment) in entry.publish.iter().enumerate() {
            let place = id.zip(self.environment_id(environment));
            match entry.version.get(environment) {
                None if self.is_live(place, version.as_ref()) => {}
                None => publish.push((index, at)),
                Some(other) if self.is_live(place, self.accepted(other).as_ref()) => {}
                Some(other) => {
                    // It is published while it is the draft.
                    let place = Place::Version(index, environment.clone());
                    self.edit(place, |change| change.api(name.as_str(), other.clone()));
                    self.edit(Place::Publish(index, at), |change| {
                        change.publish(name.as_str(), environment.clone())
                    });
                    same = false;
                }
            }
        }
        if !same {
            self.edit(Place::Api(index), |change| change.api(name, entry.api.clone()));
        }
    }

    /// Whether an API is published as it shall be.
    fn is_live(&self, place: Option<(ApiId, EnvironmentId)>, version: Option<&Version>) -> bool {
        let published = || {
            let (id, at) = place?;
            let stage = self.state.stage(at)?;
            let publication = stage.publication(id)?;
            let service = publication.version.service();
            let goes = service.is_some_and(|service| self.undefined.contains(&(service, at)));
            Some(!goes && stage.is_live(publication) && *publication.version == *version?)
        };
        published().unwrap_or(false)
    }

    /// Takes an API offline where a document published it and this one does not.
    fn withdraw(&mut self, entry: &ApiEntry, id: ApiId) {
        let wanted: BTreeSet<_> =
            entry.publish.iter().filter_map(|name| self.environment_id(name)).collect();
        for (at, environment) in self.live(id) {
            if !wanted.contains(&at) && self.published_by_document(id, at) {
                let place = Place::Gone(format!("API {} in {environment}", entry.name));
                let name = entry.name.to_string();
                self.edit(place, |change| change.unpublish(name, environment));
            }
        }
    }

    /// Where an API is live, and stays so unless it is taken offline.
    pub(super) fn live(&self, id: ApiId) -> Vec<(EnvironmentId, Environment)> {
        let live = self.state.environments().filter_map(|(at, record)| {
            let stage = self.state.stage(at)?;
            let publication = stage.publication(id)?;
            let service = publication.version.service();
            let goes = service.is_some_and(|service| self.undefined.contains(&(service, at)));
            (stage.is_live(publication) && !goes).then(|| (at, record.name.clone()))
        });
        live.collect()
    }

    pub(super) fn published_by_document(&self, id: ApiId, at: EnvironmentId) -> bool {
        let stage = self.state.stage(at);
        stage.and_then(|stage| stage.publication(id)).is_some_and(|record| record.by_document)
    }
}
