//! Who may call: signatures, AppCodes, grants, nonces, protocols and networks.

use std::convert::Infallible;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use backhaul::gateway::{Peer, Scheme};
use backhaul::model::{Access, App, Grant};
use backhaul::time::{Clock, Timestamp};
use backhaul::{
    Api, Backend, Body, Call, Change, Custom, Environment, Gateway, Group, Kind, Registry,
};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use tower_service::Service;

use self::signer::Signer;

mod bodies;
mod callers;
mod golden;
mod nonces;
mod properties;
pub(crate) mod reasons;
#[cfg(feature = "redis")]
mod redis;
pub(crate) mod signer;
mod spellings;
mod vectors;

const LIVE: Environment = Environment::PRODUCTION;
const KEY: &str = "203753385";
const SECRET: &str = "sampleSecret1";
const CODE: &str = "sampleAppCode1";
/// The clock of the domain's vectors and of most captures.
pub(crate) const NOW: u64 = 1_700_000_000_000;

/// A clock that is set.
#[derive(Clone, Debug)]
struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    fn at(millis: u64) -> Self {
        Self(Arc::new(AtomicU64::new(millis)))
    }

    fn set(&self, millis: u64) {
        self.0.store(millis, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// What reached the backend.
type Received = Arc<Mutex<Vec<(http::request::Parts, Bytes)>>>;

#[derive(Clone, Debug)]
struct Recorder(Received);

#[async_trait::async_trait]
impl Backend for Recorder {
    async fn send(&self, request: Request<Body>, _: &Call) -> backhaul::Result<Response<Body>> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        self.0.lock().unwrap().push((parts, body));
        Ok(Response::new(Body::empty()))
    }
}

/// A gateway whose APIs need an application, and what reaches their backend.
pub(crate) struct Guarded {
    pub(crate) registry: Registry,
    gateway: Gateway,
    clock: ManualClock,
    received: Received,
}

impl Guarded {
    /// One API for everything on every host named, as `edit` makes it.
    async fn with(edit: impl FnOnce(Api) -> Api) -> Self {
        Self::of(edit, |group| group, App::new().key(KEY, SECRET).code(CODE)).await
    }

    pub(crate) async fn open() -> Self {
        Self::with(|api| api).await
    }

    pub(crate) async fn of(
        edit: impl FnOnce(Api) -> Api,
        group: impl FnOnce(Group) -> Group,
        app: App,
    ) -> Self {
        let received = Received::default();
        let recorder = Recorder(Arc::clone(&received));
        let clock = ManualClock::at(NOW);
        let registry = Registry::builder()
            .clock(clock.clone())
            .kind("recorder", move |_: serde_json::Value| Ok(recorder.clone()))
            .in_memory()
            .await
            .unwrap();
        let api = edit(Api::any("/*").service_same_path("recorder").access(Access::App));
        let change = Change::new()
            .service("recorder", Kind::custom("recorder").unwrap())
            .define("recorder", LIVE, Custom::new("recorder").unwrap())
            .group("group", group(Group::host("a").and_host("127.0.0.1")))
            .api("group/everything", api)
            .publish("group/everything", LIVE)
            .app("mobile", app)
            .grant("mobile", "group/everything", LIVE, Grant::unlimited());
        registry.publisher("test").apply(change).await.unwrap();
        let gateway = Gateway::new(&registry).peer(peer("192.0.2.1:1000", Scheme::Http));
        Self { registry, gateway, clock, received }
    }

    pub(crate) fn change_gateway(&mut self, change: impl FnOnce(Gateway) -> Gateway) {
        self.gateway = change(self.gateway.clone());
    }

    pub(crate) fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    pub(crate) async fn apply(&self, change: Change) {
        self.registry.publisher("test").apply(change).await.unwrap();
    }

    /// The answer's code, `ok` where the request reached the backend.
    pub(crate) async fn code<B>(&self, request: Request<B>) -> String
    where
        B: http_body::Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let before = self.received.lock().unwrap().len();
        let (code, _) = self.answer(request).await;
        let arrived = self.received.lock().unwrap().len() - before;
        assert_eq!(arrived, usize::from(code == "ok"), "{code}");
        code
    }

    /// The answer's code and message.
    pub(crate) async fn answer<B>(&self, request: Request<B>) -> (String, String)
    where
        B: http_body::Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let answer = self.gateway.clone().call(request).await;
        let response = answer.unwrap_or_else(|never: Infallible| match never {});
        let header = |name: &str| match response.headers().get(name) {
            Some(value) => value.to_str().unwrap().to_owned(),
            None => String::new(),
        };
        match header("x-ca-error-code") {
            code if code.is_empty() => ("ok".to_owned(), String::new()),
            code => {
                assert_eq!(&code[1..4], response.status().as_str());
                (code, header("x-ca-error-message"))
            }
        }
    }

    /// What reached the backend last.
    pub(crate) fn last(&self) -> (http::request::Parts, Bytes) {
        self.received.lock().unwrap().last().unwrap().clone()
    }
}

pub(crate) fn peer(address: &str, scheme: Scheme) -> Peer {
    Peer::new(address.parse::<SocketAddr>().unwrap(), scheme)
}

fn empty(request: http::request::Builder) -> Request<Full<Bytes>> {
    request.body(Full::default()).unwrap()
}

/// A GET of `/` on host `a` with these headers.
fn get(lines: &[(&str, &str)]) -> Request<Full<Bytes>> {
    get_uri("/", lines)
}

pub(crate) fn get_uri(uri: &str, lines: &[(&str, &str)]) -> Request<Full<Bytes>> {
    let request = Request::get(uri).header("host", "a");
    empty(lines.iter().fold(request, |request, (name, value)| request.header(*name, *value)))
}

/// A file of the captured requests of official clients.
fn golden(name: &str) -> Vec<u8> {
    let shared = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/golden/apigw");
    fs::read(shared.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A request of raw bytes: what a server would make of them.
fn parsed(raw: &[u8]) -> Request<Full<Bytes>> {
    let end = raw.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let head = std::str::from_utf8(&raw[..end]).unwrap();
    let mut lines = head.split("\r\n").filter(|line| !line.is_empty());
    let mut first = lines.next().unwrap().split(' ');
    let (method, uri) = (first.next().unwrap(), first.next().unwrap());
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':').unwrap();
        let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, value.trim().parse().unwrap());
    }
    let body = Full::new(Bytes::copy_from_slice(&raw[end..]));
    let mut request = Request::builder().method(method).uri(uri).body(body).unwrap();
    *request.headers_mut() = headers;
    request
}

#[tokio::test]
async fn an_api_for_applications_wants_one() {
    let guarded = Guarded::open().await;
    assert_eq!(guarded.code(get(&[])).await, "A400MA");
    assert_eq!(guarded.code(get(&[("x-ca-key", KEY)])).await, "I400MH");
    assert_eq!(guarded.code(Signer::new().sign(get(&[]))).await, "ok");
    let code = format!("APPCODE {CODE}");
    assert_eq!(guarded.code(get(&[("authorization", &code)])).await, "ok");
    let anonymous = Change::new()
        .api("group/everything", Api::any("/*").service_same_path("recorder"))
        .publish("group/everything", LIVE);
    guarded.apply(anonymous).await;
    assert_eq!(guarded.code(get(&[])).await, "ok");
}
