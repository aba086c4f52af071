//! State × Change → State: pure, with every rule of the product.
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
//! | `resources`, `grants` | applications, authorizations, settings; who may call what |
//! | `variables` | stage variables |
//! | `undo`, `integrity` | taking changes back, and what must hold then |

use std::collections::BTreeSet;
use std::sync::Arc;

use super::change::{Change, Edit, Expect, Operation};
use super::creation::CreationPolicy;
use super::history::History;
use super::rejected::{Reason, Rejected};
use super::state::State;
use crate::model::id::{ApiId, EnvironmentId, GroupId, ResourceId, ServiceId};
use crate::model::{ApiName, ChangeId, Environment, GroupName, Kind, Revision, ServiceName, Stamp};
use crate::store::record::{Next, Past, RevisionRecord};
use crate::store::{Key, Record, Write};

mod apis;
mod environments;
mod grants;
mod groups;
mod integrity;
mod publications;
mod resources;
mod services;
mod undo;
mod variables;

/// Users of something that is in use, named in its refusal.
const NAMED: usize = 10;

/// What a change leads to.
#[derive(Debug)]
pub(crate) struct Evaluated {
    pub(crate) state: State,
    pub(crate) writes: Vec<Write>,
    /// What it did and what was there before.
    pub(crate) entry: Arc<RevisionRecord>,
    /// For each write the edit that made it.
    pub(crate) origins: Vec<usize>,
}

impl Evaluated {
    /// The refusal of the edit that made the write to `key`, for a reason found later.
    pub(crate) fn blame(&self, change: &Change, key: Key, reason: Reason) -> Rejected {
        let written = |key| self.writes.iter().rposition(|(written, _)| *written == key);
        let group = || match key {
            // Its group's stage variables made it what it is.
            Key::Publication(api, at) => {
                written(Key::Group(self.state.stage(at)?.publication(api)?.group))
            }
            _ => None,
        };
        let write = written(key).or_else(group);
        let index = write.and_then(|write| self.origins.get(write).copied());
        rejected(change, index.unwrap_or_default(), reason)
    }
}

/// Who makes a change, and which one it is.
#[derive(Clone, Debug)]
pub(crate) struct Author {
    pub(crate) change: ChangeId,
    /// Names the revision it becomes.
    pub(crate) stamp: Arc<Stamp>,
    /// Why limits on its reach do not hold, if so.
    pub(crate) forced: Option<Arc<str>>,
}

/// What of the rules is up to whoever opened the registry.
pub(crate) struct Laws<'a> {
    /// Whether a kind is registered.
    pub(crate) known: &'a dyn Fn(&Kind) -> bool,
    /// Whether connections to backends of a kind can be upgraded, as far as anybody knows.
    pub(crate) upgrades: &'a dyn Fn(&Kind) -> bool,
    /// Whether services of a kind can be created; absent: all can.
    pub(crate) creation: Option<&'a dyn CreationPolicy>,
    pub(crate) history: History,
}

/// Applies a change to a state.
pub(crate) fn evaluate(
    base: &State,
    change: &Change,
    author: Author,
    laws: &Laws<'_>,
) -> Result<Evaluated, Rejected> {
    let mut draft = Draft::new(base, change, &author, laws);
    for (index, edit) in change.edits.iter().enumerate() {
        draft.index = index;
        draft.edit(edit).map_err(|reason| rejected(change, index, reason))?;
    }
    draft.settle();
    if let Some((index, reason)) = draft.disagreements().next() {
        return Err(rejected(change, index, reason));
    }
    Ok(draft.finish(author))
}

/// Everything of the rules that stands in a change's way: what is refused of it is left out, and the
/// rest goes on. At most `limit` refusals, and what the rest would lead to.
pub(crate) fn refusals(
    base: &State,
    change: &Change,
    author: Author,
    laws: &Laws<'_>,
    limit: usize,
) -> (Vec<Rejected>, Evaluated) {
    let mut draft = Draft::new(base, change, &author, laws);
    let mut refused = Vec::new();
    for (index, edit) in change.edits.iter().enumerate() {
        draft.index = index;
        if let Err(reason) = draft.edit(edit) {
            refused.push(rejected(change, index, reason));
            if refused.len() >= limit {
                break;
            }
        }
    }
    draft.settle();
    let room = limit.saturating_sub(refused.len());
    let disagreements = draft.disagreements().take(room);
    refused.extend(disagreements.map(|(index, reason)| rejected(change, index, reason)));
    (refused, draft.finish(author))
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
    origins: Vec<usize>,
    stamp: Arc<Stamp>,
    /// Whether a document makes the change.
    by_document: bool,
    laws: &'a Laws<'a>,
    /// The edit at work.
    index: usize,
    /// What has to be unique among others once all edits are done, and the edit that made it so.
    drafts: BTreeSet<(ApiId, usize)>,
    publications: BTreeSet<(EnvironmentId, ApiId, usize)>,
    groups: BTreeSet<(GroupId, usize)>,
    resources: BTreeSet<(ResourceId, usize)>,
    /// What an undo wrote, which has to fit in with everything else.
    restored: BTreeSet<(Key, usize)>,
    /// What could not be written.
    misfits: Vec<(usize, Reason)>,
    /// The revisions taken back so far.
    undone: Vec<Revision>,
}

type Checked<T = ()> = Result<T, Reason>;

impl<'a> Draft<'a> {
    fn new(base: &'a State, change: &Change, author: &Author, laws: &'a Laws<'a>) -> Self {
        Self {
            base,
            next: base.clone(),
            ids: base.next(),
            writes: Vec::new(),
            origins: Vec::new(),
            stamp: Arc::clone(&author.stamp),
            by_document: change.by_document,
            laws,
            index: 0,
            drafts: BTreeSet::new(),
            publications: BTreeSet::new(),
            groups: BTreeSet::new(),
            resources: BTreeSet::new(),
            restored: BTreeSet::new(),
            misfits: Vec::new(),
            undone: Vec::new(),
        }
    }
}

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
            Operation::Promote { service, from, to } => self.promote(service, from, to, expect),
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
            Operation::Switch { api, environment, version } => {
                self.switch(api, environment, *version, expect)
            }
            Operation::Unpublish { api, environment } => self.unpublish(api, environment, expect),
            Operation::Resource { name, resource } => self.resource(name, resource, expect),
            Operation::RenameResource { sort, from, to } => {
                self.rename_resource(*sort, from, to, expect)
            }
            Operation::DeleteResource { sort, name } => self.delete_resource(*sort, name, expect),
            Operation::Grant { app, api, environment, grant } => {
                self.grant((app, api, environment), *grant, expect)
            }
            Operation::Revoke { app, api, environment } => {
                self.revoke((app, api, environment), expect)
            }
            Operation::Undo(undo) => self.undo(*undo),
        }
    }

    /// What is dormant gives way to what the change published; of two that it published on one route,
    /// and that both fell dormant, to the later one.
    fn settle(&mut self) {
        self.displace_users();
        self.yield_routes();
        let mut published: Vec<_> = self.publications.iter().copied().collect();
        published.sort_unstable_by_key(|(_, _, index)| std::cmp::Reverse(*index));
        for (environment, api, index) in published {
            self.index = index;
            self.displace_rivals(api, environment);
        }
    }

    /// What breaks the rules about uniqueness and stage variables, which hold for what all edits leave
    /// together.
    fn disagreements(&self) -> impl Iterator<Item = (usize, Reason)> + '_ {
        let refused = |index: usize, checked: Checked| checked.err().map(|reason| (index, reason));
        let groups = self.groups.iter();
        let groups = groups.filter_map(move |(id, index)| refused(*index, self.group_holds(*id)));
        let resources = self.resources.iter();
        let resources =
            resources.filter_map(move |(id, index)| refused(*index, self.resource_alone(*id)));
        let drafts = self.drafts.iter();
        let drafts = drafts.filter_map(move |(id, index)| refused(*index, self.draft_holds(*id)));
        let publications = self.publications.iter().filter_map(move |(environment, id, index)| {
            refused(*index, self.publication_holds(*environment, *id))
        });
        let restored = self.restored.iter();
        let restored = restored.filter_map(move |(key, index)| refused(*index, self.fits(*key)));
        let misfits = self.misfits.iter().cloned();
        misfits.chain(groups).chain(resources).chain(drafts).chain(publications).chain(restored)
    }

    fn group_holds(&self, id: GroupId) -> Checked {
        self.group_alone(id)?;
        self.variables_of_group(id)
    }

    fn draft_holds(&self, id: ApiId) -> Checked {
        self.draft_alone(id)?;
        self.variables_of_draft(id)
    }

    fn publication_holds(&self, at: EnvironmentId, api: ApiId) -> Checked {
        self.publication_alone(at, api)?;
        self.variables_of_publication(at, api)
    }

    fn finish(mut self, author: Author) -> Evaluated {
        if self.ids != self.base.next() {
            self.write(Key::Next, Some(Record::Next(self.ids)));
        }
        let entry = Arc::new(self.entry(author));
        let revision = self.stamp.revision;
        self.write(Key::Revision(revision), Some(Record::Revision(Arc::clone(&entry))));
        self.next.advance(revision);
        for old in self.next.beyond(self.laws.history, self.stamp.when) {
            self.write(Key::Revision(old), None);
        }
        for (api, environment) in self.next.reclaimable() {
            self.write(Key::Publication(api, environment), None);
        }
        let Self { next: state, writes, origins, .. } = self;
        Evaluated { state, writes, entry, origins }
    }

    /// What was there before at every key the change wrote.
    fn entry(&self, author: Author) -> RevisionRecord {
        let mut keys: Vec<_> = self.writes.iter().map(|(key, _)| *key).collect();
        keys.sort_unstable();
        keys.dedup();
        let (mut created, mut touched) = (Vec::new(), Vec::new());
        for key in keys.into_iter().filter(|key| *key != Key::Next) {
            let past = match self.base.record(key) {
                Some(record) => Some(Past::Was(record)),
                // It came and went.
                None if self.next.record(key).is_none() => continue,
                None => self.base.log().gone(key).map(Past::Gone),
            };
            match past {
                Some(past) => touched.push((key, past)),
                None => created.push(key),
            }
        }
        RevisionRecord {
            change: author.change,
            stamp: author.stamp,
            forced: author.forced,
            undoes: self.undone.as_slice().into(),
            created: created.into(),
            touched: touched.into(),
        }
    }

    fn write(&mut self, key: Key, record: Option<Record>) {
        // What an edit makes was accepted before; what an undo brings back need not fit any more.
        if self.next.put(key, record.clone()).is_err() {
            let needed = format!("what {} needs", self.base.describe(key));
            self.misfits.push((self.index, Reason::Missing(needed)));
            return;
        }
        self.writes.push((key, record));
        self.origins.push(self.index);
    }

    /// Whether a document may take away what an edit leaves: what was there keeps its mark.
    fn mark(&self, before: Option<bool>) -> bool {
        before.unwrap_or(self.by_document)
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
