//! WHERE it survives: the trait a registry keeps its state in, and a store in memory.
//!
//! | file | question |
//! |---|---|
//! | `record` | what is kept, under which key? |
//! | `memory` | how does a process keep it? |
//! | `recent` | how do watchers in this process follow? |
//! | `redb` | how does a file keep it? |
//! | `dump` | how does it leave and come back as text? |

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::model::{ChangeId, Revision};

#[cfg(feature = "store-redb")]
pub mod dump;
pub mod memory;
mod recent;
pub mod record;
#[cfg(feature = "store-redb")]
pub mod redb;

pub use self::memory::MemoryStore;
pub use self::record::{Key, Record};
#[cfg(feature = "store-redb")]
pub use self::redb::RedbStore;

/// Keeps the state of a registry.
///
/// # Contract
///
/// 1. **All or nothing.** A batch is kept whole or not at all, and in one place of the order.
/// 2. **Compare and commit.** A batch names the revision it was made on; on any other it is refused
///    with [`StoreError::Conflict`]. Revisions rise by one.
/// 3. **Found again.** For some time after a commit its change id leads to its revision, so that a
///    commit whose outcome was lost is looked up, not guessed.
/// 4. **In order, without gaps.** A watcher gets every batch after the revision it names, or
///    [`StoreError::Compacted`], after which it loads again.
/// 5. **Values come back equal.** What [`load`](Self::load) returns is what was committed.
///
/// # Cancellation
///
/// A registry never drops the future of a commit. Dropping the others has no effect.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Everything that is kept.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    async fn load(&self) -> Result<Loaded, StoreError>;

    /// Keeps a batch.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when the store is at another revision; [`StoreError::Unknown`] when
    /// it cannot be said whether the batch was kept; any other error means that it was not.
    async fn commit(&self, batch: Batch) -> Result<(), StoreError>;

    /// The revision that the change with this id became. `None`: it was not committed, and will not be
    /// any more. A store that cannot rule that out yet waits, or fails.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    async fn find(&self, change: ChangeId) -> Result<Option<Revision>, StoreError>;

    /// The batches after `revision`, as they come.
    ///
    /// # Errors
    ///
    /// [`StoreError::Compacted`] when some of them are no longer there.
    async fn watch(&self, after: Revision) -> Result<Box<dyn Feed>, StoreError>;
}

/// Batches as they are committed.
#[async_trait]
pub trait Feed: fmt::Debug + Send + 'static {
    /// The next batch; waits until there is one. It may be dropped and called again.
    ///
    /// # Errors
    ///
    /// [`StoreError::Compacted`] when batches were missed.
    async fn next(&mut self) -> Result<Arc<Batch>, StoreError>;
}

/// What a store holds at one revision.
#[derive(Debug)]
#[non_exhaustive]
pub struct Loaded {
    /// The revision.
    pub revision: Revision,
    /// Every record, in any order.
    pub records: Vec<(Key, Record)>,
}

impl Loaded {
    /// What a store holds.
    #[must_use]
    pub fn new(revision: Revision, records: Vec<(Key, Record)>) -> Self {
        Self { revision, records }
    }
}

/// The writes of one change.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Batch {
    /// Which change it is.
    pub change: ChangeId,
    /// The revision it was made on.
    pub base: Revision,
    /// Records to keep under their keys, or to forget. A later write to a key goes over an earlier.
    pub writes: Vec<Write>,
}

/// A record to keep under a key, or to forget.
pub type Write = (Key, Option<Record>);

impl Batch {
    /// The writes of `change`, made on `base`.
    #[must_use]
    pub fn new(change: ChangeId, base: Revision, writes: Vec<Write>) -> Self {
        Self { change, base, writes }
    }

    /// The revision it becomes.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.base.next()
    }
}

/// A store did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It is at another revision than the batch was made on.
    #[error("the store is at revision {actual}, not {expected}")]
    Conflict {
        /// The revision the batch was made on.
        expected: Revision,
        /// The revision the store is at.
        actual: Revision,
    },
    /// It cannot be said whether the batch was kept.
    #[error("the outcome of the commit is not known: {0}")]
    Unknown(String),
    /// Batches after this revision are no longer all there.
    #[error("the batches after revision {0} are no longer kept")]
    Compacted(Revision),
    /// It cannot be reached, read or written.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// What it holds cannot be understood.
    #[error("the store holds what cannot be understood: {0}")]
    Corrupt(String),
    /// Somebody else has it open: another process, or this one a second time.
    #[error("the store is in use: {0}")]
    InUse(String),
    /// A later version of this library wrote it.
    #[error("the store has format {found}, and formats up to {known} are known")]
    Format {
        /// The format it has.
        found: u32,
        /// The newest format that is known.
        known: u32,
    },
}
