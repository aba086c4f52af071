//! Reading a whole store: every hash, the counts and the sums are checked on the way.

use std::ops::Range;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use redb::{ReadTransaction, ReadableTable};

use super::key::{self, Row};
use super::tables::{Failed, ROWS, State, change_of, damaged, state};
use super::value::{self, Decoder, Stamps};
use crate::store::{Key, Loaded, Record, StoreError};

/// Records that are handed to a thread at once; only an API with more publications makes it more.
const CHUNK: usize = 1024;
/// Threads that parse while one reads. Parsing takes a few times as long as reading; beyond this many
/// the one that reads is behind.
const MAX_PARSERS: usize = 4;
/// Chunks that wait for a thread to parse them: what bounds the memory they take.
const WAITING: usize = 8;

/// Values as they were read, in the order of their keys.
#[derive(Default)]
struct Chunk {
    number: usize,
    bytes: Vec<u8>,
    values: Vec<(Key, Range<usize>)>,
}

impl Chunk {
    fn push(&mut self, key: Key, value: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(value);
        self.values.push((key, start..self.bytes.len()));
    }

    fn parse(&self, stamps: &mut Stamps) -> Result<Vec<(Key, Record)>, StoreError> {
        let mut decoder = Decoder::new(stamps);
        let mut records = Vec::with_capacity(self.values.len());
        for (key, range) in &self.values {
            let value = self.bytes.get(range.clone()).unwrap_or_default();
            match decoder.decode(*key, value) {
                Some(record) => records.push((*key, record)),
                None => return Err(StoreError::Corrupt(format!("{key:?}"))),
            }
        }
        Ok(records)
    }
}

/// Reads every row and checks what the store says of itself. `each` is given the records.
fn scan(
    transaction: &ReadTransaction,
    mut each: impl FnMut(Key, &[u8]) -> Result<(), Failed>,
) -> Result<State, Failed> {
    let told = state(transaction)?;
    let mut found = State::at(told.revision);
    for row in transaction.open_table(ROWS)?.iter()? {
        let (bytes, value) = row?;
        let row = key::row(bytes.value());
        let row = row.ok_or_else(|| damaged(format!("a key of {} bytes", bytes.value().len())))?;
        let key = match row {
            Row::State => continue,
            Row::Change(revision) => {
                let known = change_of(bytes.value(), value.value());
                if known.is_none() || revision > told.revision {
                    return Err(damaged("which change a revision was"));
                }
                found.changes = found.changes.wrapping_add(1);
                found.add(value::stated(value.value()).unwrap_or(0));
                continue;
            }
            Row::Record(key) => key,
        };
        let hash = value::stated(value.value()).ok_or_else(|| damaged(format!("{key:?}")))?;
        found.records = found.records.wrapping_add(1);
        found.add(hash);
        each(key, value.value())?;
    }
    if found == told { Ok(told) } else { Err(damaged("a record is missing, or out of date")) }
}

/// Whether everything is as it was written.
pub(super) fn verify(transaction: &ReadTransaction) -> Result<State, Failed> {
    scan(transaction, |key, value| {
        let intact = value::unseal(key::encode(key).as_slice(), value).is_some();
        if intact { Ok(()) } else { Err(damaged(format!("{key:?}"))) }
    })
}

type Parsed = Result<(usize, Vec<(Key, Record)>), StoreError>;

/// Everything that is kept. One thread reads, others parse.
pub(super) fn load(transaction: &ReadTransaction) -> Result<Loaded, Failed> {
    let parsers = thread::available_parallelism().map_or(1, usize::from).min(MAX_PARSERS);
    let (send, receive) = sync_channel(WAITING);
    let receive = Mutex::new(receive);
    let parsed: Mutex<Vec<Parsed>> = Mutex::default();
    let (state, chunks) = thread::scope(|scope| {
        for _ in 0..parsers {
            scope.spawn(|| parse_all(&receive, &parsed));
        }
        let mut chunk = Chunk::default();
        let state = scan(transaction, |key, value| {
            // A publication is parsed where its draft is.
            let complete = chunk.values.len() >= CHUNK && !matches!(key, Key::Publication(..));
            if complete {
                hand_over(&send, &mut chunk)?;
            }
            chunk.push(key, value);
            Ok(())
        });
        let state = state.and_then(|state| hand_over(&send, &mut chunk).map(|()| state));
        drop(send);
        (state, chunk.number)
    });
    let parsed = parsed.into_inner().unwrap_or_else(PoisonError::into_inner);
    // A record that cannot be understood says more than a sum that does not fit.
    let parsed: Result<Vec<_>, _> = parsed.into_iter().collect();
    let mut parsed = parsed.map_err(Failed::Refused)?;
    let state = state?;
    if parsed.len() != chunks {
        return Err(Failed::Database("records could not be parsed".to_owned()));
    }
    parsed.sort_unstable_by_key(|(number, _)| *number);
    let mut records = Vec::with_capacity(parsed.iter().map(|(_, records)| records.len()).sum());
    records.extend(parsed.into_iter().flat_map(|(_, records)| records));
    Ok(Loaded::new(state.revision, records))
}

fn hand_over(send: &SyncSender<Chunk>, chunk: &mut Chunk) -> Result<(), Failed> {
    let next = Chunk { number: chunk.number.saturating_add(1), ..Chunk::default() };
    let full = std::mem::replace(chunk, next);
    send.send(full).map_err(|_| Failed::Database("records could not be parsed".to_owned()))
}

fn parse_all(receive: &Mutex<Receiver<Chunk>>, parsed: &Mutex<Vec<Parsed>>) {
    let mut stamps = Stamps::default();
    loop {
        let next = receive.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(chunk) = next else {
            return;
        };
        let records = chunk.parse(&mut stamps).map(|records| (chunk.number, records));
        parsed.lock().unwrap_or_else(PoisonError::into_inner).push(records);
    }
}
