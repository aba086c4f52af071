//! What it takes to try a backend or a store: a scripted upstream on a real socket, and the suites
//! every backend and every store must pass.
//!
//! For test code. **Not semver-stable**: anything here may change in any release.

use std::sync::Arc;

use crate::backend::Context;
use crate::sync::Lease;
use crate::transport::Transport;

pub mod conformance;
mod script;
mod speaker;
pub mod store;
mod upstream;

pub use self::script::{Gate, Received, Script, Step};
pub use self::upstream::FakeUpstream;

/// What a factory is given when a change is compiled, for trying a factory alone.
#[must_use]
pub fn context(transport: Transport, lease: Arc<Lease>) -> Context {
    Context::new(transport, lease)
}
