//! Deadlines and idle limits, in paused time.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use backhaul::{Body, Change, Custom, Definition, Error, ErrorKind};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Empty};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::harness::{LIVE, answered_by, apply, call, code};

fn get() -> Request<Empty<Bytes>> {
    Request::get("/").header("host", "a").body(Empty::new()).unwrap()
}

fn post<B>(body: B) -> Request<B> {
    Request::post("/").header("host", "a").body(body).unwrap()
}

/// Pieces with a rest before each, then the end.
struct Slow {
    rests: Vec<Duration>,
    sleep: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl Slow {
    fn new(rests: &[u64]) -> Self {
        let rests = rests.iter().rev().map(|seconds| Duration::from_secs(*seconds)).collect();
        Self { rests, sleep: None }
    }
}

impl http_body::Body for Slow {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Some(rest) = self.rests.last().copied() else {
            return Poll::Ready(None);
        };
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(rest)));
        std::task::ready!(sleep.as_mut().poll(cx));
        self.sleep = None;
        self.rests.pop();
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"piece")))))
    }
}

async fn read_then_hang(request: Request<Body>) -> backhaul::Result<Response<Body>> {
    request.into_body().collect().await?;
    std::future::pending().await
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_come_is_not_waited_for() {
    let (registry, gateway) = answered_by(read_then_hang).await;
    let start = Instant::now();
    assert_eq!(code(&call(&gateway, get()).await), "D504TO");
    assert_eq!(start.elapsed().as_secs(), 10);
    // The definition's own timeout, then the API's, which goes before it.
    let mut definition: Definition = Custom::new("inside").unwrap().into();
    definition.timeout = Some(Duration::from_secs(3));
    apply(&registry, Change::new().define("inside", LIVE, definition)).await;
    let start = Instant::now();
    assert_eq!(code(&call(&gateway, get()).await), "D504TO");
    assert_eq!(start.elapsed().as_secs(), 3);
    let api = backhaul::Api::any("/*").service_same_path("inside").timeout(Duration::from_secs(1));
    let change = Change::new().api("group/everything", api).publish("group/everything", LIVE);
    apply(&registry, change).await;
    let start = Instant::now();
    let answer = call(&gateway, get()).await;
    assert_eq!(start.elapsed().as_secs(), 1);
    assert_eq!(
        answer.headers()["x-ca-error-message"],
        "Backend service request timeout `no answer for 1000 ms`"
    );
}

#[tokio::test(start_paused = true)]
async fn the_deadline_counts_from_the_end_of_the_request() {
    let (_registry, gateway) = answered_by(read_then_hang).await;
    let start = Instant::now();
    let answer = call(&gateway, post(Slow::new(&[14, 14, 14]))).await;
    assert_eq!(code(&answer), "D504TO");
    assert_eq!(start.elapsed().as_secs(), 42 + 10);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_rests_too_long_is_refused() {
    let (_registry, gateway) = answered_by(read_then_hang).await;
    let start = Instant::now();
    let answer = call(&gateway, post(Slow::new(&[1, 60]))).await;
    assert_eq!(code(&answer), "I400BD");
    assert_eq!(start.elapsed().as_secs(), 1 + 15);
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_does_not_read_on_is_given_up() {
    let (_registry, gateway) = answered_by(|mut request| async move {
        request.body_mut().frame().await;
        std::future::pending().await
    })
    .await;
    let start = Instant::now();
    let answer = call(&gateway, post(Slow::new(&[1, 1]))).await;
    assert_eq!(code(&answer), "D504TO");
    assert_eq!(start.elapsed().as_secs(), 1 + 15);
}

#[tokio::test(start_paused = true)]
async fn an_answer_may_rest_but_not_too_long() {
    let (_registry, gateway) =
        answered_by(|_| async { Ok(Response::new(Body::new(Slow::new(&[14, 14, 60])))) }).await;
    let mut body = call(&gateway, get()).await.into_body();
    let start = Instant::now();
    for _ in 0..2 {
        assert!(body.frame().await.unwrap().is_ok());
    }
    let error = body.frame().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(start.elapsed().as_secs(), 28 + 15);
}

#[tokio::test(start_paused = true)]
async fn many_deadlines_at_once_are_all_kept() {
    let (_registry, gateway) = answered_by(read_then_hang).await;
    let (done, mut codes) = mpsc::unbounded_channel();
    for round in 0..3 {
        let start = Instant::now();
        for _ in 0..200 {
            let (gateway, done) = (gateway.clone(), done.clone());
            tokio::spawn(async move {
                let answer = call(&gateway, get()).await;
                done.send((code(&answer).to_owned(), start.elapsed().as_secs())).unwrap();
            });
        }
        for _ in 0..200 {
            assert_eq!(codes.recv().await, Some(("D504TO".to_owned(), 10)), "round {round}");
        }
    }
}
