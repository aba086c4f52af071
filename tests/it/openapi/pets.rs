//! A description as people write them.

use backhaul::document::Format;
use backhaul::model::{Access, Mode};
use backhaul::openapi::{Import, Imported};
use serde_json::{Value, json};

use super::lines;

const YAML: &str = include_str!("pets.yaml");
pub(super) const JSON: &str = include_str!("pets.json");

pub(super) fn import() -> Import {
    Import::new("pets").service("kennel").base_path("/v1/")
}

fn pets() -> Imported {
    import().read(YAML, Format::Yaml).unwrap_or_else(|error| panic!("{error}"))
}

/// A draft as it would be written in a document.
fn draft(name: &str) -> Value {
    let imported = pets();
    let found = imported.apis().iter().find(|(api, _)| api.name() == name);
    serde_json::to_value(&found.unwrap().1).unwrap()
}

fn trace() -> Value {
    json!({
        "name": "X-Trace", "in": "head", "min_length": 8, "max_length": 64,
        "to": { "name": "X-Request-Trace" },
    })
}

#[test]
fn every_operation_is_a_draft() {
    let imported = pets();
    let names: Vec<_> = imported.apis().iter().map(|(name, _)| name.to_string()).collect();
    let expected = [
        "pets/listPets",
        "pets/createPet",
        "pets/get_pets_petId",
        "pets/api_9 lives",
        "pets/put_photo",
        "pets/any_photo",
        "pets/files",
    ];
    assert_eq!(names, expected);
    let group = imported.suggestion();
    assert_eq!(group.hosts, ["eu.pets.example.com", "pets.example.org"]);
    assert_eq!(group.base_path, "/v1");
}

#[test]
fn references_types_and_limits_are_followed() {
    let expected = json!({
        "method": "GET",
        "path": "/pets",
        "description": "All pets, a page at a time.",
        "backend": { "service": "kennel" },
        "parameter": [
            trace(),
            { "name": "limit", "in": "query", "type": "int", "default": "20", "min": 1, "max": 100 },
            { "name": "tag", "in": "query", "type": "array", "items": "string",
              "description": "One of these." },
        ],
        "response": {
            "type": "json",
            "sample": "[\n  {\n    \"name\": \"Rex\"\n  },\n  {\n    \"name\": \"Tom\"\n  }\n]",
            "error_sample": "{\n  \"code\": 7\n}",
            "errors": [],
        },
    });
    assert_eq!(draft("listPets"), expected);
}

#[test]
fn a_form_is_parameters_and_security_is_an_application() {
    let expected = json!({
        "method": "POST",
        "path": "/pets",
        "description": "Makes one.",
        "auth": "app",
        "backend": { "service": "kennel" },
        "parameter": [
            trace(),
            { "name": "name", "in": "body", "required": true, "max_length": 40,
              "description": "What it is called." },
            { "name": "weight", "in": "body", "type": "double", "required": true },
            { "name": "photo", "in": "body", "type": "file" },
        ],
        "response": {
            "type": "json", "sample": "", "error_sample": "",
            "errors": [
                { "code": "409", "message": "There is one already.", "description": "" }
            ],
        },
    });
    assert_eq!(draft("createPet"), expected);
}

#[test]
fn an_operation_overrides_the_parameters_of_its_path() {
    let expected = json!({
        "method": "DELETE",
        "path": "/pets/[petId]",
        "mode": "mapping",
        "force_nonce": true,
        "backend": {
            "inline": { "kind": "http", "url": "http://10.0.0.9:80" },
            "path": "/d/[petId]", "method": "DELETE", "timeout": "2500ms",
        },
        "parameter": [
            { "name": "petId", "in": "path", "type": "long", "required": true, "min": 1 },
            { "name": "verbose", "in": "query", "enum": ["no", "yes"] },
        ],
    });
    assert_eq!(draft("api_9 lives"), expected);
    let photo = draft("put_photo");
    let expected = json!([
        { "name": "name", "in": "path", "required": true, "pattern": "^[a-z]+$" }
    ]);
    assert_eq!(photo["parameter"], expected, "any text in the path is said by the path");
}

#[test]
fn extensions_say_what_openapi_cannot() {
    let expected = json!({
        "method": "GET",
        "path": "/files/*",
        "backend": { "service": "files", "path": "/*" },
        "constant": [{ "name": "X-Source", "value": "pets" }],
    });
    assert_eq!(draft("files"), expected);
    let expected = json!({
        "method": "ANY",
        "path": "/pets/[petId]/photos/[name]",
        "auth": "app",
        "backend": { "service": "photos" },
    });
    assert_eq!(draft("any_photo"), expected);
}

#[test]
fn what_is_lost_is_told() {
    let expected = "\
line 11: servers[2].url: has another base path than the first server, \"/v0\"
line 13: security: \"oauth\" is not kept: callers are applications, or anybody
line 29: paths.\"/pets\".get.parameters[1].schema.items.maxLength: is not kept
line 29: paths.\"/pets\".get.parameters[1].schema.maxItems: is not kept
line 31: paths.\"/pets\".get.parameters[2].schema: is an object, which is not kept
line 32: paths.\"/pets\".get.parameters[3]: is a cookie, which is not kept
line 33: paths.\"/pets\".get.parameters[4]: is not read: OpenAPI gives it no meaning
line 37: paths.\"/pets\".get.responses.200.links: are not kept
line 50: paths.\"/pets\".post.callbacks: are requests to others, which are not kept
line 64: paths.\"/pets/{petId}\".delete.operationId: cannot be the name of an API, which is \"api_9 lives\" instead
line 71: paths.\"/pets/{petId}\".delete.x-aliyun-apigateway-api-market-enable: is not read
line 73: paths.\"/pets/{petId}\".trace: is never served: it is left out
line 85: paths.\"/pets/{petId}/photos/{name}\".x-aliyun-apigateway-any-method: does not describe the parameter \"petId\" of its path
line 85: paths.\"/pets/{petId}/photos/{name}\".x-aliyun-apigateway-any-method: does not describe the parameter \"name\" of its path
line 122: components.schemas.NewPet.properties.extra: is an object, which is not kept
line 135: webhooks: are requests to others, which are not kept
";
    assert_eq!(lines(pets().warnings()), expected);
}

#[test]
fn json_says_the_same() {
    let (yaml, json) = (pets(), import().read(JSON, Format::Json).unwrap());
    assert_eq!(json.apis(), yaml.apis());
    let told = |imported: &Imported| {
        let warnings = imported.warnings().iter();
        warnings.map(|warning| (warning.path.clone(), warning.reason.clone())).collect::<Vec<_>>()
    };
    assert_eq!(told(&json), told(&yaml));
}

#[test]
fn settings_say_what_the_description_does_not() {
    let import = import().mode(Mode::Mapping).access(Access::Anonymous);
    let imported = import.read(YAML, Format::Yaml).unwrap();
    let api =
        |name: &str| imported.apis().iter().find(|(api, _)| api.name() == name).unwrap().1.clone();
    assert_eq!(
        (api("createPet").mode, api("createPet").access),
        (Mode::Mapping, Access::Anonymous)
    );
    let closed = import.access(Access::App).read(YAML, Format::Yaml).unwrap();
    let open: Vec<_> = closed.apis().iter().filter(|(_, api)| api.access != Access::App).collect();
    let open: Vec<_> = open.iter().map(|(name, _)| name.name()).collect();
    assert_eq!(open, ["api_9 lives", "files"], "they say so themselves");
}

#[test]
fn drafts_are_a_document_too() {
    let imported = pets();
    let apis = imported.apis().to_vec();
    let document = imported.into_document();
    assert_eq!(document.groups[0].group.base_path, "/v1");
    let entries: Vec<_> = document.apis.into_iter().map(|entry| (entry.name, entry.api)).collect();
    assert_eq!(entries, apis);
}
