//! The gateway inside other servers.

use std::net::SocketAddr;

use backhaul::gateway::{Peer, Scheme};
use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use tokio::net::TcpListener;

use super::harness::{HOST, Shop, Told, ask, call, code, serve};

async fn serve_axum(app: axum::Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

fn header<'a>(head: &'a [String], name: &str) -> Option<&'a str> {
    head.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[tokio::test]
async fn axum_falls_back_to_it() {
    let shop = Shop::open().await;
    let app = axum::Router::new()
        .route("/health", axum::routing::get(|| async { "well" }))
        .fallback_service(shop.gateway.clone());
    let address = serve_axum(app).await;
    assert_eq!(ask(address, "GET /health", &[HOST]).await.body(), "well");
    let answer = ask(address, "GET /shop/orders/42", &[HOST]).await;
    assert_eq!(answer.body(), "new", "{answer:?}");
    // Without the feature nobody reads axum's connection info.
    let known = cfg!(feature = "axum").then_some("127.0.0.1");
    assert_eq!(header(&shop.new.last(), "x-forwarded-for"), known);
    assert_eq!(ask(address, "GET /shop/none", &[HOST]).await.code(), "I404NF");
}

#[tokio::test]
async fn a_prefix_is_taken_off() {
    let shop = Shop::open().await;
    for prefix in ["/api", "api/", "/api/"] {
        let address = serve(&shop.gateway.clone().at(prefix)).await;
        let asked = |path: &str| {
            let line = format!("GET {path}");
            async move { ask(address, &line, &[HOST]).await }
        };
        assert_eq!(asked("/api/shop/orders/42?x=1").await.body(), "new");
        assert_eq!(shop.new.last()[0], "GET /v1/orders/42?x=1 HTTP/1.1");
        assert_eq!(asked("/api/shop/files/a").await.body(), "new");
        assert_eq!(shop.new.last()[0], "GET /files/a HTTP/1.1");
        let answer: Told = asked("/shop/orders/42").await;
        assert_eq!(answer.message(), "API not found with `GET /shop/orders/42`");
        for path in ["/api", "/apishop/orders/42", "/api/shop"] {
            assert_eq!(asked(path).await.code(), "I404NF", "{path}");
        }
    }
}

#[cfg(feature = "axum")]
#[tokio::test]
async fn a_prefix_is_taken_off_once_where_axum_took_it_off_before() {
    let shop = Shop::open().await;
    let app = axum::Router::new().nest_service("/api", shop.gateway.clone().at("/api"));
    let address = serve_axum(app).await;
    let answer = ask(address, "GET /api/shop/orders/42?x=1", &[HOST]).await;
    assert_eq!(answer.body(), "new", "{answer:?}");
    assert_eq!(shop.new.last()[0], "GET /v1/orders/42?x=1 HTTP/1.1");
}

#[tokio::test]
async fn a_request_knows_its_peer_best() {
    let shop = Shop::open().await;
    let connection = Peer::new("10.0.0.1:1".parse().unwrap(), Scheme::Https);
    let request = Peer::new("[::ffff:10.0.0.2]:1".parse().unwrap(), Scheme::Http);
    let gateway = shop.gateway.peer(connection);
    let asked = || Request::get("/shop/orders/1").header("host", "shop.example.com");
    for (known, address, proto) in
        [(None, "10.0.0.1", "https"), (Some(request), "10.0.0.2", "http")]
    {
        let mut asked = asked().body(Empty::<Bytes>::new()).unwrap();
        asked.extensions_mut().extend(
            known
                .map(|peer| {
                    let mut extensions = http::Extensions::new();
                    extensions.insert(peer);
                    extensions
                })
                .unwrap_or_default(),
        );
        assert_eq!(code(&call(&gateway, asked).await), "");
        let head = shop.new.last();
        assert_eq!(header(&head, "x-forwarded-for"), Some(address));
        assert_eq!(header(&head, "x-forwarded-proto"), Some(proto));
    }
    // Nobody says who it is: nothing is told, above all not what the client says.
    let forged = asked().header("x-forwarded-for", "1.1.1.1").header("x-forwarded-proto", "x");
    call(&shop.gateway, forged.body(Empty::<Bytes>::new()).unwrap()).await;
    let head = shop.new.last();
    assert_eq!(header(&head, "x-forwarded-for"), None);
    assert_eq!(header(&head, "x-forwarded-proto"), None);
}

#[cfg(feature = "axum")]
#[tokio::test]
async fn the_scheme_is_not_what_the_client_says() {
    let shop = Shop::open().await;
    let address: SocketAddr = "10.0.0.1:1".parse().unwrap();
    let mut asked = Request::get("https://shop.example.com/shop/orders/1")
        .header("host", "shop.example.com:443")
        .body(Empty::<Bytes>::new())
        .unwrap();
    asked.extensions_mut().insert(axum::extract::ConnectInfo(address));
    assert_eq!(code(&call(&shop.gateway, asked).await), "");
    assert_eq!(header(&shop.new.last(), "x-forwarded-proto"), Some("http"));
}
