//! What a change does to each API.

use std::fmt;
use std::sync::{Arc, LazyLock};

use super::delta::Delta;
use crate::model::id::{ApiId, EnvironmentId};
use crate::model::{ApiName, Environment, ServiceName};
use crate::registry::drop_elsewhere;
use crate::registry::history::effect::Effect;
use crate::registry::shared::IdSet;
use crate::registry::state::State;
use crate::store::record::RevisionRecord;

/// How many APIs a change does what to, each counted once for every environment.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Counts {
    /// Published, and go on with a new definition.
    pub moved: usize,
    /// Taken offline, one by one or with their definition.
    pub unpublished: usize,
    /// Published, anew or again.
    pub published: usize,
    /// Live again because their definition was brought back.
    pub revived: usize,
    /// In a group whose hosts or base path changed; what is published there counts, live or not.
    pub readdressed: usize,
    /// Gave up a dormant publication.
    pub displaced: usize,
}

/// What a change does to one API in one environment.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// The API.
    pub api: ApiName,
    /// The environment.
    pub environment: Environment,
    /// The service, unless the API has a definition of its own.
    pub service: Option<ServiceName>,
    /// What is done.
    pub result: Result,
}

/// What is done to an API in an environment.
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
    /// It is live again, because its definition was brought back.
    Revived,
    /// It is reached by other hosts or another base path.
    Readdressed,
    /// Its dormant publication was given up.
    Displaced,
}

impl Counts {
    fn add(&mut self, effect: &Effect) {
        match effect {
            Effect::Moved { apis, .. } => self.moved += apis.len(),
            Effect::Undefined { apis, .. } => self.unpublished += apis.len(),
            Effect::Revived { apis, .. } => self.revived += apis.len(),
            Effect::Readdressed { count, .. } => self.readdressed += count,
            Effect::Substituted { .. } => self.moved += 1,
            Effect::Published { .. } => self.published += 1,
            Effect::Unpublished { .. } => self.unpublished += 1,
            Effect::Displaced { .. } => self.displaced += 1,
        }
    }

    fn parts(self) -> [(usize, &'static str, &'static str); 6] {
        [
            (self.moved, "moves", "move"),
            (self.unpublished, "goes offline", "go offline"),
            (self.published, "is published", "are published"),
            (self.revived, "comes back", "come back"),
            (self.readdressed, "changes its address", "change their address"),
            (self.displaced, "can no longer come back", "can no longer come back"),
        ]
    }

    /// Whether nothing is done to any API.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts().iter().all(|(count, ..)| *count == 0)
    }

    /// In words, for an environment: `1 API in RELEASE moves`.
    pub(super) fn sentence(self, environment: &Environment) -> String {
        let mut sentence = String::new();
        for (count, one, many) in self.parts().into_iter().filter(|(count, ..)| *count > 0) {
            let (apis, verb) = if count == 1 { ("API", one) } else { ("APIs", many) };
            if sentence.is_empty() {
                sentence = format!("{count} {apis} in {environment} {verb}");
            } else {
                sentence.push_str(&format!(", {count} {verb}"));
            }
        }
        sentence
    }
}

/// What a change does to what callers can reach: the difference of two states, which share what they
/// have in common.
#[derive(Clone)]
pub(super) struct Outcomes {
    pub(super) before: Arc<State>,
    pub(super) after: Arc<State>,
    pub(super) entry: Arc<RevisionRecord>,
    pub(super) effects: Arc<[Effect]>,
}

/// What stands in the place of states that are dropped elsewhere.
static NOTHING: LazyLock<Arc<State>> = LazyLock::new(|| Arc::new(State::empty()));

impl Drop for Outcomes {
    /// Whoever drops a plan or a receipt may be the last to hold its states: what only they have is
    /// dropped where that holds up no other task.
    fn drop(&mut self) {
        let written = self.entry.created.len() + self.entry.touched.len();
        let states = [&mut self.before, &mut self.after];
        let states = states.map(|state| std::mem::replace(state, Arc::clone(&NOTHING)));
        drop_elsewhere(written, states);
    }
}

impl Outcomes {
    pub(super) fn new(
        before: Arc<State>,
        after: Arc<State>,
        entry: Arc<RevisionRecord>,
        effects: Vec<Effect>,
    ) -> Self {
        Self { before, after, entry, effects: effects.into() }
    }

    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.effects.iter().for_each(|effect| counts.add(effect));
        counts
    }

    /// By environment, in the order they were declared.
    pub(super) fn by_environment(&self) -> Vec<(Environment, Counts)> {
        let mut counts: Vec<(EnvironmentId, Counts)> = Vec::new();
        for effect in self.effects.iter() {
            let at = effect.environment();
            match counts.iter_mut().find(|(id, _)| *id == at) {
                Some((_, counts)) => counts.add(effect),
                None => {
                    let mut first = Counts::default();
                    first.add(effect);
                    counts.push((at, first));
                }
            }
        }
        counts.sort_unstable_by_key(|(at, _)| *at);
        let named = counts.into_iter().filter(|(_, counts)| !counts.is_empty());
        named.filter_map(|(at, counts)| Some((self.environment(at)?, counts))).collect()
    }

    /// What a change deleted has its name in the state before.
    pub(super) fn environment(&self, id: EnvironmentId) -> Option<Environment> {
        let record = self.after.environment(id).or_else(|| self.before.environment(id))?;
        Some(record.name.clone())
    }

    /// What became of everything the change wrote.
    pub(super) fn deltas(&self) -> impl Iterator<Item = Delta> + '_ {
        let keys = self.entry.written().map(|(key, _)| key);
        keys.filter_map(|key| Delta::of(key, &self.before, &self.after))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Outcome> + '_ {
        let rows = self.effects.iter().flat_map(|effect| self.rows(effect));
        rows.filter_map(|(api, at, result)| {
            let name = self.after.api_name(api).or_else(|| self.before.api_name(api))?;
            let published = |state: &State| {
                let publication = state.stage(at)?.publication(api)?;
                Some(state.service_name(&publication.version))
            };
            let service = published(&self.after).or_else(|| published(&self.before)).flatten();
            Some(Outcome { api: name, environment: self.environment(at)?, service, result })
        })
    }

    fn rows<'a>(
        &'a self,
        effect: &'a Effect,
    ) -> Box<dyn Iterator<Item = (ApiId, EnvironmentId, Result)> + 'a> {
        let at = effect.environment();
        let many = |apis: &'a IdSet, result| {
            let rows = apis.iter().map(move |api| (ApiId::new(api), at, result));
            Box::new(rows) as Box<dyn Iterator<Item = _>>
        };
        let one = |api, result| {
            Box::new(std::iter::once((api, at, result))) as Box<dyn Iterator<Item = _>>
        };
        match effect {
            Effect::Moved { apis, .. } => many(apis, Result::Moved),
            Effect::Undefined { apis, .. } => many(apis, Result::Unpublished),
            Effect::Revived { apis, .. } => many(apis, Result::Revived),
            Effect::Readdressed { group, .. } => {
                let published = move |api: &u32| {
                    let stage = self.after.stage(at);
                    stage.is_some_and(|stage| stage.publication(ApiId::new(*api)).is_some())
                };
                let apis = self.after.drafts_in(*group).into_iter().flat_map(IdSet::iter);
                let apis = apis.filter(published);
                Box::new(apis.map(move |api| (ApiId::new(api), at, Result::Readdressed)))
            }
            Effect::Substituted { api, .. } => one(*api, Result::Moved),
            Effect::Published { api, before, .. } => {
                let again = before.is_some();
                one(*api, if again { Result::Republished } else { Result::Published })
            }
            Effect::Unpublished { api, .. } => one(*api, Result::Unpublished),
            Effect::Displaced { api, .. } => one(*api, Result::Displaced),
        }
    }
}

impl fmt::Display for Result {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Moved => "moved",
            Self::Unpublished => "unpublished",
            Self::Published => "published",
            Self::Republished => "republished",
            Self::Revived => "revived",
            Self::Readdressed => "readdressed",
            Self::Displaced => "displaced",
        })
    }
}
