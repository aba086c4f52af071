//! Which small numbers are in it, and how many.

use super::{Pages, Trie};

/// A set of small numbers that knows how many it has. Clones share what they have in common.
#[derive(Clone, Debug, Default)]
pub(crate) struct IdSet {
    members: Trie<()>,
    count: usize,
}

impl IdSet {
    /// These numbers, which are in order, each once.
    pub(crate) fn filled(ids: Vec<u32>) -> Self {
        let count = ids.len();
        Self { members: Trie::filled(ids.into_iter().map(|id| (id, ())).collect()), count }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(crate) fn contains(&self, id: u32) -> bool {
        self.members.under(id).next().is_some()
    }

    /// Puts a number in; says whether it was not there.
    pub(crate) fn insert(&mut self, id: u32) -> bool {
        let new = !self.contains(id);
        if new {
            self.members.insert(id, ());
            self.count += 1;
        }
        new
    }

    /// Takes a number out; says whether it was there.
    pub(crate) fn remove(&mut self, id: u32) -> bool {
        let was = self.members.remove(id, |()| true).is_some();
        if was {
            self.count -= 1;
        }
        was
    }

    /// Whether two sets have the same members. What clones have in common is not looked at.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.count == other.count && self.members.same(&other.members)
    }

    /// The numbers, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.members.iter().map(|(id, ())| id)
    }
}

/// Puts a number into one of several sets, or takes it out.
pub(crate) fn mark(sets: &mut Pages<IdSet>, at: u32, number: u32, present: bool) {
    if sets.get(at).is_none() {
        sets.set(at, IdSet::default());
    }
    if let Some(set) = sets.get_mut(at) {
        if present {
            set.insert(number)
        } else {
            set.remove(number)
        };
    }
}
