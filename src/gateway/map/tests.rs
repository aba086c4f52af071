use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::gateway::limits::{MAX_HEADER_BYTES, MAX_PAIRS};
use crate::gateway::pairs::{Plus, pairs};
use crate::model::api::Api;
use crate::model::id::ServiceId;
use crate::model::path::RequestPath;
use crate::model::version::Version;

mod files;
#[cfg(feature = "schema")]
mod json;

static CLIENT_IP: HeaderValue = HeaderValue::from_static("192.0.2.7");
static REQUEST_ID: HeaderValue = HeaderValue::from_static("ID");
static FACTS: Facts<'_> = Facts {
    client_ip: Some(&CLIENT_IP),
    domain: Some("shop.example.com"),
    handle_time: Some("2026-11-23T06:00:00Z"),
    app_id: None,
    request_id: Some(&REQUEST_ID),
    http_schema: Some("http"),
    proxy: Some("edge"),
};
const FORM: &str = "application/x-www-form-urlencoded";

/// A request, and what the backend receives of it.
#[derive(Clone, Debug, Default)]
struct Asked<'a> {
    path: &'a str,
    query: Option<&'a str>,
    headers: &'a [(&'a str, &'a str)],
    form: &'a [u8],
    passed_on: &'a [&'a str],
    keep_app_code: bool,
}

#[derive(Debug)]
struct Sent {
    uri: String,
    headers: HeaderMap,
    form: Option<String>,
}

impl Sent {
    fn lines(&self) -> Vec<String> {
        let line = |(name, value): (&HeaderName, &HeaderValue)| {
            format!("{name}: {}", value.to_str().unwrap())
        };
        let mut lines: Vec<_> = self.headers.iter().map(line).collect();
        lines.sort_unstable();
        lines
    }
}

fn version(rest: Value) -> Version {
    let mut written =
        json!({ "method": "ANY", "path": "/a/[id]", "backend": { "service": "orders" } });
    if let Value::Object(rest) = rest {
        written.as_object_mut().unwrap().extend(rest);
    }
    let api: Api = serde_json::from_value(written).unwrap();
    Version::accept(&api, Some(ServiceId::new(0))).unwrap()
}

fn sent(version: &Version, asked: &Asked<'_>) -> Result<Sent> {
    let (uri, headers, form) = mapped(version, asked)?;
    let form = form.map(|form| String::from_utf8(form.to_vec()).unwrap());
    Ok(Sent { uri: uri.to_string(), headers, form })
}

fn mapped(version: &Version, asked: &Asked<'_>) -> Result<(Uri, HeaderMap, Option<Bytes>)> {
    let path =
        RequestPath::parse(if asked.path.is_empty() { "/g/a/1" } else { asked.path }).unwrap();
    let source = Source {
        path: &path,
        query: asked.query,
        base: 1,
        before_tail: usize::from(version.pattern().shape().length),
        keep_app_code: asked.keep_app_code,
        code_header: None,
    };
    let mut headers = HeaderMap::new();
    for (name, value) in asked.headers {
        headers.append(
            name.parse::<HeaderName>().unwrap(),
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        );
    }
    let passed_on: Vec<HeaderName> = asked.passed_on.iter().map(|it| it.parse().unwrap()).collect();
    let rules = version.rules().unwrap();
    let form = rules.reads_form().then_some(asked.form);
    let mut mapped = map(rules, &source, &headers, form, &FACTS)?;
    keep(rules, &passed_on, &mut headers);
    mapped.write_head(rules, &mut headers);
    Ok((mapped.uri, headers, mapped.form))
}

/// What the backend receives as path and query.
fn uri(version: &Version, query: &str) -> String {
    sent(version, &Asked { query: Some(query), ..Asked::default() }).unwrap().uri
}

fn refusal(version: &Version, asked: &Asked<'_>) -> (ErrorKind, String) {
    let error = sent(version, asked).unwrap_err();
    (error.kind(), error.context().to_owned())
}

fn search() -> Version {
    version(json!({
        "method": "GET", "path": "/search/*", "mode": "mapping",
        "backend": { "service": "orders", "path": "/find", "method": "GET" },
        "parameter": [
            { "name": "q", "in": "query", "type": "string", "required": true, "max_length": 64,
              "pattern": "^[a-z0-9 ]+$", "to": { "name": "X-Query", "in": "head" } },
            { "name": "limit", "in": "query", "type": "int", "default": "20", "min": 1, "max": 100,
              "to": { "name": "n", "in": "query" } },
        ],
        "constant": [{ "name": "source", "value": "gateway", "in": "query" }],
        "system": [{ "name": "CaClientIp", "to": { "name": "X-Real-Ip", "in": "head" } }],
    }))
}

#[test]
fn the_search_of_the_shop() {
    let asked = |query| Asked {
        path: "/shop/search/a/b",
        query,
        headers: &[
            ("host", "shop.example.com"),
            ("x-evil", "1"),
            ("x-query", "forged"),
            ("x_real_ip", "forged"),
            ("accept", "*/*"),
            ("user-agent", "curl"),
            ("x-trace", "7"),
        ],
        passed_on: &["x-trace", "x_real_ip"],
        ..Asked::default()
    };
    let found = sent(&search(), &asked(Some("q=red&evil=1"))).unwrap();
    assert_eq!(found.uri, "/find?n=20&source=gateway");
    assert_eq!(found.form, None);
    let expected = [
        "accept: */*",
        "host: shop.example.com",
        "user-agent: curl",
        "x-query: red",
        "x-real-ip: 192.0.2.7",
        "x-trace: 7",
    ];
    assert_eq!(found.lines(), expected);
    for (query, kind, context) in [
        (None, ErrorKind::MissingParameter, "`q`"),
        (Some("q=RED"), ErrorKind::InvalidParameter, "`q` does not match its pattern"),
        (Some("q="), ErrorKind::InvalidParameter, "`q` does not match its pattern"),
        (Some("q=red&limit=101"), ErrorKind::InvalidParameter, "`limit` is more than it may be"),
        (
            Some("q=red&limit="),
            ErrorKind::InvalidParameter,
            "`limit` is not a whole number of 32 bits",
        ),
        (Some("q=%ff"), ErrorKind::InvalidParameter, "`q` is not UTF-8"),
        (
            Some("q=red&x=%x"),
            ErrorKind::InvalidUri,
            "a `%` is not followed by two hexadecimal digits",
        ),
        (
            Some("q=red&%=1"),
            ErrorKind::InvalidUri,
            "a `%` is not followed by two hexadecimal digits",
        ),
    ] {
        assert_eq!(refusal(&search(), &asked(query)), (kind, context.to_owned()), "{query:?}");
    }
    let first = sent(&search(), &asked(Some("q=red+hat&limit=7&q=blue&%6cimit=8"))).unwrap();
    assert_eq!(
        (first.uri.as_str(), &first.headers["x-query"]),
        ("/find?n=7&source=gateway", &HeaderValue::from_static("red hat"))
    );
}

#[test]
fn everything_can_go_everywhere() {
    let places = ["query", "head", "path", "body"];
    for from in places {
        for to in places {
            let name = if from == "path" { "id" } else { "p" };
            let version = version(json!({
                "mode": "mapping",
                "parameter": [{ "name": name, "in": from, "to": { "name": "x", "in": to } }],
                "backend": { "service": "orders", "path": if to == "path" { "/b/[x]" } else { "/b" } },
            }));
            let asked = Asked {
                path: if from == "path" { "/g/a/v%20w" } else { "" },
                query: Some(if from == "query" { "p=v%20w" } else { "p2=0" }),
                headers: if from == "head" {
                    &[("p", "v w"), ("content-type", FORM)]
                } else {
                    &[("content-type", FORM)]
                },
                form: if from == "body" { b"p=v+w" } else { b"" },
                ..Asked::default()
            };
            let sent = sent(&version, &asked).unwrap();
            let expected = match to {
                "query" => "/b?x=v%20w",
                "path" => "/b/v%20w",
                _ => "/b",
            };
            assert_eq!(sent.uri, expected, "{from} to {to}");
            let header = (to == "head").then_some("v w");
            assert_eq!(sent.headers.get("x").map(|it| it.to_str().unwrap()), header);
            let form = match (from, to) {
                (_, "body") => Some("x=v%20w"),
                ("body", _) => Some(""),
                _ => None,
            };
            assert_eq!(sent.form.as_deref(), form, "{from} to {to}");
        }
    }
}

#[test]
fn arrays_are_repeated_joined_and_split() {
    let version = version(json!({
        "mode": "mapping",
        "parameter": [
            { "name": "a", "in": "query", "type": "array", "items": "int", "max": 9 },
            { "name": "b", "in": "query", "type": "array", "to": { "name": "x-b", "in": "head" } },
            { "name": "x-c", "in": "head", "type": "array", "to": { "name": "c", "in": "body" } },
            { "name": "d", "in": "query", "type": "array", "default": "1, 2" },
        ],
    }));
    let asked = |query| Asked {
        query: Some(query),
        headers: &[("x-c", "1, 2"), ("x-c", "3")],
        ..Asked::default()
    };
    let found = sent(&version, &asked("a=1&b=x&a=2&b=y%20z")).unwrap();
    assert_eq!(found.uri, "/a/1?a=1&a=2&d=1&d=2");
    assert_eq!(found.headers["x-b"], "x,y z");
    assert_eq!(found.form.as_deref(), Some("c=1&c=2&c=3"));
    assert_eq!(found.headers["content-type"], "application/x-www-form-urlencoded; charset=UTF-8");
    assert_eq!(found.headers["content-length"], "11");
    for query in ["a=1&a=10", "a=1&a=", "a=x"] {
        assert_eq!(refusal(&version, &asked(query)).0, ErrorKind::InvalidParameter, "{query}");
    }
}

#[test]
fn what_is_unknown_goes_through_where_the_mode_says_so() {
    let version = version(json!({
        "mode": "mapping_passthrough",
        "parameter": [
            { "name": "q", "in": "query", "to": { "name": "query" } },
            { "name": "x-in", "in": "head", "to": { "name": "x-out" } },
            { "name": "f", "in": "body", "to": { "name": "g" } },
        ],
        "constant": [{ "name": "source", "value": "a&b", "in": "query" },
            { "name": "s", "value": "é", "in": "body" }],
        "system": [{ "name": "CaAppId" }],
    }));
    let asked = Asked {
        query: Some("z=%7e&source=1&q=1&so%75rce=2&&=3&y;source=4&query=5&AppCode=6&y"),
        headers: &[
            ("content-type", FORM),
            ("content-length", "3"),
            ("x-in", "1"),
            ("x-out", "forged"),
            ("caappid", "forged"),
            ("x_out", "forged"),
            ("x-rest", "2"),
            ("content-md5", "old"),
        ],
        form: b"u=%7E+&f=1&g=forged&s=forged",
        ..Asked::default()
    };
    let found = sent(&version, &asked).unwrap();
    assert_eq!(found.uri, "/a/1?query=1&source=a%26b&z=%7e&y");
    assert_eq!(found.form.as_deref(), Some("g=1&s=%C3%A9&u=%7E+"));
    let expected =
        ["content-length: 19", &format!("content-type: {FORM}"), "x-out: 1", "x-rest: 2"];
    assert_eq!(found.lines(), expected);
    let kept = sent(&version, &Asked { keep_app_code: true, ..asked }).unwrap();
    assert_eq!(kept.uri, "/a/1?query=1&source=a%26b&z=%7e&AppCode=6&y");
}

#[test]
fn where_requests_pass_through_only_what_is_added_changes() {
    let header = version(json!({
        "constant": [{ "name": "x-a", "value": "1" }], "system": [{ "name": "CaHttpSchema" }],
    }));
    let asked = Asked {
        query: Some("a=%zz&AppCode=1&=&b"),
        headers: &[("x-a", "0"), ("x-a", "2"), ("x-b", "3"), ("content-type", "application/json")],
        form: b"{",
        ..Asked::default()
    };
    let found = sent(&header, &asked).unwrap();
    assert_eq!((found.uri.as_str(), found.form.as_deref()), ("/a/1?a=%zz&=&b", None));
    let expected = ["cahttpschema: http", "content-type: application/json", "x-a: 1", "x-b: 3"];
    assert_eq!(found.lines(), expected);
    let query = version(json!({ "constant": [{ "name": "a", "value": "1", "in": "query" }] }));
    assert_eq!(uri(&query, "b=%7e+&a=2&%61"), "/a/1?a=1&b=%7e+");
    assert_eq!(uri(&query, ""), "/a/1?a=1");
    let malformed = Asked { query: Some("b=%z"), ..Asked::default() };
    assert_eq!(refusal(&query, &malformed).0, ErrorKind::InvalidUri);
    let path = version(json!({ "parameter": [{ "name": "id", "in": "path", "type": "int" }] }));
    assert_eq!(uri(&path, "x=1"), "/a/1?x=1");
    let asked = |path| Asked { path, ..Asked::default() };
    assert_eq!(sent(&path, &asked("/g/a/%34%32")).unwrap().uri, "/a/%34%32", "as it was received");
    assert_eq!(refusal(&path, &asked("/g/a/x")).1, "`id` is not a whole number of 32 bits");
}

#[test]
fn a_path_is_made_of_segments_and_values() {
    let version = version(json!({
        "path": "/a/[id]/*", "mode": "mapping",
        "parameter": [{ "name": "v", "in": "query", "to": { "name": "id", "in": "path" } },
            { "name": "id", "in": "path", "to": { "name": "old" } }],
        "constant": [{ "name": "c", "value": "x/y", "in": "path" }],
        "backend": { "service": "orders", "path": "/b/[id]/[old]/[c]/end/*" },
    }));
    let asked = |query| Asked { path: "/g/a/%7Eo/t//u", query, ..Asked::default() };
    let made = sent(&version, &asked(Some("v=../%3F%25%23%5c%20é%00"))).unwrap();
    assert_eq!(made.uri, "/b/..%2F%3F%25%23%5C%20%C3%A9%00/%7Eo/x%2Fy/end/t//u");
    for query in ["v=", "v=.", "v=..", "v=%2e%2E"] {
        let expected = (ErrorKind::InvalidParameter, "`v` cannot stand in a path".to_owned());
        assert_eq!(refusal(&version, &asked(Some(query))), expected, "{query}");
    }
    assert_eq!(refusal(&version, &asked(None)), (ErrorKind::MissingParameter, "`v`".to_owned()));
}

#[test]
fn without_a_path_of_its_own_the_requests_takes_values() {
    let version = version(json!({
        "system": [{ "name": "CaDomain", "to": { "name": "id", "in": "path" } }],
    }));
    assert_eq!(uri(&version, "q"), "/a/shop.example.com?q");
}

#[test]
fn what_is_not_known_is_not_told() {
    let version = version(json!({ "path": "/a/[id]", "system": [
        { "name": "CaAppId", "to": { "name": "app", "in": "query" } },
        { "name": "CaProxy", "to": { "name": "proxy", "in": "query" } },
        { "name": "CaRequestHandleTime", "to": { "in": "query" } },
    ] }));
    let expected = "/a/1?proxy=edge&CaRequestHandleTime=2026-11-23T06%3A00%3A00Z&x";
    assert_eq!(uri(&version, "app=forged&x"), expected);
}

#[test]
fn nothing_but_visible_text_becomes_a_header() {
    let version = version(json!({
        "mode": "mapping",
        "parameter": [{ "name": "q", "in": "query", "to": { "name": "x-q", "in": "head" } }],
    }));
    for value in ["a%0d%0aX:%20y", "a%00", "%01", "a%7f", "%c3%a9", "%20a", "a+", "a%09b", "%0a"] {
        let query = format!("q={value}");
        let refused = refusal(&version, &Asked { query: Some(&query), ..Asked::default() });
        let expected = (ErrorKind::InvalidParameter, "`q` cannot stand in a header".to_owned());
        assert_eq!(refused, expected, "{value}");
    }
    let long = format!("q={}", "a".repeat(MAX_HEADER_BYTES + 1));
    let refused = refusal(&version, &Asked { query: Some(&long), ..Asked::default() });
    assert_eq!(refused.0, ErrorKind::HeadersTooLarge);
}

#[test]
fn an_app_code_is_no_parameter() {
    let version = version(json!({
        "mode": "mapping",
        "parameter": [{ "name": "AppCode", "in": "query" }, { "name": "authorization", "in": "head" }],
    }));
    let asked = |keep_app_code| Asked {
        query: Some("AppCode=1"),
        headers: &[("authorization", "APPCODE 1")],
        keep_app_code,
        ..Asked::default()
    };
    let found = sent(&version, &asked(false)).unwrap();
    assert_eq!((found.uri.as_str(), found.headers.len()), ("/a/1", 0));
    let found = sent(&version, &asked(true)).unwrap();
    assert_eq!((found.uri.as_str(), found.headers.len()), ("/a/1?AppCode=1", 1));
}

#[test]
fn a_body_that_is_taken_apart_is_a_form() {
    let version = version(json!({
        "method": "POST", "mode": "mapping", "parameter": [{ "name": "f", "in": "body" }],
    }));
    let asked = |headers, form| Asked { headers, form, ..Asked::default() };
    for headers in [
        &[("content-type", "application/json")][..],
        &[],
        &[("content-type", "application/x-www-form-urlencoded; charset=gbk")],
        &[("content-type", FORM), ("content-encoding", "gzip")],
    ] {
        let refused = refusal(&version, &asked(headers, b"f=1"));
        assert_eq!(refused.0, ErrorKind::InvalidContentType, "{headers:?}");
        let empty = sent(&version, &asked(headers, b"")).unwrap();
        assert_eq!(empty.form, None);
    }
    let form = &[("content-type", "application/x-www-form-urlencoded;charset=utf-8")][..];
    let found = sent(&version, &asked(form, b"x=1&f=%e4%bd%a0+b&f=2")).unwrap();
    assert_eq!(found.form.as_deref(), Some("f=%E4%BD%A0%20b"));
    assert_eq!(found.headers["content-type"], "application/x-www-form-urlencoded;charset=utf-8");
    assert_eq!(sent(&version, &asked(form, b"x=1")).unwrap().form.as_deref(), Some(""));
    let many = "&a".repeat(MAX_PAIRS + 1);
    for bad in [b"f=%", &b"%zz"[..], many.as_bytes()] {
        assert_eq!(refusal(&version, &asked(form, bad)).0, ErrorKind::InvalidBody);
    }
    assert_eq!(refusal(&version, &asked(form, b"f=\xff")).0, ErrorKind::InvalidParameter);
}

#[test]
fn a_content_type_is_the_clients_the_default_or_fixed() {
    for (said, expected) in [
        (Value::Null, "text/plain"),
        ("client".into(), "text/plain"),
        ("default".into(), "application/x-www-form-urlencoded; charset=UTF-8"),
        ("application/json".into(), "application/json"),
    ] {
        let version = version(json!({
            "mode": "mapping", "backend": { "service": "orders", "content_type": said },
        }));
        let headers = &[("content-type", "text/plain"), ("content-encoding", "gzip")][..];
        let found = sent(&version, &Asked { headers, ..Asked::default() }).unwrap();
        assert_eq!(found.headers["content-type"], expected);
        assert_eq!(found.headers["content-encoding"], "gzip", "nobody could read the body else");
    }
}

#[test]
fn the_clients_host_goes_before_a_constant() {
    let version = version(json!({ "constant": [{ "name": "Host", "value": "fixed" }] }));
    for (headers, expected) in [(&[][..], "fixed"), (&[("host", "client")], "client")] {
        let found = sent(&version, &Asked { headers, ..Asked::default() }).unwrap();
        assert_eq!(found.lines(), [format!("host: {expected}")]);
    }
}

#[test]
fn what_frames_a_message_is_no_parameter() {
    let names = ["content-length", "host", "via", "x-forwarded-for", "x-ca-request-id"];
    let parameters: Vec<_> = names
        .iter()
        .map(|name| json!({ "name": name, "in": "head", "to": { "name": format!("x-{name}") } }))
        .collect();
    for mode in ["mapping", "mapping_passthrough"] {
        let version = version(json!({ "mode": mode, "parameter": parameters }));
        let lines: Vec<_> = names.iter().map(|name| (*name, "1")).collect();
        let found = sent(&version, &Asked { headers: &lines, ..Asked::default() }).unwrap();
        assert_eq!(found.headers.len(), 2 * names.len(), "{found:?}");
    }
}

#[test]
fn sizes_are_bounded() {
    let version = version(
        json!({ "mode": "mapping", "parameter": [{ "name": "q", "in": "query", "type": "array" }] }),
    );
    let asked = |query: &str| {
        sent(&version, &Asked { query: Some(query), ..Asked::default() })
            .map_err(|error| error.kind())
    };
    assert!(asked(&"&q".repeat(MAX_PAIRS)).is_ok());
    assert_eq!(asked(&"&q".repeat(MAX_PAIRS + 1)).unwrap_err(), ErrorKind::InvalidUri);
    let long = |length| format!("q={}", "é".repeat(length));
    assert!(asked(&long((MAX_MAPPED_URI - "/a/1?q=".len()) / 6)).is_ok());
    assert_eq!(asked(&long(MAX_MAPPED_URI / 6 + 1)).unwrap_err(), ErrorKind::UrlTooLarge);
}

/// Names of the pairs in a query, as a backend reads them, and their values.
fn read(query: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let of = |pair: crate::gateway::pairs::Pair<'_>| {
        let name = pair.name(Plus::Space).unwrap().into_owned();
        (name, pair.value(Plus::Space).unwrap().into_owned())
    };
    pairs(query.as_bytes()).map(of).collect()
}

fn percent(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02X}")).collect()
}

proptest! {
    #[test]
    fn a_value_comes_through_and_makes_no_name(value in any::<String>(), rest in "[ -~]{0,40}") {
        let version = version(json!({
            "mode": "mapping", "parameter": [{ "name": "q", "in": "query", "to": { "name": "r" } }],
            "constant": [{ "name": "source", "value": "gateway", "in": "query" }],
        }));
        let rest = rest.replace(['%', '#'], "");
        let query = format!("q={}&{rest}", percent(value.as_bytes()));
        let asked = Asked { query: Some(&query), ..Asked::default() };
        let uri = sent(&version, &asked).unwrap().uri;
        let expected = [(b"r".to_vec(), value.into_bytes()), (b"source".to_vec(), b"gateway".to_vec())];
        prop_assert_eq!(read(uri.split_once('?').unwrap().1), expected);
    }

    #[test]
    fn a_constant_cannot_be_forged(query in "(([a-c=&;+]|%6[123]|source|%73ource){1,3}[&;]?){0,8}") {
        let version = version(json!({
            "mode": "mapping_passthrough", "parameter": [{ "name": "a", "in": "query" }],
            "constant": [{ "name": "source", "value": "gateway", "in": "query" }],
        }));
        let uri = sent(&version, &Asked { query: Some(&query), ..Asked::default() }).unwrap().uri;
        let made = uri.split_once('?').unwrap().1;
        for made in [made.to_owned(), made.replace(';', "&")] {
            let found: Vec<_> = read(&made).into_iter().filter(|(name, _)| name == b"source").collect();
            prop_assert_eq!(found, [(b"source".to_vec(), b"gateway".to_vec())]);
        }
    }

    #[test]
    fn a_path_stays_below_its_template(value in any::<String>(), tail in "[a-z./%]{0,6}") {
        let version = version(json!({
            "path": "/a/*", "mode": "mapping",
            "parameter": [{ "name": "v", "in": "query", "to": { "in": "path" } }],
            "backend": { "service": "orders", "path": "/base/[v]/end/*" },
        }));
        let path = format!("/g/a/{tail}");
        prop_assume!(RequestPath::parse(&path).is_ok());
        let query = format!("v={}", percent(value.as_bytes()));
        match sent(&version, &Asked { path: &path, query: Some(&query), ..Asked::default() }) {
            Ok(sent) => {
                let segments: Vec<_> = sent.uri.split('/').collect();
                prop_assert_eq!((segments[1], segments[3]), ("base", "end"));
                let expected = value.into_bytes();
                let segment = crate::gateway::pairs::decoded(segments[2].as_bytes(), Plus::Itself);
                prop_assert_eq!(segment.unwrap().into_owned(), expected);
                prop_assert!(!matches!(segments[2], "" | "." | ".."));
            }
            Err(error) => {
                prop_assert!(matches!(value.as_str(), "" | "." | ".."));
                prop_assert_eq!(error.kind(), ErrorKind::InvalidParameter);
            }
        }
    }

    #[test]
    fn a_value_ends_no_header(value in any::<String>()) {
        let version = version(json!({
            "mode": "mapping",
            "parameter": [{ "name": "v", "in": "query", "to": { "name": "x-v", "in": "head" } }],
        }));
        let query = format!("v={}", percent(value.as_bytes()));
        match sent(&version, &Asked { query: Some(&query), ..Asked::default() }) {
            Ok(sent) => {
                prop_assert_eq!(sent.headers.len(), 1);
                prop_assert_eq!(sent.headers["x-v"].as_bytes(), value.as_bytes());
                prop_assert!(value.bytes().all(|byte| matches!(byte, b' '..=b'~')));
            }
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::InvalidParameter),
        }
    }

    #[test]
    fn in_a_mapped_form_are_only_names_that_are_written_down(
        body in "(([a-c=+]|f|s|%6[1-6]){1,4}&?){0,8}", through in any::<bool>(),
    ) {
        let mode = if through { "mapping_passthrough" } else { "mapping" };
        let version = version(json!({
            "mode": mode, "parameter": [{ "name": "f", "in": "body", "to": { "name": "g" } }],
            "constant": [{ "name": "s", "value": "1", "in": "body" }],
        }));
        let headers = &[("content-type", FORM)][..];
        let asked = Asked { headers, form: body.as_bytes(), ..Asked::default() };
        let made = sent(&version, &asked).unwrap();
        let form = made.form.unwrap();
        let length = form.len().to_string();
        prop_assert_eq!(made.headers["content-length"].as_bytes(), length.as_bytes());
        let names: Vec<_> = read(&form).into_iter().map(|(name, _)| name).collect();
        prop_assert_eq!(names.iter().filter(|name| **name == b"s").count(), 1);
        prop_assert!(names.iter().filter(|name| **name == b"g").count() <= 1);
        prop_assert!(!names.iter().any(|name| name == b"f"));
        prop_assert!(through || names.iter().all(|name| name == b"g" || name == b"s"));
    }
}

#[test]
fn a_trial_is_what_a_gateway_would_do() {
    let api = json!({ "method": "GET", "path": "/a/[id]", "mode": "mapping",
        "backend": { "service": "orders" }, "parameter": [{ "name": "q", "in": "query" }] });
    let api: Api = serde_json::from_value(api).unwrap();
    let trial = trial::Trial { path: "/a/1", query: "q=2&z", header: ("x", b"3"), form: b"" };
    let (uri, headers, form) = trial.of(&api).unwrap().unwrap();
    assert_eq!((uri.as_str(), headers.get("x"), form), ("/a/1?q=2", None, None));
    assert!(trial::Trial { path: "/b", ..trial }.of(&api).is_none());
}
