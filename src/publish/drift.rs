//! What differs between two environments.

use std::collections::BTreeSet;

use super::delta::{Delta, How, differences};
use crate::model::Environment;
use crate::model::id::{ApiId, EnvironmentId, ServiceId};
use crate::registry::Registry;
use crate::registry::state::State;
use crate::store::{Key, Record};

impl Registry {
    /// What differs between two environments, made as it is asked for: for every service defined in
    /// one of them its definition, and for every API live in one of them its version. What is only in
    /// `from` is [`How::Deleted`], what is only in `to` is [`How::Created`]. `None`: there is no such
    /// environment.
    ///
    /// Costs what is defined and published in both.
    #[must_use]
    pub fn drift(
        &self,
        from: &Environment,
        to: &Environment,
    ) -> Option<impl Iterator<Item = Delta> + use<>> {
        let state = self.state();
        let from = state.environment_id(from.as_str())?;
        let to = state.environment_id(to.as_str())?;
        let services = services(&state, [from, to]);
        let apis = apis(&state, [from, to]);
        let keys =
            services.into_iter().map(|id| [Key::Definition(id, from), Key::Definition(id, to)]);
        let apis =
            apis.into_iter().map(|id| [Key::Publication(id, from), Key::Publication(id, to)]);
        let pairs: Vec<_> = keys.chain(apis).collect();
        Some(pairs.into_iter().filter_map(move |[one, other]| compare(&state, one, other)))
    }
}

fn services(state: &State, environments: [EnvironmentId; 2]) -> BTreeSet<ServiceId> {
    let stages = environments.into_iter().filter_map(|at| state.stage(at));
    stages.flat_map(|stage| stage.definitions().map(|(id, _)| id)).collect()
}

fn apis(state: &State, environments: [EnvironmentId; 2]) -> BTreeSet<ApiId> {
    let stages = environments.into_iter().filter_map(|at| state.stage(at));
    stages.flat_map(|stage| stage.publications()).collect()
}

fn compare(state: &State, from: Key, to: Key) -> Option<Delta> {
    let how = match (live(state, from), live(state, to)) {
        (None, None) => return None,
        (None, Some(_)) => How::Created,
        (Some(_), None) => How::Deleted,
        (Some(one), Some(other)) => {
            let fields = differences((&one, state), (&other, state));
            if fields.is_empty() {
                return None;
            }
            How::Edited(fields)
        }
    };
    Some(Delta { what: state.describe(to), how })
}

/// What is under a key, unless it is dormant.
fn live(state: &State, key: Key) -> Option<Record> {
    let record = state.record(key)?;
    match (key, &record) {
        (Key::Publication(_, at), Record::Publication(publication)) => {
            state.stage(at)?.is_live(publication).then_some(record)
        }
        _ => Some(record),
    }
}
