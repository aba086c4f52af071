//! The primitives `drain.rs` stands on, named once so that a model checker can stand in for them.

pub(super) use std::sync::{Arc, Mutex};
