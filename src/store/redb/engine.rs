//! The database of a store, from being opened to being closed, and what becomes of a commit that
//! failed.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use redb::{Database, ReadTransaction, ReadableDatabase};

use super::disk::{Disk, Tracked};
use super::load;
use super::staged::Staged;
use super::tables::{self, Failed, damaged};
use crate::model::{ChangeId, Revision};
use crate::store::{Batch, Loaded, StoreError};

/// Bytes of the file that the database keeps in memory, between and in commits. The registry has all
/// of it in memory anyway; the operating system keeps the rest.
const CACHE: usize = 16 << 20;

/// A store that is open, or that waits for its disk to work again.
pub(super) struct Engine {
    // Fields are dropped in this order: the database writes to the disk when it is closed.
    open: Option<Open>,
    /// What could not be said to be kept or not.
    pending: Option<Arc<Batch>>,
    disk: Arc<Tracked>,
}

struct Open {
    database: Database,
    backend: Staged,
}

/// What became of a commit that failed.
enum Fate {
    /// It is on disk.
    Kept,
    /// It is not there, and never will be.
    Lost,
}

/// Does something with the database: whatever it does on damaged bytes becomes an error.
fn guarded<T>(backend: &Staged, act: impl FnOnce() -> Result<T, Failed>) -> Result<T, StoreError> {
    let text = match catch_unwind(AssertUnwindSafe(act)) {
        Ok(Ok(done)) => return Ok(done),
        Ok(Err(Failed::Refused(error))) => return Err(error),
        Ok(Err(Failed::Database(text))) => text,
        Err(panic) => match panic.downcast::<String>() {
            Ok(text) => *text,
            Err(panic) => panic.downcast::<&str>().map_or_else(|_| "panic".into(), |t| (*t).into()),
        },
    };
    // After the disk failed the database may say anything.
    Err(backend.failure().map_or(StoreError::Corrupt(text), StoreError::Unavailable))
}

pub(super) fn unavailable(error: &io::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

impl Open {
    fn new(backend: Staged) -> Result<Self, StoreError> {
        let under = backend.clone();
        let build = || {
            let mut builder = Database::builder();
            builder.set_cache_size(CACHE).set_check_integrity_on_open(true);
            Ok(builder.create_with_backend(under)?)
        };
        match guarded(&backend, build) {
            Ok(database) => Ok(Self { database, backend }),
            Err(error) => Err(error),
        }
    }

    /// Over a disk that is only read until [`Staged::go_live`].
    fn staged(disk: &Arc<Tracked>) -> Result<Self, StoreError> {
        let backend = Staged::staging(Arc::clone(disk)).map_err(|error| unavailable(&error))?;
        if disk.is_empty().map_err(|error| unavailable(&error))? {
            return Err(StoreError::Corrupt("there is nothing in it".to_owned()));
        }
        Self::new(backend)
    }

    fn read<T>(
        &self,
        read: impl FnOnce(&ReadTransaction) -> Result<T, Failed>,
    ) -> Result<T, StoreError> {
        guarded(&self.backend, || read(&self.database.begin_read()?))
    }

    fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        guarded(&self.backend, || {
            let mut transaction = self.database.begin_write()?;
            match tables::write(&mut transaction, batch) {
                Ok(()) => Ok(transaction.commit()?),
                Err(failed) => {
                    transaction.abort()?;
                    Err(failed)
                }
            }
        })
    }

    /// Lets go of the database without another write.
    fn abandon(self) {
        self.backend.stop();
        let Self { database, .. } = self;
        drop(catch_unwind(AssertUnwindSafe(move || drop(database))));
    }

    /// Closes the database so that the next one who opens it finds nothing to repair.
    fn close(self) -> Result<(), StoreError> {
        let Self { database, backend } = self;
        guarded(&backend, move || Ok(database.close()?))
    }
}

/// A transaction that reads one revision, whatever is committed meanwhile.
pub(super) struct Reading {
    transaction: ReadTransaction,
    backend: Staged,
}

impl Reading {
    pub(super) fn load(self) -> Result<Loaded, StoreError> {
        guarded(&self.backend, || load::load(&self.transaction))
    }
}

impl Engine {
    /// Opens what is on a disk. Nothing is written before all of it was read.
    pub(super) fn open(disk: Arc<dyn Disk>) -> Result<(Self, Loaded), StoreError> {
        let disk = Arc::new(Tracked::new(disk));
        let open = Open::staged(&disk)?;
        let loaded = match open.read(load::load) {
            Ok(loaded) => loaded,
            Err(error) => {
                open.abandon();
                return Err(error);
            }
        };
        let open = go_live(open)?;
        Ok((Self { open: Some(open), pending: None, disk }, loaded))
    }

    /// Writes a new store to an empty disk.
    pub(super) fn create(disk: Arc<dyn Disk>, loaded: &Loaded) -> Result<(), StoreError> {
        let disk = Arc::new(Tracked::new(disk));
        let open = Open::new(Staged::live(Arc::clone(&disk)))?;
        guarded(&open.backend, || {
            let mut transaction = open.database.begin_write()?;
            tables::fill(&mut transaction, loaded)?;
            Ok(transaction.commit()?)
        })?;
        open.close()?;
        disk.sync().map_err(|error| unavailable(&error))
    }

    /// Commits a batch. `kept` is called for each batch that is now known to be on disk, in order.
    pub(super) fn commit(
        &mut self,
        batch: Arc<Batch>,
        kept: &dyn Fn(Arc<Batch>),
    ) -> Result<(), StoreError> {
        let open = self.ready(kept)?;
        let failed = match open.commit(&batch) {
            Ok(()) => {
                kept(batch);
                return Ok(());
            }
            Err(error) => error,
        };
        if open.backend.failure().is_none() && !matches!(failed, StoreError::Corrupt(_)) {
            return Err(failed);
        }
        self.pending = Some(batch);
        let reopened = self.reopen(kept);
        match (reopened, self.pending.is_some()) {
            (Ok(Some(Fate::Kept)), _) => Ok(()),
            (_, false) => Err(failed),
            (_, true) => Err(StoreError::Unknown(failed.to_string())),
        }
    }

    /// The revision a change became.
    pub(super) fn find(
        &mut self,
        change: ChangeId,
        kept: &dyn Fn(Arc<Batch>),
    ) -> Result<Option<Revision>, StoreError> {
        let found = self.opened(kept)?.read(|transaction| tables::find(transaction, change));
        if self.open.as_ref().is_some_and(|open| open.backend.failure().is_some()) {
            self.close();
        }
        found
    }

    /// A view of what is kept now.
    pub(super) fn reading(&mut self, kept: &dyn Fn(Arc<Batch>)) -> Result<Reading, StoreError> {
        let open = self.opened(kept)?;
        let transaction = guarded(&open.backend, || Ok(open.database.begin_read()?))?;
        Ok(Reading { transaction, backend: open.backend.clone() })
    }

    /// The database, ready for a commit.
    fn ready(&mut self, kept: &dyn Fn(Arc<Batch>)) -> Result<&Open, StoreError> {
        self.disk.check().map_err(|error| unavailable(&error))?;
        self.opened(kept)
    }

    fn opened(&mut self, kept: &dyn Fn(Arc<Batch>)) -> Result<&Open, StoreError> {
        let failed = self.open.as_ref().is_none_or(|open| open.backend.failure().is_some());
        if failed {
            self.reopen(kept)?;
        }
        self.open.as_ref().ok_or_else(|| StoreError::Unavailable("it is closed".to_owned()))
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            open.abandon();
        }
    }

    /// Opens the database again after something failed, and finds out what became of the commit that
    /// was under way.
    fn reopen(&mut self, kept: &dyn Fn(Arc<Batch>)) -> Result<Option<Fate>, StoreError> {
        self.close();
        let open = Open::staged(&self.disk)?;
        let fate = match self.look(&open) {
            Ok(fate) => fate,
            Err(error) => {
                open.abandon();
                return Err(error);
            }
        };
        if let Some(Fate::Lost) = fate {
            // No write of it is made again, so it can no longer appear.
            self.pending = None;
        }
        // What is read may never have reached the disk: the sync that would say so has failed.
        if let Err(error) = self.disk.rewrite() {
            open.abandon();
            return Err(unavailable(&error));
        }
        self.open = Some(go_live(open)?);
        if let Some(batch) = self.pending.take() {
            kept(batch);
        }
        Ok(fate)
    }

    /// Reads everything again, and whether the pending commit is in it.
    fn look(&self, open: &Open) -> Result<Option<Fate>, StoreError> {
        open.read(|transaction| {
            let state = load::verify(transaction)?;
            let Some(batch) = &self.pending else {
                return Ok(None);
            };
            match tables::find(transaction, batch.change)? {
                None if state.revision == batch.base => Ok(Some(Fate::Lost)),
                Some(revision) if revision == batch.revision() && revision == state.revision => {
                    Ok(Some(Fate::Kept))
                }
                _ => Err(damaged(format!("it went back to revision {}", state.revision))),
            }
        })
    }
}

/// Makes the writes that opening needed; now the database may be used.
fn go_live(open: Open) -> Result<Open, StoreError> {
    match open.backend.go_live() {
        Ok(()) => Ok(open),
        Err(error) => {
            open.abandon();
            Err(unavailable(&error))
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(open) = self.open.take() {
            // The next one who opens it repairs what closing could not finish.
            drop(open.close());
        }
    }
}
