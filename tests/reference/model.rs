//! What a registry is after a sequence of changes, and which changes it refuses: the rules of the
//! product on plain maps, and everything that ever was, whole.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::edit::{Edit, Refusal};
use super::world::{Id, Key, Place, Thing, World, Written};

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Model {
    /// What was true at every revision, from the one before all changes on.
    pub(super) worlds: Vec<Arc<World>>,
    /// The revisions that each revision took back.
    pub(super) undoes: Vec<Vec<u64>>,
    pub(super) ids: Ids,
    /// How many revisions can be looked at and taken back.
    pub(super) kept: usize,
}

/// The identities that come next. What is taken back gives none back.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Ids {
    pub(super) service: Id,
    pub(super) group: Id,
    pub(super) api: Id,
}

impl Default for Model {
    fn default() -> Self {
        Self::keeping(usize::MAX)
    }
}

impl Model {
    /// One whose history reaches back this many revisions.
    pub(crate) fn keeping(kept: usize) -> Self {
        Self { worlds: vec![Arc::default()], undoes: vec![vec![]], ids: Ids::default(), kept }
    }

    pub(crate) fn revision(&self) -> u64 {
        u64::try_from(self.worlds.len()).expect("few") - 1
    }

    /// What was true at a revision.
    pub(crate) fn at(&self, revision: u64) -> &World {
        &self.worlds[usize::try_from(revision).expect("few")]
    }

    pub(crate) fn now(&self) -> &World {
        self.at(self.revision())
    }

    /// Makes all edits, or none and says which was refused and why. Uniqueness is a matter of what
    /// they leave together: then there is no single edit to name.
    pub(crate) fn apply(&mut self, edits: &[Edit]) -> Result<(), (Option<usize>, Refusal)> {
        let mut work = Work::begin(self);
        for (place, edit) in edits.iter().enumerate() {
            work.edit(edit.clone()).map_err(|refusal| (Some(place), refusal))?;
        }
        work.take_sleepers();
        work.displace();
        work.unique().map_err(|refusal| (None, refusal))?;
        work.fits().map_err(|refusal| (None, refusal))?;
        let Work { now, ids, undone, .. } = work;
        self.ids = ids;
        self.worlds.push(Arc::new(now));
        self.undoes.push(undone);
        Ok(())
    }
}

/// A change at work.
pub(super) struct Work<'a> {
    pub(super) model: &'a Model,
    /// The revision it becomes.
    pub(super) revision: u64,
    pub(super) now: World,
    pub(super) ids: Ids,
    /// What it published, in order.
    pub(super) published: Vec<(Id, Place)>,
    /// What its undos wrote.
    pub(super) restored: BTreeSet<Key>,
    /// The revisions it took back.
    pub(super) undone: Vec<u64>,
}

impl<'a> Work<'a> {
    fn begin(model: &'a Model) -> Self {
        Self {
            model,
            revision: model.revision() + 1,
            now: model.now().clone(),
            ids: model.ids,
            published: Vec::new(),
            restored: BTreeSet::new(),
            undone: Vec::new(),
        }
    }

    fn edit(&mut self, edit: Edit) -> Result<(), Refusal> {
        match edit {
            Edit::Undo(undo) => self.undo(undo),
            Edit::Service { .. }
            | Edit::RenameService { .. }
            | Edit::DeleteService { .. }
            | Edit::Define { .. }
            | Edit::Update { .. }
            | Edit::Promote { .. }
            | Edit::DeleteDefinition { .. } => self.edit_service(edit),
            other => self.edit_api(other),
        }
    }

    pub(super) fn put(&mut self, key: Key, thing: Thing) {
        let written = Written { by: self.revision, thing: Arc::new(thing) };
        self.now.things.insert(key, written);
    }

    /// The same, unless it says so already.
    pub(super) fn put_new(&mut self, key: Key, thing: Thing) {
        if self.now.thing(key) != Some(&thing) {
            self.put(key, thing);
        }
    }

    pub(super) fn take(&mut self, key: Key) -> bool {
        self.now.things.remove(&key).is_some()
    }

    /// Takes away what fulfils a condition.
    pub(super) fn take_all(&mut self, gone: impl Fn(&World, Key) -> bool) {
        let keys: Vec<_> = self.now.things.keys().copied().collect();
        let gone: Vec<_> = keys.into_iter().filter(|key| gone(&self.now, *key)).collect();
        for key in gone {
            self.take(key);
        }
    }
}
