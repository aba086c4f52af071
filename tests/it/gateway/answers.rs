//! Every failure the gateway can emit, and how it is told.

use std::collections::HashSet;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use backhaul::model::Access;
use backhaul::{Api, Body, Change, Error, ErrorKind, FunctionCompute, Retry};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, Full};

use super::harness::{
    HOST, LIVE, Origin, Shop, Told, answered_by, apply, call, code, content_length, talk, wire,
};

fn request<B>(body: B) -> Request<B> {
    Request::post("/x").header("host", "a").body(body).unwrap()
}

/// What a client is told when its backend fails like this.
async fn failing(kind: ErrorKind) -> Response<Body> {
    let (_registry, gateway) = answered_by(move |_| async move {
        Err(Error::new(kind, Retry::Never, "what it was").caused_by("10.0.0.7 refused"))
    })
    .await;
    call(&gateway, request(Empty::<Bytes>::new())).await
}

/// A request's body that ends in an error.
struct Broken(io::ErrorKind);

impl http_body::Body for Broken {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(Some(Err(self.0.into())))
    }
}

/// Reads a request's body, and fails as a backend does that cannot.
async fn reads(request: Request<Body>) -> backhaul::Result<Response<Body>> {
    match request.into_body().collect().await {
        Ok(whole) => Ok(Response::new(whole.to_bytes().into())),
        Err(_) => Err(Error::new(ErrorKind::Connect, Retry::Never, "connection is closed")),
    }
}

/// A shop in which everything can fail that a client on the wire can see.
async fn frail_shop() -> Shop {
    let shop = Shop::open().await;
    let refusing = {
        let closed = Origin::named("nobody").await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        Origin { address: listener.local_addr().unwrap(), ..closed }
    };
    let garbled = Origin::raw("HTTP/9.9 what\r\n\r\n").await;
    let silent = Origin::start(|stream, _| async move {
        let _open = stream;
        std::future::pending().await
    })
    .await;
    let quickly = std::time::Duration::from_millis(50);
    let change = Change::new()
        .api("shop/guarded", Api::get("/guarded").service_same_path("orders").access(Access::App))
        .api(
            "shop/function",
            Api::get("/function").inline(FunctionCompute::event("cn-hangzhou", "f")),
        )
        .api("shop/small", Api::post("/small").service_same_path("orders").max_body(3))
        .api("shop/closed", Api::get("/closed").inline(wire(&refusing)))
        .api("shop/garbled", Api::get("/garbled").inline(wire(&garbled)))
        .api("shop/silent", Api::get("/silent").inline(wire(&silent)).timeout(quickly));
    let apis = ["guarded", "function", "small", "closed", "garbled", "silent"];
    let change = apis.iter().fold(change, |c, api| c.publish(format!("shop/{api}"), LIVE));
    apply(&shop.registry, change).await;
    shop
}

#[tokio::test]
async fn every_kind_of_failure_has_its_answer() {
    let shop = frail_shop().await;
    let long = format!("GET /shop/{}", "a".repeat(9000));
    let large = format!("X-Large: {}", "v".repeat(16_500));
    let many = vec!["X: 1"; 101];
    let mut met = HashSet::new();
    for (line, headers, kind) in [
        ("GET /shop/orders/1", vec![HOST], ErrorKind::InvalidHeader),
        ("GET /shop/orders/1", vec!["X-Ca-Stage: NO"], ErrorKind::InvalidStage),
        ("GET /shop/..", vec![], ErrorKind::InvalidPath),
        ("GET /shop/none", vec![], ErrorKind::NotFound),
        ("TRACE /shop/orders/1", vec![], ErrorKind::UnsupportedMethod),
        ("POST /shop/small", vec!["Content-Length: 4"], ErrorKind::BodyTooLarge),
        (&*long, vec![], ErrorKind::UrlTooLarge),
        ("GET /shop/orders/1", vec![&*large], ErrorKind::HeadersTooLarge),
        ("GET /shop/guarded", vec![], ErrorKind::NotImplemented),
        ("GET /shop/function", vec![], ErrorKind::AdapterMissing),
        ("GET /shop/closed", vec![], ErrorKind::Connect),
        ("GET /shop/garbled", vec![], ErrorKind::BadResponse),
        ("GET /shop/silent", vec![], ErrorKind::Timeout),
    ] {
        let answer = shop.ask(line, &headers).await;
        check(&answer, kind);
        met.insert(kind);
    }
    let answer = shop.ask("GET /shop/orders/1", &many).await;
    assert_eq!(answer.status(), 431, "hyper or the gateway: {answer:?}");
    let other = super::harness::ask(shop.address, "GET /", &["Host: b"]).await;
    check(&other, ErrorKind::UnknownHost);
    met.insert(ErrorKind::UnknownHost);
    let start =
        format!("POST /shop/small HTTP/1.1\r\n{HOST}\r\ntransfer-encoding: chunked\r\n\r\n");
    let malformed = Told(talk(shop.address, format!("{start}zz\r\n")).await);
    check(&malformed, ErrorKind::InvalidBody);
    met.insert(ErrorKind::InvalidBody);
    for kind in [ErrorKind::Busy, ErrorKind::Internal] {
        assert_eq!(code(&failing(kind).await), kind.answer().code);
        met.insert(kind);
    }
    let (_registry, gateway) = answered_by(reads).await;
    let answer = call(&gateway, request(Broken(io::ErrorKind::ConnectionReset))).await;
    assert_eq!(code(&answer), ErrorKind::ClientGone.answer().code);
    met.insert(ErrorKind::ClientGone);
    // What is wrong before there is a request is told by `serve`, and tried there.
    met.extend([ErrorKind::InvalidUri, ErrorKind::RequestTimeout]);
    let missing: Vec<_> = ErrorKind::ALL.iter().filter(|kind| !met.contains(kind)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Checks that an answer tells this failure, in the header and in the body, and nothing about where.
fn check(answer: &Told, kind: ErrorKind) {
    let expected = kind.answer();
    assert_eq!(answer.code(), expected.code, "{answer:?}");
    assert_eq!(answer.status(), expected.status.as_u16(), "{answer:?}");
    assert!(answer.message().starts_with(expected.message), "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    let problem: serde_json::Value = serde_json::from_str(answer.body()).unwrap();
    assert_eq!(problem["code"], expected.code);
    assert_eq!(problem["request_id"], answer.header("x-ca-request-id").unwrap());
    assert_eq!(problem["detail"], answer.message());
    assert!(!answer.0.contains("127.0.0.1"), "{answer:?}");
}

#[tokio::test]
async fn what_lies_behind_a_failure_stays_here() {
    let response = failing(ErrorKind::Connect).await;
    let message = response.headers()["x-ca-error-message"].clone();
    assert_eq!(message, "Backend service connect failed `what it was`");
    let headers = format!("{:?}", response.headers());
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let told = format!("{headers}{}", String::from_utf8_lossy(&body));
    assert!(!told.contains("10.0.0.7"), "{told}");
}

#[tokio::test]
async fn why_an_api_is_not_served_is_told() {
    let shop = frail_shop().await;
    let answer = shop.ask("GET /shop/guarded", &[]).await;
    assert!(answer.message().len() > "Not Implemented ".len(), "{answer:?}");
    assert!(shop.new.heads().is_empty());
    // The connection is still good: the request was clear.
    assert_ne!(answer.header("x-ca-error-code"), Some("I400HD"));
}

#[tokio::test]
async fn a_body_of_known_length_is_refused_before_anybody_is_asked() {
    let (_registry, gateway) = answered_by(|_| async { panic!("the backend was asked") }).await;
    let answer = call(&gateway, request(Full::new(Bytes::from(vec![0; 1001])))).await;
    assert_eq!(code(&answer), "I413RL");
    let declared = Request::post("/x").header("host", "a").header("content-length", "1001");
    let answer = call(&gateway, declared.body(Empty::<Bytes>::new()).unwrap()).await;
    assert_eq!(code(&answer), "I413RL");
}

#[tokio::test]
async fn a_body_that_grows_too_large_ends_the_call() {
    let shop = frail_shop().await;
    let start = format!("POST /shop/small HTTP/1.1\r\n{HOST}\r\ntransfer-encoding: chunked\r\n");
    let fits = format!("{start}connection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    let head = Told(talk(shop.address, fits).await);
    assert_eq!(head.status(), 200, "{head:?}");
    let answer = Told(talk(shop.address, format!("{start}\r\n2\r\nab\r\n2\r\ncd\r\n")).await);
    check(&answer, ErrorKind::BodyTooLarge);
}

#[tokio::test]
async fn the_bodys_failure_goes_before_the_backends() {
    let (_registry, gateway) = answered_by(reads).await;
    let answer = call(&gateway, request(Broken(io::ErrorKind::InvalidData))).await;
    assert_eq!(code(&answer), "I400BD");
}

#[tokio::test]
async fn a_head_request_gets_the_headers_only() {
    let shop = Shop::open().await;
    let answer = shop.ask("HEAD /shop/none", &[]).await;
    assert_eq!((answer.code(), answer.body()), ("I404NF", ""));
    assert_eq!(answer.message(), "API not found with `HEAD /shop/none`");
    assert_eq!(content_length(&answer.0), 0);
}

#[tokio::test]
async fn a_message_never_breaks_a_header() {
    let (_registry, gateway) = answered_by(|_| async {
        Err(Error::new(ErrorKind::Busy, Retry::Never, format!("a\r\nb: é{}", "x".repeat(5000))))
    })
    .await;
    let answer = call(&gateway, request(Empty::<Bytes>::new())).await;
    let message = answer.headers()["x-ca-error-message"].to_str().unwrap();
    assert!(message.starts_with("Backend service busy `a%0D%0Ab: %C3%A9xxx"), "{message}");
    assert_eq!(message.len(), 1024);
}
