//! Methods, paths, templates, and what else an API has.

use std::time::Duration;

use backhaul::model::ResponseDefinition;
use backhaul::{Api, Mock};

use super::{Case, api};

pub(super) fn cases() -> Vec<Case> {
    [paths(), templates(), methods(), others()].concat()
}

fn order(path: &str) -> Api {
    Api::get(path).service_same_path("orders")
}

/// Texts that are neither pattern nor template, and why.
fn no_paths() -> Vec<(String, &'static str)> {
    let long = [
        ("/s".repeat(33), "has more than 32 segments"),
        (format!("/{}", "x".repeat(8 * 1024)), "is longer than 8192 bytes"),
        (format!("/[{}]", "x".repeat(65)), "has a segment "),
    ];
    let short = ambiguous().into_iter().chain(misplaced());
    short.map(|(text, why)| (text.to_owned(), why)).chain(long).collect()
}

/// What no path has anywhere.
fn ambiguous() -> Vec<(&'static str, &'static str)> {
    let slash = "does not start with '/'";
    let malformed = "contains a malformed '%'";
    let dots = "contains a dot segment";
    vec![
        ("", slash),
        ("orders", slash),
        ("*", slash),
        ("http://a/b", slash),
        (" /a", slash),
        ("/a?b", "contains '?'"),
        ("/a#b", "contains '#'"),
        ("/a b", "contains ' '"),
        ("/a\tb", "contains '\\t'"),
        ("/a\r\nb", "contains '\\r'"),
        ("/a\u{0}", "contains '\\0'"),
        ("/a\u{7f}", "contains '\\u{7f}'"),
        ("/a\u{a0}", "contains '\\u{a0}'"),
        ("/<a>", "contains '<'"),
        ("/\"a", "contains '\"'"),
        ("/`a", "contains '`'"),
        ("/^a", "contains '^'"),
        ("/|a", "contains '|'"),
        ("/a\\b", "contains a backslash"),
        ("/a%2Fb", "contains an encoded slash"),
        ("/a%2fb", "contains an encoded slash"),
        ("/a%5Cb", "contains an encoded backslash"),
        ("/a%00", "contains an encoded NUL"),
        ("/%", malformed),
        ("/%4", malformed),
        ("/%zz", malformed),
        ("/%+1", malformed),
        ("/%ä", malformed),
        ("/.", dots),
        ("/..", dots),
        ("/./a", dots),
        ("/a/../b", dots),
        ("/%2e%2E/a", dots),
        ("/.%2e", dots),
    ]
}

/// What stands where it means nothing.
fn misplaced() -> Vec<(&'static str, &'static str)> {
    let star = "has a '*' that is not the whole last segment";
    let parameter = "has a segment ";
    vec![
        ("/[", parameter),
        ("/]", parameter),
        ("/[]", parameter),
        ("/[id", parameter),
        ("/id]", parameter),
        ("/[id]x", parameter),
        ("/x[id]", parameter),
        ("/[a][b]", parameter),
        ("/[[a]]", parameter),
        ("/[ä]", parameter),
        ("/[a:b]", parameter),
        ("/[id]/x/[id]", "names the parameter [id] twice"),
        ("/*/a", star),
        ("/a*", star),
        ("/**", star),
        ("/*/*", star),
        ("/[id]*", star),
    ]
}

fn paths() -> Vec<Case> {
    let named = no_paths().into_iter();
    named.map(|(text, why)| (api(order(&text)), format!("path: {why}"))).collect()
}

fn templates() -> Vec<Case> {
    let own = [
        ("/[other]", "names the parameter [other], which the request path does not have"),
        ("/[ID]", "names the parameter [ID], which the request path does not have"),
        ("/v1/*", "ends in '*', which the request path does not"),
    ];
    let own = own.into_iter().map(|(text, why)| (text.to_owned(), why));
    let all = no_paths().into_iter().chain(own);
    all.map(|(text, why)| {
        let api = api(order("/new/[id]").backend_path(text));
        (api, format!("backend.path: {why}"))
    })
    .collect()
}

fn methods() -> Vec<Case> {
    let none = "is none of ANY GET HEAD POST PUT DELETE PATCH OPTIONS";
    let texts = [
        ("", format!("\"\" {none}")),
        ("get", format!("\"get\" {none}")),
        ("any", format!("\"any\" {none}")),
        ("GET ", format!("\"GET \" {none}")),
        ("GET\r\n", format!("\"GET\\r\\n\" {none}")),
        ("PROPFIND", format!("\"PROPFIND\" {none}")),
        ("*", format!("\"*\" {none}")),
        ("TRACE", "TRACE is never served".to_owned()),
        ("CONNECT", "CONNECT is never served".to_owned()),
    ];
    let named = texts.into_iter().flat_map(|(text, why)| {
        let own = Api::new(text, "/x").service_same_path("orders");
        [
            (api(own), format!("method: {why}")),
            (api(order("/x").backend_method(text)), format!("backend.method: {why}")),
        ]
    });
    named.collect()
}

fn others() -> Vec<Case> {
    let mut both = order("/x");
    both.backend.inline = Some(Box::new(Mock::new().into()));
    let response = || ResponseDefinition::new(Default::default());
    let long = |length| "x".repeat(length);
    let between = " is not between 1ms and 120s";
    let cases = [
        (Api::get("/x"), "backend: is required".to_owned()),
        (both, "backend: has both a service and a definition".to_owned()),
        (order("/x").protocol([]), "protocol: is empty".to_owned()),
        (order("/x").max_body(u64::MAX), "max_body: is more than 1 TiB".to_owned()),
        (order("/x").description(long(181)), "description: is longer".to_owned()),
        (
            order("/x").response(response().sample(long(32 * 1024 + 1))),
            "response.sample: ".to_owned(),
        ),
        (
            order("/x").response(response().error_sample(long(16 * 1024 + 1))),
            "response.error_sample: ".to_owned(),
        ),
        (order("/x").timeout(Duration::ZERO), format!("backend.timeout: 0ns{between}")),
        (order("/x").timeout(Duration::from_nanos(1)), format!("backend.timeout: 1ns{between}")),
        (order("/x").timeout(Duration::from_secs(121)), format!("backend.timeout: 121s{between}")),
        (order("/x").timeout(Duration::MAX), "backend.timeout: ".to_owned()),
        (
            order("/x").timeout(Duration::from_micros(1_500)),
            "backend.timeout: 1.5ms is not in whole milliseconds".to_owned(),
        ),
        (
            Api::get("/x").inline(Mock::new().status(99)),
            "backend.status: 99 is not one of".to_owned(),
        ),
        (
            Api::get("/x").inline(Mock::new().timeout(Duration::ZERO)),
            format!("backend.timeout: 0ns{between}"),
        ),
    ];
    cases.into_iter().map(|(draft, wanted)| (api(draft), wanted)).collect()
}
