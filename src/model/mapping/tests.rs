use serde_json::{Value, json};

use super::*;
use crate::model::id::ServiceId;
use crate::model::version::Version;

/// An API like this one, with these keys instead.
fn api(rest: Value) -> Api {
    let mut written = json!({
        "method": "POST", "path": "/a/[id]/*", "mode": "mapping",
        "backend": { "service": "orders", "path": "/b/[id]/[more]" },
        "parameter": [{ "name": "more", "in": "query", "to": { "in": "path" } }],
    });
    if let Value::Object(rest) = rest {
        written.as_object_mut().unwrap().extend(rest);
    }
    serde_json::from_value(written).unwrap()
}

fn accepted(rest: Value) -> Result<Version, InvalidDefinition> {
    Version::accept(&api(rest), Some(ServiceId::new(0)))
}

fn refusal(rest: Value) -> String {
    accepted(rest).unwrap_err().to_string()
}

/// A refusal where the parameters are these.
fn of_parameters(parameters: &Value) -> String {
    refusal(json!({ "parameter": parameters, "backend": { "service": "orders" } }))
}

#[test]
fn a_bad_rule_is_refused_with_its_key() {
    for (parameters, expected) in [
        (
            json!([{ "name": "a", "in": "query" }, { "name": "b", "in": "query", "pattern": "[" }]),
            "parameter[1].pattern: is not a regular expression: unclosed character class",
        ),
        (
            json!([{ "name": "a", "in": "query", "type": "int", "default": "x" }]),
            "parameter[0].default: is not a whole number of 32 bits",
        ),
        (
            json!([{ "name": "a", "in": "query", "type": "array", "items": "int", "default": "1,x" }]),
            "parameter[0].default: is not a whole number of 32 bits",
        ),
        (
            json!([{ "name": "a", "in": "query", "default": "é", "to": { "in": "head" } }]),
            "parameter[0].default: cannot stand in a header",
        ),
        (
            json!([{ "name": "a", "in": "query", "min": 1 }]),
            "parameter[0].min: is not meant for this type",
        ),
    ] {
        assert_eq!(of_parameters(&parameters), expected, "{parameters}");
    }
}

#[test]
fn a_bad_place_is_refused_with_its_key() {
    for (parameters, expected) in [
        (
            json!([{ "name": "a", "in": "path" }]),
            "parameter[0].name: is not in the path of requests",
        ),
        (
            json!([{ "name": "a b", "in": "head" }]),
            "parameter[0].name: \"a b\" is not what a header can be called",
        ),
        (
            json!([{ "name": "X-A", "in": "head" }, { "name": "x-a", "in": "head", "to": { "in": "query" } }]),
            "parameter[1].name: stands there twice",
        ),
        (
            json!([{ "name": "a", "in": "query", "to": { "name": "" } }]),
            "parameter[0].to.name: is empty",
        ),
        (
            json!([{ "name": "a", "in": "query" }, { "name": "b", "in": "head", "to": { "name": "a", "in": "query" } }]),
            "parameter[1].to.name: goes where something else goes: \"a\" stands there twice",
        ),
        (
            json!([{ "name": "a", "in": "query", "type": "array", "to": { "name": "id", "in": "path" } }]),
            "parameter[0].to.name: is an array, which no path can take",
        ),
        (
            json!([{ "name": "a", "in": "query", "to": { "in": "path" } }]),
            "parameter[0].to: goes to [a], which the path at the backend does not have",
        ),
        (
            json!([{ "name": "id", "in": "path", "to": { "name": "x" } }]),
            "parameter[0].to.name: goes to [x], which the path at the backend does not have",
        ),
        (
            json!([{ "name": "id", "in": "path" }, { "name": "id", "in": "query", "to": { "in": "path" } }]),
            "parameter[1].to: goes where something else goes: [id] stands there twice",
        ),
        (
            json!([{ "name": "content-type", "in": "head" }, { "name": "a", "in": "body" }]),
            "parameter[0].name: goes to a header that says how the form is written, which the gateway does",
        ),
    ] {
        assert_eq!(of_parameters(&parameters), expected, "{parameters}");
    }
}

#[test]
fn no_header_of_the_gateways_can_be_mapped_to() {
    for name in [
        "content-length",
        "Connection",
        "host",
        "X-Ca-Request-Id",
        "via",
        "proxy-x",
        "x_forwarded_for",
    ] {
        let to = json!([{ "name": "a", "in": "query", "to": { "name": name, "in": "head" } }]);
        let refused = of_parameters(&to);
        assert!(refused.starts_with("parameter[0].to.name: goes to the header"), "{refused}");
        let system = json!({ "system": [{ "name": "CaDomain", "to": { "name": name } }] });
        let refused = refusal(system);
        assert!(refused.starts_with("system[0].to.name: goes to the header"), "{refused}");
        let constant = accepted(json!({ "constant": [{ "name": name, "value": "a" }] }));
        assert_eq!(constant.is_ok(), name == "host", "{name}");
    }
}

#[test]
fn constants_and_system_parameters_have_places_of_their_own() {
    for (rest, expected) in [
        (
            json!({ "constant": [{ "name": "x", "value": "a\r\nb: c" }] }),
            "constant[0].value: cannot stand in a header",
        ),
        (
            json!({ "constant": [{ "name": "x", "value": "" }, { "name": "X", "value": "" }] }),
            "constant[1].name: goes where something else goes: \"X\" stands there twice",
        ),
        (
            json!({ "constant": [{ "name": "x-y", "value": "" }, { "name": "x_y", "value": "" }] }),
            "constant[1].name: goes where something else goes: \"x_y\" stands there twice",
        ),
        (
            json!({ "constant": [{ "name": "x", "value": "", "in": "path" }] }),
            "constant[0].name: goes to [x], which the path at the backend does not have",
        ),
        (
            json!({ "constant": [{ "name": "x", "value": "..", "in": "path" }],
                "backend": { "service": "orders", "path": "/[x]/[more]" } }),
            "constant[0].value: cannot stand in a path",
        ),
        (
            json!({ "system": [{ "name": "CaAppId" }, { "name": "CaAppId" }] }),
            "system[1].name: goes where something else goes: \"CaAppId\" stands there twice",
        ),
        (
            json!({ "system": [{ "name": "CaAppId", "to": { "name": "more", "in": "path" } }] }),
            "system[0].to.name: goes where something else goes: [more] stands there twice",
        ),
        (
            json!({ "method": "GET", "constant": [{ "name": "x", "value": "", "in": "body" }] }),
            "constant[0].name: goes into a form, which requests of GET do not carry",
        ),
        (
            json!({ "constant": [{ "name": "x", "value": "", "in": "body" }],
                "backend": { "service": "orders", "content_type": "text/plain" }, "parameter": [] }),
            "backend.content_type: is not a form's, and something is mapped into a form",
        ),
        (
            json!({ "constant": [{ "name": "content-type", "value": "a/b" }],
                "backend": { "service": "orders", "content_type": "default" }, "parameter": [] }),
            "backend.content_type: is fixed, and something is mapped to `content-type`",
        ),
    ] {
        assert_eq!(refusal(rest.clone()), expected, "{rest}");
    }
    let there = json!({ "constant": [{ "name": "x", "value": "a/b", "in": "path" }],
        "system": [{ "name": "CaAppId", "to": { "name": "app", "in": "path" } }],
        "backend": { "service": "orders", "path": "/[app]/[x]/[more]" } });
    let version = accepted(there).unwrap();
    assert_eq!(version.rules().unwrap().values, 3);
}

#[test]
fn where_requests_pass_through_only_the_path_is_looked_at() {
    let wild = json!([{ "name": "a", "in": "query", "pattern": "[", "min": 1, "to": { "name": "te", "in": "head" } }]);
    let rest =
        json!({ "mode": "passthrough", "parameter": wild, "backend": { "service": "orders" } });
    assert!(accepted(rest).unwrap().rules().is_none());
    let path = json!([{ "name": "id", "in": "path", "pattern": "[" }]);
    let rest =
        json!({ "mode": "passthrough", "parameter": path, "backend": { "service": "orders" } });
    assert!(refusal(rest).starts_with("parameter[0].pattern"));
}

#[test]
fn most_apis_have_no_rules() {
    let plain = json!([{ "name": "id", "in": "path", "required": true }]);
    for (mode, parameters, has_rules) in [
        ("passthrough", json!([]), false),
        ("passthrough", plain.clone(), false),
        ("mapping_passthrough", json!([]), false),
        ("mapping_passthrough", plain.clone(), false),
        ("mapping", json!([]), true),
        ("mapping", plain, true),
        ("passthrough", json!([{ "name": "id", "in": "path", "type": "int" }]), true),
    ] {
        let rest =
            json!({ "mode": mode, "parameter": parameters, "backend": { "service": "orders" } });
        let version = accepted(rest).unwrap();
        assert_eq!(version.rules().is_some(), has_rules, "{mode} {parameters}");
        assert_eq!(version.unserved(), None);
    }
    let client = json!({ "service": "orders", "content_type": "client" });
    let rest = json!({ "mode": "passthrough", "parameter": [], "backend": client });
    assert!(accepted(rest).unwrap().rules().is_none());
}

#[test]
fn a_segment_can_have_another_name_at_the_backend() {
    let rest = json!({ "mode": "passthrough",
        "parameter": [{ "name": "id", "in": "path", "to": { "name": "order" } }],
        "backend": { "service": "orders", "path": "/x/[order]" } });
    let version = accepted(rest).unwrap();
    assert!(version.rules().is_none(), "nothing but the path's own text changes");
    let path = crate::model::path::RequestPath::parse("/a/4%322/z").unwrap();
    let mut made = String::new();
    let template = version.backend_path().unwrap();
    template.render(&mut made, |index| path.raw_segment(index), |_| "", "z");
    assert_eq!(made, "/x/4%322");
}

#[test]
fn rules_are_neither_compared_nor_kept() {
    let version = accepted(json!({})).unwrap();
    let kept = serde_json::to_string(&version).unwrap();
    let again: Version = serde_json::from_str(&kept).unwrap();
    assert_eq!(version, again);
    assert!(again.rules().is_some() && again.unserved().is_none());
    assert_eq!(again.api(Some("orders")), api(json!({})));
}

#[test]
fn what_another_version_accepted_is_loaded_and_not_served() {
    let mut kept = serde_json::to_value(accepted(json!({})).unwrap()).unwrap();
    kept["api"]["parameter"] = json!([{ "name": "a", "in": "query", "pattern": "(" }]);
    kept["api"]["backend"]["path"] = "/b".into();
    let version: Version = serde_json::from_value(kept).unwrap();
    assert!(version.rules().is_none() && version.unserved().is_some());
}

#[test]
fn a_schema_is_not_served_without_its_feature() {
    let parameter = json!({ "name": "a", "in": "query", "schema": { "type": "string" } });
    let rest = |mode: &str| json!({ "mode": mode, "parameter": [parameter], "backend": { "service": "orders" } });
    let mapped = accepted(rest("mapping")).unwrap();
    assert_eq!(mapped.unserved().is_none(), cfg!(feature = "schema"));
    assert_eq!(mapped.api(Some("orders")), api(rest("mapping")), "it is kept");
    assert_eq!(accepted(rest("passthrough")).unwrap().unserved(), None);
}

#[test]
fn a_file_goes_from_a_body_to_a_body() {
    for (rest, expected) in [
        (json!({ "in": "query" }), "parameter[0].name: is a file, which stands in a body only"),
        (json!({ "in": "head" }), "parameter[0].name: is a file, which stands in a body only"),
        (
            json!({ "in": "path", "name": "id" }),
            "parameter[0].name: is a file, which stands in a body only",
        ),
        (
            json!({ "to": { "in": "query" } }),
            "parameter[0].to: is a file, which goes to a body only",
        ),
        (
            json!({ "to": { "in": "head", "name": "x-f" } }),
            "parameter[0].to.name: is a file, which goes to a body only",
        ),
        (json!({ "min": 1 }), "parameter[0].min: is not meant for this type"),
        (json!({ "max": 1 }), "parameter[0].max: is not meant for this type"),
        (json!({ "min_length": 1 }), "parameter[0].min_length: is not meant for this type"),
        (json!({ "max_length": 1 }), "parameter[0].max_length: is not meant for this type"),
        (json!({ "pattern": "a" }), "parameter[0].pattern: is not meant for this type"),
        (json!({ "enum": ["a"] }), "parameter[0].enum: is not meant for this type"),
        (json!({ "default": "a" }), "parameter[0].default: is not meant for this type"),
        (json!({ "schema": {} }), "parameter[0].schema: is not meant for this type"),
        (json!({ "items": "int" }), "parameter[0].items: is meant for arrays only"),
    ] {
        let mut file = json!({ "name": "f", "in": "body", "type": "file" });
        file.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        assert_eq!(of_parameters(&json!([file])), expected, "{rest}");
    }
    let file = json!({ "name": "f", "in": "body", "type": "file" });
    for content_type in ["default", "a/b", "multipart/form-data; boundary=a", "multipart/mixed"] {
        let backend = json!({ "service": "orders", "content_type": content_type });
        let refused = refusal(json!({ "parameter": [file], "backend": backend }));
        let expected =
            "backend.content_type: is not just `multipart/form-data`, and a parameter is a file";
        assert_eq!(refused, expected, "{content_type}");
    }
    let get = refusal(
        json!({ "method": "GET", "parameter": [file], "backend": { "service": "orders" } }),
    );
    assert_eq!(get, "parameter[0].name: goes into a form, which requests of GET do not carry");
    let twice = json!([file, { "name": "a", "in": "body", "to": { "name": "f" } }]);
    assert!(of_parameters(&twice).ends_with("\"f\" stands there twice"));
    for content_type in ["client", "Multipart/Form-Data"] {
        let backend = json!({ "service": "orders", "content_type": content_type });
        let version = accepted(json!({ "parameter": [file], "backend": backend })).unwrap();
        assert_eq!(
            (version.unserved(), version.rules().unwrap().form),
            (None, Some(Encoding::Parts))
        );
    }
}

#[test]
fn a_schema_is_for_texts() {
    let numbers = json!([{ "name": "a", "in": "query", "type": "int", "schema": {} }]);
    assert_eq!(of_parameters(&numbers), "parameter[0].schema: is not meant for this type");
}

#[cfg(feature = "schema")]
#[test]
fn a_bad_schema_is_refused_with_its_key() {
    for (parameters, expected) in [
        (
            json!([{ "name": "a", "in": "query", "schema": "{" }]),
            "parameter[0].schema: is not JSON",
        ),
        (
            json!([{ "name": "a", "in": "query", "schema": { "$ref": "http://169.254.169.254/" } }]),
            "parameter[0].schema: refers to \"http://169.254.169.254/\", which does not stand in it",
        ),
        (
            json!([{ "name": "a", "in": "query", "schema": { "type": "array" }, "default": "1" }]),
            "parameter[0].default: does not satisfy its schema",
        ),
        (
            json!([{ "name": "a", "in": "query", "schema": {}, "default": "a" }]),
            "parameter[0].default: is not JSON",
        ),
    ] {
        let refused = of_parameters(&parameters);
        assert!(refused.starts_with(expected), "{parameters}: {refused}");
    }
}

#[test]
fn a_form_says_so() {
    for (text, form) in [
        ("application/x-www-form-urlencoded", true),
        ("Application/X-WWW-Form-Urlencoded ; Charset=\"utf-8\"", true),
        ("application/x-www-form-urlencoded; charset=UTF-8; a=b", true),
        ("application/x-www-form-urlencoded; charset=gbk", false),
        ("application/x-www-form-urlencoded2", false),
        ("multipart/form-data; boundary=a", false),
        ("application/json", false),
        ("", false),
    ] {
        assert_eq!(is_form(&HeaderValue::from_str(text).unwrap()), form, "{text}");
    }
    assert!(is_form(&FORM));
}

#[test]
fn a_form_of_parts_says_where_they_end() {
    for (text, expected) in [
        ("multipart/form-data; boundary=a", Some("a")),
        ("Multipart/Form-Data;BOUNDARY=\"----a:b\" ; charset=UTF-8", Some("----a:b")),
        ("multipart/form-data", None),
        ("multipart/form-data; boundary=", None),
        ("multipart/form-data; boundary=a; boundary=b", None),
        ("multipart/form-data; boundary=a; charset=gbk", None),
        ("multipart/form-data; a=b; boundary=a", None),
        ("multipart/form-data; boundary=\"a b\"", None),
        ("multipart/form-data; boundary=\"a", None),
        ("multipart/mixed; boundary=a", None),
        ("application/x-www-form-urlencoded; boundary=a", None),
    ] {
        let value = HeaderValue::from_str(text).unwrap();
        assert_eq!(boundary(&value), expected.map(str::as_bytes), "{text}");
    }
    let long = |length: usize| format!("multipart/form-data; boundary={}", "a".repeat(length));
    assert!(boundary(&HeaderValue::from_str(&long(70)).unwrap()).is_some());
    assert!(boundary(&HeaderValue::from_str(&long(71)).unwrap()).is_none());
}
