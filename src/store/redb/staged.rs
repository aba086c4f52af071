//! Between the database and the disk: until a store was read and found good, nothing is written.
//!
//! The database repairs a file while it opens it. Those writes go into a log that lies over the file;
//! only [`Staged::go_live`] makes them, in the order they came. So a file that cannot be opened stays
//! as it was found, and a crash during a repair is one that the database itself is made for.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use redb::StorageBackend;

use super::disk::{BLOCK, Tracked, blocks};

/// The most that a repair may write before it counts as damage: it writes what says which pages are
/// used, a bit each and then some, and not the pages.
const MAX_LOG: usize = 256 << 20;

/// What the database of a store reads and writes.
#[derive(Clone)]
pub(super) struct Staged(Arc<Shared>);

struct Shared {
    disk: Arc<Tracked>,
    mode: RwLock<Mode>,
    /// What the disk failed with first: errors of the database that come after are its fault.
    failed: Mutex<Option<String>>,
}

enum Mode {
    /// Writes go into the log.
    Staging(Overlay),
    /// Writes go to the disk.
    Live,
    /// Nothing goes anywhere any more.
    Dead,
}

struct Overlay {
    log: Vec<Operation>,
    logged: usize,
    len: u64,
    /// Up to where the disk's bytes count; those behind are zero.
    disk_len: u64,
    blocks: BTreeMap<u64, Vec<u8>>,
}

enum Operation {
    Write(u64, Vec<u8>),
    SetLen(u64),
    Sync,
}

/// Nothing of what is written is shown: there are secrets in it.
impl fmt::Debug for Staged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Staged")
    }
}

impl Staged {
    /// Over a disk that is to stay as it is for now.
    pub(super) fn staging(disk: Arc<Tracked>) -> io::Result<Self> {
        let len = disk.len()?;
        let (log, blocks) = (Vec::new(), BTreeMap::new());
        let overlay = Overlay { log, logged: 0, len, disk_len: len, blocks };
        Ok(Self::new(disk, Mode::Staging(overlay)))
    }

    /// Over a disk that is written at once.
    pub(super) fn live(disk: Arc<Tracked>) -> Self {
        Self::new(disk, Mode::Live)
    }

    fn new(disk: Arc<Tracked>, mode: Mode) -> Self {
        Self(Arc::new(Shared { disk, mode: RwLock::new(mode), failed: Mutex::default() }))
    }

    /// What the disk failed with, if it did.
    pub(super) fn failure(&self) -> Option<String> {
        self.0.failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes the writes of the log; from now on writes go to the disk.
    ///
    /// After an error nothing is written any more.
    pub(super) fn go_live(&self) -> io::Result<()> {
        let mut mode = self.0.mode.write().unwrap_or_else(PoisonError::into_inner);
        let Mode::Staging(overlay) = std::mem::replace(&mut *mode, Mode::Dead) else {
            return Err(dead());
        };
        let disk = &self.0.disk;
        for operation in &overlay.log {
            self.noted(match operation {
                Operation::Write(offset, data) => disk.write(*offset, data),
                Operation::SetLen(len) => disk.set_len(*len),
                Operation::Sync => disk.sync(),
            })?;
        }
        *mode = Mode::Live;
        Ok(())
    }

    /// From now on nothing is written.
    pub(super) fn stop(&self) {
        *self.0.mode.write().unwrap_or_else(PoisonError::into_inner) = Mode::Dead;
    }

    fn noted<T>(&self, done: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &done {
            let mut failed = self.0.failed.lock().unwrap_or_else(PoisonError::into_inner);
            failed.get_or_insert_with(|| error.to_string());
        }
        done
    }

    /// Does something in the overlay or, when live, on the disk.
    fn change(
        &self,
        staged: impl FnOnce(&mut Overlay, &Tracked) -> io::Result<()>,
        live: impl FnOnce(&Tracked) -> io::Result<()>,
    ) -> io::Result<()> {
        let mode = self.0.mode.read().unwrap_or_else(PoisonError::into_inner);
        match *mode {
            Mode::Live => return self.noted(live(&self.0.disk)),
            Mode::Dead => return Err(dead()),
            Mode::Staging(_) => drop(mode),
        }
        match &mut *self.0.mode.write().unwrap_or_else(PoisonError::into_inner) {
            Mode::Staging(overlay) => staged(overlay, &self.0.disk),
            _ => Err(dead()),
        }
    }
}

fn dead() -> io::Error {
    io::Error::other("the store was closed after an error")
}

fn outside() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "there is nothing at this offset")
}

fn bytes(length: usize) -> io::Result<u64> {
    u64::try_from(length).map_err(io::Error::other)
}

fn size(length: u64) -> io::Result<usize> {
    usize::try_from(length).map_err(io::Error::other)
}

impl StorageBackend for Staged {
    fn len(&self) -> io::Result<u64> {
        match &*self.0.mode.read().unwrap_or_else(PoisonError::into_inner) {
            Mode::Staging(overlay) => Ok(overlay.len),
            Mode::Live => self.noted(self.0.disk.len()),
            Mode::Dead => Err(dead()),
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        match &*self.0.mode.read().unwrap_or_else(PoisonError::into_inner) {
            Mode::Staging(overlay) => {
                if offset.checked_add(bytes(out.len())?).is_none_or(|end| end > overlay.len) {
                    return Err(outside());
                }
                let on_disk = size(overlay.disk_len.saturating_sub(offset))?.min(out.len());
                let (old, new) = out.split_at_mut(on_disk);
                new.fill(0);
                if !old.is_empty() {
                    self.noted(self.0.disk.read(offset, old))?;
                }
                overlay.lay_over(offset, out)
            }
            Mode::Live => self.noted(self.0.disk.read(offset, out)),
            Mode::Dead => Err(dead()),
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let staged = |overlay: &mut Overlay, _: &Tracked| overlay.set_len(len);
        self.change(staged, |disk| disk.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        let staged = |overlay: &mut Overlay, _: &Tracked| overlay.push(Operation::Sync, 0);
        self.change(staged, Tracked::sync)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let staged = |overlay: &mut Overlay, disk: &Tracked| {
            overlay.write(offset, data, &|offset, out| self.noted(disk.read(offset, out)))
        };
        self.change(staged, |disk| disk.write(offset, data))
    }
}

/// Reads the disk.
type Read<'a> = dyn Fn(u64, &mut [u8]) -> io::Result<()> + 'a;

impl Overlay {
    fn push(&mut self, operation: Operation, size: usize) -> io::Result<()> {
        self.logged = self.logged.saturating_add(size).saturating_add(size_of::<Operation>());
        if self.logged > MAX_LOG {
            return Err(io::Error::other("repairing it would write more than there can be"));
        }
        self.log.push(operation);
        Ok(())
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.push(Operation::SetLen(len), 0)?;
        self.len = len;
        self.disk_len = self.disk_len.min(len);
        // Of the block the end lies in, what is behind the end is gone.
        let _ = self.blocks.split_off(&len.div_ceil(BLOCK));
        if let Some(last) = self.blocks.get_mut(&(len / BLOCK)) {
            let kept = size(len % BLOCK)?;
            last.iter_mut().skip(kept).for_each(|byte| *byte = 0);
        }
        Ok(())
    }

    fn write(&mut self, offset: u64, data: &[u8], disk: &Read<'_>) -> io::Result<()> {
        let length = bytes(data.len())?;
        if offset.checked_add(length).is_none_or(|end| end > self.len) {
            return Err(outside());
        }
        self.push(Operation::Write(offset, data.to_vec()), data.len())?;
        for number in blocks(offset, length) {
            let start = number.saturating_mul(BLOCK);
            let block = match self.blocks.entry(number) {
                std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
                std::collections::btree_map::Entry::Vacant(entry) => {
                    let mut block = vec![0; size(BLOCK)?];
                    let old = size(self.disk_len.saturating_sub(start).min(BLOCK))?;
                    if let Some(old) = block.get_mut(..old).filter(|old| !old.is_empty()) {
                        disk(start, old)?;
                    }
                    entry.insert(block)
                }
            };
            let (to, from) = overlap(start, block.len(), offset, data.len())?;
            copy(block.get_mut(to), data.get(from))?;
        }
        Ok(())
    }

    /// Puts what was written over what the disk holds at `offset`.
    fn lay_over(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let length = out.len();
        for (number, block) in self.blocks.range(blocks(offset, bytes(length)?)) {
            let start = number.saturating_mul(BLOCK);
            let (from, to) = overlap(start, block.len(), offset, length)?;
            copy(out.get_mut(to), block.get(from))?;
        }
        Ok(())
    }
}

type Span = std::ops::Range<usize>;

/// Where `one_length` bytes at `one` and `other_length` bytes at `other` are the same bytes.
fn overlap(
    one: u64,
    one_length: usize,
    other: u64,
    other_length: usize,
) -> io::Result<(Span, Span)> {
    let start = one.max(other);
    let end =
        one.saturating_add(bytes(one_length)?).min(other.saturating_add(bytes(other_length)?));
    let within = |from: u64| -> io::Result<Span> {
        Ok(size(start.saturating_sub(from))?..size(end.saturating_sub(from))?)
    };
    Ok((within(one)?, within(other)?))
}

fn copy(to: Option<&mut [u8]>, from: Option<&[u8]>) -> io::Result<()> {
    match (to, from) {
        (Some(to), Some(from)) if to.len() == from.len() => {
            to.copy_from_slice(from);
            Ok(())
        }
        _ => Err(outside()),
    }
}
