//! Any rules of parameters and any requests: what is mapped stays below its path, makes no names, and
//! no client writes what the gateway says.

#![no_main]

use backhaul::{Api, ErrorKind, fuzzing};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

#[allow(dead_code, reason = "each target uses a part of it")]
#[path = "../../tests/reference/mod.rs"]
mod reference;

use reference::router::canonical;

const PLACES: [&str; 4] = ["query", "head", "path", "body"];
const TYPES: [&str; 7] = ["string", "int", "long", "float", "double", "boolean", "array"];
const MODES: [&str; 3] = ["passthrough", "mapping", "mapping_passthrough"];

/// One of a list.
fn one<'a>(of: &[&'a str], at: u8) -> &'a str {
    of[usize::from(at) % of.len()]
}

fn api(shape: [u8; 4], texts: [&str; 4]) -> Option<Api> {
    let [from, to, kind, mode] = shape;
    let [pattern, default, name, template] = texts;
    let some = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
    let written = json!({
        "method": "POST", "path": "/a/[id]/*", "mode": one(&MODES, mode),
        "backend": { "service": "orders", "path": format!("/b/{template}") },
        "parameter": [{
            "name": if one(&PLACES, from) == "path" { "id" } else { "p" },
            "in": one(&PLACES, from), "type": one(&TYPES, kind), "default": some(default),
            "pattern": some(pattern), "to": { "name": some(name), "in": one(&PLACES, to) },
        }],
        "constant": [{ "name": "source", "value": "gateway", "in": "query" },
            { "name": "source", "value": "gateway", "in": "body" }],
        "system": [{ "name": "CaClientIp", "to": { "name": "X-Real-Ip" } }],
    });
    serde_json::from_value(written).ok()
}

/// The names in a query or a form, as they stand there.
fn names(text: &str) -> Vec<&str> {
    text.split(['&', ';']).map(|pair| pair.split('=').next().unwrap_or_default()).collect()
}

fuzz_target!(|input: ([u8; 4], [&str; 4], (&str, &str), &[u8], &[u8])| {
    let (shape, texts, (path, query), header, form) = input;
    let Some(api) = api(shape, texts) else {
        return;
    };
    let path = format!("/a/{path}/x");
    if !query.is_ascii()
        || query.contains(|c: char| c.is_ascii_control() || " #\"<>`{}|\\^".contains(c))
    {
        return;
    }
    for name in ["p", "x_real_ip"] {
        let Some(made) = fuzzing::mapped(&api, (&path, query), (name, header), form) else {
            return;
        };
        let (uri, headers, form) = match made {
            Ok(made) => made,
            Err(kind) => {
                assert!(kind.answer().status.is_client_error() && kind != ErrorKind::Internal);
                continue;
            }
        };
        let (path, query) = uri.split_once('?').unwrap_or((&uri, ""));
        assert!(path.starts_with("/b/") && canonical(path).is_some(), "{uri}");
        let form = form.map(|form| String::from_utf8_lossy(&form).into_owned());
        for text in [query, form.as_deref().unwrap_or_default()] {
            let names = names(text);
            assert_eq!(names.iter().filter(|name| **name == "source").count(), 1, "{text}");
            if shape[3] % 3 == 1 {
                let other = names.iter().any(|name| name.contains(['+', '#', '/', '?']));
                assert!(!other, "{text}");
            }
        }
        assert_eq!(headers["x-real-ip"], "192.0.2.7");
        assert!(!headers.contains_key("x_real_ip"));
    }
});
