//! What the data plane needs at one revision, swapped whole.

use std::sync::Arc;

use http::Method;

use super::evaluate::Evaluated;
use super::shared::Pages;
use super::site::{Site, Sites};
use super::stage::{Substituted, counting};
use super::state::State;
use super::target::{Kinds, Live, Superseded, Target};
use crate::backend::Backend;
use crate::error::Place;
use crate::model::id::{ApiId, EnvironmentId, ServiceId};
use crate::model::path::RequestPath;
use crate::model::{Definition, InvalidDefinition, Revision, Version};
use crate::store::record::PublicationRecord;
use crate::store::{Key, Write};

/// What is true at one revision, with a target for every definition.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    state: Arc<State>,
    /// By environment id.
    stages: Vec<Targets>,
}

/// The targets of one environment.
#[derive(Clone, Debug, Default)]
struct Targets {
    services: Pages<Arc<Target>>,
    /// Of APIs with a definition of their own.
    inline: Pages<Arc<Target>>,
}

/// Where a request goes: the frozen version that matched, and what answers for it.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) publication: Arc<PublicationRecord>,
    pub(crate) target: Arc<Target>,
    /// What its stage variables make of it, where it names any.
    substituted: Option<Arc<Substituted>>,
}

impl Route {
    /// The frozen version, as it is in the environment.
    pub(crate) fn version(&self) -> &Version {
        counting(&self.publication, self.substituted.as_deref())
    }
}

/// A write whose definition its kind does not accept.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) key: Key,
    pub(crate) error: InvalidDefinition,
}

impl Snapshot {
    /// Compiles a state as a whole, taking over from `before` what did not change for requests.
    /// Definitions that are not accepted answer that they are missing.
    pub(crate) fn open(state: &Arc<State>, kinds: &Kinds, before: Option<&Self>) -> Self {
        let mut snapshot = Self { state: Arc::clone(state), stages: Vec::new() };
        for (environment, _) in state.environments() {
            let Some(stage) = state.stage(environment) else {
                continue;
            };
            let services = stage.definitions().map(|(id, _)| Key::Definition(id, environment));
            let inline = stage.inline().iter();
            let inline = inline.map(|id| Key::Publication(ApiId::new(id), environment));
            for key in services.chain(inline) {
                let Some(wanted) = snapshot.wanted(key) else {
                    continue;
                };
                let old = before.and_then(|before| before.target(key)).map(Arc::as_ref);
                let refused = |error| wanted.refused(old, &error);
                let target = wanted.build(kinds, old).unwrap_or_else(refused);
                snapshot.put(key, Some(Arc::new(target)));
            }
        }
        snapshot
    }

    /// Compiles what `evaluated` leads to: only what it wrote. Also what is superseded by that.
    pub(crate) fn compile(
        &self,
        evaluated: &Evaluated,
        kinds: &Kinds,
    ) -> Result<(Self, Vec<Superseded>), Refused> {
        self.advance(Arc::new(evaluated.state.clone()), &evaluated.writes, |wanted, before, key| {
            wanted.build(kinds, before).map_err(|error| Refused { key, error })
        })
    }

    /// Everything that `evaluated` wrote and that its kind does not accept.
    pub(crate) fn refusals(&self, evaluated: &Evaluated, kinds: &Kinds) -> Vec<Refused> {
        let refused = std::cell::RefCell::new(Vec::new());
        let state = Arc::new(evaluated.state.clone());
        let _: Result<_, std::convert::Infallible> =
            self.advance(state, &evaluated.writes, |wanted, before, key| {
                Ok(wanted.build(kinds, before).unwrap_or_else(|error| {
                    let target = wanted.refused(before, &error);
                    refused.borrow_mut().push(Refused { key, error });
                    target
                }))
            });
        refused.into_inner()
    }

    /// Compiles what somebody else committed. Also what is superseded by that.
    pub(crate) fn follow(
        &self,
        state: State,
        writes: &[Write],
        kinds: &Kinds,
    ) -> (Self, Vec<Superseded>) {
        let followed = self.advance(Arc::new(state), writes, |wanted, before, _| {
            Ok::<_, std::convert::Infallible>(
                wanted.build(kinds, before).unwrap_or_else(|error| wanted.refused(before, &error)),
            )
        });
        match followed {
            Ok(followed) => followed,
            Err(never) => match never {},
        }
    }

    fn advance<E>(
        &self,
        state: Arc<State>,
        writes: &[Write],
        build: impl Fn(&Wanted, Option<&Target>, Key) -> Result<Target, E>,
    ) -> Result<(Self, Vec<Superseded>), E> {
        let mut next = Self { state, stages: self.stages.clone() };
        let mut superseded = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        let written = writes.iter().map(|(key, _)| (*key, true));
        let renamed = writes.iter().flat_map(|(key, _)| self.renamed(&next, *key));
        let others = renamed.map(|key| (key, false));
        let moved = writes.iter().flat_map(|(key, _)| match key {
            Key::Group(group) => next.state.moved_in(*group, &self.state),
            _ => Vec::new(),
        });
        let others: Vec<_> = others.chain(moved.map(|key| (key, true))).collect();
        for (key, supersedes) in written.chain(others) {
            let before = self.target(key);
            let wanted = next.wanted(key);
            // One key may be written more than once; what counts is what is there in the end.
            if (before.is_none() && wanted.is_none()) || !seen.insert(key) {
                continue;
            }
            let target = match &wanted {
                Some(wanted) => Some(Arc::new(build(wanted, before.map(Arc::as_ref), key)?)),
                None => None,
            };
            if let Some(before) = before.filter(|_| supersedes) {
                superseded.push(before.superseded(target.as_deref()));
            }
            next.put(key, target);
        }
        Ok((next, superseded))
    }

    /// What of it `next` has replaced.
    pub(super) fn replaced_by(&self, next: &Self) -> Vec<Superseded> {
        let pairs = self.stages.iter().enumerate().flat_map(|(at, stage)| {
            let stages = next.stages.get(at);
            let service = move |number| stages?.services.get(number);
            let inline = move |number| stages?.inline.get(number);
            let services = stage.services.iter().map(move |(number, it)| (it, service(number)));
            services.chain(stage.inline.iter().map(move |(number, it)| (it, inline(number))))
        });
        pairs
            .filter(|(old, new)| {
                !new.is_some_and(|new| Arc::ptr_eq(old.superseding(), new.superseding()))
            })
            .map(|(old, new)| old.superseded(new.map(Arc::as_ref)))
            .collect()
    }

    /// The keys of targets that carry the name of a service which a write renames.
    fn renamed(&self, next: &Self, key: Key) -> impl Iterator<Item = Key> + use<> {
        let name = |state: &State, id| state.service(id).map(|service| service.name.clone());
        let service = match key {
            Key::Service(id) => Some(id).filter(|id| {
                name(&next.state, *id).is_some_and(|new| name(&self.state, *id) != Some(new))
            }),
            _ => None,
        };
        let stages = self.stages.len();
        service.into_iter().flat_map(move |service| {
            (0..stages).map(move |at| {
                let at = EnvironmentId::new(u16::try_from(at).unwrap_or(u16::MAX));
                Key::Definition(service, at)
            })
        })
    }

    /// The definition that a target is wanted for under a key, if one is.
    fn wanted(&self, key: Key) -> Option<Wanted> {
        let place = |service, environment, generation| {
            let environment = self.state.environment(environment)?.name.clone();
            Some(Place::new(service, environment, generation))
        };
        match key {
            Key::Definition(service, environment) => {
                let record = self.state.stage(environment)?.definition(service)?;
                let name = self.state.service(service)?.name.clone();
                Some(Wanted {
                    definition: Arc::new(record.definition.clone()),
                    live: Live {
                        place: place(Some(name), environment, record.stamp.revision)?,
                        epoch: Some(record.epoch),
                        accepted: record.accepted.clone(),
                    },
                })
            }
            Key::Publication(api, environment) => {
                let stage = self.state.stage(environment)?;
                let record = stage.publication(api)?;
                let definition = stage.version(record).inline()?;
                // What its stage variables stand for, its group says: at the latest since then.
                let group = self.state.group(record.group).filter(|_| record.version.is_open());
                let group = group.map_or(Revision::ZERO, |group| group.record.stamp.revision);
                let generation = record.stamp.revision.max(group);
                Some(Wanted {
                    definition: Arc::new(definition.clone()),
                    live: Live {
                        place: place(None, environment, generation)?,
                        epoch: None,
                        accepted: Box::default(),
                    },
                })
            }
            _ => None,
        }
    }

    fn target(&self, key: Key) -> Option<&Arc<Target>> {
        match key {
            Key::Definition(service, environment) => self.service_target(service, environment),
            Key::Publication(api, environment) => self.inline_target(api, environment),
            _ => None,
        }
    }

    /// What answers by what was written here and by nothing in `before`.
    pub(super) fn fresh(&self, before: &Self, writes: &[Write]) -> Vec<Arc<dyn Backend>> {
        let backend = |snapshot: &Self, key| snapshot.target(key)?.backend().ok().cloned();
        let keys = writes.iter().map(|(key, _)| *key);
        let pairs = keys.filter_map(|key| Some((backend(self, key)?, backend(before, key))));
        let fresh =
            pairs.filter(|(new, old)| !old.as_ref().is_some_and(|old| Arc::ptr_eq(new, old)));
        fresh.map(|(new, _)| new).collect()
    }

    fn put(&mut self, key: Key, target: Option<Arc<Target>>) {
        let (environment, index) = match key {
            Key::Definition(service, environment) => (environment, service.number()),
            Key::Publication(api, environment) => (environment, api.number()),
            _ => return,
        };
        let at = usize::from(environment.number());
        if self.stages.len() <= at {
            self.stages.resize_with(at + 1, Targets::default);
        }
        let Some(stage) = self.stages.get_mut(at) else {
            return;
        };
        let targets = match key {
            Key::Definition(..) => &mut stage.services,
            _ => &mut stage.inline,
        };
        match target {
            Some(target) => drop(targets.set(index, target)),
            None => drop(targets.take(index)),
        }
    }

    /// Drops the targets and hands out what was true.
    pub(super) fn into_state(self) -> Arc<State> {
        self.state
    }

    /// What is true.
    pub(crate) fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// The target of a service in an environment.
    pub(crate) fn service_target(
        &self,
        service: ServiceId,
        environment: EnvironmentId,
    ) -> Option<&Arc<Target>> {
        self.stages.get(usize::from(environment.number()))?.services.get(service.number())
    }

    /// Every target of an environment.
    pub(super) fn targets(&self, environment: EnvironmentId) -> impl Iterator<Item = &Target> {
        let stage = self.stages.get(usize::from(environment.number())).into_iter();
        stage.flat_map(|stage| {
            let services = stage.services.iter().map(|(_, target)| &**target);
            services.chain(stage.inline.iter().map(|(_, target)| &**target))
        })
    }

    /// The target of an API with a definition of its own.
    pub(super) fn inline_target(&self, api: ApiId, at: EnvironmentId) -> Option<&Arc<Target>> {
        self.stages.get(usize::from(at.number()))?.inline.get(api.number())
    }

    /// The groups on a host, given in lower case without port and trailing dot.
    pub(crate) fn sites(&self, host: &str) -> Option<&Sites> {
        self.state.sites(host).map(Arc::as_ref)
    }

    /// The id of an environment, by its exact wire name.
    pub(crate) fn environment(&self, name: &str) -> Option<EnvironmentId> {
        match name {
            "TEST" => Some(EnvironmentId::new(0)),
            "PRE" => Some(EnvironmentId::new(1)),
            "RELEASE" => Some(Self::PRODUCTION),
            _ => self.state.environment_id(name),
        }
    }

    /// Where requests go that name no environment.
    pub(crate) const PRODUCTION: EnvironmentId = EnvironmentId::new(2);

    /// The live publication a request belongs to, and what answers for it.
    pub(crate) fn route(
        &self,
        site: &Site,
        environment: EnvironmentId,
        method: &Method,
        path: &RequestPath<'_>,
    ) -> Option<Route> {
        let at = usize::from(environment.number());
        let (stage, targets) = (self.state.stage(environment)?, self.stages.get(at)?);
        let live = |publication: &PublicationRecord| match publication.version.service() {
            Some(service) => targets
                .services
                .get(service.number())
                .filter(|target| target.accepts(publication.epoch)),
            None => targets.inline.get(publication.api.number()),
        };
        let options = &site.options;
        let (publication, target) =
            stage.routes().look_up(options.id, method, path, options.terms.base_segments, live)?;
        let substituted = stage.replaced(publication).cloned();
        let (publication, target) = (Arc::clone(publication), Arc::clone(target));
        Some(Route { publication, target, substituted })
    }
}

/// A definition a target is wanted for.
struct Wanted {
    definition: Arc<Definition>,
    live: Live,
}

impl Wanted {
    fn build(&self, kinds: &Kinds, before: Option<&Target>) -> Result<Target, InvalidDefinition> {
        Target::build(kinds, &self.definition, self.live.clone(), before)
    }

    fn refused(&self, before: Option<&Target>, why: &InvalidDefinition) -> Target {
        Target::refused(&self.definition, self.live.clone(), before, why)
    }
}
