//! What has been, and who made it so.

use std::sync::Arc;

use crate::model::id::{ApiId, EnvironmentId, ServiceId};
use crate::model::{
    Api, ApiName, ChangeId, Definition, Environment, InvalidName, Revision, ServiceName, Stamp,
};
use crate::registry::history::touch::Touch;
use crate::registry::state::State;
use crate::registry::{Registry, Status};
use crate::store::record::{Past, PublicationRecord};
use crate::store::{Key, Record};

/// One revision: who made it, and how.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Entry {
    /// Which revision, who, when and why.
    pub stamp: Arc<Stamp>,
    /// The change's id.
    pub change: ChangeId,
    /// Why the limits on its reach were overridden, if they were.
    pub forced: Option<Arc<str>>,
    /// The revisions it took back.
    pub undoes: Vec<Revision>,
    /// How many records it wrote.
    pub written: usize,
}

/// A version of an API that was published in an environment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Version {
    /// Which revision published it, who, when and why.
    pub stamp: Arc<Stamp>,
    /// Whether requests reach it now.
    pub status: Status,
    /// Who took it offline: by publishing another version, by unpublishing it, or by deleting the
    /// definition it was published against. Absent while it is online.
    pub ended: Option<Arc<Stamp>>,
    /// The service its requests go to, unless it has a definition of its own.
    pub service: Option<ServiceName>,
    /// The version.
    pub api: Api,
}

/// What a service meant in an environment.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct DefinitionVersion {
    /// Which revision made it so, who, when and why.
    pub stamp: Arc<Stamp>,
    /// The definition; absent: it was deleted.
    pub definition: Option<Definition>,
    /// The revision that first defined it; absent: it was deleted.
    pub epoch: Option<Revision>,
}

impl Registry {
    /// Every revision that is kept, the newest first, made as it is asked for.
    pub fn history(&self) -> impl Iterator<Item = Entry> + use<> {
        let state = self.state();
        let newest = state.revision().as_u64();
        (0..=newest).rev().map_while(move |revision| {
            let entry = state.log().entry(Revision::new(revision))?;
            Some(Entry {
                stamp: Arc::clone(&entry.stamp),
                change: entry.change,
                forced: entry.forced.clone(),
                undoes: entry.undoes.to_vec(),
                written: entry.created.len() + entry.touched.len(),
            })
        })
    }

    /// The versions of an API that were published in an environment, the newest first, as far as the
    /// history reaches back; also of an API that was deleted. [`Change::switch`] goes back to one.
    ///
    /// [`Change::switch`]: crate::Change::switch
    ///
    /// # Errors
    ///
    /// When the name breaks the rules of [`ApiName`].
    pub fn versions(
        &self,
        api: &str,
        environment: &Environment,
    ) -> Result<Vec<Version>, InvalidName> {
        let name: ApiName = api.parse()?;
        let state = self.state();
        let found = api_ever(&state, &name).zip(state.environment_id(environment.as_str()));
        Ok(found.map_or_else(Vec::new, |(api, at)| versions(&state, api, at)))
    }

    /// What a service meant in an environment, the newest first, deletions included, as far as the
    /// history reaches back; also of a service that was deleted.
    ///
    /// # Errors
    ///
    /// When the name breaks the rules of [`ServiceName`].
    pub fn definitions(
        &self,
        service: &str,
        environment: &Environment,
    ) -> Result<Vec<DefinitionVersion>, InvalidName> {
        let name: ServiceName = service.parse()?;
        let state = self.state();
        let found = service_ever(&state, &name).zip(state.environment_id(environment.as_str()));
        let Some((service, at)) = found else { return Ok(Vec::new()) };
        let touches = state.touches(Key::Definition(service, at));
        Ok(touches.map(DefinitionVersion::of).collect())
    }
}

impl DefinitionVersion {
    fn of(touch: Touch) -> Self {
        let record = match touch.after {
            Some(Record::Definition(record)) => Some(record),
            _ => None,
        };
        Self {
            stamp: touch.stamp,
            definition: record.as_ref().map(|record| record.definition.clone()),
            epoch: record.map(|record| record.epoch),
        }
    }
}

fn versions(state: &State, api: ApiId, at: EnvironmentId) -> Vec<Version> {
    let mut versions = Vec::new();
    let mut newer: Option<Arc<Stamp>> = None;
    for touch in state.touches(Key::Publication(api, at)) {
        if let Some(Record::Publication(publication)) = touch.after {
            let stage = state.stage(at);
            let current = newer.is_none();
            let live = current && stage.is_some_and(|stage| stage.is_live(&publication));
            let ended = ended(state, &publication, at, newer.as_ref());
            let service = state.service_name(&publication.version);
            versions.push(Version {
                stamp: Arc::clone(&touch.stamp),
                status: if live { Status::Online } else { Status::Offline },
                ended: ended.filter(|_| !live),
                api: publication.version.api(service.as_ref().map(ServiceName::as_str)),
                service,
            });
        }
        newer = Some(touch.stamp);
    }
    versions
}

/// Who took a publication offline, the last time: by deleting the definition that accepts it, or by
/// what came in its place. Absent if it was never online, as one that an undo brought back dormant.
fn ended(
    state: &State,
    publication: &PublicationRecord,
    at: EnvironmentId,
    newer: Option<&Arc<Stamp>>,
) -> Option<Arc<Stamp>> {
    let mut touches: Vec<_> = match publication.version.service() {
        Some(service) => state.touches(Key::Definition(service, at)).collect(),
        None => Vec::new(),
    };
    touches.reverse();
    let accepts = |touch: &Touch| match &touch.after {
        Some(Record::Definition(record)) => record.accepts(publication.epoch),
        _ => false,
    };
    let then = touches.partition_point(|t| t.stamp.revision <= publication.stamp.revision);
    // What is published has a definition, also where the history does not reach back to it.
    let mut online = touches.get(..then).and_then(<[Touch]>::last).is_none_or(accepts);
    let mut ended = None;
    for touch in touches.iter().skip(then) {
        if newer.is_some_and(|newer| newer.revision <= touch.stamp.revision) {
            break;
        }
        let goes_on = accepts(touch);
        if goes_on != online {
            ended = online.then(|| Arc::clone(&touch.stamp));
        }
        online = goes_on;
    }
    if online { newer.cloned() } else { ended }
}

/// Who has a name, or had it last.
fn service_ever(state: &State, name: &ServiceName) -> Option<ServiceId> {
    state.service_id(name).or_else(|| {
        ever(state, |key, record| match (key, record) {
            (Key::Service(id), Record::Service(record)) if record.name == *name => Some(id),
            _ => None,
        })
    })
}

/// Who has a name, or had it last.
fn api_ever(state: &State, name: &ApiName) -> Option<ApiId> {
    let group = state.group_id(name.group()).or_else(|| {
        ever(state, |key, record| match (key, record) {
            (Key::Group(id), Record::Group(record)) if record.name == *name.group() => Some(id),
            _ => None,
        })
    })?;
    state.api_id_in(group, name.name()).or_else(|| {
        ever(state, |key, record| match (key, record) {
            (Key::Api(id), Record::Api(record)) => {
                (record.group == group && &*record.name == name.name()).then_some(id)
            }
            _ => None,
        })
    })
}

/// The newest of what was there before a change and is what `is_it` looks for.
fn ever<T>(state: &State, is_it: impl Fn(Key, &Record) -> Option<T>) -> Option<T> {
    let revisions = (0..=state.revision().as_u64()).rev().map(Revision::new);
    let mut entries = revisions.map_while(|revision| state.log().entry(revision));
    entries.find_map(|entry| {
        entry.touched.iter().find_map(|(key, past)| match past {
            Past::Was(record) => is_it(*key, record),
            Past::Gone(_) => None,
        })
    })
}
