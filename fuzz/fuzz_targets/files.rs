//! Any body for an API that takes a file, a text that is JSON and nothing else it knows: it is refused, or
//! what is written anew is read as what it is, and nobody forges what the gateway says.

#![no_main]

use std::sync::LazyLock;

use backhaul::{Api, ErrorKind, fuzzing};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

fn api(written: Value) -> Api {
    serde_json::from_value(written).expect("an API")
}

static FIRST: LazyLock<Api> = LazyLock::new(|| {
    api(json!({
        "method": "POST", "path": "/a", "mode": "mapping_passthrough", "backend": { "service": "orders" },
        "parameter": [
            { "name": "picture", "in": "body", "type": "file", "to": { "name": "image" } },
            { "name": "order", "in": "body", "schema": { "type": ["object", "array"], "maxProperties": 3 } },
        ],
        "constant": [{ "name": "source", "value": "gateway", "in": "body" }],
    }))
});

/// What a backend would read of it.
static SECOND: LazyLock<Api> = LazyLock::new(|| {
    api(json!({
        "method": "POST", "path": "/a", "mode": "mapping", "backend": { "service": "orders" },
        "parameter": [
            { "name": "image", "in": "body", "type": "file" },
            { "name": "source", "in": "body", "required": true, "to": { "name": "x-source", "in": "head" } },
            { "name": "picture", "in": "body", "to": { "name": "x-left", "in": "head" } },
        ],
    }))
});

fuzz_target!(|input: (&str, &[u8])| {
    let (boundary, body) = input;
    let content_type = format!("multipart/form-data; boundary={boundary}");
    let header = ("content-type", content_type.as_bytes());
    let Some(made) = fuzzing::mapped(&FIRST, ("/a", ""), header, body) else {
        return;
    };
    let (_, headers, form) = match made {
        Ok(made) => made,
        Err(kind) => {
            assert!(kind.answer().status.is_client_error() && kind != ErrorKind::Internal);
            return;
        }
    };
    let form = form.expect("there is always a constant");
    let again = ("content-type", headers["content-type"].as_bytes());
    let read = fuzzing::mapped(&SECOND, ("/a", ""), again, &form).expect("an API with rules");
    let (_, headers, _) = read.expect("what was written is read");
    assert_eq!(headers["x-source"], "gateway");
    assert!(!headers.contains_key("x-left"));
});
