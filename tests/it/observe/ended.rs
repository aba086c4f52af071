//! The end of a request is told exactly once, whatever way it takes.

use std::collections::VecDeque;
use std::future::pending;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use backhaul::error::{Party, Stage};
use backhaul::gateway::limits::TIMEOUT;
use backhaul::observe::Outcome;
use backhaul::{Body, Environment, Error, ErrorKind, Retry};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::BodyExt;
use proptest::prelude::*;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tower_service::Service;

use super::recorder::Recorder;
use crate::gateway::harness::{call, read_head, serve, talk};

/// A body of pieces, then its end, a failure, or nothing ever.
struct Pieces {
    pieces: VecDeque<&'static str>,
    then: Then,
}

#[derive(Clone, Copy, Debug)]
enum Then {
    Ends,
    Breaks,
    Rests,
}

impl Pieces {
    fn body(pieces: &[&'static str], then: Then) -> Body {
        Body::new(Self { pieces: pieces.iter().copied().collect(), then })
    }
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match (self.pieces.pop_front(), self.then) {
            (Some(piece), _) => Poll::Ready(Some(Ok(Frame::data(Bytes::from(piece))))),
            (None, Then::Ends) => Poll::Ready(None),
            (None, Then::Breaks) => {
                let error = Error::new(ErrorKind::BadResponse, Retry::Never, "broke off");
                Poll::Ready(Some(Err(error)))
            }
            (None, Then::Rests) => Poll::Pending,
        }
    }
}

fn get(target: &str) -> Request<Body> {
    Request::get(target).header("host", "a").body(Body::empty()).unwrap()
}

fn failed(kind: ErrorKind, party: Party, stage: Stage) -> Outcome {
    Outcome::Failed { kind, party, stage }
}

#[tokio::test]
async fn an_answer_that_is_read_to_its_end_is_answered() {
    for (answer, sent) in [
        (Body::from("hello"), 5),
        (Body::empty(), 0),
        (Pieces::body(&["one", "two"], Then::Ends), 6),
        (Pieces::body(&[], Then::Ends), 0),
    ] {
        let recorder = Recorder::default();
        let answer = std::sync::Mutex::new(Some(answer));
        let (registry, gateway) = recorder
            .before(move |_| {
                let body = answer.lock().unwrap().take().unwrap();
                async move { Ok(Response::new(body)) }
            })
            .await;
        let response = call(&gateway, get("/x")).await;
        let id = response.headers()["x-ca-request-id"].to_str().unwrap().to_owned();
        response.into_body().collect().await.unwrap();
        let ended = recorder.only().await;
        assert_eq!(ended.outcome, Outcome::Answered);
        assert_eq!((ended.status, ended.sent, ended.received), (Some(200), sent, 0));
        assert_eq!(ended.id, id);
        assert_eq!(ended.api.as_deref(), Some("group/everything"));
        let place = ended.place.unwrap();
        assert_eq!(place.service.unwrap().as_str(), "inside");
        assert_eq!(place.environment, Environment::PRODUCTION);
        assert_eq!(place.generation, registry.revision());
        assert!(ended.backend.is_some_and(|took| took <= ended.took));
        assert!(!ended.superseded && !ended.debug && ended.text.is_none());
    }
}

#[tokio::test]
async fn an_answer_without_a_body_ends_with_its_head() {
    let recorder = Recorder::default();
    let (_registry, gateway) = recorder
        .before(|request| async move {
            let mut response = Response::new(Pieces::body(&["not sent"], Then::Ends));
            if request.method() == http::Method::GET {
                *response.status_mut() = StatusCode::NO_CONTENT;
            }
            Ok(response)
        })
        .await;
    for method in ["HEAD", "GET"] {
        let request = Request::builder().method(method).uri("/").header("host", "a");
        let response = call(&gateway, request.body(Body::empty()).unwrap()).await;
        // Told already, though nobody has read it yet.
        let ended = recorder.told().ended.pop().unwrap();
        assert_eq!((ended.outcome, ended.sent), (Outcome::Answered, 0), "{method}");
        drop(response);
        assert!(recorder.told().ended.is_empty());
    }
}

#[tokio::test]
async fn what_the_backend_took_of_a_body_is_counted() {
    let recorder = Recorder::default();
    let (_registry, gateway) = recorder
        .before(|request| async move {
            let mut body = request.into_body();
            while body.frame().await.is_some() {}
            Ok(Response::new(Body::from("ok")))
        })
        .await;
    let body = Pieces::body(&["four", "fivefive"], Then::Ends);
    let request = Request::post("/").header("host", "a").body(body).unwrap();
    call(&gateway, request).await.into_body().collect().await.unwrap();
    assert_eq!(recorder.only().await.received, 12);
}

#[tokio::test]
async fn a_backend_without_an_answer_failed() {
    let recorder = Recorder::default();
    let (_registry, gateway) = recorder
        .before(|_| async { Err(Error::new(ErrorKind::Connect, Retry::Always, "refused")) })
        .await;
    let response = call(&gateway, get("/")).await;
    assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
    assert!(recorder.told().ended.is_empty(), "its answer has not been read");
    let length = response.into_body().collect().await.unwrap().to_bytes().len();
    let ended = recorder.only().await;
    assert_eq!(ended.outcome, failed(ErrorKind::Connect, Party::Backend, Stage::Connect));
    assert_eq!((ended.status, ended.sent), (Some(504), length as u64));
    assert_eq!(ended.backend, None);
    assert!(ended.place.is_some());
}

#[tokio::test]
async fn who_does_not_wait_for_a_refusal_was_refused_all_the_same() {
    let recorder = Recorder::default();
    let (_registry, gateway) = recorder
        .before(|_| async { Err(Error::new(ErrorKind::Connect, Retry::Always, "refused")) })
        .await;
    drop(call(&gateway, get("/")).await);
    let ended = recorder.only().await;
    assert_eq!(ended.outcome, failed(ErrorKind::Connect, Party::Backend, Stage::Connect));
    assert_eq!((ended.status, ended.sent), (Some(504), 0));
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_hangs_timed_out() {
    let recorder = Recorder::default();
    let (_registry, gateway) = recorder.before(|_| pending()).await;
    drop(call(&gateway, get("/")).await);
    let ended = recorder.only().await;
    assert_eq!(ended.outcome, failed(ErrorKind::Timeout, Party::Backend, Stage::Response));
    assert_eq!((ended.status, ended.took), (Some(504), TIMEOUT));
}

#[tokio::test]
async fn a_status_that_none_has_is_the_backends_failure() {
    let recorder = Recorder::default();
    let (_registry, gateway) = recorder
        .before(|_| async {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::from_u16(700).unwrap();
            Ok(response)
        })
        .await;
    drop(call(&gateway, get("/")).await);
    let ended = recorder.only().await;
    assert_eq!(ended.outcome, failed(ErrorKind::BadResponse, Party::Backend, Stage::Response));
    assert_eq!(ended.status, Some(502));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_before_the_head_failed_nobody() {
    let recorder = Recorder::default();
    let (_registry, gateway) = recorder.before(|_| pending()).await;
    let waits = Duration::from_secs(3);
    let called = tokio::time::timeout(waits, gateway.clone().call(get("/")));
    assert!(called.await.is_err());
    let ended = recorder.only().await;
    assert_eq!(ended.outcome, Outcome::Aborted { stage: Stage::Call });
    assert_eq!((ended.status, ended.took, ended.sent), (None, waits, 0));
}

#[tokio::test]
async fn a_future_that_is_never_polled_is_told_of() {
    let recorder = Recorder::default();
    let (_registry, gateway) = recorder.before(|_| pending()).await;
    drop(gateway.clone().call(get("/")));
    let ended = recorder.only().await;
    assert!(matches!(ended.outcome, Outcome::Aborted { .. }), "{ended:?}");
    drop(gateway.clone().call(get("//..")));
    let refused = recorder.ended(2).await.pop().unwrap();
    let expected =
        failed(ErrorKind::InvalidPath, Party::Client, ErrorKind::InvalidPath.usual_stage());
    assert_eq!(refused.outcome, expected);
}

#[tokio::test]
async fn a_client_that_goes_amid_an_answer_failed_nobody() {
    let recorder = Recorder::default();
    let (_registry, gateway) = recorder
        .before(|_| async { Ok(Response::new(Pieces::body(&["12345"], Then::Rests))) })
        .await;
    let mut response = call(&gateway, get("/")).await;
    response.body_mut().frame().await.unwrap().unwrap();
    assert!(recorder.told().ended.is_empty());
    drop(response);
    let ended = recorder.only().await;
    assert_eq!(ended.outcome, Outcome::Aborted { stage: Stage::Response });
    assert_eq!((ended.status, ended.sent), (Some(200), 5));
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_the_backends_failure() {
    let recorder = Recorder::default();
    let (_registry, gateway) = recorder
        .before(|_| async { Ok(Response::new(Pieces::body(&["123"], Then::Breaks))) })
        .await;
    call(&gateway, get("/")).await.into_body().collect().await.unwrap_err();
    let ended = recorder.only().await;
    let stage = ErrorKind::BadResponse.usual_stage();
    assert_eq!(ended.outcome, failed(ErrorKind::BadResponse, Party::Backend, stage));
    assert_eq!((ended.status, ended.sent), (Some(200), 3));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_rests_for_too_long_is_the_backends_failure() {
    let recorder = Recorder::default();
    let (_registry, gateway) =
        recorder.before(|_| async { Ok(Response::new(Pieces::body(&["1"], Then::Rests))) }).await;
    call(&gateway, get("/")).await.into_body().collect().await.unwrap_err();
    let ended = recorder.only().await;
    assert_eq!(ended.outcome, failed(ErrorKind::Timeout, Party::Backend, Stage::Response));
}

#[tokio::test]
async fn all_that_was_announced_is_an_end() {
    let recorder = Recorder::default();
    let (_registry, gateway) = recorder
        .before(|_| async {
            let mut response = Response::new(Pieces::body(&["12345"], Then::Rests));
            response.headers_mut().insert("content-length", "5".parse().unwrap());
            Ok(response)
        })
        .await;
    // The client of a server that stops asking once it sent as much as it had announced.
    let address = serve(&gateway).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    read_head(&mut client).await;
    drop(client);
    let ended = recorder.only().await;
    assert_eq!((ended.outcome, ended.sent), (Outcome::Answered, 5));
}

#[tokio::test]
async fn a_client_that_hangs_up_is_told_of() {
    let recorder = Recorder::default();
    let (_registry, gateway) = recorder.before(|_| pending()).await;
    let address = serve(&gateway).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    recorder.until(|told| !told.is_idle()).await;
    drop(client);
    let ended = recorder.only().await;
    assert_eq!(ended.outcome, Outcome::Aborted { stage: Stage::Call });
}

#[tokio::test]
async fn a_body_that_breaks_off_is_its_clients() {
    let recorder = Recorder::default();
    let (_registry, gateway) = recorder
        .before(|request| async move {
            request.into_body().collect().await?;
            Ok(Response::new(Body::empty()))
        })
        .await;
    let address = serve(&gateway).await;
    let half = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf";
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(half.as_bytes()).await.unwrap();
    recorder.until(|told| !told.is_idle()).await;
    drop(client);
    let ended = recorder.only().await;
    match ended.outcome {
        Outcome::Aborted { .. } | Outcome::Failed { party: Party::Client, .. } => {}
        other => panic!("{other:?}"),
    }
    let chunked = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n";
    talk(address, chunked).await;
    let ended = recorder.ended(2).await.pop().unwrap();
    assert!(matches!(ended.outcome, Outcome::Failed { party: Party::Client, .. }), "{ended:?}");
}

#[tokio::test]
async fn a_backend_that_panics_is_the_gateways_failure() {
    let recorder = Recorder::default();
    let (_registry, gateway) = recorder.before(|_| async { panic!("on purpose") }).await;
    let called = tokio::spawn(gateway.clone().call(get("/")));
    assert!(called.await.unwrap_err().is_panic());
    let ended = recorder.only().await;
    assert_eq!(ended.outcome, failed(ErrorKind::Internal, Party::Gateway, Stage::Call));
    assert_eq!(ended.status, None);
}

#[tokio::test]
async fn a_debugged_request_is_told_of_as_such() {
    let recorder = Recorder::default();
    let (_registry, gateway) =
        recorder.before(|_| async { Ok(Response::new(Body::from("hi"))) }).await;
    let debugged = gateway.debug(get("/"), &Environment::PRODUCTION, None).await;
    assert!(recorder.told().ended.is_empty());
    drop(debugged.response.into_body().collect().await.unwrap());
    let ended = recorder.only().await;
    assert!(ended.debug);
    assert_eq!((ended.outcome, ended.sent), (Outcome::Answered, 2));
    gateway.debug(get("/"), &Environment::TEST, None).await;
    let refused = recorder.ended(2).await.pop().unwrap();
    assert!(refused.debug && refused.place.is_none());
}

#[tokio::test]
async fn a_request_that_goes_no_further_is_answered() {
    let recorder = Recorder::default();
    let (_registry, gateway) = recorder.before(|_| pending()).await;
    for target in ["/x", "*"] {
        let request = Request::options(target).header("host", "a").header("max-forwards", "0");
        drop(call(&gateway, request.body(Body::empty()).unwrap()).await);
        let ended = recorder.told().ended.pop().unwrap();
        assert_eq!(ended.outcome, Outcome::Answered);
        assert_eq!(ended.place.is_some(), target == "/x");
    }
}

/// What a client does with an answer.
#[derive(Clone, Copy, Debug)]
enum Client {
    Reads(usize),
    NeverPolls,
}

fn clients() -> impl Strategy<Value = Client> {
    prop_oneof![(0..5_usize).prop_map(Client::Reads), Just(Client::NeverPolls)]
}

fn thens() -> impl Strategy<Value = Then> {
    prop_oneof![Just(Then::Ends), Just(Then::Breaks), Just(Then::Rests)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever backend and client do, there is one end, with the bytes that were handed out.
    #[test]
    fn every_request_ends_once(count in 0..4_usize, then in thens(), client in clients()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let recorder = Recorder::default();
            let pieces = vec!["abc"; count];
            let (_registry, gateway) = recorder
                .before(move |_| {
                    let body = Pieces::body(&pieces, then);
                    async move { Ok(Response::new(body)) }
                })
                .await;
            let calling = gateway.clone().call(get("/"));
            let Client::Reads(reads) = client else {
                drop(calling);
                assert!(matches!(recorder.only().await.outcome, Outcome::Aborted { .. }));
                return;
            };
            let mut response = calling.await.unwrap();
            for _ in 0..reads.min(if matches!(then, Then::Rests) { count } else { reads }) {
                let _ = response.body_mut().frame().await;
            }
            drop(response);
            let ended = recorder.only().await;
            assert_eq!(ended.sent, 3 * count.min(reads) as u64);
            let over = reads > count;
            match then {
                Then::Ends if over => assert_eq!(ended.outcome, Outcome::Answered),
                Then::Breaks if over => assert!(matches!(ended.outcome, Outcome::Failed { .. })),
                _ => assert!(matches!(ended.outcome, Outcome::Aborted { .. })),
            }
        });
    }
}
