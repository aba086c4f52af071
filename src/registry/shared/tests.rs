use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Put(u32, u16),
    Take(u32),
    Keep,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = prop_oneof![0..200_u32, 0..100_000_u32, any::<u32>()];
    let step = prop_oneof![
        4 => (key.clone(), any::<u16>()).prop_map(|(key, value)| Step::Put(key, value)),
        2 => key.prop_map(Step::Take),
        1 => Just(Step::Keep),
    ];
    prop::collection::vec(step, 0..200)
}

fn multimap<const CHILDREN: usize>(steps: Vec<Step>, equal: bool) -> Result<(), TestCaseError> {
    let mut trie = Trie::<u16, CHILDREN>::default();
    let mut list: Vec<(u32, u16)> = Vec::new();
    let mut kept = Vec::new();
    for step in steps {
        // Few keys with many values each, or many keys.
        let narrow = |key: u32| if equal { key % 3 } else { key };
        match step {
            Step::Put(key, value) => {
                trie.insert(narrow(key), value);
                list.push((narrow(key), value));
            }
            Step::Take(key) => {
                let key = narrow(key);
                let at = list.iter().position(|(other, _)| *other == key);
                let expected = at.map(|at| list.remove(at).1);
                let taken = trie.remove(key, |value| Some(*value) == expected);
                prop_assert_eq!(taken, expected);
            }
            Step::Keep => kept.push((trie.clone(), list.clone())),
        }
    }
    kept.push((trie, list));
    for (trie, mut list) in kept {
        let mut all: Vec<_> = trie.iter().map(|(key, value)| (key, *value)).collect();
        prop_assert!(all.is_sorted_by_key(|(key, _)| *key));
        for (key, _) in &list {
            let mut under: Vec<_> = trie.under(*key).copied().collect();
            let mut expected: Vec<_> =
                list.iter().filter(|(k, _)| k == key).map(|(_, v)| *v).collect();
            under.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(under, expected);
        }
        all.sort_unstable();
        list.sort_unstable();
        prop_assert_eq!(all, list);
    }
    Ok(())
}

proptest! {
    #[test]
    fn pages_are_a_map_and_clones_stay_as_they_were(steps in steps()) {
        let mut pages = Pages::default();
        let mut map = BTreeMap::new();
        let mut kept = Vec::new();
        for step in steps {
            match step {
                Step::Put(key, value) => {
                    prop_assert_eq!(pages.set(key, value), map.insert(key, value));
                }
                Step::Take(key) => prop_assert_eq!(pages.take(key), map.remove(&key)),
                Step::Keep => kept.push((pages.clone(), map.clone())),
            }
        }
        kept.push((pages, map));
        for (pages, map) in kept {
            let all: Vec<_> = pages.iter().map(|(key, value)| (key, *value)).collect();
            prop_assert_eq!(all, map.iter().map(|(k, v)| (*k, *v)).collect::<Vec<_>>());
            for key in map.keys() {
                prop_assert_eq!(pages.get(*key), map.get(key));
            }
        }
    }

    #[test]
    fn a_trie_is_a_multimap_and_clones_stay_as_they_were(steps in steps(), equal in any::<bool>()) {
        multimap::<16>(steps.clone(), equal)?;
        multimap::<256>(steps, equal)?;
    }

    #[test]
    fn what_is_filled_at_once_is_as_if_put_in_one_by_one(
        entries in prop::collection::vec((prop_oneof![0..500_u32, any::<u32>()], any::<u16>()), 0..400),
    ) {
        let (mut trie, mut wide) = (Trie::<u16>::default(), WideTrie::default());
        for (key, value) in &entries {
            trie.insert(*key, *value);
            wide.insert(*key, *value);
        }
        prop_assert!(Trie::filled(entries.clone()).same(&trie));
        prop_assert!(WideTrie::filled(entries.clone()).same(&wide));
        let mut filled = Trie::<u16>::filled(entries.clone());
        // It goes on like any other.
        for (key, value) in &entries {
            prop_assert_eq!(filled.remove(*key, |other| other == value), Some(*value));
        }
        prop_assert_eq!(filled.iter().count(), 0);

        let map: BTreeMap<_, _> = entries.iter().copied().collect();
        let mut pages = Pages::filled(map.iter().map(|(key, value)| (*key, *value)));
        prop_assert!(pages.iter().eq(map.iter().map(|(key, value)| (*key, value))));
        for (key, value) in &map {
            prop_assert_eq!(pages.get(*key), Some(value));
            prop_assert_eq!(pages.set(*key, value ^ 1), Some(*value));
        }
        let set = IdSet::filled(map.keys().copied().collect());
        prop_assert_eq!(set.len(), map.len());
        prop_assert!(set.iter().eq(map.keys().copied()));
        let mut one_by_one = IdSet::default();
        for id in map.keys() {
            one_by_one.insert(*id);
        }
        prop_assert!(set.same(&one_by_one));
        one_by_one.insert(map.keys().next_back().map_or(0, |last| last.wrapping_add(1)));
        prop_assert_eq!(set.same(&one_by_one), set.len() == one_by_one.len());
    }

    #[test]
    fn a_set_counts_its_members(steps in steps()) {
        let mut set = IdSet::default();
        let mut tree = BTreeSet::new();
        for step in steps {
            match step {
                Step::Put(id, _) => prop_assert_eq!(set.insert(id), tree.insert(id)),
                Step::Take(id) => prop_assert_eq!(set.remove(id), tree.remove(&id)),
                Step::Keep => {}
            }
            prop_assert_eq!(set.len(), tree.len());
        }
        prop_assert!(set.iter().eq(tree.iter().copied()));
        prop_assert_eq!(set.is_empty(), tree.is_empty());
    }
}
