//! Whether calls that overlapped can be put in an order in which each took place at one instant
//! between its beginning and its end: the search of Wing and Gong, with the memory that Lowe added.

use std::collections::HashSet;
use std::hash::Hash;

/// A call, with what came of it, and when it began and ended on a clock that all callers share.
#[derive(Clone, Debug)]
pub(super) struct Operation<C> {
    pub(super) began: u64,
    pub(super) ended: u64,
    pub(super) call: C,
}

/// Whether some order explains all operations. `step` is the specification: the state after a call, if
/// what came of it is what comes of it in that state.
pub(super) fn linearizable<S, C>(
    begin: S,
    history: &[Operation<C>],
    step: impl Fn(&S, &C) -> Option<S>,
) -> bool
where
    S: Clone + Eq + Hash,
{
    let mut seen = HashSet::new();
    let mut open = vec![(begin, vec![false; history.len()])];
    while let Some((state, done)) = open.pop() {
        let left = || history.iter().enumerate().filter(|(place, _)| !done[*place]);
        let Some(first_end) = left().map(|(_, operation)| operation.ended).min() else {
            return true;
        };
        // Nothing can come before what ended before it began.
        let next = left().filter(|(_, operation)| operation.began <= first_end);
        let mut nexts = Vec::new();
        for (place, operation) in next {
            let Some(after) = step(&state, &operation.call) else { continue };
            let mut done = done.clone();
            done[place] = true;
            if after == state {
                // What changes nothing may come first: it is in nobody's way.
                nexts = vec![(after, done)];
                break;
            }
            nexts.push((after, done));
        }
        open.extend(nexts.into_iter().filter(|next| seen.insert(next.clone())));
    }
    false
}
