//! What was true before: every revision's record, kept for as long as it can be undone.
//!
//! One log answers all of it. A record's stamp names the change that made it so; that change's entry
//! holds what was there before; and so on to the oldest entry kept.
//!
//! | file | question |
//! |---|---|
//! | `log` | which revisions are kept, and who deleted what is gone? |
//! | `touch` | what has a thing been, and by whom? |
//! | `effect` | what did a change do to what callers can reach? |
//! | `rewind` | what was true at a revision? |
//! | `horizon` | what may be forgotten? |

pub(crate) mod effect;
pub(crate) mod horizon;
pub(crate) mod log;
mod rewind;
pub(crate) mod touch;

pub use self::horizon::History;
