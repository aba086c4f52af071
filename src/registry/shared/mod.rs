//! Collections whose clones share what they have in common.
//!
//! Cloning one is O(1), changing a clone copies O(log n), and what nobody else holds is changed in
//! place: a batch of a million edits costs no more than building anew.
//!
//! | file | question |
//! |---|---|
//! | `pages` | what is at this small number? |
//! | `trie` | what is under this key, of which many may be equal? |
//! | `set` | which small numbers are in it, and how many? |

mod pages;
mod set;
mod trie;

pub(crate) use self::pages::Pages;
pub(crate) use self::set::{IdSet, mark};
pub(crate) use self::trie::{Trie, WideTrie};

#[cfg(test)]
mod tests;
