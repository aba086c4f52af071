//! How a snapshot is swapped, and how one learns that the last user of something is gone.
//!
//! Read next: `drain.rs` for [`Lease`] and [`Drained`].

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

mod closing;
mod drain;
mod primitive;

pub(crate) use self::closing::Closing;
pub use self::drain::{Drained, Lease, lease};

/// A value that many threads read and one replaces.
///
/// Readers see either the old value or the new one, never a mixture. A reader that took the old one
/// keeps it alive until it is done; nobody waits for anybody.
///
/// The mechanism is private on purpose: it can be exchanged for a lock without touching a caller.
#[derive(Debug)]
pub(crate) struct Published<T>(ArcSwap<T>);

impl<T> Published<T> {
    /// Publishes `first` as the initial value.
    pub(crate) fn new(first: T) -> Self {
        Self(ArcSwap::from_pointee(first))
    }

    /// Replaces the value for all readers that come after, and hands out the one before.
    pub(crate) fn publish(&self, next: T) -> Arc<T> {
        self.0.swap(Arc::new(next))
    }

    /// The current value, for a moment: never across an `.await`.
    pub(crate) fn current(&self) -> Guard<Arc<T>> {
        self.0.load()
    }
}
