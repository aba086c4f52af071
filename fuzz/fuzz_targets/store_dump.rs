//! Any lines as a dump, with the digest that belongs to them: what is accepted is dumped as something
//! that is read as the same.

#![no_main]

use backhaul::store::dump;
use libfuzzer_sys::fuzz_target;
use twox_hash::XxHash3_64;

/// The lines with the end that makes them a dump.
fn ended(lines: &[u8]) -> Vec<u8> {
    let lines = [lines, b"\n"].concat();
    let digest = lines
        .split_inclusive(|byte| *byte == b'\n')
        .fold(0, |digest, line| XxHash3_64::oneshot_with_seed(digest, line));
    [lines, format!("{{\"digest\":\"{digest:016x}\"}}\n").into_bytes()].concat()
}

fuzz_target!(|lines: &[u8]| {
    assert!(dump::read(lines).is_err(), "a digest cannot be guessed");
    let Ok(loaded) = dump::read(&ended(lines)[..]) else {
        return;
    };
    let mut again = Vec::new();
    dump::write(&mut again, &loaded).expect("memory takes it");
    let read = dump::read(&again[..]).expect("what was just written");
    assert_eq!((read.revision, read.records), (loaded.revision, loaded.records));
});
