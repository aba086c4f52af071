//! A store in one file.
//!
//! | file | question |
//! |---|---|
//! | `file` | where is it, who has it open, and how does it come to be? |
//! | `disk`, `staged` | when are bytes written, and what if they cannot be? |
//! | `engine` | when is the database open, and what became of a commit that failed? |
//! | `tables`, `key`, `value` | what do the bytes mean? |
//! | `load` | how is all of it read and checked? |

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use self::disk::Disk;
use self::engine::Engine;
use self::file::StoreFile;
use super::recent::Recent;
use super::{Batch, Feed, Loaded, Store, StoreError};
use crate::model::{ChangeId, Revision};

pub(crate) mod disk;
mod engine;
mod file;
mod key;
mod load;
mod staged;
mod tables;
pub(super) mod value;

/// Keeps a registry's state in one file, through crashes of the process and of the machine.
///
/// * **A commit that returned is on disk.** One that failed with anything but
///   [`StoreError::Unknown`] is not there and never will be.
/// * **All or nothing.** A crash at any point leaves the batches that were acknowledged, and of the one
///   under way all or nothing.
/// * **Damage is found, not served.** Every value carries a hash, and the file their number and sum.
///   A file that cannot be opened is left byte for byte as it was.
/// * **One at a time.** While it is open nobody else opens it: [`StoreError::InUse`].
///
/// After an error of the disk the next call opens the file again, so that it works as soon as the disk
/// does. A file that was removed or replaced takes no more commits.
///
/// The file is for local file systems: locks and syncs of network file systems promise less.
///
/// Clones are handles to the same store: several registries of a process follow each other. It is
/// closed with the last of them, which takes a few syncs where it is dropped; a process that ends
/// without leaves the file for the next one to repair. It needs a tokio runtime, whose threads for
/// blocking work it uses, and a build in which panics unwind.
#[derive(Clone)]
pub struct RedbStore(Arc<Shared>);

struct Shared {
    engine: Mutex<Engine>,
    recent: Arc<Recent>,
    /// What opening read, for the first who loads.
    first: Mutex<Option<Loaded>>,
}

/// Nothing of what it holds is shown: there are secrets in it.
impl fmt::Debug for RedbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedbStore")
    }
}

impl RedbStore {
    /// Opens the store at `path`, and makes an empty one if there is none.
    ///
    /// All of it is read and checked; until that is done nothing is written. A new file can be read
    /// and written by its owner only, whatever the umask, and appears whole. A symbolic link is
    /// followed if it leads to a file. A file without a byte in it is no store: whatever made it so
    /// may have taken everything there was, and starting empty would hide that.
    ///
    /// Dropping the future has no effect on what is opened: the file may stay locked until it is done.
    ///
    /// # Errors
    ///
    /// [`StoreError::InUse`] when somebody has it open, [`StoreError::Format`] when it is newer than
    /// this library, [`StoreError::Corrupt`] when it is no store or a damaged one, and
    /// [`StoreError::Unavailable`] when it cannot be read or written.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let path = path.into();
        blocking(move || {
            let file = match StoreFile::open(&path)? {
                Some(file) => file,
                None => {
                    let made = create(&path, &Loaded::new(Revision::ZERO, Vec::new()));
                    // Somebody else may have made it in between; then it is theirs that is opened.
                    match (StoreFile::open(&path)?, made) {
                        (Some(file), _) => file,
                        (None, Err(error)) => return Err(error),
                        (None, Ok(())) => {
                            return Err(StoreError::Unavailable("the file was removed".to_owned()));
                        }
                    }
                }
            };
            Self::on(Arc::new(file))
        })
        .await
    }

    /// Makes a store at `path`, where nothing must be, that holds what `loaded` says: a backup, or a
    /// restored one. It appears whole, on disk, or not at all.
    ///
    /// Changes whose revision record is among the records are found again.
    ///
    /// Dropping the future does not stop it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when there is something at `path`, or it cannot be written.
    /// [`StoreError::Corrupt`] when a key is there twice.
    pub async fn create(path: impl Into<PathBuf>, loaded: Loaded) -> Result<(), StoreError> {
        let path = path.into();
        blocking(move || create(&path, &loaded)).await
    }

    /// Opens the store on a disk, and makes an empty one if it is empty.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    #[cfg(feature = "testing")]
    pub async fn on_disk(disk: Arc<dyn Disk>) -> Result<Self, StoreError> {
        blocking(move || {
            if disk.is_empty().map_err(|error| engine::unavailable(&error))? {
                let nothing = Loaded::new(Revision::ZERO, Vec::new());
                Engine::create(Arc::clone(&disk), &nothing)?;
            }
            Self::on(disk)
        })
        .await
    }

    fn on(disk: Arc<dyn Disk>) -> Result<Self, StoreError> {
        let (engine, loaded) = Engine::open(disk)?;
        let recent = Arc::new(Recent::new(loaded.revision));
        let (engine, first) = (Mutex::new(engine), Mutex::new(Some(loaded)));
        Ok(Self(Arc::new(Shared { engine, recent, first })))
    }

    /// Does something with the engine where it holds up nobody.
    async fn engine<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Shared, &mut Engine) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = Arc::clone(&self.0);
        blocking(move || act(&shared, &mut shared.engine())).await
    }
}

impl Shared {
    fn engine(&self) -> MutexGuard<'_, Engine> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn first(&self) -> Option<Loaded> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Tells of a batch that is on disk. The caller has the engine, so they come in order.
    fn kept(&self, batch: Arc<Batch>) {
        drop(self.first());
        self.recent.keep(batch);
    }
}

fn create(path: &Path, loaded: &Loaded) -> Result<(), StoreError> {
    file::create(path, |file| Engine::create(Arc::new(file), loaded))
}

/// Runs what blocks on a thread that may be blocked.
async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    // It fails when the runtime is shut down, and it cannot be said how far it came.
    let failed = |error: tokio::task::JoinError| Err(StoreError::Unknown(error.to_string()));
    tokio::task::spawn_blocking(act).await.unwrap_or_else(failed)
}

#[async_trait]
impl Store for RedbStore {
    async fn load(&self) -> Result<Loaded, StoreError> {
        let shared = Arc::clone(&self.0);
        blocking(move || {
            let reading = {
                let mut engine = shared.engine();
                if let Some(first) = shared.first() {
                    return Ok(first);
                }
                engine.reading(&|batch| shared.kept(batch))?
            };
            // Commits go on meanwhile.
            reading.load()
        })
        .await
    }

    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.engine(|shared, engine| engine.commit(Arc::new(batch), &|batch| shared.kept(batch)))
            .await
    }

    async fn find(&self, change: ChangeId) -> Result<Option<Revision>, StoreError> {
        self.engine(move |shared, engine| engine.find(change, &|batch| shared.kept(batch))).await
    }

    async fn watch(&self, after: Revision) -> Result<Box<dyn Feed>, StoreError> {
        self.0.recent.watch(after)
    }
}
