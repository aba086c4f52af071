//! State × Change → State + Events: pure, with every rule of the product.
//!
//! No I/O, no clock, no lock. A refused change leaves no trace, because what it did was done to a
//! clone.
//!
//! | file | the rules of |
//! |---|---|
//! | `environments` | declaring and retiring |
//! | `services` | services and their definitions |
//! | `groups` | hosts and base paths |
//! | `apis` | drafts |
//! | `publications` | publishing, unpublishing, displacing |

use std::collections::BTreeSet;
use std::sync::Arc;

use super::change::{Change, Edit, Expect, Operation};
use super::event::Event;
use super::rejected::{Reason, Rejected};
use super::shared::IdSet;
use super::state::State;
use crate::model::id::{ApiId, EnvironmentId, GroupId, ServiceId};
use crate::model::{ApiName, Environment, GroupName, Kind, Revision, ServiceName, Stamp};
use crate::store::record::Next;
use crate::store::{Key, Record, Write};

mod apis;
mod environments;
mod groups;
mod publications;
mod services;

/// Users of something that is in use, named in its refusal.
const NAMED: usize = 10;

/// What a change leads to.
#[derive(Debug)]
pub(crate) struct Evaluated {
    pub(crate) state: State,
    pub(crate) writes: Vec<Write>,
    pub(crate) events: Vec<Event>,
    /// For each write the edit that made it.
    pub(crate) origins: Vec<usize>,
}

impl Evaluated {
    /// The refusal of the edit that made the write to `key`, for a reason found later.
    pub(crate) fn blame(&self, change: &Change, key: Key, reason: Reason) -> Rejected {
        let write = self.writes.iter().rposition(|(written, _)| *written == key);
        let index = write.and_then(|write| self.origins.get(write).copied());
        rejected(change, index.unwrap_or_default(), reason)
    }
}

/// Applies a change to a state. `stamp` says who makes it and which revision it becomes; `known` says
/// whether a kind is registered.
pub(crate) fn evaluate(
    base: &State,
    change: &Change,
    stamp: Arc<Stamp>,
    known: &dyn Fn(&Kind) -> bool,
) -> Result<Evaluated, Rejected> {
    let mut draft = Draft {
        base,
        next: base.clone(),
        ids: base.next(),
        writes: Vec::new(),
        events: Vec::new(),
        origins: Vec::new(),
        stamp,
        known,
        index: 0,
        moved: BTreeSet::new(),
        drafts: BTreeSet::new(),
        publications: BTreeSet::new(),
        groups: BTreeSet::new(),
    };
    for (index, edit) in change.edits.iter().enumerate() {
        draft.index = index;
        draft.edit(edit).map_err(|reason| rejected(change, index, reason))?;
    }
    draft.settle();
    draft.agree().map_err(|(index, reason)| rejected(change, index, reason))?;
    Ok(draft.finish())
}

fn rejected(change: &Change, index: usize, reason: Reason) -> Rejected {
    let operation = change.edits.get(index).map(|edit| edit.operation.describe());
    Rejected { index, operation: operation.unwrap_or_default().into(), reason }
}

/// A change while it is being evaluated.
struct Draft<'a> {
    /// Before the change.
    base: &'a State,
    /// After the edits so far.
    next: State,
    ids: Next,
    writes: Vec<Write>,
    events: Vec<Event>,
    origins: Vec<usize>,
    stamp: Arc<Stamp>,
    known: &'a dyn Fn(&Kind) -> bool,
    /// The edit at work.
    index: usize,
    /// The definitions whose APIs the change moves.
    moved: BTreeSet<(ServiceId, EnvironmentId)>,
    /// What has to be unique among others once all edits are done, and the edit that made it so.
    drafts: BTreeSet<(ApiId, usize)>,
    publications: BTreeSet<(EnvironmentId, ApiId, usize)>,
    groups: BTreeSet<(GroupId, usize)>,
}

type Checked<T = ()> = Result<T, Reason>;

impl Draft<'_> {
    fn edit(&mut self, edit: &Edit) -> Checked {
        let expect = edit.expect;
        match &edit.operation {
            Operation::DeclareEnvironment { name, description } => {
                self.declare_environment(name, description, expect)
            }
            Operation::RetireEnvironment { name } => self.retire_environment(name, expect),
            Operation::Service { name, service } => self.service(name, service, expect),
            Operation::DescribeService { name, description } => {
                self.describe_service(name, description, expect)
            }
            Operation::RenameService { from, to } => self.rename_service(from, to, expect),
            Operation::DeleteService { name } => self.delete_service(name, expect),
            Operation::Define { service, environment, definition } => {
                self.define(service, environment, definition, expect, false)
            }
            Operation::Update { service, environment, definition } => {
                self.define(service, environment, definition, expect, true)
            }
            Operation::DeleteDefinition { service, environment } => {
                self.delete_definition(service, environment, expect)
            }
            Operation::Group { name, group } => self.group(name, group, expect),
            Operation::RenameGroup { from, to } => self.rename_group(from, to, expect),
            Operation::DeleteGroup { name } => self.delete_group(name, expect),
            Operation::Api { name, api } => self.api(name, api, expect),
            Operation::RenameApi { from, to } => self.rename_api(from, to, expect),
            Operation::DeleteApi { name } => self.delete_api(name, expect),
            Operation::Publish { api, environment } => self.publish(api, environment, expect),
            Operation::Unpublish { api, environment } => self.unpublish(api, environment, expect),
        }
    }

    /// What is dormant gives way to what the change published; of two that it published on one route,
    /// and that both fell dormant, to the later one.
    fn settle(&mut self) {
        let mut published: Vec<_> = self.publications.iter().copied().collect();
        published.sort_unstable_by_key(|(_, _, index)| std::cmp::Reverse(*index));
        for (environment, api, index) in published {
            self.index = index;
            self.displace_rivals(api, environment);
        }
    }

    /// What the change did and undid again it did not do, and an API is told of once.
    fn forget_undone(&mut self) {
        let (base, next) = (self.base, &self.next);
        let there = |state: &State, environment, api| {
            let stage = state.stage(environment)?;
            stage.publication(api).map(|publication| stage.is_live(publication))
        };
        let published: BTreeSet<_> = self
            .events
            .iter()
            .filter_map(|event| match event {
                Event::Published { api, environment, .. } => Some((*environment, *api)),
                _ => None,
            })
            .collect();
        let passing: BTreeSet<_> = published
            .iter()
            .copied()
            .filter(|(environment, api)| {
                there(next, *environment, *api).is_none()
                    && there(base, *environment, *api) != Some(true)
            })
            .collect();
        let without = |apis: &mut IdSet, environment: EnvironmentId, some: &BTreeSet<_>| {
            let from = (environment, ApiId::new(0))..=(environment, ApiId::new(u32::MAX));
            for (_, api) in some.range(from) {
                apis.remove(api.number());
            }
        };
        let meaning = |state: &State, service, environment| {
            Some(state.stage(environment)?.definition(service)?.definition.clone())
        };
        self.events.retain_mut(|event| match event {
            Event::Updated { service, environment, apis } => {
                without(apis, *environment, &published);
                let now = meaning(next, *service, *environment);
                now.is_some() && now != meaning(base, *service, *environment)
            }
            Event::Undefined { environment, apis } => {
                without(apis, *environment, &passing);
                true
            }
            Event::Published { api, environment, .. } => there(next, *environment, *api).is_some(),
            Event::Unpublished { api, environment } => !passing.contains(&(*environment, *api)),
            Event::Displaced { .. } => true,
        });
    }

    /// What came and went within the change did nothing.
    fn forget_passing(&mut self) {
        let (base, next) = (self.base, &self.next);
        let apis = (base.next().api..self.ids.api).map(ApiId::new);
        let apis: BTreeSet<_> = apis.filter(|id| next.api(*id).is_none()).collect();
        let passing =
            |id: EnvironmentId| base.environment(id).is_none() && next.environment(id).is_none();
        self.events.retain_mut(|event| match event {
            Event::Updated { environment, apis: moved, .. }
            | Event::Undefined { environment, apis: moved } => {
                for api in &apis {
                    moved.remove(api.number());
                }
                !passing(*environment)
            }
            Event::Published { api, environment, .. }
            | Event::Unpublished { api, environment }
            | Event::Displaced { api, environment } => {
                !apis.contains(api) && !passing(*environment)
            }
        });
    }

    /// The rules about uniqueness, which hold for what all edits leave together.
    fn agree(&self) -> Result<(), (usize, Reason)> {
        for (group, index) in &self.groups {
            self.group_alone(*group).map_err(|reason| (*index, reason))?;
        }
        for (api, index) in &self.drafts {
            self.draft_alone(*api).map_err(|reason| (*index, reason))?;
        }
        for (environment, api, index) in &self.publications {
            self.publication_alone(*environment, *api).map_err(|reason| (*index, reason))?;
        }
        Ok(())
    }

    fn finish(mut self) -> Evaluated {
        if self.ids != self.base.next() {
            self.write(Key::Next, Some(Record::Next(self.ids)));
        }
        self.forget_undone();
        self.forget_passing();
        self.next.advance(self.stamp.revision);
        let Self { next: state, writes, events, origins, .. } = self;
        Evaluated { state, writes, events, origins }
    }

    fn write(&mut self, key: Key, record: Option<Record>) {
        let fits = self.next.put(key, record.clone());
        // Records made here fit by construction: they were accepted before they were written.
        debug_assert!(fits.is_ok(), "{fits:?}");
        self.writes.push((key, record));
        self.origins.push(self.index);
    }

    fn stamp(&self) -> Arc<Stamp> {
        Arc::clone(&self.stamp)
    }

    // === Finding what an edit names ===

    fn service_named(&self, name: &str) -> Checked<(ServiceId, ServiceName)> {
        let name: ServiceName = name.parse()?;
        match self.next.service_id(&name) {
            Some(id) => Ok((id, name)),
            None => Err(Reason::UnknownService(name)),
        }
    }

    fn group_named(&self, name: &str) -> Checked<(GroupId, GroupName)> {
        let name: GroupName = name.parse()?;
        match self.next.group_id(&name) {
            Some(id) => Ok((id, name)),
            None => Err(Reason::UnknownGroup(name)),
        }
    }

    fn api_named(&self, name: &str) -> Checked<(ApiId, ApiName)> {
        let name: ApiName = name.parse()?;
        match self.next.api_id(&name) {
            Some(id) => Ok((id, name)),
            None => Err(Reason::UnknownApi(name)),
        }
    }

    fn environment_named(&self, name: &Environment) -> Checked<EnvironmentId> {
        self.next
            .environment_id(name.as_str())
            .ok_or_else(|| Reason::UnknownEnvironment(name.clone()))
    }

    // === Finding what an expectation is about ===
    //
    // What has the name now, or else what had it before the change and is gone. Who once had a name
    // that moved on is somebody else.

    fn service_meant(&self, name: &ServiceName) -> Option<ServiceId> {
        let gone = || self.base.service_id(name).filter(|id| self.next.service(*id).is_none());
        self.next.service_id(name).or_else(gone)
    }

    fn api_meant(&self, name: &ApiName) -> Option<ApiId> {
        let gone = || self.base.api_id(name).filter(|id| self.next.api(*id).is_none());
        self.next.api_id(name).or_else(gone)
    }

    fn environment_meant(&self, name: &Environment) -> Option<EnvironmentId> {
        let name = name.as_str();
        self.next.environment_id(name).or_else(|| self.base.environment_id(name))
    }

    /// The names of APIs, for a refusal.
    fn in_use(&self, users: impl Iterator<Item = ApiId>, count: usize) -> Reason {
        let named = users.take(NAMED).filter_map(|api| self.next.api_name(api));
        Reason::InUse { users: named.map(|name| name.to_string()).collect(), count }
    }
}

/// Whether what an edit names is at the revision it was expected at. `actual` is the revision it had
/// before the change.
fn expected(expect: Option<Expect>, actual: Option<Revision>) -> Checked {
    match expect {
        None => Ok(()),
        Some(Expect::Absent) if actual.is_none() => Ok(()),
        Some(Expect::At(revision)) if actual == Some(revision) => Ok(()),
        Some(Expect::Absent) => Err(Reason::Stale { expected: None, actual }),
        Some(Expect::At(revision)) => Err(Reason::Stale { expected: Some(revision), actual }),
    }
}
