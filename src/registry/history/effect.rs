//! What a change did to what callers can reach: the difference between what was true before and after.

use std::collections::BTreeMap;

use super::super::shared::IdSet;
use super::super::stage::Stage;
use super::super::state::State;
use crate::model::Revision;
use crate::model::id::{ApiId, EnvironmentId, GroupId, ServiceId};
use crate::store::Key;
use crate::store::record::RevisionRecord;

/// One thing a change did to what callers can reach. Edits of drafts, names and descriptions do
/// nothing to it, nor does a definition nothing is published by, nor what a change did and undid.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    /// A definition was replaced: these APIs moved.
    Moved { service: ServiceId, environment: EnvironmentId, apis: IdSet },
    /// A definition was deleted: these APIs were unpublished.
    Undefined { service: ServiceId, environment: EnvironmentId, apis: IdSet },
    /// A definition was brought back: these APIs are published again.
    Revived { environment: EnvironmentId, apis: IdSet },
    /// A group's hosts or base path changed: what is published in it is reached by others.
    Readdressed { group: GroupId, environment: EnvironmentId, count: usize },
    /// A stage variable stands for something else: this API moved.
    Substituted { api: ApiId, environment: EnvironmentId },
    /// An API was published; it may have been before.
    Published { api: ApiId, environment: EnvironmentId, before: Option<Revision> },
    /// An API was taken offline.
    Unpublished { api: ApiId, environment: EnvironmentId },
    /// A dormant publication was given up, because of this change.
    Displaced { api: ApiId, environment: EnvironmentId },
}

impl Effect {
    /// Where it does it.
    pub(crate) fn environment(&self) -> EnvironmentId {
        match self {
            Self::Moved { environment, .. }
            | Self::Undefined { environment, .. }
            | Self::Revived { environment, .. }
            | Self::Readdressed { environment, .. }
            | Self::Substituted { environment, .. }
            | Self::Published { environment, .. }
            | Self::Unpublished { environment, .. }
            | Self::Displaced { environment, .. } => *environment,
        }
    }

    /// How many APIs it touches; what was dormant anyway is not touched.
    pub(crate) fn touches(&self) -> usize {
        match self {
            Self::Moved { apis, .. }
            | Self::Undefined { apis, .. }
            | Self::Revived { apis, .. } => apis.len(),
            Self::Readdressed { count, .. } => *count,
            Self::Substituted { .. } | Self::Published { .. } | Self::Unpublished { .. } => 1,
            Self::Displaced { .. } => 0,
        }
    }
}

/// What the change of `entry` did, which led from `before` to `after`. Costs what it wrote.
pub(crate) fn effects(before: &State, after: &State, entry: &RevisionRecord) -> Vec<Effect> {
    let mut difference = Difference { before, after, singly: BTreeMap::new(), effects: Vec::new() };
    for (key, _) in entry.written() {
        if let Key::Publication(api, environment) = key {
            difference.singly.entry(environment).or_default().push(api);
        }
    }
    for (key, _) in entry.written() {
        match key {
            Key::Definition(service, environment) => difference.definition(service, environment),
            Key::Publication(api, environment) => difference.publication(api, environment),
            Key::Group(group) => {
                difference.variables(group);
                difference.group(group);
            }
            _ => {}
        }
    }
    difference.effects
}

struct Difference<'a> {
    before: &'a State,
    after: &'a State,
    /// The APIs whose publication the change itself wrote: they are told of one by one.
    singly: BTreeMap<EnvironmentId, Vec<ApiId>>,
    effects: Vec<Effect>,
}

impl Difference<'_> {
    fn definition(&mut self, service: ServiceId, environment: EnvironmentId) {
        let (old, new) = (self.before.stage(environment), self.after.stage(environment));
        let was = old.and_then(|stage| stage.definition(service));
        let is = new.and_then(|stage| stage.definition(service));
        let none: &[Revision] = &[];
        let accepted = |record: Option<&std::sync::Arc<_>>| -> Vec<Revision> {
            let record: Option<&crate::store::record::DefinitionRecord> = record.map(|r| &**r);
            let older = record.map_or(none, |record| &record.accepted);
            record.map(|record| record.epoch).into_iter().chain(older.iter().copied()).collect()
        };
        let (before, after) = (accepted(was), accepted(is));
        let changed = was.map(|was| &was.definition) != is.map(|is| &is.definition);
        for epoch in &before {
            if !after.contains(epoch) {
                let apis = self.others(old, service, *epoch, environment);
                self.effects.push(Effect::Undefined { service, environment, apis });
            } else if changed {
                let apis = self.others(new, service, *epoch, environment);
                self.effects.push(Effect::Moved { service, environment, apis });
            }
        }
        for epoch in after.iter().filter(|epoch| !before.contains(epoch)) {
            let apis = self.others(new, service, *epoch, environment);
            if !apis.is_empty() {
                self.effects.push(Effect::Revived { environment, apis });
            }
        }
    }

    /// The APIs of an epoch whose publications the change did not write.
    fn others(
        &self,
        stage: Option<&Stage>,
        service: ServiceId,
        epoch: Revision,
        environment: EnvironmentId,
    ) -> IdSet {
        let apis = stage.and_then(|stage| stage.of_epoch(service, epoch));
        let mut apis = apis.cloned().unwrap_or_default();
        if apis.is_empty() {
            return apis;
        }
        for api in self.singly.get(&environment).into_iter().flatten() {
            apis.remove(api.number());
        }
        apis
    }

    fn publication(&mut self, api: ApiId, environment: EnvironmentId) {
        let there = |state: &State| {
            let stage = state.stage(environment)?;
            let publication = stage.publication(api)?;
            Some((stage.is_live(publication), publication.stamp.revision))
        };
        let effect = match (there(self.before), there(self.after)) {
            (Some((true, revision)), Some((true, _))) => {
                Effect::Published { api, environment, before: Some(revision) }
            }
            (was, Some((true, _))) => {
                if was.is_some() {
                    self.effects.push(Effect::Displaced { api, environment });
                }
                Effect::Published { api, environment, before: None }
            }
            (Some((true, _)), _) => Effect::Unpublished { api, environment },
            (Some((false, _)), None) => Effect::Displaced { api, environment },
            (Some((false, _)) | None, _) => return,
        };
        self.effects.push(effect);
    }

    fn variables(&mut self, group: GroupId) {
        for (environment, _) in self.after.environments() {
            let stages = (self.before.stage(environment), self.after.stage(environment));
            let (Some(old), Some(new)) = stages else { continue };
            let singly = self.singly.get(&environment);
            for api in new.substituted_in(group) {
                let both = (old.publication(api), new.publication(api));
                let (Some(was), Some(is)) = both else { continue };
                let single = singly.is_some_and(|apis| apis.contains(&api));
                if !single && new.is_live(is) && old.version(was) != new.version(is) {
                    self.effects.push(Effect::Substituted { api, environment });
                }
            }
        }
    }

    fn group(&mut self, group: GroupId) {
        let address = |state: &State| Some(state.group(group)?.record.group.address());
        let (Some(was), Some(is)) = (address(self.before), address(self.after)) else { return };
        if was == is {
            return;
        }
        for (environment, _) in self.after.environments() {
            let published = self.after.stage(environment).map(|s| s.routes().published(group));
            if let Some(count) = published.filter(|count| *count > 0) {
                self.effects.push(Effect::Readdressed { group, environment, count });
            }
        }
    }
}
