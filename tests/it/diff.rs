//! Fingerprints and differences see every field of every noun.
//!
//! Which fields there are is read off samples that have all of them; a field that is added to the model
//! and not to the samples fails here.

use std::collections::BTreeSet;

use backhaul::model::{Declaration, Difference, diff};
use backhaul::{Api, BackendService, Definition, Group, Kind};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use self::samples::samples;
use self::tree::{Path, Step, at, field, leaves, paths, with, without};

mod samples;
mod tree;

/// Values that are tried; each has each of its fields changed.
const CASES: u32 = 96;
/// Where secrets are kept.
const SECRETS: [&str; 6] = ["password", "secret_key", "secret", "codes", "token", "connector"];

/// What can be asked of any noun, given as it is written.
#[derive(Clone, Copy, Debug)]
struct Noun {
    read: fn(&Value) -> Result<Value, String>,
    compare: fn(&Value, &Value) -> Compared,
}

#[derive(Debug)]
struct Compared {
    equal: bool,
    same_fingerprint: bool,
    differences: Vec<Difference>,
}

impl Noun {
    const API: Self = Self::of::<Api>();
    const DECLARATION: Self = Self::of::<Declaration>();
    const DEFINITION: Self = Self::of::<Definition>();
    const GRANT: Self = Self::of::<backhaul::Grant>();
    const GROUP: Self = Self::of::<Group>();
    const RESOURCE: Self = Self::of::<backhaul::model::Resource>();
    const SERVICE: Self = Self::of::<BackendService>();

    const fn of<T: backhaul::model::Noun + DeserializeOwned + PartialEq>() -> Self {
        Self { read: read::<T>, compare: compare::<T> }
    }

    /// What a value is written as once it was read.
    fn written(self, value: &Value) -> Option<Value> {
        (self.read)(value).ok()
    }
}

fn read<T: backhaul::model::Noun + DeserializeOwned>(value: &Value) -> Result<Value, String> {
    let noun: T = serde_json::from_value(value.clone()).map_err(|error| error.to_string())?;
    Ok(serde_json::to_value(noun).unwrap())
}

fn compare<T>(before: &Value, after: &Value) -> Compared
where
    T: backhaul::model::Noun + DeserializeOwned + PartialEq,
{
    let read = |value: &Value| serde_json::from_value::<T>(value.clone()).unwrap();
    let (before, after) = (read(before), read(after));
    let print = |noun: &T| backhaul::model::Fingerprint::of(noun);
    Compared {
        equal: before == after,
        same_fingerprint: print(&before) == print(&after),
        differences: diff(&before, &after),
    }
}

/// The names after "expected", of a text such as "unknown field `x`, expected `y` or `z`".
fn expected(error: &str) -> Vec<&str> {
    let names = error.split_once("expected ").map_or("", |(_, names)| names);
    names.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_samples_have_every_kind() {
    let samples = samples();
    let definitions = samples.iter().filter(|(_, sample)| sample.get("timeout").is_some());
    let kinds: BTreeSet<_> =
        definitions.filter_map(|(_, sample)| sample["kind"].as_str()).collect();
    for kind in Kind::BUILT_IN {
        assert!(kinds.contains(kind.as_str()), "{kind}");
    }
    assert!(kinds.len() > Kind::BUILT_IN.len(), "and a custom one");
}

#[test]
fn the_samples_have_every_field() {
    for (noun, sample) in samples() {
        assert_eq!((noun.read)(&sample).as_ref(), Ok(&sample), "nothing is lost");
        for path in paths(&sample) {
            let Some(Value::Object(map)) = at(&sample, &path) else { continue };
            let mut more = map.clone();
            more.insert("no_such_key".to_owned(), Value::Null);
            let Err(error) = (noun.read)(&with(&sample, &path, more.into())) else { continue };
            // One key of an app may be written without a list.
            let short = |name: &&str| !matches!(*name, "key" | "secret" | "code");
            let app = map.contains_key("codes");
            for name in expected(&error).into_iter().filter(|name| !app || short(name)) {
                assert!(map.contains_key(name), "{} has no {name}: {sample}", field(&path));
            }
        }
    }
}

/// The test before looks for fields in what serde says. If that changes, it would find none.
#[test]
fn a_field_that_a_sample_lacks_is_noticed() {
    let mut noticed = 0;
    for (noun, sample) in samples() {
        for path in paths(&sample).iter().skip(1) {
            let lacking = without(&sample, path);
            let (last, parent) = path.split_last().unwrap();
            let Step::Key(key) = last else { continue };
            let more = [parent, &[Step::Key("no_such_key".to_owned())]].concat();
            let error = (noun.read)(&with(&lacking, &more, Value::Null)).err();
            let names = error.as_deref().map(expected).unwrap_or_default();
            noticed += usize::from(names.contains(&key.as_str()));
        }
    }
    assert!(noticed > 90, "{noticed}");
}

/// A leaf as it is shown.
fn shown(path: &[Step], leaf: &Value) -> String {
    let secret = |step: &Step| matches!(step, Step::Key(key) if SECRETS.contains(&key.as_str()));
    match leaf {
        Value::Object(_) | Value::Array(_) => leaf.to_string(),
        _ if path.iter().any(secret) => "[redacted]".to_owned(),
        Value::String(text) => format!("{text:?}"),
        leaf => leaf.to_string(),
    }
}

/// The value with another leaf at `path`, as it is written.
fn changed(noun: Noun, value: &Value, path: &[Step]) -> Option<Value> {
    let candidates = match at(value, path)? {
        Value::Null => vec![json!(false)],
        Value::Bool(truth) => vec![json!(!truth)],
        Value::Number(number) if number.is_f64() => vec![json!(2.5), json!(0.25)],
        Value::Number(number) => vec![json!(number.as_i64()? + 1), json!(number.as_i64()? - 1)],
        Value::String(text) => {
            let longer = json!(format!("{text}x"));
            let error = (noun.read)(&with(value, path, longer.clone())).err().unwrap_or_default();
            let others = expected(&error).into_iter().map(|other| json!(other));
            [longer]
                .into_iter()
                .chain(others)
                .chain(
                    ["7s", "8s", "2.0", "3.0", "", "2031-01-01T00:00:00.000Z"]
                        .map(|text| json!(text)),
                )
                .collect()
        }
        Value::Array(_) | Value::Object(_) => vec![json!("no longer empty")],
    };
    let written =
        candidates.iter().filter_map(|other| noun.written(&with(value, path, other.clone())));
    written.into_iter().find(|written| written != value)
}

/// Each leaf, changed alone, changes the fingerprint and is the one difference.
fn every_change_shows(noun: Noun, value: &Value) -> Result<(), TestCaseError> {
    for path in leaves(value) {
        if path.is_empty() {
            continue;
        }
        let Some(other) = changed(noun, value, &path) else {
            // What is empty is kept so by its type, or left out.
            let leaf = at(value, &path).unwrap();
            // There is one provider so far.
            let only = leaf == "env" || leaf.is_array() || leaf.is_object();
            prop_assert!(only, "{} never changed", field(&path));
            continue;
        };
        let Compared { equal, same_fingerprint, differences } = (noun.compare)(value, &other);
        prop_assert!(!equal && !same_fingerprint, "{}", field(&path));
        prop_assert_eq!(differences.len(), 1, "{} {:?}", field(&path), differences);
        prop_assert_eq!(&differences[0].field, &field(&path));
        let side = |tree: &Value| at(tree, &path).map(|leaf| shown(&path, leaf));
        prop_assert_eq!(&differences[0].before, &side(value));
        prop_assert_eq!(&differences[0].after, &side(&other));
    }
    Ok(())
}

/// Whatever can be left out shows as gone, and as come in the other direction.
fn every_removal_shows(noun: Noun, value: &Value) -> Result<(), TestCaseError> {
    for path in paths(value).iter().skip(1) {
        let list = || path.split_last().and_then(|(_, parent)| at(value, parent)?.as_array());
        let last = list().is_none_or(|list| path.last() == Some(&Step::Item(list.len() - 1)));
        let Some(other) = noun.written(&without(value, path)).filter(|_| last) else { continue };
        let there = (noun.compare)(value, &other);
        let back = (noun.compare)(&other, value);
        prop_assert_eq!(there.equal, there.same_fingerprint);
        prop_assert_eq!(there.equal, there.differences.is_empty());
        if there.equal || at(&other, path).is_some() {
            continue;
        }
        let gone = at(value, path).unwrap();
        let gone: BTreeSet<Path> =
            leaves(gone).into_iter().map(|below| [&path[..], &below[..]].concat()).collect();
        let expected: BTreeSet<_> =
            gone.iter().map(|leaf| (field(leaf), shown(leaf, at(value, leaf).unwrap()))).collect();
        let gone = there.differences.into_iter().filter(|found| found.after.is_none());
        let gone = gone.map(|found| (found.field, found.before.unwrap_or_default()));
        prop_assert_eq!(&gone.collect::<BTreeSet<_>>(), &expected);
        let come = back.differences.into_iter().filter(|found| found.before.is_none());
        let come = come.map(|found| (found.field, found.after.unwrap_or_default()));
        prop_assert_eq!(&come.collect::<BTreeSet<_>>(), &expected);
    }
    Ok(())
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[ -~]{0,24}", Just("[redacted]".to_owned())]
}

/// A value made of a sample by other texts in some places and nothing in others.
fn made(sample: &(Noun, Value), texts: &[(Index, String)], gone: &[Index]) -> Value {
    let (noun, mut value) = (sample.0, sample.1.clone());
    for (place, text) in texts {
        let leaves = leaves(&value);
        let Some(path) = leaves.get(place.index(leaves.len().max(1))) else { continue };
        if path.is_empty() {
            continue;
        }
        value = noun.written(&with(&value, path, json!(text))).unwrap_or(value);
    }
    for place in gone {
        let paths = paths(&value);
        if let Some(path) = paths.get(place.index(paths.len())).filter(|path| !path.is_empty()) {
            value = noun.written(&without(&value, path)).unwrap_or(value);
        }
    }
    value
}

type Drawn = (Vec<(Index, String)>, Vec<Index>);

fn drawn() -> impl Strategy<Value = Drawn> {
    (vec((any::<Index>(), text()), 0..6), vec(any::<Index>(), 0..4))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: CASES,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_one_field_changes_the_fingerprint_and_is_the_difference(
        sample in any::<Index>(),
        (texts, gone) in drawn(),
    ) {
        let samples = samples();
        let sample = sample.get(&samples);
        let value = made(sample, &texts, &gone);
        let same = (sample.0.compare)(&value, &value);
        prop_assert!(same.equal && same.same_fingerprint && same.differences.is_empty());
        every_change_shows(sample.0, &value)?;
        every_removal_shows(sample.0, &value)?;
    }

    #[test]
    fn what_is_equal_has_one_fingerprint_and_no_difference_and_nothing_else(
        sample in any::<Index>(),
        one in drawn(),
        other in drawn(),
    ) {
        let samples = samples();
        let sample = sample.get(&samples);
        let (one, other) = (made(sample, &one.0, &one.1), made(sample, &other.0, &other.1));
        let Compared { equal, same_fingerprint, differences } = (sample.0.compare)(&one, &other);
        prop_assert_eq!(equal, one == other);
        prop_assert_eq!(equal, same_fingerprint);
        prop_assert_eq!(equal, differences.is_empty());
        prop_assert!(differences.is_sorted_by(|one, next| one.field < next.field));
        for difference in differences {
            let line = difference.to_string();
            prop_assert!(!line.contains(char::is_control), "{:?}", line);
            prop_assert!(!line.contains("hunter2") && !line.contains("swordfish"), "{}", line);
        }
    }
}

#[test]
fn every_field_of_every_sample_is_seen() {
    for (noun, sample) in samples() {
        every_change_shows(noun, &sample).unwrap();
        every_removal_shows(noun, &sample).unwrap();
    }
}

#[test]
fn a_difference_reads_as_an_operator_writes() {
    let before: Definition =
        serde_json::from_value(json!({"kind": "discovery", "service": "a", "password": "one"}))
            .unwrap();
    let after: Definition = serde_json::from_value(
        json!({"kind": "discovery", "service": "a\u{9b}\n", "password": "two"}),
    )
    .unwrap();
    let shown: Vec<_> = diff(&before, &after).iter().map(ToString::to_string).collect();
    let expected = ["password: [redacted] -> [redacted]", r#"service: "a" -> "a\u{9b}\n""#];
    assert_eq!(shown, expected);
    let (open, closed) = (Group::new(), Group::new().stage_host("a.b", "TEST").description("x"));
    let shown: Vec<_> = diff(&open, &closed).iter().map(ToString::to_string).collect();
    let expected = [r#"description: "" -> "x""#, r#"stage_hosts."a.b": absent -> "TEST""#];
    assert_eq!(shown, expected);
}
