//! HOW it changes in an environment.
//!
//! | file | question |
//! |---|---|
//! | `publisher` | who changes what? |
//! | `plan`, `impact`, `warning` | what would a change do? |
//! | `receipt`, `outcome`, `left_out` | what did it do, and is the old side idle? |
//! | `history` | what has an API, a definition been? |
//! | `delta`, `drift` | what became of a thing, and how do two environments differ? |
//! | `reachable` | does what a plan leads to answer? |

mod delta;
mod drift;
mod history;
mod impact;
mod left_out;
mod outcome;
mod plan;
mod publisher;
mod reachable;
mod receipt;
mod warning;

pub use self::delta::{Delta, How};
pub use self::history::{DefinitionVersion, Entry, Version};
pub use self::impact::Impact;
pub use self::left_out::LeftOut;
pub use self::outcome::{Counts, Outcome, Result as OutcomeKind};
pub use self::plan::Plan;
pub use self::publisher::{Proposal, Publisher};
pub use self::reachable::Reachable;
pub use self::receipt::{Receipt, StillBusy};
pub use self::warning::Warning;
