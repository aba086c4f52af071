//! What is wrong, all at once and with its line.

use backhaul::document::Format;
use backhaul::openapi::{Import, limits};
use serde_json::{Value, json};

use super::{lines, read};

fn told(text: &str) -> String {
    let error = Import::new("shop").service("orders").read(text, Format::Yaml).unwrap_err();
    lines(error.faults())
}

/// A description with these paths, from line 3 on.
fn paths(paths: &str) -> String {
    told(&format!("openapi: 3.1.0\npaths:\n{paths}"))
}

#[test]
fn other_versions_are_refused() {
    for (text, expected) in [
        (
            "swagger: '2.0'",
            "line 1: swagger: is a version that is not read: convert the description to OpenAPI 3\n",
        ),
        ("info: {}", "line 1: openapi: is required\n"),
        ("openapi: 3.2.0", "line 1: openapi: \"3.2.0\" is neither 3.0 nor 3.1\n"),
        ("openapi: 4", "line 1: openapi: \"4\" is neither 3.0 nor 3.1\n"),
        ("openapi: [3]", "line 1: openapi: is a list, not a version\n"),
        ("[]", "line 1: is a list, not a table\n"),
    ] {
        assert_eq!(told(text), expected, "{text}");
    }
}

#[test]
fn each_fault_has_its_place() {
    let mut wrong = Vec::new();
    for (text, expected) in [
        (
            "  /a/{b}.json:\n    get: {}",
            "line 4: paths.\"/a/{b}.json\".get: its path has a segment \"{b}.json\" that is neither literal nor one {parameter}\n",
        ),
        (
            "  /a/*:\n    get: {}",
            "line 4: paths.\"/a/*\".get: its path ends in '*', which stands for everything below only if path in x-backhaul-api says so\n",
        ),
        ("  /a:\n    get: 7", "line 4: paths.\"/a\".get: is a number, not a table\n"),
        ("  /a: []", "line 3: paths.\"/a\": is a list, not a table\n"),
        ("  /a:\n    get: {}\n    get: {}", "line 5: paths.\"/a\".get: stands there twice\n"),
        (
            "  /a/{b}:\n    get: { operationId: one_a }\n  /a/{c}:\n    get: { operationId: two_a }",
            "line 6: paths.\"/a/{c}\".get: has the same requests as paths.\"/a/{b}\".get\n",
        ),
        (
            "  /a:\n    get: { operationId: same }\n    put: { operationId: same }",
            "line 5: paths.\"/a\".put: is called \"same\" as paths.\"/a\".get is\n",
        ),
        (
            "  /a:\n    get:\n      parameters:\n      - { in: query }\n      - { name: x, in: body }\n      - { name: x, in: path }\n      - { name: y, in: query, required: 1 }\n      - $ref: other.yaml#/x\n      - $ref: '#/components/parameters/x'\n      - $ref: '#/paths'\n      - { name: y, in: query }",
            "line 6: paths.\"/a\".get.parameters[0].name: is required\n\
             line 7: paths.\"/a\".get.parameters[1].in: is none of path, query, header, cookie\n\
             line 8: paths.\"/a\".get.parameters[2].name: is not in the path\n\
             line 9: paths.\"/a\".get.parameters[3].required: is a number, not true or false\n\
             line 10: paths.\"/a\".get.parameters[4].\"$ref\": \"other.yaml#/x\" is in another document, which is never fetched\n\
             line 11: paths.\"/a\".get.parameters[5].\"$ref\": \"#/components/parameters/x\" is not there\n\
             line 12: paths.\"/a\".get.parameters[6].\"$ref\": \"#/paths\" is not in #/components/parameters\n\
             line 13: paths.\"/a\".get.parameters[7]: stands there twice: \"y\" in query\n",
        ),
        (
            "  /a:\n    get:\n      parameters:\n      - name: x\n        in: query\n        schema:\n          type: date\n      - name: y\n        in: query\n        schema:\n          minLength: -1\n          minimum: low\n          enum: [[]]\n          pattern: 7",
            "line 9: paths.\"/a\".get.parameters[0].schema.type: \"date\" is not a type\n\
             line 13: paths.\"/a\".get.parameters[1].schema.minLength: is not a whole number up to 4294967295\n\
             line 14: paths.\"/a\".get.parameters[1].schema.minimum: is text, not a number\n\
             line 15: paths.\"/a\".get.parameters[1].schema.enum: has more than single values\n\
             line 16: paths.\"/a\".get.parameters[1].schema.pattern: is a number, not text\n",
        ),
        (
            "  /a:\n    get:\n      x-backhaul-api:\n        backend: { service: 7 }\n        mode: fast\n        surprise: 1\n        method: PUT\n",
            "line 6: paths.\"/a\".get.x-backhaul-api.backend.service: is a number, not text\n\
             line 7: paths.\"/a\".get.x-backhaul-api.mode: \"fast\" is none of passthrough, mapping, mapping_passthrough\n\
             line 8: paths.\"/a\".get.x-backhaul-api.surprise: unknown key\n\
             line 9: paths.\"/a\".get.x-backhaul-api.method: is said by where the operation stands\n",
        ),
        (
            "  /a:\n    get:\n      x-backhaul-api: { path: /b }\n    put:\n      x-backhaul-api: []\n",
            "line 5: paths.\"/a\".get.x-backhaul-api.path: \"/b\" does not fit the path it stands under\n\
             line 7: paths.\"/a\".put.x-backhaul-api: is a list, not a table\n",
        ),
        (
            "  /a:\n    get:\n      parameters:\n      - name: x\n        in: query\n        x-backhaul-parameter:\n          to: { in: cellar }\n          max: x\n",
            "line 9: paths.\"/a\".get.parameters[0].x-backhaul-parameter.to.in: \"cellar\" is none of query, head, path, body\n\
             line 10: paths.\"/a\".get.parameters[0].x-backhaul-parameter.max: is text, not a number\n",
        ),
        (
            "  /a:\n    get:\n      x-aliyun-apigateway-backend: { type: FC }\n      x-aliyun-apigateway-auth-type: OPEN\n      x-aliyun-apigateway-parameter-handling: MAP\n",
            "line 5: paths.\"/a\".get.x-aliyun-apigateway-backend.type: is not HTTP\n\
             line 6: paths.\"/a\".get.x-aliyun-apigateway-auth-type: is neither APP nor ANONYMOUS\n\
             line 7: paths.\"/a\".get.x-aliyun-apigateway-parameter-handling: is none of PASSTHROUGH, MAPPING, MAPPING_PASSTHROUGH\n",
        ),
        (
            "  /a: &a\n    get: { security: [{ x: [] }] }\n  /b:\n    <<: *a\n  /c:\n    get:\n      security: *a\n      tags: *a\n",
            "line 6: paths.\"/b\".\"<<\": merges another table, which is not read: write it out\n\
             line 9: paths.\"/c\".get.security: is an alias, which is not read: write the value out\n",
        ),
        (
            "  /a:\n    get:\n      x-aliyun-apigateway-backend: { type: HTTP, address: 'ftp://x', timeout: 200000 }\n",
            "line 5: paths.\"/a\".get.x-aliyun-apigateway-backend.address: its scheme is neither http nor https\n\
             line 5: paths.\"/a\".get.x-aliyun-apigateway-backend.timeout: 200s is not between 1ms and 120s\n",
        ),
    ] {
        let told = paths(text);
        if told != expected {
            wrong.push(format!("{text}\n{told}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn requirements_that_cannot_be_read_do_not_open_anything() {
    assert_eq!(
        paths("  /a:\n    get:\n      security: none"),
        "line 5: paths.\"/a\".get.security: is text, not a list\n"
    );
    let optional = json!({
        "openapi": "3.0.3",
        "paths": { "/a": {
            "get": { "security": [{}, { "oauth": [] }] },
            "put": { "security": [{}] },
        } },
    });
    let imported = read(&optional).unwrap();
    let access: Vec<_> =
        imported.apis().iter().map(|(_, api)| format!("{:?}", api.access)).collect();
    assert_eq!(access, ["App", "Anonymous"]);
}

#[test]
fn an_operation_needs_a_backend() {
    let text = "openapi: 3.0.0\npaths:\n  /a: { get: {} }";
    let error = Import::new("shop").read(text, Format::Yaml).unwrap_err();
    let expected =
        "line 3: paths.\"/a\".get: says no backend, and none was given for those that do not";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn settings_are_checked_too() {
    let text = "openapi: 3.0.0\npaths: {}\nservers: [{ url: 'https://a/v2' }]";
    for (import, expected) in [
        (Import::new("1"), "import into a group: group name \"1\" does not start with a letter"),
        (Import::new("shop").service(""), "import for a service: service name \"\" is empty"),
        (
            Import::new("shop").base_path("/v1"),
            "line 3: servers: the base path is \"/v2\", and \"/v1\" is the group's",
        ),
    ] {
        assert_eq!(import.read(text, Format::Yaml).unwrap_err().to_string(), expected);
    }
    let toml = Import::new("shop").read("", Format::Toml).unwrap_err();
    assert_eq!(toml.to_string(), "OpenAPI is written in JSON or YAML");
}

#[test]
fn references_end() {
    let circle = |components: Value| {
        let paths = json!({ "/a": { "get": { "parameters": [
            { "$ref": "#/components/parameters/p0" },
        ] } } });
        let value = json!({ "openapi": "3.0.3", "paths": paths, "components": components });
        read(&value).map(|imported| imported.apis().len()).map_err(|error| error.to_string())
    };
    let round = json!({ "parameters": { "p0": { "$ref": "#/components/parameters/p0" } } });
    assert!(circle(round).unwrap_err().contains("in a circle"));
    let chain = |length: usize| {
        let mut all = serde_json::Map::new();
        for index in 0..length {
            let next = format!("#/components/parameters/p{}", index + 1);
            all.insert(format!("p{index}"), json!({ "$ref": next }));
        }
        all.insert(format!("p{length}"), json!({ "name": "x", "in": "query" }));
        json!({ "parameters": all })
    };
    assert_eq!(circle(chain(limits::MAX_REFERENCES - 1)), Ok(1));
    assert!(circle(chain(limits::MAX_REFERENCES)).is_err());
    let schema = json!({
        "parameters": { "p0": { "name": "x", "in": "query", "schema": { "$ref": "#/components/schemas/s" } } },
        "schemas": { "s": { "allOf": [{ "$ref": "#/components/schemas/s" }] } },
    });
    assert_eq!(circle(schema), Ok(1), "what is no type is any text");
}

#[test]
fn few_bytes_do_not_become_many() {
    let size = 9_000_000;
    let unread = "x".repeat(size);
    let uses = |count: usize| {
        let paths = (0..count).map(|index| {
            let parameters = json!([{ "$ref": "#/components/parameters/p" }]);
            (format!("/a{index}"), json!({ "get": { "parameters": parameters } }))
        });
        let paths: serde_json::Map<_, _> = paths.collect();
        let parameter = json!({ "name": "x", "in": "query", "x-unread": unread });
        let components = json!({ "parameters": { "p": parameter } });
        read(&json!({ "openapi": "3.0.3", "paths": paths, "components": components }))
    };
    assert!(uses(1).is_ok());
    let error = uses(limits::MAX_REFERRED / size + 1).unwrap_err();
    assert!(error.to_string().contains("more than is read by references"), "{error}");
}

#[test]
fn a_text_has_a_length() {
    let long = " ".repeat(limits::MAX_TEXT + 1);
    let error = Import::new("shop").read(&long, Format::Yaml).unwrap_err();
    assert_eq!(error.to_string(), "is longer than 64 MiB");
}

#[test]
fn warnings_are_counted() {
    let parameters: Vec<_> = (0..limits::MAX_WARNINGS + 5)
        .map(|index| json!({ "name": format!("c{index}"), "in": "cookie" }))
        .collect();
    let paths = json!({ "/a": { "get": { "parameters": parameters } } });
    let imported = read(&json!({ "openapi": "3.0.3", "paths": paths })).unwrap();
    assert_eq!(imported.warnings().len(), limits::MAX_WARNINGS + 1);
    let last = imported.warnings().last().unwrap();
    assert_eq!(last.to_string(), "5 more warnings are not told");
}

#[test]
fn what_is_wrong_with_a_component_is_told_once() {
    let text = "openapi: 3.0.0
paths:
  /a: { get: { parameters: [{ $ref: '#/components/parameters/p' }] } }
  /b: { get: { parameters: [{ $ref: '#/components/parameters/p' }] } }
components:
  parameters:
    p: { name: x, in: nowhere }
";
    let expected = "line 7: components.parameters.p.in: is none of path, query, header, cookie\n";
    assert_eq!(told(text), expected);
}
