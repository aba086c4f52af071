//! Any document is read as what was written, and any text is read or refused.

use proptest::prelude::*;

use super::shop::SHOP;
use super::strategies::document;
use crate::document::{Document, Format};

const FORMATS: [Format; 3] = [Format::Toml, Format::Json, Format::Yaml];

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(document in document()) {
        for format in FORMATS {
            let text = document.text(format).unwrap();
            match Document::parse(&text, format) {
                Ok(read) => prop_assert_eq!(&read, &document, "{}", text),
                Err(error) => prop_assert!(false, "{}\n{}", error, text),
            }
        }
        let value = serde_json::to_value(&document).unwrap();
        prop_assert_eq!(serde_json::from_value::<Document>(value).unwrap(), document);
    }

    #[test]
    fn a_mutilated_text_is_read_or_refused(
        format in proptest::sample::select(FORMATS.to_vec()),
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), 0_usize..8, "[ -~\n]{0,3}"), 1..4),
    ) {
        let mut text = Document::parse(SHOP, Format::Toml).unwrap().text(format).unwrap();
        for (at, length, instead) in cuts {
            let at = at.index(text.len());
            let end = (at + length).min(text.len());
            if text.is_char_boundary(at) && text.is_char_boundary(end) {
                text.replace_range(at..end, &instead);
            }
        }
        match Document::parse(&text, format) {
            Ok(read) => {
                let again = read.text(format).unwrap();
                prop_assert_eq!(Document::parse(&again, format).unwrap(), read);
            }
            Err(error) => {
                prop_assert!(!error.faults().is_empty());
                prop_assert!(!error.to_string().contains('\n'));
                let last = u32::try_from(text.lines().count()).unwrap() + 1;
                for fault in error.faults() {
                    prop_assert!(fault.line.is_some_and(|line| (1..=last).contains(&line)), "{}", fault);
                }
            }
        }
    }
}
