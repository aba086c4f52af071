//! Drafts of every sort there and back, and descriptions of every sort.

use std::collections::{BTreeMap, BTreeSet};
use std::mem::take;

use backhaul::document::{Document, Format};
use backhaul::model::{Access, Mode};
use backhaul::openapi::{Export, Import};
use backhaul::{Api, ApiName, Group, GroupName};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::pets;

/// Paths, whether brackets are text in them, and which of them have the same requests.
const PATHS: [(&str, bool, u8); 11] = [
    ("/", false, 0),
    ("/orders/[id]", false, 1),
    ("/orders/[other.one]", false, 1),
    ("/orders/[id]/*", false, 2),
    ("/*", false, 3),
    ("/a%41/", false, 4),
    ("/{x}/[y]", false, 5),
    ("/{x}", false, 6),
    ("/[x]", true, 7),
    ("/[x]/{y}", true, 8),
    ("/plain", true, 9),
];

fn text() -> BoxedStrategy<String> {
    let odd = select(vec!["1", "1.0", "-7", "true", "null", "1e3", "\u{1}\"\n", "é{}[]/$ref"]);
    prop_oneof!["[a-z]{0,6}", "\\PC{0,5}", odd.prop_map(str::to_owned)].boxed()
}

fn number() -> BoxedStrategy<Value> {
    let finite = any::<f64>().prop_filter("finite", |number| number.is_finite());
    prop_oneof![any::<i64>().prop_map(Value::from), finite.prop_map(Value::from)].boxed()
}

fn value() -> BoxedStrategy<Value> {
    let leaf =
        prop_oneof![number(), text().prop_map(Value::from), any::<bool>().prop_map(Value::from)];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            vec((text(), inner), 0..3).prop_map(|all| Value::Object(all.into_iter().collect())),
        ]
    })
    .boxed()
}

/// A table without what is not there.
fn table<const N: usize>(entries: [(&str, Option<Value>); N]) -> Value {
    let there = entries.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(there.collect())
}

fn kind() -> impl Strategy<Value = &'static str> {
    select(vec!["string", "int", "long", "float", "double", "boolean", "array", "file"])
}

fn place() -> impl Strategy<Value = &'static str> {
    select(vec!["query", "head", "path", "body"])
}

fn destination() -> impl Strategy<Value = Value> {
    (of(text()), of(place())).prop_map(|(name, place)| {
        table([("name", name.map(Value::from)), ("in", place.map(Value::from))])
    })
}

fn parameter() -> BoxedStrategy<Value> {
    let name = prop_oneof![
        select(vec!["id", "x", "y", "other.one", "Accept", "content-type"]).prop_map(str::to_owned),
        "[a-zA-Z-]{1,6}",
        "\\PC{1,3}",
    ];
    let bounds = (of(number()), of(number()), of(any::<u32>()), of(any::<u32>()));
    let values = (of(text()), of(text()), vec(text(), 0..3), of(value()));
    (name, place(), kind(), (any::<bool>(), of(kind()), text(), of(destination())), bounds, values)
        .prop_map(|(name, place, kind, more, bounds, values)| {
            let (required, items, description, to) = more;
            let (min, max, min_length, max_length) = bounds;
            let (default, pattern, choices, schema) = values;
            table([
                ("name", Some(name.into())),
                ("in", Some(place.into())),
                ("type", Some(kind.into())),
                ("required", Some(required.into())),
                ("items", items.map(Value::from)),
                ("description", Some(description.into())),
                ("to", to),
                ("min", min),
                ("max", max),
                ("min_length", min_length.map(Value::from)),
                ("max_length", max_length.map(Value::from)),
                ("default", default.map(Value::from)),
                ("pattern", pattern.map(Value::from)),
                ("enum", Some(choices.into())),
                ("schema", schema),
            ])
        })
        .boxed()
}

/// Most are as most are.
fn usual_parameter() -> BoxedStrategy<Value> {
    let usual = (select(vec!["a", "b", "c", "id"]), select(vec!["query", "head", "body"]), kind())
        .prop_map(|(name, place, kind)| json!({ "name": name, "in": place, "type": kind }));
    prop_oneof![usual, parameter()].boxed()
}

fn backend() -> BoxedStrategy<Value> {
    let discovery = json!({ "kind": "discovery", "registry": "nacos", "server": "s",
        "service": "x", "password": "hunter2", "username": "u" });
    let inline = prop_oneof![
        Just(json!({ "kind": "http", "url": "http://10.0.0.7:8080/x", "timeout": "3s" })),
        text().prop_map(|body| json!({ "kind": "mock", "status": 203, "body": body })),
        Just(discovery),
        value().prop_map(|value| json!({ "kind": "greeter", "path": value, "deep": { "er": 1 } })),
    ];
    let rest = (of(Just("/x")), of(select(vec!["GET", "ANY"])), of(1_u32..120_000), of(text()));
    (of(inline), rest)
        .prop_map(|(inline, (path, method, timeout, key))| {
            table([
                ("service", inline.is_none().then(|| "orders".into())),
                ("inline", inline),
                ("path", path.map(Value::from)),
                ("method", method.map(Value::from)),
                ("timeout", timeout.map(|millis| format!("{millis}ms").into())),
                ("content_type", path.map(|_| "text/plain".into())),
                ("oss", key.clone().map(|key| json!({ "action": "GetObject", "key": key }))),
                ("function", key.clone().map(|path| json!({ "path": path }))),
                ("event", key.map(|text| json!({ "type": text }))),
            ])
        })
        .boxed()
}

fn response() -> impl Strategy<Value = Value> {
    let kinds = select(vec!["json", "text", "binary", "xml", "html", "passthrough"]);
    let sample = prop_oneof![text(), value().prop_map(|value| format!("{value:#}"))];
    let code = prop_oneof!["[45][0-9]{2}", text()];
    let error = (code, text(), prop_oneof![Just(String::new()), text()]);
    let errors = vec(error.prop_map(|(code, message, description)| {
        json!({ "code": code, "message": message, "description": description })
    }), 0..3);
    (kinds, sample, text(), errors).prop_map(|(kind, sample, error_sample, errors)| {
        json!({ "type": kind, "sample": sample, "error_sample": error_sample, "errors": errors })
    })
}

/// A draft, and by what it differs from others.
fn draft() -> BoxedStrategy<((String, u8), Api)> {
    let methods = vec!["ANY", "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    let words = (
        select(vec!["passthrough", "mapping", "mapping_passthrough"]),
        select(vec!["disable", "header", "header_query"]),
        select(vec![json!(["http", "https"]), json!(["websocket"]), json!(["https", "http"])]),
    );
    let lists = (vec(usual_parameter(), 0..5), vec((text(), place()), 0..2), of(destination()));
    let rest = (text(), of(response()), of(0_u64..1 << 40));
    (select(methods), 0..PATHS.len(), backend(), flags, words, lists, rest)
        .prop_map(|(method, path, backend, (app, private, nonce), words, lists, rest)| {
            let (path, escape, requests) = PATHS[path];
            let (mode, app_code, protocol) = words;
            let (mut parameters, constants, system) = lists;
            let mut seen = BTreeSet::new();
            parameters.retain(|one| seen.insert((one["name"].to_string(), one["in"].to_string())));
            let constant = |(index, (text, place)): (usize, (String, &str))| {
                json!({ "name": format!("{index}{text}"), "value": text, "in": place })
            };
            let constants: Vec<_> = constants.into_iter().enumerate().map(constant).collect();
            let (description, response, max_body) = rest;
            let written = table([
                ("method", Some(method.into())),
                ("path", Some(path.into())),
                ("escape_path_param", Some(escape.into())),
                ("backend", Some(backend)),
                ("description", Some(description.into())),
                ("visibility", private.then(|| "private".into())),
                ("protocol", Some(protocol)),
                ("mode", Some(mode.into())),
                ("auth", app.then(|| "app".into())),
                ("app_code", Some(app_code.into())),
                ("signature", app.then(|| json!(["HmacSHA1", "HmacSHA256"]))),
                ("force_nonce", Some(nonce.into())),
                ("max_body", max_body.map(Value::from)),
                ("parameter", Some(parameters.into())),
                ("constant", Some(constants.into())),
                ("system", system.map(|to| json!([{ "name": "CaClientIp", "to": to }]))),
                ("response", response),
            ]);
            let api = serde_json::from_value(written.clone());
            let api = api.unwrap_or_else(|error| panic!("{error}: {written}"));
            let api = acceptable(api);
            ((method.to_owned(), requests), api)
        })
        .boxed()
}

/// The draft without the parameters that no API can have, or not beside those before them.
fn acceptable(mut api: Api) -> Api {
    let (parameters, constants, system) =
        (take(&mut api.parameters), take(&mut api.constants), take(&mut api.system));
    for parameter in parameters {
        api.parameters.push(parameter);
        if !is_acceptable(&api) {
            api.parameters.pop();
        }
    }
    for constant in constants {
        api.constants.push(constant);
        if !is_acceptable(&api) {
            api.constants.pop();
        }
    }
    for parameter in system {
        api.system.push(parameter);
        if !is_acceptable(&api) {
            api.system.pop();
        }
    }
    api
}

/// Whether a document may have such an API.
fn is_acceptable(api: &Api) -> bool {
    let mut written = serde_json::to_value(api).unwrap();
    let entry = written.as_object_mut().unwrap();
    entry.extend([("group".to_owned(), "shop".into()), ("name".to_owned(), "find".into())]);
    if let Some(backend) = entry.get_mut("backend").and_then(Value::as_object_mut) {
        backend.remove("inline");
        backend.insert("service".to_owned(), "orders".into());
    }
    Document::parse(&json!({ "api": [written] }).to_string(), Format::Json).is_ok()
}

/// Drafts of one group: none has the name or the requests of another.
fn drafts() -> BoxedStrategy<Vec<(ApiName, Api)>> {
    vec(("[a-z][a-z é._-]{3,5}", draft()), 0..5)
        .prop_map(|all| {
            let mut known = BTreeMap::new();
            let mut requests = BTreeSet::new();
            for (name, (differs, api)) in all {
                if requests.insert(differs) {
                    known.insert(format!("shop/{name}").parse().unwrap(), api);
                }
            }
            known.into_iter().collect()
        })
        .boxed()
}

fn shop() -> GroupName {
    "shop".parse().unwrap()
}

fn exported(drafts: &[(ApiName, Api)]) -> Value {
    Export::new().with_secrets().apis(&shop(), &Group::host("shop.example.com"), drafts).unwrap()
}

/// Whether it has what OpenAPI asks for.
fn check_structure(description: &Value) {
    assert_eq!(description["openapi"], "3.0.3");
    assert!(description["info"]["title"].is_string() && description["info"]["version"].is_string());
    let mut ids = BTreeSet::new();
    let mut blank = BTreeSet::new();
    for (template, item) in description["paths"].as_object().unwrap() {
        assert!(template.starts_with('/'), "{template}");
        let names = template.split('/').filter_map(|segment| segment.strip_prefix('{'));
        let names: Vec<_> = names.map(|name| name.strip_suffix('}').unwrap()).collect();
        let nameless = names.iter().fold(template.clone(), |text, name| text.replace(name, ""));
        assert!(blank.insert(nameless), "{template}");
        for (method, operation) in item.as_object().unwrap() {
            let place = format!("{method} {template}: {operation:#}");
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{place}");
            assert!(!operation["responses"].as_object().unwrap().is_empty(), "{place}");
            let mut keys = BTreeSet::new();
            let empty = Vec::new();
            for one in operation["parameters"].as_array().unwrap_or(&empty) {
                let key = (one["in"].as_str().unwrap(), one["name"].as_str().unwrap());
                assert!(one["schema"].is_object() && keys.insert(key), "{place}");
                assert!(key.0 != "path" || one["required"] == true, "{place}");
            }
            let declared = keys.iter().filter(|(place, _)| *place == "path");
            let declared: BTreeSet<_> = declared.map(|(_, name)| *name).collect();
            assert_eq!(declared, names.iter().copied().collect(), "{place}");
        }
    }
}

fn there_and_back(drafts: &[(ApiName, Api)]) {
    let description = exported(drafts);
    check_structure(&description);
    let mut turned = drafts.to_vec();
    turned.reverse();
    assert_eq!(exported(&turned), description);
    // Whatever an import takes for granted, the description says otherwise.
    let import = Import::new("shop").service("other").mode(Mode::Mapping).access(Access::Anonymous);
    let read = import.read(&description.to_string(), Format::Json);
    let read = read.unwrap_or_else(|error| panic!("{error}\n{description:#}"));
    let read: BTreeMap<_, _> = read.apis().iter().cloned().collect();
    let expected: BTreeMap<_, _> = drafts.iter().cloned().collect();
    assert_eq!(read, expected, "{description:#}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_is_exported_is_imported_as_it_was(drafts in drafts()) {
        there_and_back(&drafts);
    }

    #[test]
    fn descriptions_for_callers_hold_nothing_of_ours(drafts in drafts()) {
        let export = Export::new().without_extensions();
        let description = export.apis(&shop(), &Group::new(), &drafts).unwrap();
        check_structure(&description);
        for item in description["paths"].as_object().unwrap().values() {
            for operation in item.as_object().unwrap().values() {
                prop_assert!(operation.get("x-backhaul-api").is_none());
                let text = operation["parameters"].to_string() + &operation["requestBody"].to_string();
                prop_assert!(!text.contains("x-backhaul"), "{}", text);
            }
        }
    }

    #[test]
    fn whatever_a_description_says_it_is_refused_or_read(
        changes in vec((any::<u32>(), replacement()), 0..6),
        openapi in select(vec!["3.0.3", "3.1.0"]),
    ) {
        let mut description: Value = serde_json::from_str(pets::JSON).unwrap();
        description["openapi"] = openapi.into();
        for (at, value) in changes {
            let count = count(&description);
            *nth(&mut description, &mut (at as usize % count)).unwrap() = value;
        }
        match pets::import().read(&description.to_string(), Format::Json) {
            Err(error) => {
                prop_assert!(!error.faults().is_empty());
                prop_assert!(error.faults().iter().all(|fault| fault.line.is_some()), "{}", error);
            }
            Ok(imported) => {
                let written = Export::new().apis(imported.group(), &Group::new(), imported.apis());
                let again = Import::new("pets").read(&written.unwrap().to_string(), Format::Json);
                let again: BTreeMap<_, _> = again.unwrap().apis().iter().cloned().collect();
                prop_assert_eq!(again, imported.apis().iter().cloned().collect());
            }
        }
    }

    #[test]
    fn any_text_is_refused_or_read(text in "[a-z0-9:\\-{}\\[\\]/$#'\" \n&*!|>?%@]{0,80}") {
        for format in [Format::Json, Format::Yaml] {
            let text = format!("openapi: 3.0.3\npaths:\n  /a:\n    get:\n      {text}");
            if let Err(error) = Import::new("shop").read(&text, format) {
                prop_assert!(!error.to_string().contains('\n'));
            }
        }
    }
}

/// What stands in place of something.
fn replacement() -> BoxedStrategy<Value> {
    let words = vec![
        json!(null),
        json!("get"),
        json!({ "$ref": "#/components/parameters/Limit" }),
        json!({ "$ref": "#/components/schemas/NewPet" }),
        json!({ "$ref": "#/components/responses/Failed" }),
        json!({ "$ref": "x.json" }),
        json!(["integer", "null"]),
        json!({ "type": "array", "items": { "type": "integer" } }),
        json!([{ "name": "x", "in": "query" }]),
        json!({ "get": {} }),
        json!("object"),
        json!(-1),
    ];
    prop_oneof![select(words), value()].boxed()
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(list) => list.iter().map(count).sum(),
        Value::Object(map) => map.values().map(count).sum(),
        _ => 0,
    }
}

/// The value that stands at this place, the outermost first.
fn nth<'v>(value: &'v mut Value, index: &mut usize) -> Option<&'v mut Value> {
    if *index == 0 {
        return Some(value);
    }
    *index -= 1;
    match value {
        Value::Array(list) => list.iter_mut().find_map(|inner| nth(inner, index)),
        Value::Object(map) => map.values_mut().find_map(|inner| nth(inner, index)),
        _ => None,
    }
}

#[test]
fn an_edited_description_is_read_as_edited() {
    let api: Api = serde_json::from_value(json!({
        "method": "GET", "path": "/orders/[id]", "mode": "mapping", "backend": { "service": "orders" },
        "parameter": [{ "name": "limit", "in": "query", "type": "int", "max": 10 }],
    }))
    .unwrap();
    let drafts = [("shop/get_order".parse().unwrap(), api)];
    let mut description = exported(&drafts);
    let operation = &mut description["paths"]["/orders/{id}"]["get"];
    let expected: Map<_, _> = [
        ("auth", json!("anonymous")),
        ("backend", json!({ "service": "orders" })),
        ("mode", json!("mapping")),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect();
    assert_eq!(operation["x-backhaul-api"], Value::Object(expected), "and nothing twice");
    operation["parameters"][0]["schema"]["maximum"] = 20.into();
    let read = Import::new("shop").read(&description.to_string(), Format::Json).unwrap();
    assert_eq!(read.apis()[0].1.parameters[0].max, Some(20.into()));
}
