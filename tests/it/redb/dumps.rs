//! Dumps: what is written is read back, and what was damaged on the way is refused.

use backhaul::store::{Loaded, RedbStore, StoreError, dump};

use super::script::script;

async fn dumped() -> (Loaded, Vec<u8>) {
    let script = script().await;
    let content = script.contents.last().unwrap().clone();
    let revision = script.batches.last().unwrap().revision();
    let loaded = Loaded::new(revision, content.into_iter().collect());
    let mut bytes = Vec::new();
    dump::write(&mut bytes, &loaded).unwrap();
    (loaded, bytes)
}

#[tokio::test]
async fn a_dump_comes_back_and_makes_a_store() {
    let (loaded, bytes) = dumped().await;
    let read = dump::read(&bytes[..]).unwrap();
    assert_eq!((read.revision, &read.records), (loaded.revision, &loaded.records));
    let directory = tempfile::tempdir().unwrap();
    let script = script().await;
    RedbStore::create(directory.path().join("store"), read).await.unwrap();
    let store = RedbStore::open(directory.path().join("store")).await.unwrap();
    let (revision, content) = super::script::content(&store).await;
    assert_eq!(revision, script.batches.len());
    assert_eq!(content, loaded.records.into_iter().collect());
    let mut again = Vec::new();
    dump::write(&mut again, &dump::read(&bytes[..]).unwrap()).unwrap();
    assert!(again == bytes, "the same content is dumped in another way");
}

fn line(error: &StoreError) -> usize {
    let StoreError::Corrupt(text) = error else { panic!("{error}") };
    let number = text.strip_prefix("line ").unwrap().split(':').next().unwrap();
    number.parse().unwrap()
}

#[tokio::test]
async fn a_dump_that_breaks_off_is_refused() {
    let (_, bytes) = dumped().await;
    for length in (0..bytes.len()).step_by(super::stride(7)) {
        let error = dump::read(&bytes[..length]).unwrap_err();
        let lines = bytes[..length].iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(line(&error), lines + 1, "{error}");
    }
    let error = dump::read(&[&bytes[..], b"\n"].concat()[..]).unwrap_err();
    assert!(error.to_string().contains("after the end"), "{error}");
}

#[tokio::test]
async fn a_dump_that_was_altered_is_refused() {
    let (loaded, bytes) = dumped().await;
    let lines: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    assert_eq!(lines.len(), loaded.records.len() + 2);
    for index in (0..bytes.len()).step_by(super::stride(7)) {
        let mut altered = bytes.clone();
        altered[index] ^= 1;
        match dump::read(&altered[..]) {
            Err(StoreError::Corrupt(_) | StoreError::Format { .. }) => {}
            other => panic!("byte {index}: {other:?}"),
        }
    }
    let mut swapped = lines.clone();
    swapped.swap(3, 4);
    let missing = [&lines[..4], &lines[5..]].concat();
    let twice = [&lines[..4], &lines[3..]].concat();
    for altered in [swapped, missing, twice] {
        assert!(matches!(dump::read(&altered.concat()[..]), Err(StoreError::Corrupt(_))));
    }
}

#[tokio::test]
async fn a_dump_of_later_times_is_told_apart() {
    let later = br#"{"backhaul":2,"revision":1,"records":0}
{"digest":"0"}
"#;
    let refused = dump::read(&later[..]);
    assert!(matches!(refused, Err(StoreError::Format { found: 2, known: 1 })), "{refused:?}");
    // A number that nobody believes takes no memory.
    let many = br#"{"backhaul":1,"revision":1,"records":18446744073709551615}
"#;
    assert_eq!(line(&dump::read(&many[..]).unwrap_err()), 2);
}

#[tokio::test]
async fn nothing_of_a_record_is_told() {
    let (_, bytes) = dumped().await;
    let text = String::from_utf8(bytes).unwrap();
    let altered = text.replacen("\"http://10.0.0.10:8080\"", "{\"secret\":1}", 1);
    assert_ne!(altered, text);
    let told = dump::read(altered.as_bytes()).unwrap_err().to_string();
    assert!(!told.contains("secret") && !told.contains("10.0.0"), "{told}");
}
