//! What an origin receives, byte for byte, and what a client gets back.

use backhaul::gateway::Network;
use backhaul::{Change, Group};

use super::harness::{HOST, LIVE, Origin, Shop, apply, ask, serve, wire};

/// The lines without what is random in them.
fn steady(mut lines: Vec<String>) -> Vec<String> {
    lines.retain(|line| !line.starts_with("x-ca-request-id: "));
    for line in &mut lines {
        if line.starts_with("via: 1.1 backhaul-") {
            "via: 1.1 backhaul-…".clone_into(line);
        }
    }
    lines
}

#[tokio::test]
async fn the_origin_receives_this_and_no_more() {
    let shop = Shop::open().await;
    let answer = shop
        .ask(
            "GET /shop/orders/42?x=1&AppCode=secret&y=%2F",
            &[
                "Accept: */*",
                "Authorization: APPCODE secret",
                "Connection: x-mine, Host, x-forwarded-for",
                "Connection: keep-alive",
                "Keep-Alive: timeout=5",
                "TE: trailers",
                "Trailer: x-end",
                "Upgrade: websocket",
                "Proxy-Authorization: Basic eDp5",
                "Proxy-Connection: keep-alive",
                "Expect: 100-continue",
                "X-Mine: 1",
                "X-Kept: a",
                "X-Kept: b",
                "X-Forwarded-For: 1.1.1.1",
                "X-Forwarded-Proto: gopher",
                "X-Forwarded-Host: evil",
                "X_Forwarded_For: 1.1.1.1",
                "Forwarded: for=1.1.1.1",
                "X-Ca-Request-Id: forged",
                "Via: 1.1 before",
            ],
        )
        .await;
    assert_eq!(answer.body(), "new", "{answer:?}");
    let host = format!("host: {}", shop.new.address);
    let expected = [
        "GET /v1/orders/42?x=1&y=%2F HTTP/1.1",
        "accept: */*",
        host.as_str(),
        "via: 1.1 backhaul-…",
        "via: 1.1 before",
        "x-forwarded-for: 127.0.0.1",
        "x-forwarded-host: shop.example.com",
        "x-forwarded-proto: http",
        "x-kept: a",
        "x-kept: b",
    ];
    assert_eq!(steady(shop.new.last()), expected);
    assert!(!answer.0.contains("HTTP/1.1 100"), "no body was asked for");
}

#[tokio::test]
async fn the_request_id_is_new_and_goes_both_ways() {
    let shop = Shop::open().await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let answer = shop.ask("GET /shop/orders/42", &["X-Ca-Request-Id: mine"]).await;
        let id = answer.header("x-ca-request-id").unwrap().to_owned();
        assert!(shop.new.last().contains(&format!("x-ca-request-id: {id}")));
        assert_eq!(id.to_ascii_uppercase(), id);
        ids.push(id);
    }
    let refused = shop.ask("GET /shop/none", &[]).await;
    ids.push(refused.header("x-ca-request-id").unwrap().to_owned());
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn paths_go_below_and_queries_go_through() {
    let shop = Shop::open().await;
    for (asked, received) in [
        ("/shop/files/", "/files/"),
        ("/shop/files/a/b//c/", "/files/a/b//c/"),
        ("/sh%6Fp/files/%7Ea%20b;c=d@e?%zz&&=&q=a+b", "/files/%7Ea%20b;c=d@e?%zz&&=&q=a+b"),
        ("/shop/files/x?", "/files/x?"),
        ("/shop/files/x?AppCode=1", "/files/x"),
        ("/shop/orders/4%32", "/v1/orders/4%32"),
        ("/shop/tail/p/q/r?s", "/t/p/x/q/r?s"),
        ("/shop/tail/p/", "/t/p/x/"),
    ] {
        let answer = shop.ask(&format!("GET {asked}"), &[]).await;
        assert_eq!(answer.status(), 200, "{asked}: {answer:?}");
        assert_eq!(shop.new.last()[0], format!("GET {received} HTTP/1.1"));
    }
    assert_eq!(shop.ask("PATCH /shop/files/a", &[]).await.status(), 200);
    assert_eq!(shop.new.last()[0], "PATCH /files/a HTTP/1.1");
}

#[tokio::test]
async fn a_group_may_pass_on_host_and_app_code() {
    let shop = Shop::open().await;
    let group = Group::host("shop.example.com")
        .base_path("/shop")
        .passthrough_header("host")
        .app_code_to_backend(true);
    apply(&shop.registry, Change::new().group("shop", group)).await;
    shop.ask("GET /shop/orders/1?AppCode=secret", &["Authorization: APPCODE secret"]).await;
    let head = shop.new.last();
    assert_eq!(head[0], "GET /v1/orders/1?AppCode=secret HTTP/1.1");
    assert!(head.contains(&"host: shop.example.com".to_owned()), "{head:?}");
    assert!(head.contains(&"authorization: APPCODE secret".to_owned()), "{head:?}");
}

#[tokio::test]
async fn only_a_trusted_proxy_is_believed() {
    let shop = Shop::open().await;
    let forged = [HOST, "X-Forwarded-For: 1.1.1.1", "X-Forwarded-Proto: https"];
    for (network, forwarded_for, proto) in
        [("127.0.0.0/8", "1.1.1.1, 127.0.0.1", "https, http"), ("10.0.0.0/8", "127.0.0.1", "http")]
    {
        let network: Network = network.parse().unwrap();
        let address = serve(&shop.gateway.clone().trusted_proxies([network])).await;
        ask(address, "GET /shop/orders/1", &forged).await;
        let head = shop.new.last();
        assert!(head.contains(&format!("x-forwarded-for: {forwarded_for}")), "{head:?}");
        assert!(head.contains(&format!("x-forwarded-proto: {proto}")), "{head:?}");
    }
}

#[tokio::test]
async fn a_response_is_cleaned() {
    let shop = Shop::open().await;
    let origin = Origin::raw(
        "HTTP/1.1 203 Fine\r\ncontent-length: 2\r\nconnection: x-hop, close\r\nx-hop: 1\r\n\
         keep-alive: timeout=1\r\nx-ca-error-code: D999XX\r\nX-Ca-Error-Message: theirs\r\n\
         x-ca-request-id: theirs\r\nset-cookie: a=1\r\nset-cookie: b=2\r\nx-kept: 1\r\n\r\nok",
    )
    .await;
    apply(&shop.registry, Change::new().define("orders", LIVE, wire(&origin))).await;
    let answer = shop.ask("GET /shop/orders/1", &[]).await;
    assert_eq!((answer.status(), answer.body()), (203, "ok"));
    for gone in ["x-hop", "keep-alive", "x-ca-error-code", "x-ca-error-message"] {
        assert_eq!(answer.header(gone), None, "{gone}");
    }
    assert_ne!(answer.header("x-ca-request-id"), Some("theirs"));
    assert_eq!(answer.0.matches("set-cookie: ").count(), 2);
    assert_eq!(answer.header("x-kept"), Some("1"));
}
