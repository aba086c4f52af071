//! The tables of a store, and how a batch changes them.
//!
//! | table | key | value |
//! |---|---|---|
//! | `meta` | `format` | the format's number: every later format keeps this row as it is |
//! | `rows` | a [`Key`](crate::store::Key) | a record |
//! | `rows` | a revision, once more | the id of the change that became it |
//! | `rows` | the last one | the store's state: revision, number of rows of either sort, sum of their hashes |
//!
//! Every value begins with a hash of its key and of the rest. What every commit writes stands together
//! at the end of one table: each page more is time that every change takes.

use redb::{Durability, ReadTransaction, ReadableTable, Table, TableDefinition, WriteTransaction};

use super::key::{self, KeyBytes, Row};
use super::value;
use crate::model::{ChangeId, Revision};
use crate::store::{Batch, Key, Loaded, Record, StoreError};

type Bytes = TableDefinition<'static, &'static [u8], &'static [u8]>;

pub(super) const ROWS: Bytes = TableDefinition::new("rows");
const META: Bytes = TableDefinition::new("meta");

const FORMAT_ROW: &[u8] = b"format";

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
    /// The sum of the hashes of all other rows.
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

/// Whether the format is the one that is known.
fn check_format(meta: &impl ReadableTable<&'static [u8], &'static [u8]>) -> Result<(), Failed> {
    let row = meta.get(FORMAT_ROW)?;
    let format = row.as_ref().and_then(|row| value::unseal(FORMAT_ROW, row.value()));
    match format.and_then(|row| Some(u32::from_be_bytes(row.try_into().ok()?))) {
        Some(FORMAT) => Ok(()),
        Some(found) => Err(Failed::Refused(StoreError::Format { found, known: FORMAT })),
        None => Err(damaged("its format")),
    }
}

fn read_state(rows: &impl ReadableTable<&'static [u8], &'static [u8]>) -> Result<State, Failed> {
    let key = key::of_state();
    let row = rows.get(key.as_slice())?;
    let state = row.as_ref().and_then(|row| value::unseal(key.as_slice(), row.value()));
    state.and_then(State::parse).ok_or_else(|| damaged("its state"))
}

/// The state a store says it is in.
pub(super) fn state(transaction: &ReadTransaction) -> Result<State, Failed> {
    check_format(&transaction.open_table(META)?)?;
    read_state(&transaction.open_table(ROWS)?)
}

/// The revision a change became. Costs the revisions that are kept; the newest are looked at first.
pub(super) fn find(
    transaction: &ReadTransaction,
    change: ChangeId,
) -> Result<Option<Revision>, Failed> {
    for row in transaction.open_table(ROWS)?.range(key::REVISIONS)?.rev() {
        let (key, value) = row?;
        let Some(Row::Change(revision)) = key::row(key.value()) else { continue };
        match change_of(key.value(), value.value()) {
            Some(found) if found == change => return Ok(Some(revision)),
            Some(_) => {}
            None => return Err(damaged(format!("which change revision {revision} was"))),
        }
    }
    Ok(None)
}

/// The change in a row that is about one.
pub(super) fn change_of(key: &[u8], value: &[u8]) -> Option<ChangeId> {
    let payload = value::unseal(key, value)?;
    Some(ChangeId::from_bits(u128::from_be_bytes(payload.try_into().ok()?)))
}

/// The rows while a batch is written.
struct Writing<'txn> {
    rows: Table<'txn, &'static [u8], &'static [u8]>,
    state: State,
}

impl Writing<'_> {
    fn put(&mut self, key: Key, record: &Record) -> Result<(), Failed> {
        let Some(value) = value::encode(key, record) else {
            let why = format!("{key:?} cannot be written: it is of another sort");
            return Err(Failed::Refused(StoreError::Unavailable(why)));
        };
        let bytes = key::encode(key);
        let old = self.rows.insert(bytes.as_slice(), value.as_slice())?;
        let old = old.map(|old| old.value().to_vec());
        self.state.records = self.state.records.wrapping_add(1);
        self.state.digest = self.state.digest.wrapping_add(value::stated(&value).unwrap_or(0));
        self.replaced(key, bytes, old)
    }

    fn forget(&mut self, key: Key) -> Result<(), Failed> {
        let bytes = key::encode(key);
        let old = self.rows.remove(bytes.as_slice())?.map(|old| old.value().to_vec());
        self.replaced(key, bytes, old)
    }

    /// Takes account of what is no longer there.
    fn replaced(&mut self, key: Key, bytes: KeyBytes, old: Option<Vec<u8>>) -> Result<(), Failed> {
        let Some(old) = old else {
            return Ok(());
        };
        if value::unseal(bytes.as_slice(), &old).is_none() {
            return Err(damaged(format!("{key:?}")));
        }
        self.state.records = self.state.records.wrapping_sub(1);
        self.state.digest = self.state.digest.wrapping_sub(value::stated(&old).unwrap_or(0));
        Ok(())
    }

    fn note_change(&mut self, change: ChangeId, revision: Revision) -> Result<(), Failed> {
        self.forget_change(revision)?;
        let key = key::of_change(revision);
        let value = value::seal(key.as_slice(), &change.bits().to_be_bytes());
        self.rows.insert(key.as_slice(), value.as_slice())?;
        self.state.changes = self.state.changes.wrapping_add(1);
        self.state.digest = self.state.digest.wrapping_add(value::stated(&value).unwrap_or(0));
        Ok(())
    }

    fn forget_change(&mut self, revision: Revision) -> Result<(), Failed> {
        let key = key::of_change(revision);
        if let Some(old) = self.rows.remove(key.as_slice())? {
            let hash = value::stated(old.value()).unwrap_or(0);
            self.state.changes = self.state.changes.wrapping_sub(1);
            self.state.digest = self.state.digest.wrapping_sub(hash);
        }
        Ok(())
    }

    fn write_state(&mut self) -> Result<(), Failed> {
        let key = key::of_state();
        let value = value::seal(key.as_slice(), &self.state.payload());
        self.rows.insert(key.as_slice(), value.as_slice())?;
        Ok(())
    }
}

/// Writes a batch; it is on disk when the transaction is committed.
pub(super) fn write(transaction: &mut WriteTransaction, batch: &Batch) -> Result<(), Failed> {
    transaction.set_durability(Durability::Immediate)?;
    check_format(&transaction.open_table(META)?)?;
    let rows = transaction.open_table(ROWS)?;
    let state = read_state(&rows)?;
    if state.revision != batch.base {
        let (expected, actual) = (batch.base, state.revision);
        return Err(Failed::Refused(StoreError::Conflict { expected, actual }));
    }
    let mut writing = Writing { rows, state };
    for (key, record) in &batch.writes {
        match record {
            Some(record) => writing.put(*key, record)?,
            None => writing.forget(*key)?,
        }
        if let (Key::Revision(revision), None) = (key, record) {
            writing.forget_change(*revision)?;
        }
    }
    writing.note_change(batch.change, batch.revision())?;
    writing.state.revision = batch.revision();
    writing.write_state()
}

/// Writes everything a new store holds.
pub(super) fn fill(transaction: &mut WriteTransaction, loaded: &Loaded) -> Result<(), Failed> {
    transaction.set_durability(Durability::Immediate)?;
    let mut meta = transaction.open_table(META)?;
    let format = value::seal(FORMAT_ROW, &FORMAT.to_be_bytes());
    meta.insert(FORMAT_ROW, format.as_slice())?;
    let rows = transaction.open_table(ROWS)?;
    let mut writing = Writing { rows, state: State::at(loaded.revision) };
    for (count, (key, record)) in (1..).zip(&loaded.records) {
        writing.put(*key, record)?;
        if writing.state.records != count {
            return Err(damaged(format!("{key:?} is there twice")));
        }
        if let (Key::Revision(revision), Record::Revision(record)) = (key, record) {
            writing.note_change(record.change, *revision)?;
        }
    }
    writing.write_state()
}
