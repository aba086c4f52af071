//! The tables of a store, and how a batch changes them.
//!
//! | table | key | value |
//! |---|---|---|
//! | `records` | a [`Key`](crate::store::Key) | a record |
//! | `changes` | a change's id | the revision it became |
//! | `meta` | `format` | the format's number: every later format keeps this row as it is |
//! | `meta` | `state` | revision, number of records and of changes, sum of their hashes |
//!
//! Every value begins with a hash of its key and of the rest.

use redb::{Durability, ReadTransaction, ReadableTable, Table, TableDefinition, WriteTransaction};

use super::key::{self, KeyBytes};
use super::value;
use crate::model::{ChangeId, Revision};
use crate::store::{Batch, Key, Loaded, Record, StoreError};

type Bytes = TableDefinition<'static, &'static [u8], &'static [u8]>;

pub(super) const RECORDS: Bytes = TableDefinition::new("records");
pub(super) const CHANGES: Bytes = TableDefinition::new("changes");
const META: Bytes = TableDefinition::new("meta");

const FORMAT_ROW: &[u8] = b"format";
const STATE_ROW: &[u8] = b"state";

/// The newest format that is known, and the one that is written.
const FORMAT: u32 = 1;

/// What went wrong: in the database, or with what is in it.
#[derive(Debug)]
pub(super) enum Failed {
    /// The database does not go on, or holds what it must not.
    Database(String),
    /// What was asked cannot be done; the database is as it was.
    Refused(StoreError),
}

impl<E: Into<redb::Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self::Database(error.into().to_string())
    }
}

pub(super) fn damaged(what: impl Into<String>) -> Failed {
    Failed::Refused(StoreError::Corrupt(what.into()))
}

/// What a store says of itself. It is compared with what is found in it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct State {
    pub(super) revision: Revision,
    pub(super) records: u64,
    pub(super) changes: u64,
    /// The sum of the hashes of all values of `records` and `changes`.
    digest: u64,
}

impl State {
    pub(super) fn at(revision: Revision) -> Self {
        Self { revision, ..Self::default() }
    }

    /// Counts a value in.
    pub(super) fn add(&mut self, hash: u64) {
        self.digest = self.digest.wrapping_add(hash);
    }

    fn payload(self) -> [u8; 32] {
        let numbers = [self.revision.as_u64(), self.records, self.changes, self.digest];
        let mut bytes = [0; 32];
        for (to, from) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(numbers) {
            *to = from.to_be_bytes();
        }
        bytes
    }

    fn parse(payload: &[u8]) -> Option<Self> {
        let (numbers, []) = payload.as_chunks::<8>() else {
            return None;
        };
        let [revision, records, changes, digest] =
            <[[u8; 8]; 4]>::try_from(numbers).ok()?.map(u64::from_be_bytes);
        Some(Self { revision: Revision::new(revision), records, changes, digest })
    }
}

fn read_state(meta: &impl ReadableTable<&'static [u8], &'static [u8]>) -> Result<State, Failed> {
    let row = |name: &'static [u8]| -> Result<Option<Vec<u8>>, Failed> {
        let value = meta.get(name)?;
        Ok(value.and_then(|value| value::unseal(name, value.value()).map(<[u8]>::to_vec)))
    };
    let format = row(FORMAT_ROW)?.and_then(|row| Some(u32::from_be_bytes(row.try_into().ok()?)));
    match format {
        Some(FORMAT) => {}
        Some(found) => {
            return Err(Failed::Refused(StoreError::Format { found, known: FORMAT }));
        }
        None => return Err(damaged("its format")),
    }
    row(STATE_ROW)?.and_then(|row| State::parse(&row)).ok_or_else(|| damaged("its state"))
}

/// The state a store says it is in.
pub(super) fn state(transaction: &ReadTransaction) -> Result<State, Failed> {
    read_state(&transaction.open_table(META)?)
}

/// The revision a change became.
pub(super) fn find(
    transaction: &ReadTransaction,
    change: ChangeId,
) -> Result<Option<Revision>, Failed> {
    let key = change.bits().to_be_bytes();
    let Some(value) = transaction.open_table(CHANGES)?.get(key.as_slice())? else {
        return Ok(None);
    };
    match change_row(&key, value.value()) {
        Some(revision) => Ok(Some(revision)),
        None => Err(damaged(format!("change {change}"))),
    }
}

/// The revision in a row of `changes`.
pub(super) fn change_row(key: &[u8], value: &[u8]) -> Option<Revision> {
    let payload = value::unseal(key, value)?;
    Some(Revision::new(u64::from_be_bytes(payload.try_into().ok()?)))
}

/// The tables while a batch is written.
struct Writing<'txn> {
    records: Table<'txn, &'static [u8], &'static [u8]>,
    changes: Table<'txn, &'static [u8], &'static [u8]>,
    state: State,
}

impl Writing<'_> {
    fn put(&mut self, key: Key, record: &Record) -> Result<(), Failed> {
        let Some(value) = value::encode(key, record) else {
            let why = format!("{key:?} cannot be written: it is of another sort");
            return Err(Failed::Refused(StoreError::Unavailable(why)));
        };
        let bytes = key::encode(key);
        let old = self.records.insert(bytes.as_slice(), value.as_slice())?;
        let old = old.map(|old| old.value().to_vec());
        self.state.records = self.state.records.wrapping_add(1);
        self.state.digest = self.state.digest.wrapping_add(value::stated(&value).unwrap_or(0));
        self.replaced(key, bytes, old)
    }

    fn forget(&mut self, key: Key) -> Result<(), Failed> {
        let bytes = key::encode(key);
        let old = self.records.remove(bytes.as_slice())?.map(|old| old.value().to_vec());
        self.replaced(key, bytes, old)
    }

    /// Takes account of what is no longer there.
    fn replaced(&mut self, key: Key, bytes: KeyBytes, old: Option<Vec<u8>>) -> Result<(), Failed> {
        let Some(old) = old else {
            return Ok(());
        };
        let Some(payload) = value::unseal(bytes.as_slice(), &old) else {
            return Err(damaged(format!("{key:?}")));
        };
        self.state.records = self.state.records.wrapping_sub(1);
        self.state.digest = self.state.digest.wrapping_sub(value::stated(&old).unwrap_or(0));
        if let (Key::Revision(_), Some(change)) = (key, value::change(payload)) {
            self.forget_change(change)?;
        }
        Ok(())
    }

    fn note_change(&mut self, change: ChangeId, revision: Revision) -> Result<(), Failed> {
        self.forget_change(change)?;
        let key = change.bits().to_be_bytes();
        let value = value::seal(&key, &revision.as_u64().to_be_bytes());
        self.changes.insert(key.as_slice(), value.as_slice())?;
        self.state.changes = self.state.changes.wrapping_add(1);
        self.state.digest = self.state.digest.wrapping_add(value::stated(&value).unwrap_or(0));
        Ok(())
    }

    fn forget_change(&mut self, change: ChangeId) -> Result<(), Failed> {
        let key = change.bits().to_be_bytes();
        if let Some(old) = self.changes.remove(key.as_slice())? {
            let hash = value::stated(old.value()).unwrap_or(0);
            self.state.changes = self.state.changes.wrapping_sub(1);
            self.state.digest = self.state.digest.wrapping_sub(hash);
        }
        Ok(())
    }
}

fn write_state(
    meta: &mut Table<'_, &'static [u8], &'static [u8]>,
    state: State,
) -> Result<(), Failed> {
    let value = value::seal(STATE_ROW, &state.payload());
    meta.insert(STATE_ROW, value.as_slice())?;
    Ok(())
}

/// Writes a batch; it is on disk when the transaction is committed.
pub(super) fn write(transaction: &mut WriteTransaction, batch: &Batch) -> Result<(), Failed> {
    transaction.set_durability(Durability::Immediate)?;
    let mut meta = transaction.open_table(META)?;
    let state = read_state(&meta)?;
    if state.revision != batch.base {
        let (expected, actual) = (batch.base, state.revision);
        return Err(Failed::Refused(StoreError::Conflict { expected, actual }));
    }
    let records = transaction.open_table(RECORDS)?;
    let changes = transaction.open_table(CHANGES)?;
    let mut writing = Writing { records, changes, state };
    for (key, record) in &batch.writes {
        match record {
            Some(record) => writing.put(*key, record)?,
            None => writing.forget(*key)?,
        }
    }
    writing.note_change(batch.change, batch.revision())?;
    writing.state.revision = batch.revision();
    write_state(&mut meta, writing.state)
}

/// Writes everything a new store holds.
pub(super) fn fill(transaction: &mut WriteTransaction, loaded: &Loaded) -> Result<(), Failed> {
    transaction.set_durability(Durability::Immediate)?;
    let mut meta = transaction.open_table(META)?;
    let format = value::seal(FORMAT_ROW, &FORMAT.to_be_bytes());
    meta.insert(FORMAT_ROW, format.as_slice())?;
    let records = transaction.open_table(RECORDS)?;
    let changes = transaction.open_table(CHANGES)?;
    let mut writing = Writing { records, changes, state: State::at(loaded.revision) };
    for (count, (key, record)) in (1..).zip(&loaded.records) {
        writing.put(*key, record)?;
        if writing.state.records != count {
            return Err(damaged(format!("{key:?} is there twice")));
        }
        if let (Key::Revision(revision), Record::Revision(record)) = (key, record) {
            writing.note_change(record.change, *revision)?;
        }
    }
    write_state(&mut meta, writing.state)
}
