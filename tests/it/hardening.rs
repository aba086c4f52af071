//! The catalogue of what a gateway must withstand, row by row: each has a test whose name begins with
//! it (`f_01_…`), or a written reason why there is none. A row with both has a reason that is out of
//! date.

#![allow(clippy::print_stdout, reason = "the count is told")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::{admission, hygiene, serve};

/// The areas and how many rows each has: framing, headers, paths, HTTP/2, resources, upstreams, egress,
/// applications.
const AREAS: [(char, u8); 8] =
    [('F', 50), ('H', 30), ('P', 25), ('T', 24), ('R', 25), ('U', 25), ('S', 20), ('A', 25)];
/// Fewer characters say nothing.
const LEAST_REASON: usize = 30;

fn rows() -> BTreeSet<String> {
    let numbered = |(area, count)| (1..=count).map(move |number| format!("{area}-{number:02}"));
    AREAS.into_iter().flat_map(numbered).collect()
}

/// The row that a function's line names: `F-01` for `async fn f_01_both_lengths() {`.
fn row_of(line: &str) -> Option<String> {
    let name = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ")?;
    let mut parts = name.splitn(3, '_');
    let (area, number) = (parts.next()?, parts.next()?);
    let rest = parts.next()?;
    let area = Some(area.to_ascii_uppercase()).filter(|upper| upper.len() == 1 && upper != area)?;
    let numbered = number.len() == 2 && number.bytes().all(|digit| digit.is_ascii_digit());
    (numbered && !rest.is_empty()).then(|| format!("{area}-{number}"))
}

/// Rows that a source has tests for, with how many. An ignored test is none.
fn tests_of(source: &str) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    let mut attributes = Vec::new();
    for line in source.lines().map(str::trim) {
        if let Some(row) = row_of(line) {
            let says = |word: &str| attributes.iter().any(|line: &&str| line.starts_with(word));
            let test = says("#[test]") || says("#[tokio::test");
            if test && !says("#[ignore") {
                *found.entry(row).or_default() += 1;
            }
        }
        if line.starts_with("#[") {
            attributes.push(line);
        } else if !line.starts_with("//") {
            attributes.clear();
        }
    }
    found
}

/// What is wrong with these tests and reasons.
fn complaints(
    tests: &BTreeMap<String, usize>,
    reasons: impl IntoIterator<Item = (&'static str, &'static str)>,
) -> Vec<String> {
    let rows = rows();
    let mut complaints = Vec::new();
    let mut explained = BTreeSet::new();
    for (row, reason) in reasons {
        if !rows.contains(row) {
            complaints.push(format!("{row}: a reason for a row that is not there"));
        }
        if reason.len() < LEAST_REASON {
            complaints.push(format!("{row}: a reason that says nothing"));
        }
        if tests.contains_key(row) {
            complaints.push(format!("{row}: a reason beside a test"));
        }
        if !explained.insert(row) {
            complaints.push(format!("{row}: two reasons"));
        }
    }
    // Areas that are not followed yet may have tests already.
    let followed = |row: &str| AREAS.iter().any(|(area, _)| row.starts_with(*area));
    let unknown = tests.keys().filter(|row| followed(row) && !rows.contains(*row));
    complaints.extend(unknown.map(|row| format!("{row}: a test for a row that is not there")));
    let open =
        rows.iter().filter(|row| !tests.contains_key(*row) && !explained.contains(row.as_str()));
    complaints.extend(open.map(|row| format!("{row}: neither a test nor a reason")));
    complaints
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_row_has_a_test_or_a_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    for folder in ["src", "tests"] {
        sources(&root.join(folder), &mut paths);
    }
    assert!(paths.len() > 100, "the sources were not found");
    let mut tests: BTreeMap<String, usize> = BTreeMap::new();
    // What this file says of rows are made-up sources.
    for path in paths.iter().filter(|path| !path.ends_with(file!())) {
        for (row, count) in tests_of(&fs::read_to_string(path).unwrap()) {
            *tests.entry(row).or_default() += count;
        }
    }
    let reasons = || {
        let reasons = serve::reasons::REASONS.iter().chain(hygiene::reasons::REASONS);
        reasons.chain(admission::reasons::REASONS).copied()
    };
    let complaints = complaints(&tests, reasons());
    let without = complaints.iter().filter(|complaint| complaint.contains("neither")).count();
    println!(
        "hardening.rows: {} rows, {} with tests, {} with a reason, {without} without",
        rows().len(),
        tests.len(),
        reasons().count(),
    );
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn tests_are_functions_that_run() {
    let source = "
        #[test]
        fn f_01_plain() {}
        #[tokio::test(start_paused = true)]
        // Said in between.
        async fn f_02_with_a_clock() {}
        /// Within `proptest!`.
        #[test]
        fn f_03_of_any(length in 0..3) {}
        #[test]
        fn f_03_again() {}
        fn f_04_no_test() {}
        #[test]
        #[ignore = \"later\"]
        fn f_05_ignored() {}
        // #[test]
        fn f_06_commented_out() {}
        #[test]
        fn of_nothing() {}
        fn f_07_below_another_test() {}
        #[test]
        fn f_1_no_row() {}
    ";
    let expected = [("F-01", 1), ("F-02", 1), ("F-03", 2)];
    assert_eq!(tests_of(source), expected.map(|(row, count)| (row.to_owned(), count)).into());
}

#[test]
fn gaps_are_complained_about() {
    let all: BTreeMap<_, _> = rows().into_iter().map(|row| (row, 1)).collect();
    assert!(complaints(&all, []).is_empty());
    let reason = "a reason that is long enough to be one";
    let mut tests = all.clone();
    tests.remove("F-50");
    assert_eq!(complaints(&tests, []), ["F-50: neither a test nor a reason"]);
    assert!(complaints(&tests, [("F-50", reason)]).is_empty());
    assert_eq!(complaints(&tests, [("F-50", "")]), ["F-50: a reason that says nothing"]);
    assert_eq!(complaints(&tests, [("F-50", reason); 2]), ["F-50: two reasons"]);
    assert_eq!(complaints(&all, [("T-24", reason)]), ["T-24: a reason beside a test"]);
    assert_eq!(
        complaints(&all, [("T-25", reason)]),
        ["T-25: a reason for a row that is not there"]
    );
    let more = all.into_iter().chain([("R-26".to_owned(), 1)]).collect();
    assert_eq!(complaints(&more, []), ["R-26: a test for a row that is not there"]);
}
