//! A served gateway whose one API is answered by a closure, and clients that speak raw bytes.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use backhaul::gateway::{Peer, Scheme};
use backhaul::serve::{Limits, Server};
use backhaul::{
    Api, Backend, BackendService, Body, Call, Change, Custom, Environment, Error, ErrorKind,
    Gateway, Group, Kind, Registry, Retry,
};
use http::{Request, Response};
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How long anything on this machine may take before a test gives up.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Bytes of a pipe: what a slow reader's kernel would take.
const PIPE: usize = 16 * 1024;

/// A server before a backend inside the process.
pub(super) struct Served {
    pub(super) server: Server,
    /// Requests that came to the backend.
    seen: Arc<AtomicUsize>,
    _registry: Registry,
}

impl Served {
    /// Answers with what it read: method, path and body, or the failure of the body.
    pub(super) async fn echo() -> Self {
        Self::by(|request: Request<Body>| async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let length = parts.headers.get("content-length").map(|it| it.to_str().unwrap());
            let told = format!(
                "<{} {} {:?} {}>",
                parts.method,
                parts.uri.path(),
                length,
                String::from_utf8_lossy(&body)
            );
            Ok(Response::new(Body::from(told)))
        })
        .await
    }

    /// Answers without reading.
    pub(super) async fn deaf() -> Self {
        Self::by(|_| async { Ok(Response::new(Body::from("deaf"))) }).await
    }

    pub(super) async fn by<F, A>(answer: F) -> Self
    where
        F: Fn(Request<Body>) -> A + Send + Sync + 'static,
        A: Future<Output = backhaul::Result<Response<Body>>> + Send + 'static,
    {
        let seen = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&seen);
        let backend = Inside(Arc::new(move |request| {
            counted.fetch_add(1, Ordering::SeqCst);
            Box::pin(answer(request))
        }));
        let registry = Registry::builder()
            .kind("inside", move |_: serde_json::Value| Ok(backend.clone()))
            .in_memory()
            .await
            .unwrap();
        let service: BackendService = Kind::custom("inside").unwrap().into();
        let live = Environment::PRODUCTION;
        let api = Api::any("/*").service_same_path("inside").timeout(Duration::from_secs(100));
        let change = Change::new()
            .service("inside", service)
            .define("inside", live.clone(), Custom::new("inside").unwrap())
            .group("group", Group::host("a"))
            .api("group/everything", api)
            .publish("group/everything", live);
        registry.publisher("test").apply(change).await.unwrap();
        let server = Server::new(Gateway::new(&registry));
        Self { server, seen, _registry: registry }
    }

    pub(super) fn limits(mut self, limits: Limits) -> Self {
        self.server = self.server.limits(limits);
        self
    }

    pub(super) fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }

    /// Listens on a real socket until the handle is aborted.
    pub(super) async fn listen(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = self.server.clone();
        tokio::spawn(async move { server.serve(listener).await });
        address
    }

    /// One connection over a pipe, for clocks that stand still.
    pub(super) fn pipe(&self) -> (DuplexStream, JoinHandle<()>) {
        let (client, io) = tokio::io::duplex(PIPE);
        let server = self.server.clone();
        (client, tokio::spawn(async move { server.connection(io, peer()).await }))
    }

    /// Sends these bytes over a real socket and reads until the server closes.
    pub(super) async fn talk(&self, request: impl AsRef<[u8]>) -> Answers {
        let mut stream = TcpStream::connect(self.listen().await).await.unwrap();
        stream.write_all(request.as_ref()).await.unwrap();
        Answers::read(&mut stream).await
    }
}

pub(super) fn peer() -> Peer {
    Peer::new("192.0.2.1:5000".parse().unwrap(), Scheme::Http)
}

pub(super) fn failure() -> Error {
    Error::new(ErrorKind::Connect, Retry::Never, "")
}

type Answer = Pin<Box<dyn Future<Output = backhaul::Result<Response<Body>>> + Send>>;

/// A backend in this process.
#[derive(Clone)]
struct Inside(Arc<dyn Fn(Request<Body>) -> Answer + Send + Sync>);

impl std::fmt::Debug for Inside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Inside")
    }
}

#[async_trait]
impl Backend for Inside {
    async fn send(&self, request: Request<Body>, _: &Call) -> backhaul::Result<Response<Body>> {
        (self.0)(request).await
    }
}

/// An answer as it came.
#[derive(Debug)]
pub(super) struct Told(pub(super) String);

impl Told {
    pub(super) fn status(&self) -> u16 {
        self.0.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let (head, _) = self.0.split_once("\r\n\r\n")?;
        head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(super) fn code(&self) -> &str {
        self.header("x-ca-error-code").unwrap_or_default()
    }

    pub(super) fn body(&self) -> &str {
        self.0.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }
}

/// All answers on a connection that was closed.
#[derive(Debug)]
pub(super) struct Answers(pub(super) Vec<Told>);

impl Answers {
    pub(super) async fn read(stream: &mut (impl AsyncReadExt + Unpin)) -> Self {
        let mut text = Vec::new();
        let read = stream.read_to_end(&mut text);
        // Long enough for every limit; a clock that stands still needs no patience.
        tokio::time::timeout(PATIENCE.max(Duration::from_secs(4_000)), read)
            .await
            .expect("the connection stays open")
            .unwrap();
        Self::of(&String::from_utf8_lossy(&text))
    }

    pub(super) fn of(text: &str) -> Self {
        // An answer may name a version, too, but no status after it.
        let status = |at: usize| {
            let after = text.get(at + 8..).and_then(|rest| rest.strip_prefix(' '));
            after.is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
        };
        let starts = text.match_indices("HTTP/1.").map(|(at, _)| at);
        let starts: Vec<_> = starts.filter(|at| status(*at)).collect();
        let ends = starts.iter().skip(1).copied().chain([text.len()]);
        Self(starts.iter().zip(ends).map(|(at, end)| Told(text[*at..end].to_owned())).collect())
    }

    pub(super) fn statuses(&self) -> Vec<u16> {
        self.0.iter().map(Told::status).collect()
    }

    pub(super) fn last(&self) -> &Told {
        self.0.last().expect("a silent close")
    }

    /// One answer, which says that the connection ends, with this code.
    pub(super) fn refused(&self, status: u16, code: &str) {
        assert_eq!(self.0.len(), 1, "{self:?}");
        let told = self.last();
        assert_eq!((told.status(), told.code()), (status, code), "{self:?}");
        assert_eq!(told.header("connection"), Some("close"), "{self:?}");
        assert_eq!(told.header("content-type"), Some("application/problem+json"), "{self:?}");
        assert!(told.header("x-ca-request-id").is_some(), "{self:?}");
        assert!(told.body().contains(&format!("\"code\":\"{code}\"")), "{self:?}");
    }
}

/// Reads until `end` was read.
pub(super) async fn read_until(stream: &mut (impl AsyncReadExt + Unpin), end: &str) -> String {
    let mut text = Vec::new();
    // A clock that stands still goes on in large steps.
    let patience = PATIENCE * 10;
    while !text.ends_with(end.as_bytes()) {
        let byte = tokio::time::timeout(patience, stream.read_u8()).await;
        text.push(
            byte.expect("nothing comes")
                .unwrap_or_else(|error| panic!("{error} after {}", String::from_utf8_lossy(&text))),
        );
    }
    String::from_utf8(text).unwrap()
}
