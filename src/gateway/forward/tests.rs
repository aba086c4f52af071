use std::sync::LazyLock;

use http::{Request, Version};
use proptest::prelude::*;

use super::super::peer::Scheme;
use super::*;
use crate::model::path::PathPattern;

fn source<'a>(path: &'a RequestPath<'a>, query: Option<&'a str>, base: usize) -> Source<'a> {
    Source { path, query, base, before_tail: 0, keep_app_code: false, code_header: None }
}

fn uri(path: &str, base: usize, query: Option<&str>) -> String {
    let path = RequestPath::parse(path).unwrap();
    source(&path, query, base).uri(None).unwrap().to_string()
}

#[test]
fn without_a_template_the_path_below_the_base_is_kept_as_received() {
    for (path, base, expected) in [
        ("/shop/orders/42", 1, "/orders/42"),
        ("/shop", 1, "/"),
        ("/shop/", 1, "/"),
        ("/%73hop/a%2db//c%20d/", 1, "/a%2db//c%20d/"),
        ("/a/b/c", 2, "/c"),
    ] {
        assert_eq!(uri(path, base, None), expected);
    }
}

#[test]
fn a_template_is_filled_with_what_was_received() {
    let pattern = PathPattern::parse("/orders/[id]/*", false).unwrap();
    for (template, expected) in
        [("/v1/[id]/x/*", "/v1/4%32/x/a//b"), ("/v1/[id]", "/v1/4%32"), ("/v1", "/v1")]
    {
        let template = PathTemplate::parse(template, &pattern, false).unwrap();
        let path = RequestPath::parse("/shop/orders/4%32/a//b").unwrap();
        let source = Source {
            before_tail: usize::from(pattern.shape().length),
            ..source(&path, Some("x=1"), 1)
        };
        let uri = source.uri(Some(&template)).unwrap();
        assert_eq!(uri.to_string(), format!("{expected}?x=1"));
    }
}

#[test]
fn the_query_is_kept_but_for_the_app_code() {
    for (query, expected) in [
        ("", "/?"),
        ("a=1&a=2&b", "/?a=1&a=2&b"),
        ("AppCode=x", "/"),
        ("a=1&AppCode=x&b=2", "/?a=1&b=2"),
        ("App%43ode=x&b=2", "/?b=2"),
        ("XAppCode=x&appcode=y&b=AppCode", "/?XAppCode=x&appcode=y&b=AppCode"),
        ("%=1&%4=2&AppCode", "/?%=1&%4=2"),
    ] {
        assert_eq!(uri("/a", 1, Some(query)), expected, "{query}");
    }
    let path = RequestPath::parse("/a").unwrap();
    let keeping = Source { keep_app_code: true, ..source(&path, Some("AppCode=x"), 0) };
    assert_eq!(keeping.uri(None).unwrap(), "/a?AppCode=x");
    assert!(keeping.is_unchanged());
    assert!(!source(&path, Some("AppCode=x"), 0).is_unchanged());
}

fn request(uri: &str, lines: &[(&str, &str)]) -> (Parts, Seen) {
    let mut request = Request::builder().uri(uri);
    let mut seen = Seen::default();
    for (name, value) in lines {
        request = request.header(*name, *value);
        seen.add(hop::class(name));
    }
    (request.body(()).unwrap().into_parts().0, seen)
}

static VIA: LazyLock<Via> = LazyLock::new(Via::new);

fn told(peer: Option<&Peer>, trusted: bool) -> Told<'_> {
    Told {
        via: &VIA,
        max_forwards: None,
        id: HeaderValue::from_static("ID"),
        peer,
        trusted,
        keep_host: false,
        keep_app_code: false,
        length: None,
        more: 0,
    }
}

fn own_via() -> &'static str {
    VIA.line(Version::HTTP_11).to_str().unwrap()
}

fn peer() -> Peer {
    Peer::new("10.0.0.1:9".parse().unwrap(), Scheme::Https)
}

const FORGED: &[(&str, &str)] = &[
    ("host", "Shop.example.com:80"),
    ("x-forwarded-for", "1.1.1.1"),
    ("x-forwarded-for", "2.2.2.2"),
    ("x-forwarded-proto", "gopher"),
    ("x-forwarded-host", "evil"),
    ("forwarded", "for=1.1.1.1"),
    ("x_forwarded_for", "3.3.3.3"),
    ("x-ca-request-id", "forged"),
    ("connection", "x-forwarded-for, x-ca-request-id, via"),
    ("via", "1.1 other"),
];

fn all<'a>(parts: &'a Parts, name: &str) -> Vec<&'a str> {
    let values = parts.headers.get_all(name).iter();
    values.map(|value| value.to_str().unwrap()).collect()
}

#[test]
fn forged_accounts_are_replaced() {
    let (mut parts, seen) = request("/", FORGED);
    head(&mut parts, seen, &told(Some(&peer()), false));
    for (name, expected) in [
        ("x-forwarded-for", &["10.0.0.1"][..]),
        ("x-forwarded-proto", &["https"]),
        ("x-forwarded-host", &["Shop.example.com:80"]),
        ("x-ca-request-id", &["ID"]),
        ("via", &[own_via()]),
        ("forwarded", &[]),
        ("x_forwarded_for", &[]),
        ("host", &[]),
        ("connection", &[]),
    ] {
        assert_eq!(all(&parts, name), expected, "{name}");
    }
}

#[test]
fn an_unknown_peer_is_not_believed() {
    let (mut parts, seen) = request("/", FORGED);
    head(&mut parts, seen, &told(None, false));
    assert!(all(&parts, "x-forwarded-for").is_empty());
    assert!(all(&parts, "x-forwarded-proto").is_empty());
    assert_eq!(all(&parts, "x-forwarded-host"), ["Shop.example.com:80"]);
}

#[test]
fn a_trusted_proxys_account_is_added_to() {
    let (mut parts, seen) = request(
        "/",
        &[
            ("host", "a"),
            ("x-forwarded-for", "1.1.1.1"),
            ("x-forwarded-for", "2.2.2.2"),
            ("x-forwarded-host", "public"),
            ("via", "1.1 other"),
        ],
    );
    head(&mut parts, seen, &told(Some(&peer()), true));
    assert_eq!(all(&parts, "x-forwarded-for"), ["1.1.1.1, 2.2.2.2, 10.0.0.1"]);
    assert_eq!(all(&parts, "x-forwarded-host"), ["public, a"]);
    assert_eq!(all(&parts, "x-forwarded-proto"), ["https"]);
    assert_eq!(all(&parts, "via"), ["1.1 other", own_via()]);
}

#[test]
fn crumbs_repetitions_and_hops_left_are_told_in_one_line() {
    let lines = [
        ("cookie", "a=1"),
        ("cookie", "b=2"),
        ("content-type", "a"),
        ("content-type", "a"),
        ("max-forwards", "5"),
    ];
    let (mut parts, mut seen) = request("/", &lines);
    seen.add(Class::Repeated);
    head(&mut parts, seen, &Told { max_forwards: Some(4), ..told(None, false) });
    for (name, expected) in [("cookie", "a=1; b=2"), ("content-type", "a"), ("max-forwards", "4")] {
        assert_eq!(all(&parts, name), [expected], "{name}");
    }
}

#[test]
fn the_clients_host_is_kept_on_request() {
    let keep = Told { keep_host: true, ..told(None, false) };
    let (mut parts, seen) = request("/", &[("host", "a:1")]);
    head(&mut parts, seen, &keep);
    assert_eq!(all(&parts, "host"), ["a:1"]);
    let (mut parts, seen) = request("https://b:2/", &[]);
    head(&mut parts, seen, &keep);
    assert_eq!(all(&parts, "host"), ["b:2"]);
    assert_eq!(all(&parts, "x-forwarded-host"), ["b:2"]);
}

#[test]
fn an_app_code_is_not_for_the_backend() {
    for (value, left) in [
        ("APPCODE abc", 0),
        ("appcode abc", 0),
        ("APPCODE", 0),
        ("Bearer APPCODE", 1),
        ("APPCODES abc", 1),
        ("Basic abc", 1),
    ] {
        let (mut parts, seen) = request("/", &[("authorization", value)]);
        head(&mut parts, seen, &told(None, false));
        assert_eq!(all(&parts, "authorization").len(), left, "{value}");
    }
    let (mut parts, seen) = request("/", &[("authorization", "APPCODE abc")]);
    let keep = Told { keep_app_code: true, ..told(None, false) };
    head(&mut parts, seen, &keep);
    assert_eq!(all(&parts, "authorization"), ["APPCODE abc"]);
}

#[test]
fn framing_is_our_own() {
    for (lines, length, expected) in [
        (&["010"][..], Some(10), &["10"][..]),
        (&["10", "10"], Some(10), &["10"]),
        (&["10"], Some(10), &["10"]),
        (&["10"], None, &[]),
        (&[], Some(10), &[]),
    ] {
        let lines: Vec<_> = lines.iter().map(|line| ("content-length", *line)).collect();
        let (mut parts, seen) = request("/", &lines);
        let told = Told { length, ..told(None, false) };
        head(&mut parts, seen, &told);
        assert_eq!(all(&parts, "content-length"), expected);
    }
    let (mut parts, seen) = request(
        "/",
        &[("transfer-encoding", "chunked"), ("expect", "100-continue"), ("te", "trailers")],
    );
    head(&mut parts, seen, &told(None, false));
    let left: Vec<_> = parts.headers.keys().map(HeaderName::as_str).collect();
    assert_eq!(left, ["via", "x-ca-request-id"]);
}

/// A path everybody reads the same way, some of it encoded.
fn paths() -> impl Strategy<Value = String> {
    let segment = "(?:[a-z0-9_~!$&'()*+,;=:@-]|%20|%C3%A9|%41|%2e%41|\\.a){0,6}";
    proptest::collection::vec(segment, 1..16)
        .prop_map(|segments| format!("/{}", segments.join("/")))
}

proptest! {
    #[test]
    fn a_forwarded_path_is_read_as_what_it_was(path in paths(), base in 0_usize..4) {
        let Ok(request) = RequestPath::parse(&path) else { return Ok(()) };
        let base = base.min(request.len());
        let uri = source(&request, None, base).uri(None).unwrap();
        let forwarded = RequestPath::parse(uri.path()).unwrap();
        prop_assert!(uri.authority().is_none());
        prop_assert!(path.ends_with(uri.path()) || request.len() == base);
        let below = (base..request.len()).map(|index| request.segment(index));
        let received = (0..forwarded.len()).map(|index| forwarded.segment(index));
        if request.len() == base {
            prop_assert_eq!(uri.path(), "/");
        } else {
            prop_assert!(below.eq(received));
        }
    }

    #[test]
    fn a_parameter_stays_one_segment_below_the_template(path in paths()) {
        let Ok(request) = RequestPath::parse(&path) else { return Ok(()) };
        let pattern = PathPattern::parse("/[a]/*", false).unwrap();
        let template = PathTemplate::parse("/base/[a]/end/*", &pattern, false).unwrap();
        prop_assume!(request.len() > 1);
        let source = Source { before_tail: 1, ..source(&request, None, 0) };
        let uri = source.uri(Some(&template)).unwrap();
        let forwarded = RequestPath::parse(uri.path()).unwrap();
        prop_assert_eq!(forwarded.segment(0), "base");
        prop_assert_eq!(forwarded.segment(1), request.segment(0));
        prop_assert_eq!(forwarded.segment(2), "end");
        prop_assert_eq!(forwarded.len(), request.len() + 2);
        let tail = (3..forwarded.len()).map(|index| forwarded.segment(index));
        prop_assert!(tail.eq((1..request.len()).map(|index| request.segment(index))));
    }
}
