//! Finding what belongs to a value by its address, without hashing what the value says.

use std::sync::Arc;

use arc_swap::{ArcSwapOption, Guard};

/// Entries. Twice as many as have metrics of their own, so that few share a place.
const SLOTS: usize = 2_048;

/// What was looked up last, by the address of what it was looked up for. An entry must keep alive what it
/// is found by, so that nothing else can have the address.
#[derive(Debug)]
pub(super) struct Cache<E>(Box<[ArcSwapOption<E>]>);

impl<E> Cache<E> {
    pub(super) fn new() -> Self {
        Self((0..SLOTS).map(|_| ArcSwapOption::empty()).collect())
    }

    /// The entry for an address, if it is the one that is asked for.
    pub(super) fn find(
        &self,
        address: usize,
        is: impl Fn(&E) -> bool,
    ) -> Option<Guard<Option<Arc<E>>>> {
        let first = self.first(address);
        // The two places that it can be at.
        for at in [first, first ^ 1] {
            let entry = self.0.get(at)?.load();
            if entry.as_ref().is_some_and(|entry| is(entry)) {
                return Some(entry);
            }
        }
        None
    }

    /// Keeps an entry, in the place of an older one if need be.
    pub(super) fn keep(&self, address: usize, entry: E) {
        let first = self.first(address);
        let free = |at: &usize| self.0.get(*at).is_some_and(|slot| slot.load().is_none());
        let at = [first, first ^ 1].into_iter().find(free);
        let at = at.unwrap_or_else(|| first ^ fastrand::usize(..2));
        if let Some(slot) = self.0.get(at) {
            slot.store(Some(Arc::new(entry)));
        }
    }

    fn first(&self, address: usize) -> usize {
        // Allocations are aligned: their low bits say nothing. The product's middle bits depend on all.
        let mixed = (address >> 4).wrapping_mul(MIX);
        (mixed >> (usize::BITS / 2)) % SLOTS
    }
}

/// Odd, and without a pattern: the golden ratio's first bits.
#[cfg(target_pointer_width = "64")]
const MIX: usize = 0x9e37_79b9_7f4a_7c15;
#[cfg(not(target_pointer_width = "64"))]
const MIX: usize = 0x9e37_79b9;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_found_until_another_takes_its_place() {
        let cache = Cache::new();
        let values: Vec<_> = (0..SLOTS).map(Arc::new).collect();
        let address = |value: &Arc<usize>| Arc::as_ptr(value).addr();
        for value in &values {
            assert!(cache.find(address(value), |it| Arc::ptr_eq(it, value)).is_none());
            cache.keep(address(value), Arc::clone(value));
            assert!(cache.find(address(value), |it| Arc::ptr_eq(it, value)).is_some());
        }
        let left = values.iter().filter(|value| {
            let found = cache.find(address(value), |it| Arc::ptr_eq(it, value));
            found.is_some_and(|found| ***found.as_ref().unwrap() == ***value)
        });
        assert!(left.count() > SLOTS / 2);
    }
}
