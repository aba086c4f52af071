//! Backends of kind mock.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what cannot be set up fails the test"
)]

use std::sync::Arc;
use std::time::Duration;

use backhaul::backend::mock::MockFactory;
use backhaul::backend::{Backend, Built, Call, Factory};
use backhaul::sync::lease;
use backhaul::testing::context;
use backhaul::transport::Transport;
use backhaul::{Body, Environment, Http, Mock, Place, Revision};
use http::{Method, Request, Response};
use http_body::Body as _;
use http_body_util::BodyExt;
use tokio::time::Instant;

fn built(mock: Mock) -> Arc<dyn Backend> {
    let context = context(Transport::default(), Arc::new(lease().0));
    match MockFactory::default().build(&mock.into(), &context) {
        Ok(Built::Ready(backend)) => backend,
        other => panic!("{other:?}"),
    }
}

async fn send(backend: &dyn Backend, method: Method) -> Response<Body> {
    let place = Place::new(None, Environment::TEST, Revision::new(1));
    let call = Call::new(place, Duration::from_secs(20));
    let mut request = Request::new(Body::from("ignored"));
    *request.method_mut() = method;
    backend.send(request, &call).await.unwrap()
}

#[tokio::test]
async fn status_headers_and_body_are_as_defined() {
    let mock = Mock::new().status(203).header("X-Banner", "1").body("hello from the mock");
    let backend = built(mock);
    for method in [Method::GET, Method::POST, Method::DELETE] {
        let response = send(&*backend, method).await;
        assert_eq!(response.status(), 203);
        assert_eq!(response.headers()["x-banner"], "1");
        assert_eq!(response.body().size_hint().exact(), Some(19));
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, "hello from the mock");
    }
}

#[tokio::test]
async fn head_and_statuses_without_content_have_no_body() {
    let response = send(&*built(Mock::new().body("hello")), Method::HEAD).await;
    assert!(response.body().is_end_stream());
    for status in [204, 304] {
        let response = send(&*built(Mock::new().status(status).body("hello")), Method::GET).await;
        assert_eq!(response.status(), status);
        assert!(response.body().is_end_stream());
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_takes_as_long_as_defined() {
    for delay in [Duration::ZERO, Duration::from_millis(250), Duration::from_secs(120)] {
        let begin = Instant::now();
        send(&*built(Mock::new().delay(delay)), Method::GET).await;
        let taken = begin.elapsed();
        assert!(taken >= delay && taken <= delay + Duration::from_millis(2), "{taken:?}");
    }
}

#[test]
fn what_cannot_be_sent_names_its_field() {
    let context = context(Transport::default(), Arc::new(lease().0));
    for (mock, field) in [
        (Mock::new().status(1000), "status"),
        (Mock::new().header("a b", "1"), "headers.a b"),
        (Mock::new().header("a", "1\r\nb: 2"), "headers.a"),
    ] {
        let error = MockFactory::default().build(&mock.into(), &context).unwrap_err();
        assert_eq!(error.field, field);
    }
    let http = Http::to("http://10.0.0.7").into();
    let error = MockFactory::default().build(&http, &context).unwrap_err();
    assert_eq!(error.field, "kind");
}
