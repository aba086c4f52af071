use proptest::prelude::*;
use serde_json::json;

use super::*;

fn parameter(rest: serde_json::Value) -> Parameter {
    let mut written = json!({ "name": "p", "in": "query" });
    if let serde_json::Value::Object(rest) = rest {
        written.as_object_mut().unwrap().extend(rest);
    }
    serde_json::from_value(written).unwrap()
}

fn check(rest: serde_json::Value) -> Check {
    Check::compile(&parameter(rest)).unwrap()
}

fn refused(rest: serde_json::Value) -> (&'static str, String) {
    Check::compile(&parameter(rest)).unwrap_err()
}

#[test]
fn values_are_what_their_type_says() {
    for (kind, good, bad) in [
        ("string", &["", " ", "é"][..], &[][..]),
        (
            "int",
            &["0", "-0", "007", "2147483647", "-2147483648"],
            &["", "-", "+1", " 1", "1.0", "1e3", "2147483648", "-2147483649", "٣", "0x1"],
        ),
        (
            "long",
            &["2147483648", "9223372036854775807", "-9223372036854775808"],
            &["9223372036854775808", "1_000", "--1"],
        ),
        ("float", &["1", "-1.5", ".5", "5.", "1e3", "3.4e38"], &["", "3.5e38", "NaN", "inf"]),
        ("double", &["1.7e308", "-0.0", "1E-5"], &["1e309", "-inf", "+1", "nan", "1,5", "e", "1 "]),
        ("boolean", &["true", "false"], &["", "True", "1", "yes", " true"]),
    ] {
        for (type_, items) in [(kind, None), ("array", Some(kind))] {
            let check = check(json!({ "type": type_, "items": items }));
            for text in good {
                assert_eq!(check.accepts(text), Ok(()), "{kind} {text:?}");
            }
            for text in bad {
                assert!(check.accepts(text).is_err(), "{kind} {text:?}");
            }
        }
    }
}

#[test]
fn bounds_are_within() {
    let limit = check(json!({ "type": "int", "min": 1, "max": 100 }));
    for (text, expected) in [
        ("1", Ok(())),
        ("100", Ok(())),
        ("0", Err("is less than it may be")),
        ("101", Err("is more than it may be")),
    ] {
        assert_eq!(limit.accepts(text), expected.map_err(Unfit::from));
    }
    // Beyond what a float tells apart.
    let exact = check(json!({ "type": "long", "max": 9_007_199_254_740_993_i64 }));
    assert_eq!(exact.accepts("9007199254740993"), Ok(()));
    assert!(exact.accepts("9007199254740994").is_err());
    let huge = check(json!({ "type": "long", "max": u64::MAX, "min": -3.0 }));
    assert_eq!(huge.accepts("9223372036854775807"), Ok(()));
    assert_eq!((huge.accepts("-3"), huge.accepts("-4").is_err()), (Ok(()), true));
    let real = check(json!({ "type": "double", "min": 0.5, "max": 1 }));
    assert_eq!((real.accepts("0.5"), real.accepts("0.49").is_err()), (Ok(()), true));
    assert!(real.accepts("1.0001").is_err());
}

#[test]
fn lengths_are_counted_in_characters() {
    let text = check(json!({ "min_length": 2, "max_length": 3 }));
    for (value, fits) in [("é", false), ("éé", true), ("ééé", true), ("éééé", false), ("abc", true)]
    {
        assert_eq!(text.accepts(value).is_ok(), fits, "{value}");
    }
}

#[test]
fn patterns_are_searched_for_and_choices_are_whole() {
    let q = check(json!({ "pattern": "^[a-z0-9 ]+$", "max_length": 64 }));
    assert_eq!((q.accepts("red 1"), q.accepts("RED").is_err()), (Ok(()), true));
    assert!(q.accepts("red\n").is_err());
    assert_eq!(check(json!({ "pattern": "b" })).accepts("abc"), Ok(()));
    let one = check(json!({ "type": "int", "enum": ["1", "2"] }));
    assert_eq!((one.accepts("1"), one.accepts("01").is_err()), (Ok(()), true));
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_key() {
    for (rest, key, reason) in [
        (json!({ "min": 1 }), "min", "is not meant for this type"),
        (json!({ "max": 1, "type": "boolean" }), "max", "is not meant for this type"),
        (json!({ "min_length": 1, "type": "int" }), "min_length", "is not meant for this type"),
        (
            json!({ "max_length": 1, "type": "array", "items": "long" }),
            "max_length",
            "is not meant for this type",
        ),
        (json!({ "items": "int" }), "items", "is meant for arrays only"),
        (json!({ "type": "array", "items": "file" }), "items", "cannot be items of an array"),
        (json!({ "type": "array", "items": "array" }), "items", "cannot be items of an array"),
        (json!({ "type": "int", "min": 2, "max": 1 }), "min", "is more than max"),
        (json!({ "type": "float", "min": 2, "max": 1.5 }), "min", "is more than max"),
        (json!({ "min_length": 2, "max_length": 1 }), "min_length", "is more than max_length"),
        (json!({ "type": "int", "min": 1.5 }), "min", "is not a whole number of 64 bits"),
        (json!({ "type": "int", "schema": {} }), "schema", "is not meant for this type"),
        (json!({ "type": "array", "schema": {} }), "schema", "is not meant for this type"),
        (json!({ "pattern": "(" }), "pattern", "is not a regular expression: unclosed group"),
        (
            json!({ "pattern": "(?=a)" }),
            "pattern",
            "is not a regular expression: look-around, including look-ahead and look-behind, is not \
             supported",
        ),
        (json!({ "pattern": "(\\w{100}){100}" }), "pattern", "is too large once compiled"),
        (json!({ "pattern": "a".repeat(4097) }), "pattern", "is longer than 4096 bytes"),
    ] {
        assert_eq!(refused(rest.clone()), (key, reason.to_owned()), "{rest}");
    }
}

#[test]
fn usual_patterns_are_small_enough() {
    for pattern in [r"^[\w-]{1,128}$", r"^\d{1,20}$", r"^[^@\s]+@[^@\s]+\.\w{2,24}$", r"(?i)^é+$"]
    {
        let compiled = Check::compile(&parameter(json!({ "pattern": pattern })));
        assert!(compiled.is_ok(), "{pattern}: {compiled:?}");
    }
}

proptest! {
    #[test]
    fn what_is_accepted_is_such_a_number(text in "[-+0-9.eE]{0,12}|[0-9]{1,20}|-[0-9]{1,20}") {
        for (kind, short) in [("int", true), ("long", false)] {
            let accepted = check(json!({ "type": kind })).accepts(&text).is_ok();
            let digits = text.strip_prefix('-').unwrap_or(&text);
            let written = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            let range = if short {
                i128::from(i32::MIN)..=i128::from(i32::MAX)
            } else {
                i128::from(i64::MIN)..=i128::from(i64::MAX)
            };
            let fits = written && text.parse().is_ok_and(|number| range.contains(&number));
            prop_assert_eq!(accepted, fits, "{} {}", kind, text);
        }
    }

    #[test]
    fn bounds_hold_exactly(number in any::<i64>(), least in any::<i64>(), most in any::<i64>()) {
        let written = json!({ "type": "long", "min": least.min(most), "max": most.max(least) });
        let fits = (least.min(most)..=most.max(least)).contains(&number);
        prop_assert_eq!(check(written).accepts(&number.to_string()).is_ok(), fits);
    }
}
