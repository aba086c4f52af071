//! What a change did, and whether the old side is idle.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::model::id::{ApiId, EnvironmentId};
use crate::model::{ApiName, Environment, Revision, ServiceName, Stamp};
use crate::registry::Committed;
use crate::registry::event::Event;
use crate::registry::state::State;
use crate::registry::target::Superseded;

/// What a change did.
///
/// It holds plain values and owns nothing that requests need: keeping one keeps nothing from being
/// drained.
#[derive(Clone)]
pub struct Receipt {
    stamp: Arc<Stamp>,
    before: Arc<State>,
    after: Arc<State>,
    events: Arc<[Event]>,
    superseded: Arc<[Superseded]>,
    counts: Counts,
}

/// How many APIs a change did what to.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Counts {
    /// Published, and go on with a new definition.
    pub moved: usize,
    /// Taken offline, one by one or with their definition.
    pub unpublished: usize,
    /// Published, anew or again.
    pub published: usize,
    /// Gave up a dormant publication.
    pub displaced: usize,
}

/// What a change did to one API in one environment.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// The API.
    pub api: ApiName,
    /// The environment.
    pub environment: Environment,
    /// The service, unless the API has a definition of its own.
    pub service: Option<ServiceName>,
    /// What was done.
    pub result: Result,
}

/// What was done to an API in an environment.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Result {
    /// It goes on with a new definition.
    Moved,
    /// It was taken offline.
    Unpublished,
    /// It was published and had not been.
    Published,
    /// It was published over a live publication.
    Republished,
    /// Its dormant publication was given up.
    Displaced,
}

/// A deadline passed and requests of an old definition are still on their way.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{requests} requests still use what revision {revision} replaced: {places}")]
#[non_exhaustive]
pub struct StillBusy {
    /// The revision that replaced it.
    pub revision: Revision,
    /// How many requests are left. 0: only connections are.
    pub requests: usize,
    /// Which definitions they use.
    pub places: String,
}

impl Receipt {
    pub(super) fn new(committed: Committed) -> Self {
        let Committed { stamp, before, after, events, superseded } = committed;
        let mut counts = Counts::default();
        for event in &events {
            match event {
                Event::Updated { apis, .. } => counts.moved += apis.len(),
                Event::Undefined { apis, .. } => counts.unpublished += apis.len(),
                Event::Published { .. } => counts.published += 1,
                Event::Unpublished { .. } => counts.unpublished += 1,
                Event::Displaced { .. } => counts.displaced += 1,
            }
        }
        let (events, superseded) = (events.into(), superseded.into());
        Self { stamp, before, after, events, superseded, counts }
    }

    /// The revision the change became.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.stamp.revision
    }

    /// Who made it, when and why.
    #[must_use]
    pub fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    /// How many APIs it did what to. O(1).
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// What it did to each API in each environment, made as it is asked for.
    pub fn outcomes(&self) -> impl Iterator<Item = Outcome> + '_ {
        self.events.iter().flat_map(|event| self.rows(event)).filter_map(
            |(api, environment, result)| {
                // What a change deleted has its name in the state before.
                let name = self.after.api_name(api).or_else(|| self.before.api_name(api))?;
                let at = self.after.environment(environment);
                let at = at.or_else(|| self.before.environment(environment))?;
                let published = |state: &State| {
                    let publication = state.stage(environment)?.publication(api)?;
                    Some(state.service_name(&publication.version))
                };
                let service = published(&self.after).or_else(|| published(&self.before)).flatten();
                Some(Outcome { api: name, environment: at.name.clone(), service, result })
            },
        )
    }

    fn rows<'a>(
        &self,
        event: &'a Event,
    ) -> Box<dyn Iterator<Item = (ApiId, EnvironmentId, Result)> + 'a> {
        let many = |apis: &'a crate::registry::shared::IdSet, environment, result| {
            let rows = apis.iter().map(move |api| (ApiId::new(api), environment, result));
            Box::new(rows) as Box<dyn Iterator<Item = _>>
        };
        let one = |api, environment, result| {
            Box::new(std::iter::once((api, environment, result))) as Box<dyn Iterator<Item = _>>
        };
        match event {
            Event::Updated { environment, apis, .. } => many(apis, *environment, Result::Moved),
            Event::Undefined { environment, apis } => many(apis, *environment, Result::Unpublished),
            Event::Published { api, environment, before } => {
                let result = if before.is_some() { Result::Republished } else { Result::Published };
                one(*api, *environment, result)
            }
            Event::Unpublished { api, environment } => one(*api, *environment, Result::Unpublished),
            Event::Displaced { api, environment } => one(*api, *environment, Result::Displaced),
        }
    }

    /// How many requests still use a definition that this change replaced.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.superseded.iter().map(|old| old.requests.strong_count()).sum()
    }

    /// Waits until the last request and connection of every definition this change replaced is gone:
    /// the old endpoints may then be switched off. At once if it replaced none.
    ///
    /// A connection that the next definition took over, because nothing changed for it, is not
    /// waited for.
    ///
    /// # Errors
    ///
    /// [`StillBusy`] when `deadline` passes first. It can be waited for again.
    pub async fn drained(&self, deadline: Duration) -> std::result::Result<(), StillBusy> {
        let all = async {
            for old in self.superseded.iter() {
                old.drained.clone().await;
                if let Some(closed) = &old.closed {
                    closed.clone().await;
                }
            }
        };
        tokio::time::timeout(deadline, all).await.map_err(|_| self.busy())
    }

    fn busy(&self) -> StillBusy {
        let left = self.superseded.iter().filter(|old| {
            !old.drained.is_drained() || old.closed.as_ref().is_some_and(|c| !c.is_drained())
        });
        let places: Vec<_> = left
            .take(10)
            .map(|old| match &old.place.service {
                Some(service) => format!("{service} in {}", old.place.environment),
                None => format!("an inline definition in {}", old.place.environment),
            })
            .collect();
        let (revision, requests) = (self.revision(), self.in_flight());
        StillBusy { revision, requests, places: places.join(", ") }
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receipt")
            .field("stamp", &self.stamp)
            .field("counts", &self.counts)
            .field("in_flight", &self.in_flight())
            .finish_non_exhaustive()
    }
}
