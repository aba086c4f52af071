//! Rows P: targets that two readers could read in two ways.

use std::sync::{Arc, Mutex};

use backhaul::{Api, Body, Change, Group, Http, Mock};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use proptest::prelude::*;

use super::front::{Front, leading_to};
use crate::gateway::harness::{LIVE, Shop, Told, answered_by, apply, ask, call, code, serve, talk};

/// Every one of these is refused as a path, and reaches nobody.
async fn refused(targets: &[&str]) {
    let front = Front::open().await;
    for target in targets {
        let answer = front.ask(&format!("GET {target}"), &[]).await;
        assert_eq!((answer.status(), answer.code()), (400, "I400PH"), "{target}: {answer:?}");
    }
    assert_eq!(front.count(), 0);
}

/// Every one of these is sent as it came.
async fn kept(targets: &[&str]) {
    let front = Front::open().await;
    for target in targets {
        assert_eq!(front.ask(&format!("GET {target}"), &[]).await.status(), 200, "{target}");
        assert_eq!(front.last().target(), *target);
    }
}

#[tokio::test]
async fn p_01_dot_segments_are_refused() {
    refused(&["/public/../admin", "/..", "/../admin", "/a/.", "/./a", "/a/b/..", "/a/../"]).await;
    kept(&["/...", "/a/..b", "/a/b..", "/.a", "/a?q=/../"]).await;
}

#[tokio::test]
async fn p_02_encoded_dot_segments_are_refused() {
    refused(&["/public/%2e%2e/admin", "/%2E", "/a/.%2e/b", "/a/%2e./b", "/a/%2E%2e"]).await;
    kept(&["/%2e%2e%2e", "/a/%2ehidden"]).await;
}

#[tokio::test]
async fn p_03_encoded_slashes_are_refused() {
    refused(&["/a%2Fadmin", "/a%2fadmin", "/a%5Cadmin", "/a%5cadmin", "/%2F"]).await;
    kept(&["/a?q=%2F%5C"]).await;
}

#[tokio::test]
async fn p_04_a_path_is_decoded_once() {
    kept(&["/a/%252e%252e/b", "/a%252Fb", "/%25", "/%25%32%65"]).await;
    // Matched as what is sent: the escape of an escape is no slash, and no other segment.
    let shop = Shop::open().await;
    assert_eq!(shop.ask("GET /shop/orders/a%252Fb", &[]).await.status(), 200);
    assert_eq!(shop.new.last()[0], "GET /v1/orders/a%252Fb HTTP/1.1");
    assert_eq!(shop.ask("GET /shop/%256Frders/1", &[]).await.code(), "I404NF");
}

#[tokio::test]
async fn p_05_backslashes_are_refused() {
    refused(&["/a\\..\\b", "/\\", "/a\\b"]).await;
}

#[tokio::test]
async fn p_06_slashes_are_not_merged() {
    kept(&["//admin", "/a//b", "/a///", "//"]).await;
    // One reading for matching and for sending: an empty segment is a segment.
    let shop = Shop::open().await;
    for path in ["//shop/orders/1", "/shop//orders/1", "/shop/orders//1", "/shop/orders/1/"] {
        assert_eq!(shop.ask(&format!("GET {path}"), &[]).await.code(), "I404NF", "{path}");
    }
}

#[tokio::test]
async fn p_07_path_parameters_are_part_of_their_segment() {
    kept(&["/a/..;/admin", "/a;x=1/b", "/;"]).await;
    let shop = Shop::open().await;
    assert_eq!(shop.ask("GET /shop/orders;v=1/1", &[]).await.code(), "I404NF");
    assert_eq!(shop.ask("GET /shop/orders/1;v=1", &[]).await.status(), 200);
    assert_eq!(shop.new.last()[0], "GET /v1/orders/1;v=1 HTTP/1.1");
}

#[tokio::test]
async fn p_08_escapes_are_well_formed_and_never_decoded_on_the_way() {
    refused(&["/%00", "/a%00b", "/%zz", "/%", "/%4", "/a%2", "/%%"]).await;
    // All other bytes are forwarded as received.
    kept(&["/%0d%0a", "/%c0%af", "/%ff", "/%7f"]).await;
}

#[tokio::test]
async fn p_09_raw_bytes_beyond_ascii_are_refused() {
    let front = Front::open().await;
    for target in [&b"/\xc3\xa9"[..], b"/a?q=\xc3\xa9", b"/\xff", b"/a?\x80"] {
        let mut request = b"GET ".to_vec();
        request.extend_from_slice(target);
        request.extend_from_slice(b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        assert_eq!(front.talk(&request).await.status(), 400, "{target:?}");
    }
    assert_eq!(front.count(), 0);
    kept(&["/%C3%A9"]).await;
}

#[tokio::test]
async fn p_10_nothing_behind_a_fragment_is_looked_at_or_sent() {
    // hyper cuts it off before anybody sees it; what matches and what is sent are the same.
    let front = Front::open().await;
    for target in ["/x#/../admin", "/x#", "/x#?q=1"] {
        let answer = front.ask(&format!("GET {target}"), &[]).await;
        if answer.status() == 200 {
            assert_eq!(front.last().target(), "/x", "{target}");
        } else {
            assert_eq!(answer.status(), 400, "{target}");
        }
    }
}

#[tokio::test]
async fn p_11_case_matters_and_escapes_do_not() {
    let shop = Shop::open().await;
    for path in ["/shop/%6Frders/1", "/sh%6fp/orders/1"] {
        assert_eq!(shop.ask(&format!("GET {path}"), &[]).await.status(), 200, "{path}");
    }
    for path in ["/shop/Orders/1", "/shop/%4Frders/1", "/SHOP/orders/1"] {
        assert_eq!(shop.ask(&format!("GET {path}"), &[]).await.code(), "I404NF", "{path}");
    }
}

#[tokio::test]
async fn p_12_an_absolute_target_names_the_same_host() {
    let front = Front::open().await;
    for (target, code) in [
        ("http://evil/x", "I400HD"),
        ("http://a:81/x", "I400HD"),
        ("https://a:80/x", "I400HD"),
        ("http://a/../x", "I400PH"),
    ] {
        let answer = front.ask(&format!("GET {target}"), &[]).await;
        assert_eq!((answer.status(), answer.code()), (400, code), "{target}");
    }
    assert_eq!(front.count(), 0);
    for target in ["http://a/x?q", "http://A.:80/x?q", "HTTP://a/x?q"] {
        assert_eq!(front.ask(&format!("GET {target}"), &[]).await.status(), 200, "{target}");
        assert_eq!(front.last().target(), "/x?q", "{target}");
    }
}

#[tokio::test]
async fn p_13_users_and_other_schemes_are_refused() {
    let front = Front::open().await;
    for target in ["http://u:p@a/x", "http://u@a/x", "ftp://a/x", "file://a/x", "ws://a/x"] {
        let answer = front.ask(&format!("GET {target}"), &[]).await;
        assert_eq!(answer.status(), 400, "{target}");
        assert!(!answer.0.contains("u:p"), "{answer:?}");
    }
    assert_eq!(front.count(), 0);
}

#[tokio::test]
async fn p_14_only_a_path_can_be_asked_for() {
    let front = Front::open().await;
    for line in
        ["GET a:80", "GET a", "GET *", "GET x", "OPTIONS *", "OPTIONS */x", "GET ?q", "GET :"]
    {
        let answer = front.ask(line, &[]).await;
        assert_eq!(answer.status(), 400, "{line}: {answer:?}");
    }
    let answer = ask(front.address, "GET a:80", &["Host: a:80"]).await;
    assert_eq!(answer.status(), 400, "{answer:?}");
    assert_eq!(front.count(), 0);
}

#[tokio::test]
async fn p_15_a_request_names_one_valid_host() {
    let front = Front::open().await;
    for host in
        ["", "a/b", "a, b", "u@a", "a:65536", "a:-1", "a b", "[::1", "a..b", "a%41", "127.1"]
    {
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
        // Nothing asks for the connection to be closed: it is, after this answer.
        let answer = front.talk(request).await;
        assert_eq!((answer.status(), answer.code()), (400, "I400HD"), "{host:?}: {answer:?}");
    }
    for hosts in ["", "Host: a\r\nHost: a\r\n", "Host: a\r\nHost: b\r\n"] {
        for version in ["1.1", "1.0"] {
            let answer = front.talk(format!("GET / HTTP/{version}\r\n{hosts}\r\n")).await;
            assert_eq!((answer.status(), answer.code()), (400, "I400HD"), "{hosts:?}");
        }
    }
    assert_eq!(front.count(), 0);
}

#[tokio::test]
async fn p_16_a_host_has_one_spelling_among_few_and_many() {
    let (registry, gateway) = leading_to("http://127.0.0.1:9").await;
    let banner = Api::get("/banner").inline(Mock::new().body("hello"));
    let change = Change::new()
        .group("one", Group::host("a.com").and_host("[2001:db8::a]").and_host("xn--bcher-kva.com"))
        .api("one/banner", banner)
        .publish("one/banner", LIVE);
    apply(&registry, change).await;
    let address = serve(&gateway).await;
    let mut known = 2;
    for count in [2, 100, 101, 2_000] {
        let change = (known..count).fold(Change::new(), |change, index| {
            change.group(format!("group_{index}").as_str(), Group::host(format!("h{index}.com")))
        });
        if known < count {
            apply(&registry, change).await;
        }
        known = count;
        for host in ["a.com", "A.COM.:80", "a.Com:8080", "[2001:DB8:0::A]:1", "XN--bcher-KVA.com"] {
            let answer = ask(address, "GET /banner", &[&format!("Host: {host}")]).await;
            assert_eq!(answer.body(), "hello", "{host} among {count}: {answer:?}");
        }
        let answer = ask(address, "GET /banner", &["Host: b.com"]).await;
        assert_eq!(answer.code(), "I404DO");
    }
    let raw = b"GET /banner HTTP/1.1\r\nHost: b\xc3\xbccher.com\r\n\r\n";
    assert_eq!(Told(talk(address, raw).await).code(), "I400HD");
}

#[tokio::test]
async fn p_18_a_target_has_8_kib() {
    let front = Front::open().await;
    for length in [8_000, 8_192] {
        let target = format!("/{}?{}", "a".repeat(100), "b".repeat(length - 102));
        assert_eq!(target.len(), length);
        assert_eq!(front.ask(&format!("GET {target}"), &[]).await.status(), 200, "{length}");
    }
    let target = format!("/{}", "a".repeat(8_192));
    let answer = front.ask(&format!("GET {target}"), &[]).await;
    assert_eq!((answer.status(), answer.code()), (413, "I413UL"));
    assert_eq!(front.count(), 2);
}

#[tokio::test]
async fn p_19_parameters_and_segments_are_bounded_by_the_targets_length() {
    // Neither is collected on the way: the query is passed on unread, and segments beyond those that a
    // pattern can have are only counted.
    let (parameters, segments) = (format!("/?{}", "a&".repeat(4_000)), "/a".repeat(4_000));
    kept(&[&parameters, &segments, &"/".repeat(8_000)]).await;
    let front = Front::open().await;
    let answer = front.ask(&format!("GET /?{}", "&a".repeat(25_000)), &[]).await;
    assert!(matches!(answer.status(), 413 | 414), "{answer:?}");
    assert_eq!(front.count(), 0);
}

#[tokio::test]
async fn p_20_a_base_path_is_joined_with_one_slash_and_never_left() {
    let front = Front::open().await;
    let below = Group::host("b").base_path("/api");
    let change = |base: &str| {
        Change::new().group("below", below.clone()).define(
            "all",
            LIVE,
            Http::to(format!("{}{base}", front.upstream.url())),
        )
    };
    let api = Api::any("/*").service_same_path("all");
    let first = change("/base").api("below/everything", api).publish("below/everything", LIVE);
    apply(&front.registry, first).await;
    for base in ["/base", "/base/"] {
        if base == "/base/" {
            apply(&front.registry, change(base)).await;
        }
        for (asked, sent) in [("/api/", "/base/"), ("/api/x", "/base/x"), ("/api//x", "/base//x")] {
            let answer = ask(front.address, &format!("GET {asked}"), &["Host: b"]).await;
            assert_eq!(answer.status(), 200, "{base} {asked}: {answer:?}");
            assert_eq!(front.last().target(), sent, "{base} {asked}");
        }
    }
    let before = front.count();
    for (asked, code) in
        [("/api/../x", "I400PH"), ("/apiX", "I404NF"), ("/apiX/y", "I404NF"), ("/api", "I404NF")]
    {
        let answer = ask(front.address, &format!("GET {asked}"), &["Host: b"]).await;
        assert_eq!(answer.code(), code, "{asked}");
    }
    assert_eq!(front.count(), before);
}

#[tokio::test]
async fn p_24_two_routes_never_match_the_same_request() {
    let (registry, _) = leading_to("http://127.0.0.1:9").await;
    let api = |path: &str| Api::get(path).service_same_path("all");
    let same =
        Change::new().api("all/first_api", api("/a/[x]")).api("all/other_api", api("/a/[y]"));
    let refused = registry.publisher("test").apply(same).await;
    assert!(refused.is_err());
    let differ =
        Change::new().api("all/first_api", api("/a/[x]")).api("all/other_api", api("/a/b"));
    apply(&registry, differ).await;
}

/// Paths of segments of all sorts, good and bad.
fn paths() -> impl Strategy<Value = String> {
    let segment =
        "(?:[a-zA-Z0-9_~!$&'()*+,;=:@.-]|%20|%C3%A9|%41|%2e|%2E|%252e|%2F|%00|%zz|\\\\){0,5}";
    proptest::collection::vec(segment, 1..12)
        .prop_map(|segments| format!("/{}", segments.join("/")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// What is accepted is sent as it was matched: asked for again it is accepted and sent the same.
    #[test]
    fn p_25_what_is_sent_is_what_was_matched(path in paths(), query in "(?:\\?[a-z=&%]{0,9})?") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let sent = Arc::<Mutex<Vec<String>>>::default();
            let kept = Arc::clone(&sent);
            let (_registry, gateway) = answered_by(move |request| {
                kept.lock().unwrap().push(request.uri().to_string());
                async { Ok(Response::new(Body::empty())) }
            })
            .await;
            let asked = format!("{path}{query}");
            let request = |target: &str| {
                Request::get(target).header("host", "a").body(Empty::<Bytes>::new()).unwrap()
            };
            let answer = call(&gateway, request(&asked)).await;
            if answer.status() == 200 {
                prop_assert_eq!(&*sent.lock().unwrap(), std::slice::from_ref(&asked));
                let again = sent.lock().unwrap().remove(0);
                prop_assert_eq!(call(&gateway, request(&again)).await.status(), 200);
                prop_assert_eq!(&*sent.lock().unwrap(), std::slice::from_ref(&asked));
                let decoded = path.replace("%2e", ".").replace("%2E", ".");
                prop_assert!(!decoded.split('/').any(|segment| matches!(segment, "." | "..")));
                prop_assert!(!path.contains('\\') && !path.contains("%2F"));
            } else {
                prop_assert_eq!(code(&answer), "I400PH");
                prop_assert!(sent.lock().unwrap().is_empty());
            }
            Ok(())
        })?;
    }
}
