//! Disks for trying the store in a file, without a file.

use std::fmt;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use crate::store::redb::disk::Disk;

/// The longest a disk in memory becomes: damage must not make it take all there is.
const MAX_LEN: u64 = 1 << 30;

/// A disk in memory.
#[derive(Default)]
pub struct MemoryDisk(Mutex<Vec<u8>>);

impl fmt::Debug for MemoryDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryDisk({} bytes)", self.bytes().len())
    }
}

impl MemoryDisk {
    /// A disk with these bytes on it.
    #[must_use]
    pub fn new(image: Vec<u8>) -> Self {
        Self(Mutex::new(image))
    }

    /// The bytes on it.
    #[must_use]
    pub fn image(&self) -> Vec<u8> {
        self.bytes().clone()
    }

    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn span(offset: u64, length: usize) -> Option<std::ops::Range<usize>> {
    let start = usize::try_from(offset).ok()?;
    Some(start..start.checked_add(length)?)
}

impl Disk for MemoryDisk {
    fn len(&self) -> io::Result<u64> {
        u64::try_from(self.bytes().len()).map_err(io::Error::other)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let bytes = self.bytes();
        let from = span(offset, out.len()).and_then(|span| bytes.get(span));
        out.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        if len > MAX_LEN {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.bytes().resize(usize::try_from(len).map_err(io::Error::other)?, 0);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let span = span(offset, data.len()).ok_or(io::ErrorKind::StorageFull)?;
        let end = u64::try_from(span.end).map_err(io::Error::other)?;
        if end > self.len()? {
            self.set_len(end)?;
        }
        let mut bytes = self.bytes();
        let to = bytes.get_mut(span).ok_or(io::ErrorKind::UnexpectedEof)?;
        to.copy_from_slice(data);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
