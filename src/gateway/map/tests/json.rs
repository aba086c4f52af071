//! Parameters that are JSON.

use super::*;

#[test]
fn what_has_a_schema_is_json_that_satisfies_it() {
    let schema = r#"{ "type": "object", "required": ["id"] }"#;
    let parameters = json!([
        { "name": "o", "in": "query", "schema": schema, "to": { "name": "x-o", "in": "head" } },
        { "name": "f", "in": "body", "schema": { "type": "array" }, "default": "[]" },
    ]);
    let version = version(json!({ "mode": "mapping", "parameter": parameters }));
    let asked = |query, form| Asked {
        query: Some(query),
        headers: &[("content-type", FORM)],
        form,
        ..Asked::default()
    };
    let found = sent(&version, &asked("o=%7B%22id%22:1%7D", b"f=[1,+2]")).unwrap();
    assert_eq!((found.uri.as_str(), found.form.as_deref()), ("/a/1", Some("f=%5B1%2C%202%5D")));
    assert_eq!(found.headers["x-o"], r#"{"id":1}"#);
    assert_eq!(sent(&version, &asked("", b"")).unwrap().form.as_deref(), Some("f=%5B%5D"));
    for (query, form, kind, context) in [
        ("o=%7B%7D", &b""[..], ErrorKind::InvalidParameter, "`o` does not satisfy its schema"),
        ("o=id", b"", ErrorKind::InvalidJson, "`o` is not JSON"),
        ("o=", b"", ErrorKind::InvalidJson, "`o` is not JSON"),
        ("", b"f={}", ErrorKind::InvalidParameter, "`f` does not satisfy its schema"),
        ("", br#"f=[{"a":1,"a":2}]"#, ErrorKind::InvalidJson, "`f` is JSON with a key twice"),
    ] {
        assert_eq!(refusal(&version, &asked(query, form)), (kind, context.to_owned()), "{query}");
    }
}
