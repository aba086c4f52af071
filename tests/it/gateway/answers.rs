//! How failures are told, and which of several is.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use backhaul::model::Access;
use backhaul::{Api, Body, Change, Error, ErrorKind, Retry};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, Full};

use super::harness::{
    HOST, LIVE, Shop, Told, answered_by, apply, call, code, content_length, talk,
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
    let shop = Shop::open().await;
    let change = Change::new()
        .api("shop/guarded", Api::get("/guarded").service_same_path("orders").access(Access::App))
        .publish("shop/guarded", LIVE);
    apply(&shop.registry, change).await;
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
    let shop = Shop::open().await;
    let change = Change::new()
        .api("shop/small", Api::post("/small").service_same_path("orders").max_body(3))
        .publish("shop/small", LIVE);
    apply(&shop.registry, change).await;
    let start = format!("POST /shop/small HTTP/1.1\r\n{HOST}\r\ntransfer-encoding: chunked\r\n");
    let fits = format!("{start}connection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    let head = Told(talk(shop.address, fits).await);
    assert_eq!(head.status(), 200, "{head:?}");
    let answer = Told(talk(shop.address, format!("{start}\r\n2\r\nab\r\n2\r\ncd\r\n")).await);
    assert_eq!(answer.code(), "I413RL", "{answer:?}");
}

#[tokio::test]
async fn a_client_that_is_gone_is_told_apart() {
    let (_registry, gateway) = answered_by(reads).await;
    let answer = call(&gateway, request(Broken(io::ErrorKind::ConnectionReset))).await;
    assert_eq!(code(&answer), ErrorKind::ClientGone.answer().code);
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
    assert_eq!(message.len(), 4096);
}
