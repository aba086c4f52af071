//! A disk that remembers what was done to it, so that it can be had as a crash would leave it.

use std::io;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard};

use backhaul::testing::store::disk::{Disk, MemoryDisk};

#[derive(Clone, Debug)]
pub(super) enum Operation {
    Write(u64, Vec<u8>),
    SetLen(u64),
    Synced,
    /// What was not synced before is not on the disk, and will not be by itself.
    NotSynced,
}

/// What a crash leaves of what was not synced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Left {
    All,
    Nothing,
    Even,
    Odd,
}

pub(super) const LEFT: [Left; 4] = [Left::All, Left::Nothing, Left::Even, Left::Odd];

/// A disk that shows at once what was written, and keeps what was synced.
#[derive(Debug)]
pub(super) struct CrashDisk {
    base: Vec<u8>,
    shown: MemoryDisk,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    operations: Vec<Operation>,
    calls: usize,
    faults: Range<usize>,
}

impl CrashDisk {
    pub(super) fn new(base: Vec<u8>) -> Self {
        let shown = MemoryDisk::new(base.clone());
        Self { base, shown, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Which calls from now on fail, counted from 0.
    pub(super) fn fail(&self, calls: Range<usize>) {
        let mut state = self.state();
        state.calls = 0;
        state.faults = calls;
    }

    /// Calls since [`fail`](Self::fail).
    pub(super) fn calls(&self) -> usize {
        self.state().calls
    }

    pub(super) fn operations(&self) -> Vec<Operation> {
        self.state().operations.clone()
    }

    pub(super) fn image(&self) -> Vec<u8> {
        self.shown.image()
    }

    /// The bytes after a crash now.
    pub(super) fn crashed(&self, left: Left) -> Vec<u8> {
        crashed(&self.base, &self.operations(), None, left)
    }

    fn call(&self) -> io::Result<()> {
        let mut state = self.state();
        let call = state.calls;
        state.calls += 1;
        if state.faults.contains(&call) { Err(io::Error::other("injected")) } else { Ok(()) }
    }

    fn note(&self, operation: Operation) {
        self.state().operations.push(operation);
    }
}

fn apply(disk: &MemoryDisk, operation: &Operation) {
    match operation {
        Operation::Write(offset, data) => disk.write(*offset, data).unwrap(),
        Operation::SetLen(len) => disk.set_len(*len).unwrap(),
        Operation::Synced | Operation::NotSynced => {}
    }
}

/// What a crash after `operations` leaves, and of half of the write `torn` as well.
pub(super) fn crashed(
    base: &[u8],
    operations: &[Operation],
    torn: Option<&Operation>,
    left: Left,
) -> Vec<u8> {
    let disk = MemoryDisk::new(base.to_vec());
    let mut unsynced: Vec<&Operation> = Vec::new();
    for operation in operations {
        match operation {
            Operation::Synced => unsynced.drain(..).for_each(|operation| apply(&disk, operation)),
            Operation::NotSynced => unsynced.clear(),
            _ => unsynced.push(operation),
        }
    }
    for (number, operation) in unsynced.into_iter().enumerate() {
        if match left {
            Left::All => true,
            Left::Nothing => false,
            Left::Even => number % 2 == 0,
            Left::Odd => number % 2 == 1,
        } {
            apply(&disk, operation);
        }
    }
    if let Some(Operation::Write(offset, data)) = torn {
        apply(&disk, &Operation::Write(*offset, data[..data.len() / 2].to_vec()));
    }
    disk.image()
}

impl Disk for CrashDisk {
    fn len(&self) -> io::Result<u64> {
        self.call()?;
        self.shown.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.call()?;
        self.shown.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.call()?;
        self.shown.set_len(len)?;
        self.note(Operation::SetLen(len));
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let called = self.call();
        // A write that fails has done a part of its work.
        let done = if called.is_ok() { data } else { &data[..data.len() / 2] };
        self.shown.write(offset, done)?;
        self.note(Operation::Write(offset, done.to_vec()));
        called
    }

    fn sync(&self) -> io::Result<()> {
        let called = self.call();
        self.note(if called.is_ok() { Operation::Synced } else { Operation::NotSynced });
        called
    }
}
