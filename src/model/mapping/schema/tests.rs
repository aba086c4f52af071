use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::model::limits::{MAX_JSON_DEPTH, MAX_SCHEMA_CHAIN, MAX_SCHEMA_DEPTH};

fn schema(written: &Value) -> Schema {
    Schema::compile(written).unwrap()
}

fn refusal(written: &Value) -> String {
    let (key, reason) = Schema::compile(written).unwrap_err();
    assert_eq!(key, "schema");
    reason
}

/// Something nested so often under this key.
fn nested(key: &str, levels: usize, inner: Value) -> Value {
    (0..levels).fold(inner, |inner, _| json!({ key: inner }))
}

#[test]
fn a_text_and_a_value_say_the_same() {
    let written = json!({ "type": "object", "required": ["id"],
        "properties": { "id": { "type": "integer", "minimum": 1 } } });
    for schema in [schema(&written), schema(&written.to_string().into())] {
        for (text, expected) in [
            (r#"{"id":1}"#, Ok(())),
            (r#" {"id" : 1.0, "more": []} "#, Ok(())),
            (r#"{"id":0}"#, Err((ErrorKind::InvalidParameter, "does not satisfy its schema"))),
            ("[]", Err((ErrorKind::InvalidParameter, "does not satisfy its schema"))),
            ("id=1", Err((ErrorKind::InvalidJson, "is not JSON"))),
            ("", Err((ErrorKind::InvalidJson, "is not JSON"))),
            (r#"{"id":1,"id":1}"#, Err((ErrorKind::InvalidJson, "is JSON with a key twice"))),
        ] {
            let found = schema.accepts(text).map_err(|unfit| (unfit.kind, unfit.reason));
            assert_eq!(found, expected, "{text}");
        }
    }
    assert!(schema(&json!(true)).accepts("null").is_ok());
    assert!(schema(&"false".into()).accepts("null").is_err());
}

#[test]
fn nothing_is_fetched() {
    for elsewhere in [
        json!({ "$ref": "http://169.254.169.254/latest/meta-data" }),
        json!({ "$ref": "https://json.schemastore.org/package.json" }),
        json!({ "$ref": "file:///etc/passwd" }),
        json!({ "$ref": "other.json#/a" }),
        json!({ "$ref": "//169.254.169.254/a" }),
        json!({ "$id": "http://169.254.169.254/a", "$ref": "b" }),
        json!({ "$schema": "http://169.254.169.254/a" }),
        json!({ "$defs": { "unused": { "items": { "$ref": "http://169.254.169.254/a" } } } }),
        json!({ "$dynamicRef": "http://169.254.169.254/a" }),
    ] {
        let reason = refusal(&elsewhere);
        let by_whom = ["refers to \"", "is not a schema that can be used: Unknown meta-schema"];
        assert!(by_whom.iter().any(|start| reason.starts_with(start)), "{elsewhere}: {reason}");
    }
    for within in [
        json!({ "$defs": { "a b": { "type": "null" } }, "$ref": "#/$defs/a%20b" }),
        json!({ "$defs": { "a": { "$anchor": "x", "type": "null" } }, "$ref": "#x" }),
        json!({ "$id": "http://a.example/", "$defs": { "a": { "$id": "b", "type": "null" } }, "$ref": "b" }),
        json!({ "$id": "http://a.example/root", "$defs": { "a": { "$id": "a", "anyOf": [{ "$ref": "b#x" }] },
            "b": { "$id": "b", "$defs": { "c": { "$anchor": "x", "allOf": [{ "$ref": "#/$defs/d" }] },
            "d": { "type": "null" } } } }, "allOf": [{ "$ref": "/a" }] }),
        json!({ "$schema": "http://json-schema.org/draft-07/schema#", "definitions": { "a": { "type": "null" } },
            "$ref": "#/definitions/a" }),
    ] {
        let schema = schema(&within);
        assert!(schema.accepts("null").is_ok() && schema.accepts("1").is_err(), "{within}");
    }
}

#[test]
fn what_is_no_schema_is_refused() {
    for (written, expected) in [
        (json!("{"), "is not JSON"),
        (json!(r#"{"type":"object","type":"array"}"#), "is JSON with a key twice"),
        (json!({ "type": "nothing" }), "is not a schema that can be used: "),
        (json!(1), "is not a schema that can be used: "),
        (json!(["a"]), "is not a schema that can be used: "),
        (Value::Null, "is not a schema that can be used: "),
        (json!({ "$ref": "#/nowhere" }), "is not a schema that can be used: "),
        (json!({ "$ref": "#nobody" }), "is not a schema that can be used: "),
        (json!({ "$ref": 1 }), "is not a schema that can be used: "),
        (json!({ "const": "a".repeat(MAX_SCHEMA) }), "is longer than 65536 bytes"),
        (json!(" ".repeat(MAX_SCHEMA + 1)), "is longer than 65536 bytes"),
        (nested("not", MAX_SCHEMA_DEPTH + 1, json!({})), "has more than 64 levels"),
        (
            nested("not", MAX_SCHEMA_CHAIN, json!({})),
            "has more than 32 schemas in a row for one value",
        ),
        (json!({ "$ref": "#" }), "refers to itself without going into the value"),
        (
            json!({ "anyOf": [{ "type": "null" }, { "$ref": "#" }] }),
            "refers to itself without going",
        ),
    ] {
        let reason = refusal(&written);
        assert!(reason.starts_with(expected), "{written:.80}: {reason}");
        assert!(reason.chars().count() < 300, "{reason}");
    }
}

/// Where schemas stand one behind another, most of a small schema is a reference.
#[test]
fn a_row_of_references_ends() {
    let row = |length: usize| {
        let mut all = serde_json::Map::new();
        for index in 0..length {
            all.insert(format!("a{index}"), json!({ "$ref": format!("#/$defs/a{}", index + 1) }));
        }
        all.insert(
            format!("a{length}"),
            json!({ "properties": { "a": { "$ref": "#/$defs/a0" } } }),
        );
        json!({ "$defs": all, "properties": { "a": { "$ref": "#/$defs/a0" } } })
    };
    assert!(refusal(&row(1_000)).starts_with("has more than 32 schemas"));
    let longest = schema(&row(MAX_SCHEMA_CHAIN - 3));
    let deepest = nested("a", MAX_JSON_DEPTH, json!(1)).to_string();
    assert!(longest.accepts(&deepest).is_ok());
}

#[test]
fn the_deepest_row_through_the_deepest_value_has_the_stack_it_needs() {
    let deepest = nested("a", MAX_JSON_DEPTH, json!(1)).to_string();
    for keyword in ["not", "if", "allOf", "anyOf", "oneOf"] {
        let mut inner = json!({ "$ref": "#" });
        for _ in 0..MAX_SCHEMA_CHAIN - 4 {
            let list = keyword.ends_with("Of");
            inner = json!({ keyword: if list { json!([inner]) } else { inner } });
        }
        let schema = schema(&json!({ "properties": { "a": inner } }));
        let _ = schema.accepts(&deepest);
    }
}

/// Tracking back, or following every branch anew, takes longer than the test may.
#[test]
fn no_value_takes_more_than_its_share() {
    let slow = schema(&json!({ "pattern": "^(a+)+$" }));
    let text = format!("\"{}!\"", "a".repeat(10_000));
    assert!(slow.accepts(&text).is_err());
    let branch = |name: &str| json!({ "properties": { "a": { "$ref": "#" } }, "required": [name] });
    let twice = schema(&json!({ "anyOf": [branch("x"), branch("y"), { "type": "string" }] }));
    let _ = twice.accepts(&nested("a", MAX_JSON_DEPTH, json!(1)).to_string());
}

#[test]
fn patterns_are_those_of_the_linear_engine_and_share_their_room() {
    for bad in ["(?=a)", "(?!a)", "(a)\\1", "a{1000000}", "(\\p{L}{100}){100}", "("] {
        for written in [json!({ "pattern": bad }), json!({ "patternProperties": { bad: {} } })] {
            assert!(refusal(&written).starts_with("is not a schema that can be used"), "{bad}");
        }
    }
    let large = |count: usize| {
        let all: Vec<_> = (0..count)
            .map(|n| json!({ "pattern": format!("^\\p{{L}}{{{}}}é$", 20 + n) }))
            .collect();
        json!({ "properties": { "a": { "items": { "anyOf": all } } } })
    };
    assert!(Schema::compile(&large(LARGE_PATTERNS)).is_ok());
    assert!(Schema::compile(&large(200)).is_err());
    let small: Vec<_> =
        (0..200).map(|n| json!({ "pattern": format!("^[a-z]{{{}}}é$", 1 + n) })).collect();
    assert!(schema(&json!({ "anyOf": small })).accepts("\"aé\"").is_ok());
}

proptest! {
    /// Whatever is written, it is refused or it answers.
    #[test]
    fn any_schema_ends(
        words in proptest::collection::vec((0..12_usize, 0..6_usize), 1..12), text in r#"([\[\]{}:,]|"a"|1){0,8}"#,
    ) {
        const KEYS: [&str; 12] = ["$ref", "allOf", "anyOf", "not", "properties", "items", "$defs", "$anchor",
            "if", "dependencies", "pattern", "$dynamicRef"];
        const ENDS: [&str; 6] = ["#", "#/$defs/a", "#a", "a", "#/properties/a", "("];
        let mut written = json!({});
        for (key, end) in words {
            let inner = match KEYS[key] {
                "$ref" | "$anchor" | "pattern" | "$dynamicRef" => json!(ENDS[end]),
                "allOf" | "anyOf" => json!([written, { "type": "string" }]),
                "properties" | "$defs" | "dependencies" => json!({ "a": written }),
                _ => written,
            };
            written = json!({ KEYS[key]: inner, "$anchor": "a" });
        }
        if let Ok(schema) = Schema::compile(&written) {
            let _ = schema.accepts(&text);
        }
    }
}
