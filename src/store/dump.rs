//! What a store holds, as lines of text: to look at, to keep, to take elsewhere.
//!
//! ```text
//! {"backhaul":1,"revision":7,"records":2}
//! {"key":"Next","record":{"Next":{"environment":3,"service":1,"group":0,"api":0}}}
//! {"key":{"Service":0},"record":{"Service":{…}}}
//! {"digest":"0123456789abcdef"}
//! ```
//!
//! The digest is over all lines before it, in their order. **A dump holds secrets in the clear**, as the
//! store does.

use std::io::{BufRead, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

use super::{Key, Loaded, Record, StoreError};
use crate::model::Revision;

/// The newest format that is known, and the one that is written.
const FORMAT: u32 = 1;

/// Longest line in bytes. The longest there are are of revisions that name every record they touched.
pub const MAX_LINE: u64 = 256 << 20;

#[derive(Serialize, Deserialize)]
struct Head {
    backhaul: u32,
    revision: Revision,
    records: usize,
}

#[derive(Serialize)]
struct LineOf<'a> {
    key: &'a Key,
    record: &'a Record,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    key: Key,
    record: Record,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tail {
    digest: String,
}

fn failed(error: &std::io::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

struct Lines<W> {
    writer: W,
    line: Vec<u8>,
    digest: u64,
}

impl<W: Write> Lines<W> {
    fn write(&mut self, content: &impl Serialize) -> Result<(), StoreError> {
        self.line.clear();
        let unwritable = |why: &str| StoreError::Unavailable(format!("a record {why}"));
        // What is wrong with it may be a secret: it is not told.
        serde_json::to_writer(&mut self.line, content)
            .map_err(|_| unwritable("cannot be written"))?;
        self.line.push(b'\n');
        if u64::try_from(self.line.len()).is_ok_and(|length| length > MAX_LINE) {
            return Err(unwritable("is longer than a line may be"));
        }
        self.digest = XxHash3_64::oneshot_with_seed(self.digest, &self.line);
        self.writer.write_all(&self.line).map_err(|error| failed(&error))
    }
}

/// Writes what a store holds, a record a line.
///
/// # Errors
///
/// [`StoreError::Unavailable`] when the writer fails; what it got so far is not a dump.
pub fn write(writer: impl Write, loaded: &Loaded) -> Result<(), StoreError> {
    let mut lines = Lines { writer, line: Vec::new(), digest: 0 };
    let (revision, records) = (loaded.revision, loaded.records.len());
    lines.write(&Head { backhaul: FORMAT, revision, records })?;
    for (key, record) in &loaded.records {
        lines.write(&LineOf { key, record })?;
    }
    let digest = format!("{:016x}", lines.digest);
    lines.write(&Tail { digest })?;
    lines.writer.flush().map_err(|error| failed(&error))
}

struct Source<R> {
    reader: R,
    line: Vec<u8>,
    number: u64,
    digest: u64,
}

impl<R: BufRead> Source<R> {
    fn refused(&self, why: &str) -> StoreError {
        StoreError::Corrupt(format!("line {}: {why}", self.number))
    }

    /// Reads the next line, which must be there and complete.
    fn next(&mut self) -> Result<(), StoreError> {
        self.number = self.number.saturating_add(1);
        self.digest = XxHash3_64::oneshot_with_seed(self.digest, &self.line);
        self.line.clear();
        let mut limited = self.reader.by_ref().take(MAX_LINE);
        limited.read_until(b'\n', &mut self.line).map_err(|error| failed(&error))?;
        let length = u64::try_from(self.line.len()).unwrap_or(u64::MAX);
        match self.line.last() {
            Some(b'\n') => Ok(()),
            _ if length >= MAX_LINE => Err(self.refused("is too long")),
            Some(_) => Err(self.refused("breaks off")),
            None => Err(self.refused("is missing")),
        }
    }

    fn parse<T: DeserializeOwned>(&self, what: &str) -> Result<T, StoreError> {
        // What is wrong with it may be a secret: only where it is is told.
        serde_json::from_slice(&self.line).map_err(|error| {
            self.refused(&format!("is not {what}, from column {}", error.column()))
        })
    }
}

/// Reads what [`write()`] wrote; anything else is refused, and only one line of it is held at a time
/// besides the records.
///
/// # Errors
///
/// [`StoreError::Corrupt`] with the number of the line that is wrong, missing or too long,
/// [`StoreError::Format`] for a newer dump, [`StoreError::Unavailable`] when the reader fails.
pub fn read(reader: impl BufRead) -> Result<Loaded, StoreError> {
    let mut source = Source { reader, line: Vec::new(), number: 0, digest: 0 };
    source.next()?;
    // The first line is hashed on nothing.
    source.digest = 0;
    let head: Head = source.parse("the beginning of a dump")?;
    if head.backhaul != FORMAT {
        return Err(StoreError::Format { found: head.backhaul, known: FORMAT });
    }
    let mut records = Vec::new();
    for _ in 0..head.records {
        source.next()?;
        let Line { key, record } = source.parse("a record")?;
        if !record.fits(key) {
            return Err(source.refused("has a record of another sort than its key"));
        }
        records.push((key, record));
    }
    source.next()?;
    let tail: Tail = source.parse("the end of a dump")?;
    if tail.digest != format!("{:016x}", source.digest) {
        return Err(source.refused("a line before it was altered"));
    }
    match source.reader.fill_buf() {
        Ok([]) => Ok(Loaded::new(head.revision, records)),
        Ok(_) => {
            source.number = source.number.saturating_add(1);
            Err(source.refused("comes after the end"))
        }
        Err(error) => Err(failed(&error)),
    }
}
