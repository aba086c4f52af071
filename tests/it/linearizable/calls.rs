//! What publishers call, and what should come of it one call at a time.

use std::hash::{Hash, Hasher};

use backhaul::registry::{Reason, Status};
use backhaul::{CommitError, Environment, Registry, Revision};

use crate::reference::against::{self, address, change};
use crate::reference::edit::{ApiName, Edit, Refusal};
use crate::reference::model::Model;
use crate::reference::world::{Key, place};

pub(super) const LIVE: Environment = Environment::PRODUCTION;

/// A call and what came of it.
#[derive(Clone, Debug)]
pub(super) enum Call {
    /// An edit, only if what it edits is at a revision.
    Edit { edit: Edit, at: Option<u64>, answer: Answer },
    /// What a service means: where it leads, its epoch, and who made it so.
    Service { name: String, meant: Option<(String, u64, u64)> },
    /// Who published an API, and whether requests reach it.
    Publication { api: ApiName, shown: Option<(u64, bool)> },
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Answer {
    Made(u64),
    Stale,
    Refused(Refusal),
}

/// What is true, one call at a time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Truth(pub(super) Model);

impl Hash for Truth {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.revision().hash(state);
    }
}

impl Truth {
    /// What is true after a call, if what came of it is what should.
    pub(super) fn after(&self, call: &Call) -> Option<Self> {
        match call {
            Call::Edit { edit, at, answer } => {
                let (expected, next) = self.edited(edit, *at);
                (*answer == expected).then_some(next)
            }
            Call::Service { name, meant } => (self.meant(name) == *meant).then(|| self.clone()),
            Call::Publication { api, shown } => (self.shown(api) == *shown).then(|| self.clone()),
        }
    }

    fn edited(&self, edit: &Edit, at: Option<u64>) -> (Answer, Self) {
        let mut next = self.clone();
        if at.is_some() && at != self.edited_at(edit) {
            return (Answer::Stale, next);
        }
        match next.0.apply(std::slice::from_ref(edit)) {
            Ok(()) => (Answer::Made(next.0.revision()), next),
            Err((_, refusal)) => (Answer::Refused(refusal), next),
        }
    }

    /// The revision of what an edit is about.
    fn edited_at(&self, edit: &Edit) -> Option<u64> {
        let now = self.0.now();
        let key = match edit {
            Edit::Define { service, environment, .. }
            | Edit::DeleteDefinition { service, environment } => {
                Key::Definition(now.service_named(service)?, place(environment))
            }
            Edit::Publish { api, environment } | Edit::Unpublish { api, environment } => {
                Key::Publication(now.draft_named(api)?, place(environment))
            }
            other => panic!("{other:?} expects nothing"),
        };
        now.things.get(&key).map(|written| written.by)
    }

    fn meant(&self, name: &str) -> Option<(String, u64, u64)> {
        let now = self.0.now();
        let (service, at) = (now.service_named(name)?, place(LIVE.as_str()));
        let definition = now.definition(service, at)?;
        let by = now.things[&Key::Definition(service, at)].by;
        Some((definition.to.clone(), definition.epoch, by))
    }

    fn shown(&self, api: &ApiName) -> Option<(u64, bool)> {
        let now = self.0.now();
        let (api, at) = (now.draft_named(api)?, place(LIVE.as_str()));
        let by = now.things.get(&Key::Publication(api, at))?.by;
        Some((by, now.is_live(api, at)))
    }
}

pub(super) async fn edit(registry: &Registry, edit: Edit, at: Option<u64>) -> Call {
    let mut made = change(std::slice::from_ref(&edit));
    if let Some(at) = at {
        made = made.if_revision(Revision::new(at));
    }
    let answer = match registry.publisher("one of eight").apply(made).await {
        Ok(receipt) => Answer::Made(receipt.revision().as_u64()),
        Err(CommitError::Rejected(rejected)) => match &rejected.reason {
            Reason::Stale { .. } => Answer::Stale,
            reason => Answer::Refused(against::reason(reason).expect("known to the model")),
        },
        Err(other) => panic!("{other}"),
    };
    Call::Edit { edit, at, answer }
}

pub(super) fn service(registry: &Registry, name: String) -> Call {
    let view = registry.service(&name).unwrap().unwrap();
    let meant = view.definition(&LIVE).map(|meant| {
        let (epoch, by) = (meant.epoch.as_u64(), meant.stamp.revision.as_u64());
        (address(&meant.definition), epoch, by)
    });
    Call::Service { name, meant }
}

pub(super) fn publication(registry: &Registry, api: ApiName) -> Call {
    let view = registry.publication(&format!("{}/{}", api.0, api.1), &LIVE).unwrap();
    let shown = view.map(|view| (view.published.revision.as_u64(), view.status == Status::Online));
    Call::Publication { api, shown }
}
