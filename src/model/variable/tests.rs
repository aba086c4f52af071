use proptest::prelude::*;

use super::*;
use crate::model::definition::{Custom, Http};
use crate::model::{Kind, Version};

fn variables(pairs: &[(&str, &str)]) -> Variables {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn whole(text: &str) -> Result<String, String> {
    let known = variables(&[("a", "1"), ("b", "#a#"), ("empty", "")]);
    let value = |name: &str| known.get(name).map(|value| &**value);
    replaced(text, value).map(Cow::into_owned).map_err(str::to_owned)
}

#[test]
fn variables_are_replaced_once() {
    for (text, expected) in [
        ("", ""),
        ("plain", "plain"),
        ("#a#", "1"),
        ("x#a#y#a##b#", "x1y1#a#"),
        ("#empty#", ""),
        // What begins no variable is itself.
        ("#", "#"),
        ("##", "##"),
        ("# a#", "# a#"),
        ("#no-name#a#", "#no-name1"),
        ("é#a#é", "é1é"),
        ("#fff; #a", "#fff; #a"),
    ] {
        assert_eq!(whole(text).as_deref(), Ok(expected), "{text}");
    }
    assert_eq!(whole("/#a#/#A#"), Err("A".to_owned()), "names have a case");
}

#[test]
fn every_text_of_an_own_definition_may_name_one() {
    let mock = Mock::new().body("hello from #place#").header("x-place", "#place#");
    let custom = Custom::new("greeter").unwrap();
    let custom = custom.set("list", serde_json::json!([{ "deep": "#place#" }]));
    let inner = Http::to("http://#place#.internal/");
    for (definition, key) in [
        (Http::to("http://#place#/").into(), "url"),
        (Http::to("http://a/").host("#place#").into(), "host"),
        (Definition::from(mock), "body"),
        (custom.into(), "definition"),
        (Mixed::concrete(inner).into(), "url"),
    ] {
        assert_eq!(key_in(&definition).as_deref(), Some(key));
        let mut backend = Api::get("/").inline(definition).backend;
        assert!(are_in(&backend));
        let missing = replace(&mut backend, &variables(&[])).unwrap_err();
        assert_eq!(missing.field, format!("backend.{key}"));
        assert!(missing.reason.contains("`place`"), "{missing}");
        replace(&mut backend, &variables(&[("place", "here")])).unwrap();
        assert!(!are_in(&backend));
        assert!(serde_json::to_string(&backend.inline).unwrap().contains("here"), "{key}");
    }
}

#[test]
fn secrets_are_no_places_for_variables() {
    let table = serde_json::json!({
        "kind": "discovery", "registry": "nacos", "server": "a:1", "service": "s",
        "username": "#u#", "password": "#p#", "secret_key": "#s#",
    });
    let definition: Definition = serde_json::from_value(table).unwrap();
    assert_eq!(key_in(&definition), None);
}

#[test]
fn a_version_keeps_what_was_written() {
    for api in [
        Api::get("/a/[id]").service("orders", "/#version#/a/[id]"),
        Api::get("/a").service("orders", "#path#"),
        Api::get("/a").inline(Http::to("http://#host#:#port#/")),
        Api::get("/a").inline(Http::to("http://#host#/")).backend_path("/b%41"),
    ] {
        let service = api.backend.service.as_ref().map(|_| crate::model::id::ServiceId::new(1));
        let version = Version::accept(&api, service).unwrap();
        assert!(version.is_open() && version.unserved().is_some());
        let mut again = version.api(api.backend.service.as_deref());
        again.backend.path = again.backend.path.map(|path| path.replace("/bA", "/b%41"));
        assert_eq!(again, api);
        let stored = serde_json::to_string(&version).unwrap();
        assert_eq!(serde_json::from_str::<Version>(&stored).unwrap(), version);
        let known = [("version", "v1"), ("path", "/v1"), ("host", "h"), ("port", "81")];
        let closed = version.with_variables(&variables(&known)).unwrap();
        assert!(!closed.is_open() && closed.unserved().is_none());
        assert_eq!(
            version.with_variables(&variables(&[])).unwrap_err().reason.matches('`').count(),
            2
        );
    }
}

#[test]
fn the_rest_of_an_api_is_looked_at_at_once() {
    for (api, field) in [
        (Api::get("/#a#").service("orders", "/x"), "path"),
        (Api::get("/a").service("orders", "/#v#/[none]"), "backend.path"),
        (Api::get("/a").service("orders", "/#v#/#"), "backend.path"),
        (Api::get("/a").service("orders", "#v#").backend_method("FETCH"), "backend.method"),
    ] {
        let version = Version::accept(&api, Some(crate::model::id::ServiceId::new(1)));
        assert_eq!(version.unwrap_err().field, field);
    }
}

#[test]
fn what_replaces_a_variable_has_to_fit() {
    let id = Some(crate::model::id::ServiceId::new(1));
    let path = Version::accept(&Api::get("/a").service("orders", "/#v#/b"), id).unwrap();
    let url = Version::accept(&Api::get("/a").inline(Http::to("http://#v#/")), None).unwrap();
    for bad in ["..", "a?b", "#w#", "a b", "\r\n", "%2F", "*"] {
        assert_eq!(
            path.with_variables(&variables(&[("v", bad)])).unwrap_err().field,
            "backend.path"
        );
    }
    for bad in ["", "a@b", "a#b", "a?b", "a:x", "\0"] {
        assert_eq!(url.with_variables(&variables(&[("v", bad)])).unwrap_err().field, "backend.url");
    }
    assert_eq!(url.inline().unwrap().kind(), Kind::HTTP);
}

proptest! {
    #[test]
    fn what_names_nothing_stays(text in "[^#]{0,40}") {
        prop_assert_eq!(whole(&text), Ok(text));
    }

    #[test]
    fn every_text_is_read(text in "[#ab\\-é]{0,20}") {
        let whole = replaced(&text, |_| Some("")).unwrap();
        prop_assert!(whole.len() <= text.len());
        prop_assert_eq!(is_in(&text), whole != text);
    }

    #[test]
    fn what_stands_around_a_variable_stays(before in "[^#]{0,9}", name in "[A-Za-z0-9_]{1,64}", after in "[^#]{0,9}") {
        let text = format!("{before}#{name}#{after}");
        let found = replaced(&text, |found| (found == name).then_some("!"));
        prop_assert_eq!(found, Ok(Cow::Owned(format!("{before}!{after}"))));
    }
}
