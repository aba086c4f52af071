//! Others read what we write: PyPI's openapi-spec-validator, where it is installed.

use std::process::{Command, Stdio};

use backhaul::document::Format;
use backhaul::openapi::Export;
use backhaul::{Api, Group};
use serde_json::{Value, json};

use super::pets;

const VALIDATOR: &str = "openapi_spec_validator";

fn is_there() -> bool {
    let import = Command::new("python3")
        .args(["-c", &format!("import {VALIDATOR}")])
        .stderr(Stdio::null())
        .status();
    import.is_ok_and(|status| status.success())
}

fn validate(description: &Value) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("description.json");
    std::fs::write(&file, description.to_string()).unwrap();
    let run = Command::new("python3").args(["-m", VALIDATOR]).arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout) + String::from_utf8_lossy(&run.stderr);
    if run.status.success() { Ok(()) } else { Err(format!("{said}\n{description:#}")) }
}

/// An API with everything in it.
fn everything() -> Api {
    serde_json::from_value(json!({
        "method": "POST",
        "path": "/orders/[id]/{x}",
        "description": "One order.",
        "auth": "app",
        "mode": "mapping",
        "backend": { "service": "orders", "path": "/v1/[id]" },
        "parameter": [
            { "name": "id", "in": "path", "type": "long", "min": 1 },
            { "name": "limit", "in": "query", "type": "int", "default": 20, "max": 100 },
            { "name": "tags", "in": "query", "type": "array", "items": "string" },
            { "name": "X-Trace", "in": "head", "pattern": "^[0-9a-f]+$", "to": { "in": "query" } },
            { "name": "note", "in": "body", "max_length": 80, "required": true },
            { "name": "file", "in": "body", "type": "file" },
        ],
        "response": {
            "type": "json", "sample": "{\n  \"id\": 1\n}", "error_sample": "no",
            "errors": [{ "code": "404", "message": "There is none." }],
        },
    }))
    .unwrap()
}

#[test]
#[expect(clippy::print_stdout, reason = "who reads the log learns what was not tried")]
fn the_validator_of_others_accepts_what_is_exported() {
    if !is_there() {
        let required = std::env::var_os("BACKHAUL_REQUIRE_SERVERS").is_some();
        assert!(!required, "python3 has no {VALIDATOR}");
        println!("skipped: python3 has no {VALIDATOR}; `pip install openapi-spec-validator`");
        return;
    }
    let wrong = json!({ "openapi": "3.0.3", "info": { "title": "x" }, "paths": {} });
    assert!(validate(&wrong).is_err(), "a validator that accepts everything says nothing");
    let group = "pets".parse().unwrap();
    let imported = pets::import().read(pets::JSON, Format::Json).unwrap();
    let mut drafts = imported.apis().to_vec();
    drafts.push(("pets/everything".parse().unwrap(), everything()));
    for export in [Export::new(), Export::new().without_extensions()] {
        let description = export.apis(&group, &Group::host("pets.example.com"), &drafts).unwrap();
        validate(&description).unwrap_or_else(|error| panic!("{error}"));
    }
}
