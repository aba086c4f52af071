//! Which API, in which environment, at which origin.

use backhaul::{Api, Change, Environment, ErrorKind, Group};
use http::Method;

use super::harness::{HOST, LIVE, PATIENCE, Shop, TEST, apply, ask, kind, registry, serve, wire};

#[tokio::test]
async fn the_environment_comes_from_the_host_then_the_header() {
    let shop = Shop::open().await;
    let order = "GET /shop/orders/42?x=1";
    for (headers, status, told) in [
        (&[HOST][..], 200, "new"),
        (&[HOST, "X-Ca-Stage: RELEASE"], 200, "new"),
        (&[HOST, "X-Ca-Stage: TEST"], 200, "old"),
        (&[HOST, "X-Ca-Stage: TEST", "x-ca-stage: TEST"], 200, "old"),
        (&[HOST, "X-Ca-Stage: NOPE"], 400, "I400SG"),
        (&[HOST, "X-Ca-Stage: test"], 400, "I400SG"),
        (&[HOST, "X-Ca-Stage:"], 400, "I400SG"),
        (&[HOST, "X-Ca-Stage: TEST", "X-Ca-Stage: PRE"], 400, "I400HD"),
        (&[HOST, "X-Ca-Stage: PRE"], 404, "I404NF"),
        (&["Host: test.shop.example.com"], 200, "old"),
        (&["Host: test.shop.example.com", "X-Ca-Stage: RELEASE"], 200, "old"),
        (&["Host: test.shop.example.com", "X-Ca-Stage: NOPE"], 200, "old"),
    ] {
        let answer = ask(shop.address, order, headers).await;
        assert_eq!(answer.status(), status, "{headers:?}");
        let told_us = if status == 200 { answer.body() } else { answer.code() };
        assert_eq!(told_us, told, "{headers:?}");
    }
    // Two stages contradict each other; where the request ends is not in doubt.
    let contradiction = [HOST, "X-Ca-Stage: TEST", "X-Ca-Stage: PRE"];
    let answer = ask(shop.address, order, &contradiction).await;
    assert!(answer.message().contains("X-Ca-Stage"), "{answer:?}");
}

#[tokio::test]
async fn a_fixed_environment_goes_before_everything() {
    let shop = Shop::open().await;
    let address = serve(&shop.gateway.clone().environment(TEST)).await;
    for headers in [
        &[HOST][..],
        &[HOST, "X-Ca-Stage: RELEASE"],
        &[HOST, "X-Ca-Stage: NOPE"],
        &[HOST, "X-Ca-Stage: TEST", "X-Ca-Stage: PRE"],
    ] {
        let answer = ask(address, "GET /shop/orders/42", headers).await;
        assert_eq!(answer.body(), "old", "{headers:?}");
    }
    let staging: Environment = "STAGING".parse().unwrap();
    let address = serve(&shop.gateway.clone().environment(staging.clone())).await;
    assert_eq!(ask(address, "GET /shop/orders/42", &[HOST]).await.code(), "I400SG");
    apply(&shop.registry, Change::new().environment(staging, "")).await;
    assert_eq!(ask(address, "GET /shop/orders/42", &[HOST]).await.code(), "I404NF");
}

#[tokio::test]
async fn a_host_has_one_spelling() {
    let shop = Shop::open().await;
    for (line, host, status) in [
        ("GET /shop/orders/1", "SHOP.example.COM", 200),
        ("GET /shop/orders/1", "shop.example.com:8080", 200),
        ("GET /shop/orders/1", "shop.example.com.", 200),
        ("GET http://shop.example.com/shop/orders/1", "shop.example.com:80", 200),
        ("GET http://shop.example.com/shop/orders/1", "other.example.com", 400),
        ("GET /shop/orders/1", "other.example.com", 404),
        ("GET /shop/orders/1", "user@shop.example.com", 400),
    ] {
        let answer = ask(shop.address, line, &[&format!("Host: {host}")]).await;
        assert_eq!(answer.status(), status, "{line} {host}: {answer:?}");
    }
    let answer = ask(shop.address, "GET /shop/orders/1", &["Host: other.example.com"]).await;
    assert_eq!(answer.code(), "I404DO");
}

#[tokio::test]
async fn what_does_not_match_is_named() {
    let shop = Shop::open().await;
    for (line, code) in [
        ("GET /shop/none", "I404NF"),
        ("GET /elsewhere", "I404NF"),
        ("GET /shopping/orders/1", "I404NF"),
        ("GET /shop", "I404NF"),
        ("DELETE /shop/orders/42", "I404NF"),
        ("HEAD /shop/orders/42", "I404NF"),
        ("GET /shop/orders/42/", "I404NF"),
        ("GET /shop/orders/", "I404NF"),
        ("GET /shop/Orders/42", "I404NF"),
        ("TRACE /shop/orders/42", "I405UM"),
        ("CONNECT shop.example.com:80", "I405UM"),
        ("GET /shop/orders/a%2Fb", "I400PH"),
        ("GET /shop/orders/a%5cb", "I400PH"),
        ("GET /shop/orders/a%00b", "I400PH"),
        ("GET /shop/orders/a%zz", "I400PH"),
        ("GET /shop/orders/..", "I400PH"),
        ("GET /shop/./orders/1", "I400PH"),
        ("GET /shop/%2e%2e/orders", "I400PH"),
        ("OPTIONS *", "I400PH"),
    ] {
        let answer = shop.ask(line, &[]).await;
        assert_eq!(answer.code(), code, "{line}: {answer:?}");
    }
    let answer = shop.ask("GET /shop/none", &[]).await;
    assert_eq!(answer.message(), "API not found with `GET /shop/none`");
    assert!(shop.new.heads().is_empty());
    let answer = shop.ask("POST /shop/live", &["X-Ca-Stage: TEST"]).await;
    assert_eq!(answer.code(), "I404NF", "not published there");
    assert_eq!(shop.ask("POST /shop/live", &[]).await.body(), "new");
}

#[tokio::test]
async fn the_longest_base_path_wins_at_a_segment_boundary() {
    let shop = Shop::open().await;
    let change = Change::new()
        .group("deep", Group::host("shop.example.com").base_path("/shop/orders"))
        .api("deep/item", Api::get("/[id]").service("orders", "/deep/[id]"))
        .publish("deep/item", LIVE);
    apply(&shop.registry, change).await;
    assert_eq!(shop.ask("GET /shop/orders/42", &[]).await.status(), 200);
    assert_eq!(shop.new.last()[0], "GET /deep/42 HTTP/1.1");
    assert_eq!(shop.ask("GET /shop/ordersx", &[]).await.code(), "I404NF");
}

#[tokio::test]
async fn an_update_moves_the_next_request_and_a_delete_ends_all() {
    let shop = Shop::open().await;
    let move_it = Change::new().define("orders", LIVE, wire(&shop.old));
    apply(&shop.registry, move_it).await;
    assert_eq!(shop.ask("GET /shop/orders/1", &[]).await.body(), "old");
    apply(&shop.registry, Change::new().delete_definition("orders", LIVE)).await;
    assert_eq!(shop.ask("GET /shop/orders/1", &[]).await.code(), "I404NF");
    assert_eq!(shop.ask("GET /shop/orders/1", &["X-Ca-Stage: TEST"]).await.body(), "old");
}

#[tokio::test]
async fn resolving_goes_the_way_of_a_request() {
    let shop = Shop::open().await;
    let resolve = |method: Method, host: &str, path: &'static str, stage: Option<&str>| {
        shop.gateway.resolve(&method, host, path, stage)
    };
    let found = resolve(Method::GET, "Shop.Example.com:80", "/shop/orders/4%32", None).unwrap();
    assert_eq!(found.api().unwrap().to_string(), "shop/get_order");
    assert_eq!(found.environment(), &LIVE);
    assert_eq!(found.service().unwrap().as_str(), "orders");
    assert_eq!(found.parameters().collect::<Vec<_>>(), [("id", "4%32")]);
    let before = found.generation();
    let moved = apply(&shop.registry, Change::new().define("orders", LIVE, wire(&shop.old))).await;
    let after = resolve(Method::GET, "shop.example.com", "/shop/orders/1", None).unwrap();
    assert!(after.generation() > before);
    // Having looked keeps nothing alive.
    moved.drained(PATIENCE).await.unwrap();
    drop(found);
    let test = resolve(Method::GET, "shop.example.com", "/shop/orders/1", Some("TEST")).unwrap();
    assert_eq!(test.environment(), &TEST);
    for (method, host, path, stage, kind) in [
        (Method::GET, "x@y", "/", None, ErrorKind::InvalidHeader),
        (Method::GET, "b", "/", None, ErrorKind::UnknownHost),
        (Method::GET, "shop.example.com", "/shop", None, ErrorKind::NotFound),
        (Method::GET, "shop.example.com", "/shop/..", None, ErrorKind::InvalidPath),
        (Method::GET, "shop.example.com", "/shop/files/é", None, ErrorKind::InvalidPath),
        (Method::GET, "shop.example.com", "/shop/x", Some("NO"), ErrorKind::InvalidStage),
        (Method::PUT, "shop.example.com", "/shop/orders/1", None, ErrorKind::NotFound),
    ] {
        assert_eq!(resolve(method, host, path, stage).unwrap_err().kind(), kind, "{host}{path}");
    }
}

#[tokio::test]
async fn addresses_are_hosts_too() {
    let origin = super::harness::Origin::named("it").await;
    let registry = registry().await;
    let change = Change::new()
        .service("it", kind("wire"))
        .define("it", LIVE, wire(&origin))
        .group("plain", Group::host("127.0.0.1").and_host("[2001:db8::a]"))
        .api("plain/everything", Api::any("/*").service_same_path("it"))
        .publish("plain/everything", LIVE);
    apply(&registry, change).await;
    let address = serve(&backhaul::Gateway::new(&registry)).await;
    for host in ["127.0.0.1", "127.0.0.1:81", "[2001:DB8:0::A]:80"] {
        let answer = ask(address, "GET /", &[&format!("Host: {host}")]).await;
        assert_eq!(answer.body(), "it", "{host}: {answer:?}");
    }
}
