//! What is under this key, of which many may be equal.

use std::sync::Arc;

/// Bits of a key that one level looks at.
const BITS: u32 = 4;
/// Children of a branch.
const CHILDREN: usize = 1 << BITS;
/// Entries of a leaf before it splits.
const LEAF: usize = 64;

/// A multimap from 32-bit keys, ordered by key. Clones share branches and leaves.
///
/// With hashes as keys it is an index: what it finds must be compared with what was looked for.
#[derive(Debug)]
pub(crate) struct Trie<V> {
    root: Child<V>,
}

#[derive(Debug)]
enum Child<V> {
    Empty,
    Leaf(Arc<Vec<(u32, V)>>),
    Branch(Arc<[Self; CHILDREN]>),
}

impl<V> Clone for Child<V> {
    fn clone(&self) -> Self {
        match self {
            Self::Empty => Self::Empty,
            Self::Leaf(leaf) => Self::Leaf(Arc::clone(leaf)),
            Self::Branch(branch) => Self::Branch(Arc::clone(branch)),
        }
    }
}

impl<V> Clone for Trie<V> {
    fn clone(&self) -> Self {
        Self { root: self.root.clone() }
    }
}

impl<V> Default for Trie<V> {
    fn default() -> Self {
        Self { root: Child::Empty }
    }
}

/// The child of `key` at a depth: its highest bits first, so that iteration is in order.
fn child(key: u32, depth: u32) -> usize {
    let shifted = key >> (u32::BITS - BITS * (depth + 1));
    usize::try_from(shifted).unwrap_or(0) % CHILDREN
}

impl<V> Trie<V> {
    /// The values under `key`.
    pub(crate) fn under(&self, key: u32) -> impl Iterator<Item = &V> {
        let mut node = &self.root;
        let mut depth = 0;
        let leaf: &[(u32, V)] = loop {
            match node {
                Child::Empty => break &[],
                Child::Leaf(leaf) => break leaf,
                Child::Branch(children) => match children.get(child(key, depth)) {
                    Some(next) => node = next,
                    None => break &[],
                },
            }
            depth += 1;
        };
        leaf.iter().filter(move |(other, _)| *other == key).map(|(_, value)| value)
    }

    /// All keys and values, in the order of the keys (within one leaf in the order they came).
    pub(crate) fn iter(&self) -> Iter<'_, V> {
        Iter { open: vec![(&self.root, 0)] }
    }
}

/// Goes through a trie in order.
#[derive(Debug)]
pub(crate) struct Iter<'a, V> {
    open: Vec<(&'a Child<V>, usize)>,
}

impl<'a, V> Iterator for Iter<'a, V> {
    type Item = (u32, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (node, next) = self.open.last_mut()?;
            let at = *next;
            *next += 1;
            match node {
                Child::Empty => drop(self.open.pop()),
                Child::Leaf(leaf) => match leaf.get(at) {
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

impl<V: Clone> Trie<V> {
    /// Puts a value under `key`, beside those that are there.
    pub(crate) fn insert(&mut self, key: u32, value: V) {
        let mut node = &mut self.root;
        let mut depth = 0;
        loop {
            split_if_full(node, depth);
            match node {
                Child::Empty => {
                    *node = Child::Leaf(Arc::new(vec![(key, value)]));
                    return;
                }
                Child::Leaf(leaf) => {
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
                    match Arc::make_mut(children).get_mut(child(key, depth)) {
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
                Child::Leaf(leaf) => {
                    let entries = Arc::make_mut(leaf);
                    let at = entries.iter().position(|(k, value)| *k == key && is_it(value))?;
                    let (_, value) = entries.remove(at);
                    if entries.is_empty() {
                        *node = Child::Empty;
                    }
                    return Some(value);
                }
                Child::Branch(children) => {
                    node = Arc::make_mut(children).get_mut(child(key, depth))?;
                }
            }
            depth += 1;
        }
    }
}

/// Turns a full leaf into a branch, as long as there are bits left to tell its entries apart.
fn split_if_full<V: Clone>(node: &mut Child<V>, depth: u32) {
    let Child::Leaf(leaf) = node else { return };
    if leaf.len() < LEAF || BITS * (depth + 1) > u32::BITS {
        return;
    }
    let entries = Arc::unwrap_or_clone(std::mem::take(leaf));
    let mut parts: [Vec<(u32, V)>; CHILDREN] = std::array::from_fn(|_| Vec::new());
    for (key, value) in entries {
        if let Some(part) = parts.get_mut(child(key, depth)) {
            part.push((key, value));
        }
    }
    let children = parts.map(|mut part| {
        part.shrink_to_fit();
        if part.is_empty() { Child::Empty } else { Child::Leaf(Arc::new(part)) }
    });
    *node = Child::Branch(Arc::new(children));
}
