//! What is at this small number.

use std::sync::Arc;

/// Bits of an index that one level looks at.
const BITS: u32 = 6;
/// Slots of a page.
const SLOTS: usize = 1 << BITS;

/// A sparse array indexed by small, dense numbers. Clones share pages.
#[derive(Debug)]
pub(crate) struct Pages<T> {
    root: Option<Arc<Page<T>>>,
    /// Levels above the leaves.
    height: u32,
}

#[expect(clippy::large_enum_variant, reason = "a page is one place in memory, whatever is in it")]
#[derive(Clone, Debug)]
enum Page<T> {
    Branch([Option<Arc<Self>>; SLOTS]),
    Leaf([Option<T>; SLOTS]),
}

impl<T> Clone for Pages<T> {
    fn clone(&self) -> Self {
        Self { root: self.root.clone(), height: self.height }
    }
}

impl<T> Default for Pages<T> {
    fn default() -> Self {
        Self { root: None, height: 0 }
    }
}

/// The slot of `index` at a level.
fn slot(index: u32, level: u32) -> usize {
    let shifted = index.checked_shr(level * BITS).unwrap_or(0);
    usize::try_from(shifted).unwrap_or(0) % SLOTS
}

impl<T> Pages<T> {
    /// Whether `index` lies beyond what the pages reach.
    fn beyond(&self, index: u32) -> bool {
        index.checked_shr((self.height + 1) * BITS).unwrap_or(0) != 0
    }

    pub(crate) fn get(&self, index: u32) -> Option<&T> {
        if self.beyond(index) {
            return None;
        }
        let mut page = self.root.as_deref()?;
        let mut level = self.height;
        loop {
            match page {
                Page::Leaf(slots) => return slots.get(slot(index, 0))?.as_ref(),
                Page::Branch(slots) => page = slots.get(slot(index, level))?.as_deref()?,
            }
            level = level.saturating_sub(1);
        }
    }

    /// All values with their indexes, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        let mut open = Vec::new();
        if let Some(root) = &self.root {
            open.push((root.as_ref(), 0_u32, 0_usize));
        }
        std::iter::from_fn(move || {
            loop {
                let (page, base, next) = open.last_mut()?;
                let (at, index) = (*next, u32::try_from(*next).unwrap_or(0));
                let base = *base << BITS | index;
                *next += 1;
                match page {
                    Page::Leaf(slots) => match slots.get(at) {
                        None => drop(open.pop()),
                        Some(None) => {}
                        Some(Some(value)) => return Some((base, value)),
                    },
                    Page::Branch(slots) => match slots.get(at) {
                        None => drop(open.pop()),
                        Some(None) => {}
                        Some(Some(child)) => open.push((child.as_ref(), base, 0)),
                    },
                }
            }
        })
    }
}

impl<T> Pages<T> {
    /// Everything at once, given in the order of the indexes, each once: what setting one after the
    /// other leads to, in a fraction of the time.
    pub(crate) fn filled(values: impl Iterator<Item = (u32, T)>) -> Self {
        let leaf = || Page::Leaf([const { None }; SLOTS]);
        let mut pages = level(values, leaf, |page, at, value| {
            if let Page::Leaf(slots) = page
                && let Some(place) = slots.get_mut(at)
            {
                *place = Some(value);
            }
        });
        let mut height = 0;
        while pages.len() > 1 || pages.first().is_some_and(|(number, _)| *number > 0) {
            let branch = || Page::Branch([const { None }; SLOTS]);
            pages = level(pages.into_iter(), branch, |page, at, below| {
                if let Page::Branch(slots) = page
                    && let Some(place) = slots.get_mut(at)
                {
                    *place = Some(Arc::new(below));
                }
            });
            height += 1;
        }
        Self { root: pages.pop().map(|(_, page)| Arc::new(page)), height }
    }
}

/// The pages, by their numbers, that things in the order of their indexes are put into.
fn level<T, V>(
    things: impl Iterator<Item = (u32, V)>,
    empty: impl Fn() -> Page<T>,
    put: impl Fn(&mut Page<T>, usize, V),
) -> Vec<(u32, Page<T>)> {
    let mut pages: Vec<(u32, Page<T>)> = Vec::new();
    for (index, thing) in things {
        let number = index >> BITS;
        if pages.last().is_none_or(|(last, _)| *last != number) {
            pages.push((number, empty()));
        }
        if let Some((_, page)) = pages.last_mut() {
            put(page, slot(index, 0), thing);
        }
    }
    pages
}

impl<T: Clone> Pages<T> {
    /// Puts a value at `index` and hands out the one that was there.
    pub(crate) fn set(&mut self, index: u32, value: T) -> Option<T> {
        while self.beyond(index) {
            if let Some(root) = self.root.take() {
                let mut slots = [const { None }; SLOTS];
                if let Some(first) = slots.first_mut() {
                    *first = Some(root);
                }
                self.root = Some(Arc::new(Page::Branch(slots)));
            }
            self.height += 1;
        }
        self.slot_mut(index)?.replace(value)
    }

    /// Takes the value at `index` out.
    pub(crate) fn take(&mut self, index: u32) -> Option<T> {
        // Looking first keeps pages shared when there is nothing to take.
        self.get(index)?;
        self.slot_mut(index)?.take()
    }

    /// The value at `index`, to be changed.
    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        self.get(index)?;
        self.slot_mut(index)?.as_mut()
    }

    fn slot_mut(&mut self, index: u32) -> Option<&mut Option<T>> {
        let mut level = self.height;
        let mut page = self.root.get_or_insert_with(|| Page::empty(level));
        loop {
            match Arc::make_mut(page) {
                Page::Leaf(slots) => return slots.get_mut(slot(index, 0)),
                Page::Branch(slots) => {
                    let child = slots.get_mut(slot(index, level))?;
                    level = level.saturating_sub(1);
                    page = child.get_or_insert_with(|| Page::empty(level));
                }
            }
        }
    }
}

impl<T> Page<T> {
    fn empty(level: u32) -> Arc<Self> {
        Arc::new(if level == 0 {
            Self::Leaf([const { None }; SLOTS])
        } else {
            Self::Branch([const { None }; SLOTS])
        })
    }
}
