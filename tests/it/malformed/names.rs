//! Names that nothing can have.

use backhaul::{Api, BackendService, Change, Environment, Group, Kind, Mock};

use super::{Case, LIVE, api, http};

pub(super) fn cases() -> Vec<Case> {
    [services(), groups(), apis(), others()].concat()
}

/// What no service and no group is called, and why.
fn plain() -> Vec<(String, &'static str)> {
    vec![
        (String::new(), "\"\" is empty"),
        ("1a".to_owned(), "\"1a\" does not start with a letter"),
        ("-a".to_owned(), "\"-a\" does not start with a letter"),
        (" a".to_owned(), "\" a\" does not start with a letter"),
        ("ä".to_owned(), "\"ä\" does not start with a letter"),
        ("a b".to_owned(), "\"a b\" contains ' '"),
        ("aä".to_owned(), "\"aä\" contains 'ä'"),
        ("a\n".to_owned(), "\"a\\n\" contains '\\n'"),
        ("a\u{0}".to_owned(), "\"a\\0\" contains '\\0'"),
        ("a\u{202e}".to_owned(), "\"a\\u{202e}\" contains '\\u{202e}'"),
        ("a:b".to_owned(), "\"a:b\" contains ':'"),
        ("x".repeat(65), "\"xxxxx"),
    ]
}

fn services() -> Vec<Case> {
    let edits = |name: &str| {
        let new = Change::new;
        [
            new().service(name, Kind::MOCK),
            new().describe_service(name, ""),
            new().rename_service(name, "other"),
            new().rename_service("orders", name),
            new().delete_service(name),
            new().define(name, LIVE, http(1)),
            new().update(name, LIVE, http(1)),
            new().delete_definition(name, LIVE),
            api(Api::get("/x").service_same_path(name)),
        ]
    };
    let named = plain().into_iter().flat_map(move |(name, why)| {
        edits(&name).map(|change| (change, format!("service name {why}")))
    });
    named.collect()
}

fn groups() -> Vec<Case> {
    let edits = |name: &str| {
        let new = Change::new;
        [
            new().group(name, Group::new()),
            new().rename_group(name, "other"),
            new().rename_group("shop", name),
            new().delete_group(name),
            new().api(format!("{name}/new_api"), Api::get("/x").inline(Mock::new())),
        ]
    };
    let named = plain().into_iter().flat_map(move |(name, why)| {
        edits(&name).map(|change| (change, format!("group name {why}")))
    });
    named.collect()
}

fn apis() -> Vec<Case> {
    let names = [
        ("get_order".to_owned(), "API name \"get_order\" is not of the form group/name"),
        (String::new(), "API name \"\" is not of the form group/name"),
        ("shop/".to_owned(), "API name \"\" is not 4 to 128 characters long"),
        ("shop/abc".to_owned(), "API name \"abc\" is not 4 to 128 characters long"),
        (format!("shop/{}", "x".repeat(129)), "API name \"xxxxx"),
        ("shop/1abc".to_owned(), "API name \"1abc\" does not start with a letter"),
        ("shop/_abc".to_owned(), "API name \"_abc\" does not start with a letter"),
        ("shop/a/bcd".to_owned(), "API name \"a/bcd\" contains '/'"),
        ("shop/abc\t".to_owned(), "API name \"abc\\t\" contains '\\t'"),
        ("/abcd".to_owned(), "group name \"\" is empty"),
    ];
    let edits = |name: &str| {
        let new = Change::new;
        [
            new().api(name, Api::get("/x").inline(Mock::new())),
            new().rename_api(name, "shop/other"),
            new().rename_api("shop/get_order", name),
            new().delete_api(name),
            new().publish(name, LIVE),
            new().unpublish(name, LIVE),
        ]
    };
    let named = names
        .into_iter()
        .flat_map(move |(name, why)| edits(&name).map(|change| (change, why.to_owned())));
    named.collect()
}

fn others() -> Vec<Case> {
    let greeter = Kind::custom("greeter").unwrap();
    let staging: Environment = "STAGING".parse().unwrap();
    let long = || "x".repeat(201);
    let cases = [
        (Change::new().service("new", greeter), "kind: no kind greeter is registered"),
        (
            Change::new().service("new", BackendService::new(Kind::MOCK).description(long())),
            "description: is longer than 180 characters",
        ),
        (
            Change::new().describe_service("orders", long()),
            "description: is longer than 180 characters",
        ),
        (Change::new().environment(staging, long()), "description: is longer than 200 characters"),
        (Change::new().environment(LIVE, ""), "environment RELEASE is always there"),
        (Change::new().service("orders", Kind::MOCK), "kind: service \"orders\" is of kind http"),
    ];
    cases.into_iter().map(|(change, wanted)| (change, wanted.to_owned())).collect()
}

#[test]
fn an_environments_name_is_refused_before_it_is_in_a_change() {
    for text in
        ["", "A", "a", "test", "Test", "1A", "TOO_LONG", "ELEVENCHARS", "ÄÖ", "A B", "TEST ", "A\0"]
    {
        let error = text.parse::<Environment>().unwrap_err().to_string();
        assert!(error.starts_with(&format!("environment {text:?} is not 2 to 10 ")), "{error}");
    }
    for text in ["", "Greeter", "1a", "a-b", "a b", "ä", &"x".repeat(65)] {
        let error = Kind::custom(text).unwrap_err().to_string();
        assert!(error.starts_with("kind \"") && error.contains(" is not lower-case "), "{error}");
    }
    for kind in Kind::BUILT_IN {
        let error = Kind::custom(kind.as_str()).unwrap_err().to_string();
        assert!(error.ends_with("is the name of a built-in one"), "{error}");
    }
}
