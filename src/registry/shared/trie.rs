//! What is under this key, of which many may be equal.

use std::sync::Arc;

/// Entries of a leaf before it splits.
const LEAF: usize = 64;

/// A multimap from 32-bit keys, ordered by key. Clones share branches and leaves.
///
/// With hashes as keys it is an index: what it finds must be compared with what was looked for.
/// `CHILDREN` is a power of two. 16 keep small and dense sets small; 256 make for few steps in an
/// index that requests look into, each of which is likely to miss the processor's caches.
#[derive(Debug)]
pub(crate) struct Trie<V, const CHILDREN: usize = 16> {
    root: Child<V, CHILDREN>,
}

/// An index that requests look into.
pub(crate) type WideTrie<V> = Trie<V, 256>;

#[derive(Debug)]
enum Child<V, const CHILDREN: usize> {
    Empty,
    /// What the lowest bits of its keys are, one bit each: most keys that are not there are told
    /// without looking at the leaf.
    Leaf(u64, Arc<Vec<(u32, V)>>),
    Branch(Arc<[Self; CHILDREN]>),
}

impl<V, const CHILDREN: usize> Clone for Child<V, CHILDREN> {
    fn clone(&self) -> Self {
        match self {
            Self::Empty => Self::Empty,
            Self::Leaf(seen, leaf) => Self::Leaf(*seen, Arc::clone(leaf)),
            Self::Branch(branch) => Self::Branch(Arc::clone(branch)),
        }
    }
}

impl<V, const CHILDREN: usize> Clone for Trie<V, CHILDREN> {
    fn clone(&self) -> Self {
        Self { root: self.root.clone() }
    }
}

impl<V, const CHILDREN: usize> Default for Trie<V, CHILDREN> {
    fn default() -> Self {
        Self { root: Child::Empty }
    }
}

/// The bit of a key in what was seen of a leaf's keys.
fn bit(key: u32) -> u64 {
    1 << (key % u64::BITS)
}

impl<V, const CHILDREN: usize> Trie<V, CHILDREN> {
    /// Bits of a key that one level looks at.
    const BITS: u32 = CHILDREN.ilog2();

    /// The child of `key` at a depth: its highest bits first, so that iteration is in order.
    fn child(key: u32, depth: u32) -> usize {
        let shifted = key >> (u32::BITS - Self::BITS * (depth + 1));
        usize::try_from(shifted).unwrap_or(0) % CHILDREN
    }

    /// The values under `key`.
    pub(crate) fn under(&self, key: u32) -> impl Iterator<Item = &V> {
        let mut node = &self.root;
        let mut depth = 0;
        let leaf: &[(u32, V)] = loop {
            match node {
                Child::Leaf(seen, leaf) if seen & bit(key) != 0 => break leaf,
                Child::Empty | Child::Leaf(..) => break &[],
                Child::Branch(children) => match children.get(Self::child(key, depth)) {
                    Some(next) => node = next,
                    None => break &[],
                },
            }
            depth += 1;
        };
        let first = leaf.partition_point(|(other, _)| *other < key);
        let rest = leaf.get(first..).unwrap_or_default();
        rest.iter().take_while(move |(other, _)| *other == key).map(|(_, value)| value)
    }

    /// All keys and values, in the order of the keys (within one leaf in the order they came).
    pub(crate) fn iter(&self) -> Iter<'_, V, CHILDREN> {
        Iter { open: vec![(&self.root, 0)] }
    }
}

/// Goes through a trie in order.
#[derive(Debug)]
pub(crate) struct Iter<'a, V, const CHILDREN: usize> {
    open: Vec<(&'a Child<V, CHILDREN>, usize)>,
}

impl<'a, V, const CHILDREN: usize> Iterator for Iter<'a, V, CHILDREN> {
    type Item = (u32, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (node, next) = self.open.last_mut()?;
            let at = *next;
            *next += 1;
            match node {
                Child::Empty => drop(self.open.pop()),
                Child::Leaf(_, leaf) => match leaf.get(at) {
                    Some((key, value)) => return Some((*key, value)),
                    None => drop(self.open.pop()),
                },
                Child::Branch(children) => match children.get(at) {
                    Some(child) => self.open.push((child, 0)),
                    None => drop(self.open.pop()),
                },
            }
        }
    }
}

impl<V, const CHILDREN: usize> Trie<V, CHILDREN> {
    /// Everything at once: what inserting one after the other leads to, in a fraction of the time.
    pub(crate) fn filled(mut entries: Vec<(u32, V)>) -> Self {
        // Stable, because of several under one key the first comes first.
        if !entries.is_sorted_by_key(|(key, _)| *key) {
            entries.sort_by_key(|(key, _)| *key);
        }
        Self { root: Self::node(entries, 0) }
    }

    /// A node of entries sorted by key that have the bits above `depth` in common.
    fn node(mut entries: Vec<(u32, V)>, depth: u32) -> Child<V, CHILDREN> {
        if entries.is_empty() {
            return Child::Empty;
        }
        if entries.len() <= LEAF || Self::BITS * (depth + 1) > u32::BITS {
            entries.shrink_to_fit();
            let seen = entries.iter().fold(0, |seen, (key, _)| seen | bit(*key));
            return Child::Leaf(seen, Arc::new(entries));
        }
        let mut children = [const { Child::Empty }; CHILDREN];
        for (place, child) in children.iter_mut().enumerate().rev() {
            let first = entries.partition_point(|(key, _)| Self::child(*key, depth) < place);
            *child = Self::node(entries.split_off(first), depth + 1);
        }
        Child::Branch(Arc::new(children))
    }
}

impl<V: PartialEq, const CHILDREN: usize> Trie<V, CHILDREN> {
    /// Whether two have the same under the same keys, in the same order. What clones share is not
    /// looked at.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.root.same(&other.root)
    }
}

impl<V: PartialEq, const CHILDREN: usize> Child<V, CHILDREN> {
    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Empty, Self::Empty) => true,
            (Self::Leaf(_, one), Self::Leaf(_, other)) => Arc::ptr_eq(one, other) || one == other,
            (Self::Branch(one), Self::Branch(other)) => {
                Arc::ptr_eq(one, other) || one.iter().zip(other.iter()).all(|(a, b)| a.same(b))
            }
            // A branch stays one when there would be room in a leaf again.
            (one, other) => {
                let all = |node| Iter { open: vec![(node, 0)] };
                all(one).eq(all(other))
            }
        }
    }
}

impl<V: Clone, const CHILDREN: usize> Trie<V, CHILDREN> {
    /// Puts a value under `key`, beside those that are there.
    pub(crate) fn insert(&mut self, key: u32, value: V) {
        let mut node = &mut self.root;
        let mut depth = 0;
        loop {
            Self::split_if_full(node, depth);
            match node {
                Child::Empty => {
                    *node = Child::Leaf(bit(key), Arc::new(vec![(key, value)]));
                    return;
                }
                Child::Leaf(seen, leaf) => {
                    *seen |= bit(key);
                    let entries = Arc::make_mut(leaf);
                    let at = entries.partition_point(|(other, _)| *other <= key);
                    if entries.len() == entries.capacity() {
                        // Half as much again would waste more than it saves at these sizes.
                        entries.reserve_exact(entries.len() / 4 + 2);
                    }
                    entries.insert(at, (key, value));
                    return;
                }
                Child::Branch(children) => {
                    match Arc::make_mut(children).get_mut(Self::child(key, depth)) {
                        Some(next) => node = next,
                        None => return,
                    }
                }
            }
            depth += 1;
        }
    }

    /// Takes out one value under `key` that `is_it` says yes to.
    pub(crate) fn remove(&mut self, key: u32, is_it: impl Fn(&V) -> bool) -> Option<V> {
        // Looking first keeps branches shared when there is nothing to take.
        self.under(key).find(|value| is_it(value))?;
        let mut node = &mut self.root;
        let mut depth = 0;
        loop {
            match node {
                Child::Empty => return None,
                Child::Leaf(seen, leaf) => {
                    let entries = Arc::make_mut(leaf);
                    let at = entries.iter().position(|(k, value)| *k == key && is_it(value))?;
                    let (_, value) = entries.remove(at);
                    *seen = entries.iter().fold(0, |seen, (key, _)| seen | bit(*key));
                    if entries.is_empty() {
                        *node = Child::Empty;
                    }
                    return Some(value);
                }
                Child::Branch(children) => {
                    node = Arc::make_mut(children).get_mut(Self::child(key, depth))?;
                }
            }
            depth += 1;
        }
    }

    /// Turns a full leaf into a branch, as long as there are bits left to tell its entries apart.
    fn split_if_full(node: &mut Child<V, CHILDREN>, depth: u32) {
        let Child::Leaf(_, leaf) = node else { return };
        if leaf.len() < LEAF || Self::BITS * (depth + 1) > u32::BITS {
            return;
        }
        let entries = Arc::unwrap_or_clone(std::mem::take(leaf));
        let mut parts: [Vec<(u32, V)>; CHILDREN] = std::array::from_fn(|_| Vec::new());
        for (key, value) in entries {
            if let Some(part) = parts.get_mut(Self::child(key, depth)) {
                part.push((key, value));
            }
        }
        let children = parts.map(|mut part| {
            part.shrink_to_fit();
            let seen = part.iter().fold(0, |seen, (key, _)| seen | bit(*key));
            if part.is_empty() { Child::Empty } else { Child::Leaf(seen, Arc::new(part)) }
        });
        *node = Child::Branch(Arc::new(children));
    }
}
