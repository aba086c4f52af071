//! Bytes that are not what was written: an error that says so, or exactly what was there.

#![allow(clippy::print_stdout, reason = "how much was tried is told")]

use std::sync::{Arc, Once};

use backhaul::store::{RedbStore, StoreError};
use backhaul::testing::store::disk::{Disk, MemoryDisk};
use redb::ReadableTable;

use super::crash_disk::{CrashDisk, Left};
use super::crashes::empty;
use super::script::{Script, content, script};
use super::stride;

/// Bytes of the database's pages.
const PAGE: usize = 4096;
/// Bytes of its header, every one of which is tried.
const HEADER: usize = 512;
/// Of the bytes of pages in use, one in so many is tried.
const SAMPLED: usize = 151;
/// Of the bytes of other pages, one in so many.
const UNUSED: usize = 64;

/// Keeps the database's assertions on damaged bytes, which are expected, from filling the log.
fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let expected = panic.location().is_some_and(|at| at.file().contains("/redb-"));
            if !expected {
                usual(panic);
            }
        }));
    });
}

/// A store with the script in it, as closing leaves it, and as a kill does.
async fn images(script: &Script) -> (Vec<u8>, Vec<u8>) {
    let disk = Arc::new(CrashDisk::new(empty().await));
    let store = RedbStore::on_disk(Arc::clone(&disk) as Arc<dyn Disk>).await.unwrap();
    for batch in &script.batches {
        backhaul::store::Store::commit(&store, batch.clone()).await.unwrap();
    }
    let killed = disk.crashed(Left::Nothing);
    drop(store);
    (disk.image(), killed)
}

#[derive(Debug, Default)]
struct Counts {
    tried: usize,
    refused: usize,
    harmless: usize,
}

impl Counts {
    /// Opens a damaged image: what is there is one of the last `behind` contents, or it is refused.
    async fn open(&mut self, script: &Script, image: Vec<u8>, behind: usize) {
        let disk = Arc::new(CrashDisk::new(image));
        self.tried += 1;
        match RedbStore::on_disk(Arc::clone(&disk) as Arc<dyn Disk>).await {
            Ok(store) => {
                let (revision, found) = content(&store).await;
                assert!(revision + behind >= script.batches.len(), "revision {revision}");
                assert!(found == script.contents[revision], "something else is there");
                self.harmless += 1;
            }
            Err(StoreError::Corrupt(_) | StoreError::Format { .. }) => {
                assert_eq!(disk.operations().len(), 0, "what is evidence was written");
                self.refused += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

fn flipped(image: &[u8], index: usize, bits: u8) -> Vec<u8> {
    let mut image = image.to_vec();
    image[index] ^= bits;
    image
}

/// The bytes to damage: all of the header, many of what is in use, some of the rest.
fn places(image: &[u8]) -> impl Iterator<Item = usize> {
    let used = |page: &[u8]| page.iter().any(|byte| *byte != 0);
    let used: Vec<_> = image.chunks(PAGE).map(used).collect();
    println!("{} of {} pages are in use", used.iter().filter(|used| **used).count(), used.len());
    (0..image.len()).filter(move |index| {
        let every = if used[index / PAGE] { stride(SAMPLED) } else { UNUSED * stride(SAMPLED) };
        *index < HEADER || index % every == 0
    })
}

#[tokio::test]
async fn a_damaged_byte_is_found_or_does_no_harm() {
    quiet();
    let script = script().await;
    let (closed, killed) = images(&script).await;
    let mut counts = Counts::default();
    for index in places(&closed) {
        let bit = 1 << (index % 8);
        for bits in [0xFF, bit] {
            counts.open(&script, flipped(&closed, index, bits), 0).await;
        }
    }
    println!("closed: {counts:?} of {} bytes", closed.len());
    assert!(counts.refused > 100 && counts.harmless > 100, "{counts:?}");
    // After a kill damage to the newest commit looks like a commit that was not finished.
    let mut counts = Counts::default();
    for index in places(&killed).step_by(7) {
        counts.open(&script, flipped(&killed, index, 0xFF), 1).await;
    }
    println!("killed: {counts:?} of {} bytes", killed.len());
    assert!(counts.refused > 10, "{counts:?}");
}

#[tokio::test]
async fn a_file_cut_short_is_found() {
    quiet();
    let script = script().await;
    let (closed, _) = images(&script).await;
    let mut counts = Counts::default();
    for length in (1..closed.len())
        .filter(|length| length % PAGE == 0 || length % stride(331) == 0 || *length < HEADER)
    {
        counts.open(&script, closed[..length].to_vec(), 0).await;
    }
    println!("cut short: {counts:?} of {} bytes", closed.len());
    assert!(counts.refused > 100, "{counts:?}");
}

#[tokio::test]
async fn a_newer_format_is_told_apart() {
    use twox_hash::XxHash3_64;
    let script = script().await;
    let (image, _) = images(&script).await;
    let payload = 1_u32.to_be_bytes();
    let seal = |payload: &[u8]| {
        let seed = XxHash3_64::oneshot(b"format");
        [&XxHash3_64::oneshot_with_seed(seed, payload).to_be_bytes()[..], payload].concat()
    };
    let row = seal(&payload);
    assert!(image.windows(row.len()).any(|window| window == row), "the row is not as it is known");
    let newer = Arc::new(MemoryDisk::new(image));
    edit(&newer, "meta", |table| {
        table.insert(&b"format"[..], &*seal(&2_u32.to_be_bytes())).unwrap();
    });
    let before = newer.image();
    let refused = RedbStore::on_disk(Arc::clone(&newer) as Arc<dyn Disk>).await;
    let told = matches!(refused, Err(StoreError::Format { found: 2, known: 1 }));
    assert!(told, "{refused:?}");
    assert!(newer.image() == before);
}

type Row = (Vec<u8>, Vec<u8>);

/// The rows of a table, as any program sees them.
fn rows(image: &[u8], name: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    edit(&Arc::new(MemoryDisk::new(image.to_vec())), name, |table| {
        let all = table.iter().unwrap().map(|row| row.unwrap());
        rows = all.map(|(key, value)| (key.value().to_vec(), value.value().to_vec())).collect();
    });
    rows
}

#[tokio::test]
async fn a_row_that_is_missing_stale_or_elsewhere_is_found() {
    let script = script().await;
    let (image, _) = images(&script).await;
    let disk = Arc::new(MemoryDisk::new(empty().await));
    let store = RedbStore::on_disk(Arc::clone(&disk) as Arc<dyn Disk>).await.unwrap();
    for batch in &script.batches[..6] {
        backhaul::store::Store::commit(&store, batch.clone()).await.unwrap();
    }
    drop(store);
    let older = disk.image();
    let mut tried = 0;
    for name in ["rows", "meta"] {
        let (new, old) = (rows(&image, name), rows(&older, name));
        let stale = old.iter().filter(|row| !new.contains(row)).cloned();
        let missing = new.iter().map(|(key, _)| (key.clone(), Vec::new()));
        let moved = new.windows(2).map(|pair| (pair[0].0.clone(), pair[1].1.clone()));
        for (key, value) in missing.chain(moved).chain(stale) {
            let disk = Arc::new(MemoryDisk::new(image.clone()));
            edit(&disk, name, |table| {
                if value.is_empty() {
                    table.remove(&*key).unwrap();
                } else {
                    table.insert(&*key, &*value).unwrap();
                }
            });
            let before = disk.image();
            let refused = RedbStore::on_disk(Arc::clone(&disk) as Arc<dyn Disk>).await;
            assert!(matches!(refused, Err(StoreError::Corrupt(_))), "{name} {key:?}: {refused:?}");
            assert!(disk.image() == before);
            tried += 1;
        }
    }
    assert!(tried > 250, "{tried}");
}

/// Changes a table as a program would that knows the database and not the store.
fn edit(
    disk: &Arc<MemoryDisk>,
    name: &str,
    change: impl FnOnce(&mut redb::Table<'_, &'static [u8], &'static [u8]>),
) {
    #[derive(Debug)]
    struct Backend(Arc<MemoryDisk>);
    impl redb::StorageBackend for Backend {
        fn len(&self) -> std::io::Result<u64> {
            self.0.len()
        }
        fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
            self.0.read(offset, out)
        }
        fn set_len(&self, len: u64) -> std::io::Result<()> {
            self.0.set_len(len)
        }
        fn sync_data(&self) -> std::io::Result<()> {
            self.0.sync()
        }
        fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
            self.0.write(offset, data)
        }
    }
    let backend = Backend(Arc::clone(disk));
    let database = redb::Database::builder().create_with_backend(backend).unwrap();
    let transaction = database.begin_write().unwrap();
    let table = redb::TableDefinition::<&'static [u8], &'static [u8]>::new(name);
    change(&mut transaction.open_table(table).unwrap());
    transaction.commit().unwrap();
}
