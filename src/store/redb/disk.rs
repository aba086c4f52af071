//! What a store is kept on, and which of its bytes may not have reached it.

#![cfg_attr(
    not(feature = "testing"),
    allow(
        unreachable_pub,
        unnameable_types,
        reason = "the trait can be named with `testing` only"
    )
)]

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of the blocks that are told apart when it comes to what is on the disk.
pub(super) const BLOCK: u64 = 4096;

/// Bytes that outlive the process.
///
/// What was written is read back at once; it outlives a crash of the machine from the next
/// [`sync`](Self::sync) on that returns without an error.
pub trait Disk: fmt::Debug + Send + Sync + 'static {
    /// How many bytes there are.
    ///
    /// # Errors
    ///
    /// When it cannot be found out.
    fn len(&self) -> io::Result<u64>;

    /// Whether there is no byte.
    ///
    /// # Errors
    ///
    /// When it cannot be found out.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Fills `out` with the bytes at `offset`.
    ///
    /// # Errors
    ///
    /// When they cannot be read, or there are not as many.
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;

    /// Makes it `len` bytes long; new bytes are zero.
    ///
    /// # Errors
    ///
    /// When it stays as it was.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Writes `data` at `offset`.
    ///
    /// # Errors
    ///
    /// When not all of it was written.
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()>;

    /// Returns when everything that was written outlives a crash.
    ///
    /// # Errors
    ///
    /// When that cannot be said of something.
    fn sync(&self) -> io::Result<()>;

    /// Whether others still find it where it was opened.
    ///
    /// # Errors
    ///
    /// When something else is there, or nothing.
    fn check(&self) -> io::Result<()> {
        Ok(())
    }
}

/// A disk that remembers what was written since it was last synced.
///
/// After a sync that failed, the operating system may show bytes that never reached the disk and hold
/// them for written. They are what is remembered here, and [`rewrite`](Self::rewrite) writes them again.
#[derive(Debug)]
pub(super) struct Tracked {
    disk: Arc<dyn Disk>,
    unsynced: Mutex<BTreeSet<u64>>,
}

impl Tracked {
    pub(super) fn new(disk: Arc<dyn Disk>) -> Self {
        Self { disk, unsynced: Mutex::default() }
    }

    fn unsynced(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.unsynced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn len(&self) -> io::Result<u64> {
        self.disk.len()
    }

    pub(super) fn is_empty(&self) -> io::Result<bool> {
        self.disk.is_empty()
    }

    pub(super) fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.disk.read(offset, out)
    }

    pub(super) fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.set_len(len)
    }

    pub(super) fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let length = u64::try_from(data.len()).map_err(io::Error::other)?;
        // Before the write: one that fails may have written a part.
        self.unsynced().extend(blocks(offset, length));
        self.disk.write(offset, data)
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        // What is written meanwhile is not in what is taken.
        let mut before = std::mem::take(&mut *self.unsynced());
        let synced = self.disk.sync();
        if synced.is_err() {
            self.unsynced().append(&mut before);
        }
        synced
    }

    pub(super) fn check(&self) -> io::Result<()> {
        self.disk.check()
    }

    /// Writes again what may not have reached the disk, as it is read now, and syncs it.
    pub(super) fn rewrite(&self) -> io::Result<()> {
        let doubtful = self.unsynced().clone();
        if doubtful.is_empty() {
            return Ok(());
        }
        let end = self.len()?;
        for block in doubtful {
            let offset = block.saturating_mul(BLOCK);
            let length = end.saturating_sub(offset).min(BLOCK);
            let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
            self.read(offset, &mut bytes)?;
            self.write(offset, &bytes)?;
        }
        self.sync()
    }
}

/// The blocks that `length` bytes at `offset` lie in.
pub(super) fn blocks(offset: u64, length: u64) -> std::ops::Range<u64> {
    let end = offset.saturating_add(length);
    if length == 0 { 0..0 } else { offset / BLOCK..end.div_ceil(BLOCK) }
}
