//! What the stage variables of a group make of what is published of it.

use super::state::{GroupEntry, State};
use crate::model::id::{ApiId, EnvironmentId, GroupId};
use crate::store::Key;

impl State {
    /// Replaces the stage variables of publications in an environment by what their groups say now.
    pub(super) fn substitute(
        &mut self,
        environment: EnvironmentId,
        publications: impl IntoIterator<Item = (ApiId, Option<GroupId>)>,
    ) {
        let name = self.environment(environment).map(|record| record.name.clone());
        for (api, group) in publications {
            let entry = group.and_then(|group| self.group(group)).cloned();
            let variables = entry.as_ref().zip(name.as_ref());
            let variables =
                variables.and_then(|(entry, name)| entry.record.group.variables.get(name.as_str()));
            if let Some(stage) = self.stage_mut(environment) {
                stage.substitute(api, variables);
            }
        }
    }

    /// The same of everything of a group, where it does not say the same as `before`.
    pub(super) fn substitute_all(&mut self, group: GroupId, before: Option<&GroupEntry>) {
        for environment in self.stage_ids() {
            let name = self.environment(environment).map(|record| record.name.clone());
            let variables = |entry: &GroupEntry| {
                let variables = &entry.record.group.variables;
                name.as_ref().and_then(|name| variables.get(name.as_str())).cloned()
            };
            let now = self.group(group).map(|entry| variables(entry));
            if before.is_some() && before.map(variables) == now {
                continue;
            }
            let stage = self.stage(environment);
            let open = stage.map(|stage| stage.substituted_in(group).collect::<Vec<_>>());
            let open = open.unwrap_or_default().into_iter().map(|api| (api, Some(group)));
            self.substitute(environment, open);
        }
    }

    /// The publications of a group whose own definitions are others than before, because of what its stage
    /// variables stand for now.
    pub(crate) fn moved_in(&self, group: GroupId, before: &Self) -> Vec<Key> {
        let stages = self
            .environments()
            .filter_map(|(at, _)| Some((at, self.stage(at)?, before.stage(at)?)));
        let keys = stages.flat_map(|(at, stage, before)| {
            stage.moved_in(group, before).map(move |api| Key::Publication(api, at))
        });
        keys.collect()
    }
}
