//! What holds of every document and of every registry.

use backhaul::Registry;
use backhaul::document::{Document, DocumentError, Format};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::arbitrary::{document, drawn, right};
use super::{SHOP, copy_of};
use crate::reference::against;

fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(test)
}

async fn apply(registry: &Registry, document: &Document) -> Result<bool, DocumentError> {
    Ok(registry.publisher("file").apply_document(document).await?.is_some())
}

async fn empty() -> Registry {
    Registry::in_memory().await.unwrap()
}

/// The export of any reachable state, applied to an empty registry, gives an equal state; applied
/// again, nothing. Also as text, in each format.
async fn exported(registry: &Registry) {
    let document = registry.export_document();
    let copy = copy_of(registry).await;
    assert_eq!(copy.export_document(), document);
    assert!(!apply(&copy, &document).await.unwrap(), "nothing is left to do");
    assert!(!apply(registry, &document).await.unwrap(), "nothing to do where it comes from");
    for format in [Format::Toml, Format::Json, Format::Yaml] {
        let text = document.text(format).unwrap();
        let read = Document::parse(&text, format).unwrap_or_else(|e| panic!("{e}\n{text}"));
        assert_eq!(read, document, "{text}");
    }
}

proptest! {
    #![proptest_config(Config { cases: 128, ..Config::default() })]

    #[test]
    fn an_export_of_what_changes_made_is_all_of_it(
        edits in vec(any::<[u8; 5]>(), 0..40),
        rights in vec(any::<[u8; 6]>(), 0..12),
    ) {
        run(async {
            let registry = empty().await;
            let publisher = registry.publisher("test");
            let beginning = against::change(&against::beginning());
            publisher.apply(beginning).await.unwrap();
            let mut rights = rights.into_iter();
            for (index, edit) in edits.into_iter().map(against::edit).enumerate() {
                let _refused = publisher.apply(against::change(&[edit])).await;
                if let Some(drawn) = rights.next().filter(|_| index % 3 == 0) {
                    let _refused = publisher.apply(right(drawn)).await;
                }
            }
            exported(&registry).await;
        });
    }

    #[test]
    fn what_was_before_makes_no_difference(before in drawn(), after in drawn()) {
        run(async {
            let (before, after) = (document(&before), document(&after));
            let (registry, fresh) = (empty().await, empty().await);
            if apply(&registry, &before).await.is_ok() {
                exported(&registry).await;
                prop_assert!(!apply(&registry, &before).await.unwrap());
            }
            let (mine, theirs) = (apply(&registry, &after).await, apply(&fresh, &after).await);
            prop_assert_eq!(mine.is_ok(), theirs.is_ok(), "{:?} {:?}", mine, theirs);
            if mine.is_ok() {
                prop_assert_eq!(registry.export_document(), fresh.export_document());
                prop_assert!(!apply(&registry, &after).await.unwrap());
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_plan_is_refused_exactly_if_something_is_told(before in drawn(), after in drawn()) {
        run(async {
            let registry = empty().await;
            let _refused = apply(&registry, &document(&before)).await;
            let revision = registry.revision();
            match registry.publisher("file").plan_document(&document(&after)).await {
                Ok(Some(plan)) => prop_assert!(plan.deltas().count() > 0),
                Ok(None) => {}
                Err(DocumentError::Invalid(invalid)) => prop_assert!(!invalid.faults().is_empty()),
                Err(other) => prop_assert!(false, "{other}"),
            }
            prop_assert_eq!(registry.revision(), revision);
            Ok(())
        })?;
    }
}

/// Documents that are mutated byte by byte and line by line. More of them with `BACKHAUL_LONG=1`.
const MUTATED: u32 = 10_000;

#[test]
fn ten_thousand_mutated_documents_are_applied_whole_or_not_at_all() {
    let registry = run(empty());
    run(apply(&registry, &Document::parse(SHOP, Format::Toml).unwrap())).unwrap();
    let mut runner =
        TestRunner::new(Config { cases: MUTATED, failure_persistence: None, ..Config::default() });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mut parsed, mut taken) = (0_u32, 0_u32);
    let mutations =
        vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..6_u8), 1..4);
    let counts = std::cell::RefCell::new((&mut parsed, &mut taken));
    runner
        .run(&mutations, |mutations| {
            let text = mutations
                .iter()
                .fold(SHOP.to_owned(), |text, (at, other, how)| mutate(&text, at, other, *how));
            let Ok(document) = Document::parse(&text, Format::Toml) else { return Ok(()) };
            let (before, was) = (registry.revision(), registry.export_document());
            let made = runtime.block_on(apply(&registry, &document));
            let (after, is) = (registry.revision(), registry.export_document());
            *counts.borrow_mut().0 += 1;
            match made {
                Ok(true) => {
                    *counts.borrow_mut().1 += 1;
                    prop_assert_eq!(after, before.next());
                    let fresh = runtime.block_on(empty());
                    runtime.block_on(apply(&fresh, &document)).unwrap();
                    prop_assert_eq!(is, runtime.block_on(async { fresh.export_document() }));
                }
                _ => {
                    prop_assert_eq!((after, &is), (before, &was));
                }
            }
            Ok(())
        })
        .unwrap();
    #[expect(clippy::print_stdout, reason = "how much was tried is told")]
    {
        println!(
            "{MUTATED} mutated documents: {parsed} were documents still, {taken} were applied"
        );
    }
    assert!(parsed > MUTATED / 100 && taken > 100, "too few were tried: {parsed}, {taken}");
}

fn mutate(text: &str, at: &prop::sample::Index, other: &prop::sample::Index, how: u8) -> String {
    let lines: Vec<&str> = text.lines().collect();
    if lines.is_empty() {
        return String::new();
    }
    let (line, second) = (at.index(lines.len()), other.index(lines.len()));
    let mut lines: Vec<String> = lines.into_iter().map(str::to_owned).collect();
    match how {
        0 => drop(lines.remove(line)),
        1 => lines[line] = lines[second].clone(),
        2 => lines.swap(line, second),
        // One byte is another one of the text.
        3 => {
            let mut bytes = text.as_bytes().to_vec();
            let (at, from) = (at.index(bytes.len()), other.index(bytes.len()));
            bytes[at] = bytes[from];
            return String::from_utf8_lossy(&bytes).into_owned();
        }
        4 => {
            let digit = char::from(b'0' + u8::try_from(second % 10).unwrap());
            lines[line] = lines[line].replace(|c: char| c.is_ascii_digit(), &digit.to_string());
        }
        _ => {
            let repeated = lines[line.min(second)..=line.max(second)].to_vec();
            lines.extend(repeated);
        }
    }
    lines.join("\n")
}
