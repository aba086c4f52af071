//! Every kind keeps the contract, and the suite notices one that does not.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what cannot be set up fails the test")]

use std::sync::Arc;
use std::time::Duration;

use backhaul::backend::http::HttpFactory;
use backhaul::backend::mock::MockFactory;
use backhaul::backend::{Backend, Built, Call, Capability, Factory};
use backhaul::model::definition::Url;
use backhaul::sync::lease;
use backhaul::testing::{conformance, context};
use backhaul::transport::{Egress, Pool, Transport};
use backhaul::{Body, Definition, Error, ErrorKind, Http, Mock, Result, Retry};
use http::{HeaderValue, Request, Response};
use http_body_util::BodyExt;

fn transport() -> Transport {
    let egress = Egress::default().allow_loopback();
    Transport::builder().egress(egress).build().unwrap()
}

fn built(factory: &dyn Factory, definition: impl Into<Definition>) -> Arc<dyn Backend> {
    let context = context(transport(), Arc::new(lease().0));
    match factory.build(&definition.into(), &context) {
        Ok(Built::Ready(backend)) => backend,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn http_keeps_the_contract() {
    let factory = HttpFactory::default();
    let make = |url: &str| built(&factory, Http::to(url));
    conformance::backend(factory.capability(), make).await.unwrap();
}

#[tokio::test]
async fn mock_keeps_the_contract() {
    let factory = MockFactory::default();
    let make = |_: &str| built(&factory, Mock::new().body("hello"));
    conformance::backend(factory.capability(), make).await.unwrap();
}

/// A kind as an application would write one: it signs what it forwards.
#[derive(Debug)]
struct Signing {
    pool: Pool,
    host: HeaderValue,
}

impl Signing {
    fn to(url: &str) -> Arc<dyn Backend> {
        let url: Url = url.parse().unwrap();
        Arc::new(Self {
            pool: Pool::new(&transport(), &url, Arc::new(lease().0)).unwrap(),
            host: url.authority().parse().unwrap(),
        })
    }
}

#[async_trait::async_trait]
impl Backend for Signing {
    async fn send(&self, mut request: Request<Body>, call: &Call) -> Result<Response<Body>> {
        let headers = request.headers_mut();
        headers.insert("host", self.host.clone());
        headers.insert("x-signature", HeaderValue::from_static("secret"));
        self.pool.send(request, call.timeout()).await
    }
}

#[tokio::test]
async fn a_custom_kind_keeps_the_contract() {
    let outcome = conformance::backend(Capability::STREAMING, Signing::to).await;
    outcome.unwrap();
}

/// Breaks one promise, chosen by its field.
#[derive(Debug)]
struct Liar {
    inner: Arc<dyn Backend>,
    lie: Lie,
}

#[derive(Clone, Copy, Debug)]
enum Lie {
    Collects,
    FailsOn5xx,
    AlwaysRetry,
    NeverRetry,
    HidesTruncation,
}

#[async_trait::async_trait]
impl Backend for Liar {
    async fn send(&self, request: Request<Body>, call: &Call) -> Result<Response<Body>> {
        let sent = self.inner.send(request, call).await;
        match (self.lie, sent) {
            (Lie::Collects, Ok(response)) => {
                let (head, body) = response.into_parts();
                // The suite would wait for much longer before it gives up.
                let patience = Duration::from_millis(300);
                match tokio::time::timeout(patience, body.collect()).await {
                    Ok(body) => Ok(Response::from_parts(head, body?.to_bytes().into())),
                    Err(_) => Err(Error::new(ErrorKind::Timeout, Retry::IfIdempotent, "slow")),
                }
            }
            (Lie::FailsOn5xx, Ok(response)) if response.status().is_server_error() => {
                Err(Error::new(ErrorKind::BadResponse, Retry::Never, "5xx"))
            }
            (Lie::HidesTruncation, Ok(response)) => {
                let (head, mut body) = response.into_parts();
                let mut whole = Vec::new();
                while let Some(Ok(frame)) = body.frame().await {
                    whole.extend(frame.into_data().unwrap());
                }
                Ok(Response::from_parts(head, whole.into()))
            }
            (Lie::AlwaysRetry, Err(error)) => {
                Err(Error::new(error.kind(), Retry::Always, "told wrong"))
            }
            (Lie::NeverRetry, Err(error)) => {
                Err(Error::new(error.kind(), Retry::Never, "told wrong"))
            }
            (_, sent) => sent,
        }
    }
}

#[tokio::test]
async fn the_suite_notices_a_broken_promise() {
    for (lie, rule) in [
        (Lie::FailsOn5xx, "an answer of any status is Ok"),
        (Lie::AlwaysRetry, "Err means no response"),
        (Lie::NeverRetry, "nothing seen may always be retried"),
        (Lie::HidesTruncation, "a broken body is an error"),
        (Lie::Collects, "the answer streams"),
    ] {
        let make = |url: &str| -> Arc<dyn Backend> {
            let inner = built(&HttpFactory::default(), Http::to(url));
            Arc::new(Liar { inner, lie })
        };
        let violation = conformance::backend(Capability::STREAMING, make).await;
        assert_eq!(violation.unwrap_err().rule, rule, "{lie:?}");
    }
}
