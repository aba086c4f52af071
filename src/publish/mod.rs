//! HOW it changes in an environment.
//!
//! | file | question |
//! |---|---|
//! | `publisher` | who changes what? |
//! | `receipt` | what did a change do, and is the old side idle? |

mod publisher;
mod receipt;

pub use self::publisher::Publisher;
pub use self::receipt::{Counts, Outcome, Receipt, Result as OutcomeKind, StillBusy};
