//! Definitions of every kind.

use std::time::Duration;

use backhaul::model::Definition;
use backhaul::{Change, Custom, Http, Kind, Mock};
use serde_json::{Value, json};

use super::{Case, TEST, define, http};

pub(super) fn cases() -> Vec<Case> {
    [urls(), hosts(), mocks(), timeouts(), tables(), others()].concat()
}

fn urls() -> Vec<Case> {
    let scheme = "has no scheme; write http:// or https://";
    let port = "its port is not a number from 1 to 65535";
    let host = "its host ";
    let texts = [
        ("", "is not a URL: "),
        ("orders", scheme),
        ("10.0.0.7", scheme),
        ("10.0.0.7:8080", scheme),
        ("/orders", scheme),
        ("ftp://a", "its scheme is neither http nor https"),
        ("ws://a", "its scheme is neither http nor https"),
        ("http://", "is not a URL: "),
        ("http:///x", "is not a URL: "),
        ("http:a", scheme),
        ("http://a@b/", "contains user information"),
        ("http://user:password@b/", "contains user information"),
        ("http://a/?x", "contains a query, a fragment or a backslash"),
        ("http://a?x", "contains a query, a fragment or a backslash"),
        ("http://a/#x", "contains a query, a fragment or a backslash"),
        ("http://a\\b", "contains a query, a fragment or a backslash"),
        ("http://a:0", port),
        ("http://a:", port),
        ("http://a:65536", port),
        ("http://a:99999", port),
        ("http://a:x", port),
        ("http://a:+80", port),
        ("http://a/../b", "its path contains a dot segment"),
        ("http://a/%2e%2e/b", "its path contains a dot segment"),
        ("http://a/b%2Fc", "its path contains an encoded slash"),
        ("http://a/%zz", "its path contains a malformed '%'"),
        ("http://a b", "is not a URL: "),
        ("http://a\nb", "is not a URL: "),
        ("http://bücher.example", "is not a URL: "),
        ("http://[::1", "is not a URL: "),
        ("http://[zz]", host),
        ("http://[1.2.3.4]", host),
        ("http://a..b", host),
        ("http://.a", host),
        ("http://a,b", host),
        ("http://a;b", host),
        ("http://a!b", host),
        ("http://%61", "is not a URL: "),
        ("http://127.0.0.1", "127.0.0.1 is a loopback address"),
        ("http://127.1", "127.0.0.1 is a loopback address"),
        ("http://0177.0.0.1", "127.0.0.1 is a loopback address"),
        ("http://[::1]:80", "::1 is a loopback address"),
        ("http://[0::1]", "::1 is a loopback address"),
    ];
    let long = [
        (format!("http://{}", "x".repeat(70_000)), "is not a URL: "),
        (format!("http://{}", "x".repeat(64)), host),
    ];
    let texts = texts.into_iter().map(|(text, why)| (text.to_owned(), why)).chain(long);
    texts.map(|(text, why)| (define("orders", Http::to(text)), format!("url: {why}"))).collect()
}

fn hosts() -> Vec<Case> {
    let texts =
        ["", "a b", "a/b", "a@b", "a\r\nx: y", "a:x", "a:99999", "a:0", "a:80:80", "[::1", "ä"];
    let named = texts.into_iter().map(|text| {
        let told = Http::to("http://10.0.0.7").host(text);
        (define("orders", told), "host: ".to_owned())
    });
    named.collect()
}

fn mocks() -> Vec<Case> {
    let mock = |mock: Mock| define("mock", mock);
    let statuses =
        [0, 100, 199, 207, 299, 308, 399, 418, 449, 452, 499, 506, 599, 600, 999, u16::MAX];
    let statuses = statuses.into_iter().map(|status| {
        (mock(Mock::new().status(status)), format!("status: {status} is not one of 200-206"))
    });
    let names = ["", "a b", "a:b", "ä", "x\r\ny"].into_iter().map(|name| {
        let shown = name.escape_debug();
        (mock(Mock::new().header(name, "1")), format!("headers.{shown}: is not a header name"))
    });
    let values = ["\n", "\0", "a\r\nb: c", "\u{7f}"].into_iter().map(|value| {
        (mock(Mock::new().header("x-y", value)), "headers.x-y: is not a header value".to_owned())
    });
    let framing =
        ["Content-Length", "transfer-encoding", "CONNECTION", "upgrade", "trailer", "keep-alive"];
    let framing = framing.into_iter().map(|name| {
        (
            mock(Mock::new().header(name, "1")),
            format!("headers.{name}: is set by the server itself"),
        )
    });
    let many = (0..101).fold(Mock::new(), |mock, number| mock.header(format!("x-{number}"), "1"));
    let large = [
        (mock(many), "headers: are more than 100".to_owned()),
        (
            mock(Mock::new().body("x".repeat(50 * 1024 + 1))),
            "body: is longer than 50 KiB".to_owned(),
        ),
        (
            mock(Mock::new().delay(Duration::from_secs(121))),
            "delay: is longer than 120s".to_owned(),
        ),
        (mock(Mock::new().delay(Duration::MAX)), "delay: is longer than 120s".to_owned()),
        (
            mock(Mock::new().delay(Duration::from_nanos(1))),
            "delay: 1ns is not in whole milliseconds".to_owned(),
        ),
    ];
    statuses.chain(names).chain(values).chain(framing).chain(large).collect()
}

fn timeouts() -> Vec<Case> {
    let all =
        [Duration::ZERO, Duration::from_nanos(999_999), Duration::from_secs(121), Duration::MAX];
    let named = all.into_iter().flat_map(|timeout| {
        let wanted = format!("timeout: {timeout:?} is not between 1ms and 120s");
        [
            (define("orders", http(1).timeout(timeout)), wanted.clone()),
            (define("mock", Mock::new().timeout(timeout)), wanted.clone()),
            (Change::new().update("orders", super::LIVE, http(1).timeout(timeout)), wanted),
        ]
    });
    named.collect()
}

fn read(table: Value) -> Definition {
    serde_json::from_value(table).unwrap()
}

/// What can be written down but not accepted.
fn tables() -> Vec<Case> {
    let named = forwarding().into_iter().chain(composed()).map(|(table, wanted)| {
        let service = table["kind"].as_str().unwrap().to_owned();
        (Change::new().define(service, TEST, read(table)), wanted.to_owned())
    });
    named.collect()
}

fn forwarding() -> Vec<(Value, &'static str)> {
    let url = "http://10.0.0.7";
    vec![
        (json!({"kind": "http"}), "url: is required"),
        (
            json!({"kind": "http", "url": url, "endpoints": [{"url": url}]}),
            "endpoints: stands beside url",
        ),
        (json!({"kind": "http", "endpoints": [{"url": "x"}]}), "endpoints[0].url: has no scheme"),
        (
            json!({"kind": "http", "endpoints": [{"url": url}, {"url": url, "weight": 0}]}),
            "endpoints[1].weight: is 0",
        ),
        (
            json!({"kind": "http", "url": url, "tls": {"min_version": "1.1"}}),
            "tls.min_version: is neither 1.2 nor 1.3",
        ),
        (json!({"kind": "vpc"}), "access: is required"),
        (json!({"kind": "vpc", "access": "a b"}), "access: contains ' '"),
        (json!({"kind": "vpc", "access": "x".repeat(1025)}), "access: is longer than 1024 bytes"),
        (json!({"kind": "vpc", "access": "a", "host": "a\nb"}), "host: contains '\\n'"),
        (json!({"kind": "function_compute"}), "function: is required"),
        (json!({"kind": "function_compute", "function": "f"}), "service: is required"),
        (
            json!({"kind": "function_compute", "function": "f", "version": "3.0"}),
            "region: is required",
        ),
        (
            json!({"kind": "function_compute", "function": "f", "service": "s", "region": "r",
                "qualifier": "a b"}),
            "qualifier: contains ' '",
        ),
        (json!({"kind": "function_compute", "function": "f\u{0}"}), "function: contains '\\0'"),
    ]
}

fn composed() -> Vec<(Value, &'static str)> {
    vec![
        (json!({"kind": "oss"}), "bucket: is required"),
        (json!({"kind": "oss", "bucket": "b"}), "region: is required"),
        (json!({"kind": "oss", "bucket": "b/c d", "region": "r"}), "bucket: contains ' '"),
        (json!({"kind": "event_bridge"}), "bus: is required"),
        (json!({"kind": "event_bridge", "bus": "b"}), "source: is required"),
        (json!({"kind": "event_bridge", "bus": "b", "source": "s"}), "region: is required"),
        (
            json!({"kind": "event_bridge", "bus": "b", "source": "s", "region": "r"}),
            "account: is required",
        ),
        (json!({"kind": "discovery"}), "service: is required"),
        (json!({"kind": "discovery", "service": "a\tb"}), "service: contains '\\t'"),
        (
            json!({"kind": "discovery", "service": "s", "scheme": "ftp"}),
            "scheme: is neither http nor https",
        ),
        (
            json!({"kind": "discovery", "service": "s", "max_shrink": 101}),
            "max_shrink: is more than 100 percent",
        ),
        (json!({"kind": "mixed", "legs": []}), "legs: is empty"),
        (json!({"kind": "mixed", "legs": [{"name": ""}]}), "legs[0].name: is empty or not unique"),
        (
            json!({"kind": "mixed", "legs": [{"name": "a"}, {"name": "a"}]}),
            "legs[1].name: is empty or not unique",
        ),
        (json!({"kind": "mixed", "concrete": {"kind": "http"}}), "url: is required"),
        (
            json!({"kind": "mixed", "concrete": {"kind": "mixed", "legs": [{"name": "a"}]}}),
            "kind: is mixed again",
        ),
    ]
}

fn others() -> Vec<Case> {
    let custom = || Custom::new("greeter").unwrap();
    let every = Kind::BUILT_IN.into_iter().filter(|kind| *kind != Kind::MOCK).map(|kind| {
        let wanted = format!("kind: service {:?} is of kind {kind}, the definition", kind.as_str());
        (define(kind.as_str(), Mock::new()), wanted)
    });
    let own = (define("mock", custom()), "kind: service \"mock\" is of kind mock".to_owned());
    every.chain([own]).collect()
}

#[test]
fn a_table_that_is_no_definition_names_the_key() {
    for (table, field) in [
        (json!({}), "kind"),
        (json!({"kind": 1}), "kind"),
        (json!({"kind": "HTTP"}), "kind"),
        (json!({"kind": "http", "url": "http://a", "timeout": 5}), "timeout"),
        (json!({"kind": "http", "url": "http://a", "timeout": "5"}), "timeout"),
        (json!({"kind": "http", "url": "http://a", "timeout": "-5s"}), "timeout"),
        (json!({"kind": "http", "url": "http://a", "timeot": "5s"}), "timeot"),
        (json!({"kind": "http", "url": 80}), "url"),
        (json!({"kind": "http", "endpoints": "http://a"}), "endpoints"),
        (json!({"kind": "http", "endpoints": [{}]}), "endpoints"),
        (json!({"kind": "http", "endpoints": [{"url": "http://a", "weight": -1}]}), "endpoints"),
        (json!({"kind": "http", "url": "http://a", "protocol": "spdy"}), "protocol"),
        (json!({"kind": "http", "url": "http://a", "tls": {"cipher": "x"}}), "tls"),
        (json!({"kind": "mock", "status": "200"}), "status"),
        (json!({"kind": "mock", "status": 70_000}), "status"),
        (json!({"kind": "mock", "headers": ["a"]}), "headers"),
        (json!({"kind": "mock", "delay": "soon"}), "delay"),
        (json!({"kind": "vpc", "access": "a", "use_https": "yes"}), "use_https"),
        (json!({"kind": "function_compute", "version": "1.0"}), "version"),
        (json!({"kind": "function_compute", "invocation": "later"}), "invocation"),
        (json!({"kind": "oss", "addressing": "host"}), "addressing"),
        (json!({"kind": "event_bridge", "format": "xml"}), "format"),
        (json!({"kind": "discovery", "registry": "eureka"}), "registry"),
        (json!({"kind": "discovery", "max_shrink": 256}), "max_shrink"),
        (json!({"kind": "mock", "a\nb": 1}), "a\\nb"),
    ] {
        let Value::Object(map) = table.clone() else { unreachable!() };
        let error = Definition::from_table(map, None).unwrap_err();
        assert_eq!(error.field, field, "{table}: {error}");
        assert!(!error.to_string().contains(char::is_control), "{error:?}");
    }
}
