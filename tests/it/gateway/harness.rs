//! A shop with origins that write down what they receive, and a client that speaks raw bytes.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use backhaul::gateway::{Peer, Scheme};
use backhaul::registry::Builder;
use backhaul::{
    Api, Backend, BackendService, Body, Call, Change, Custom, Environment, Error, ErrorKind,
    Gateway, Group, Kind, Registry, Retry,
};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower_service::Service;

pub(crate) const TEST: Environment = Environment::TEST;
pub(crate) const LIVE: Environment = Environment::PRODUCTION;

/// How long anything on this machine may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A backend that makes one HTTP/1.1 connection per request.
#[derive(Debug, Deserialize)]
pub(crate) struct Wire {
    address: SocketAddr,
}

#[async_trait]
impl Backend for Wire {
    async fn send(&self, mut request: Request<Body>, _: &Call) -> backhaul::Result<Response<Body>> {
        let failed = |kind, error: &dyn std::fmt::Display| {
            Error::new(kind, Retry::Never, "").caused_by(error.to_string())
        };
        let stream = TcpStream::connect(self.address)
            .await
            .map_err(|error| failed(ErrorKind::Connect, &error))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| failed(ErrorKind::Connect, &error))?;
        tokio::spawn(connection);
        if !request.headers().contains_key("host") {
            let host = self.address.to_string().parse().unwrap();
            request.headers_mut().insert("host", host);
        }
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| failed(ErrorKind::BadResponse, &error))?;
        let broken = move |error: hyper::Error| failed(ErrorKind::BadResponse, &error);
        Ok(response.map(|body| Body::new(body.map_err(broken))))
    }
}

/// What a backend made of a closure answers.
pub(crate) type Answering = Arc<dyn Fn(Request<Body>) -> Answer + Send + Sync>;
pub(crate) type Answer =
    std::pin::Pin<Box<dyn Future<Output = backhaul::Result<Response<Body>>> + Send>>;

/// A backend in this process.
#[derive(Clone)]
struct InProcess(Answering);

impl std::fmt::Debug for InProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InProcess")
    }
}

#[async_trait]
impl Backend for InProcess {
    async fn send(&self, request: Request<Body>, _: &Call) -> backhaul::Result<Response<Body>> {
        (self.0)(request).await
    }
}

pub(crate) fn wire(origin: &Origin) -> Custom {
    Custom::new("wire").unwrap().set("address", origin.address.to_string())
}

pub(crate) fn kind(name: &str) -> BackendService {
    Kind::custom(name).unwrap().into()
}

/// An empty registry that knows the kind `wire`.
pub(crate) async fn registry() -> Registry {
    Registry::builder().kind("wire", |wire: Wire| Ok(wire)).in_memory().await.unwrap()
}

pub(crate) async fn apply(registry: &Registry, change: Change) -> backhaul::Receipt {
    registry.publisher("test").apply(change).await.unwrap()
}

/// A gateway with one API, ANY `/*` on host `a`, answered by a closure.
pub(crate) async fn answered_by<F, A>(answer: F) -> (Registry, Gateway)
where
    F: Fn(Request<Body>) -> A + Send + Sync + 'static,
    A: Future<Output = backhaul::Result<Response<Body>>> + Send + 'static,
{
    answered_with(Registry::builder(), answer).await
}

/// The same on a registry of its own.
pub(crate) async fn answered_with<F, A>(builder: Builder, answer: F) -> (Registry, Gateway)
where
    F: Fn(Request<Body>) -> A + Send + Sync + 'static,
    A: Future<Output = backhaul::Result<Response<Body>>> + Send + 'static,
{
    let answer: Answering = Arc::new(move |request| Box::pin(answer(request)));
    let backend = InProcess(answer);
    let registry = builder
        .kind("inside", move |_: serde_json::Value| Ok(backend.clone()))
        .in_memory()
        .await
        .unwrap();
    let change = Change::new()
        .service("inside", kind("inside"))
        .define("inside", LIVE, Custom::new("inside").unwrap())
        .group("group", Group::host("a"))
        .api("group/everything", Api::any("/*").service_same_path("inside").max_body(1000))
        .publish("group/everything", LIVE);
    apply(&registry, change).await;
    let gateway = Gateway::new(&registry);
    (registry, gateway)
}

/// Calls a gateway without a socket.
pub(crate) async fn call<B>(gateway: &Gateway, request: Request<B>) -> Response<Body>
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    gateway.clone().call(request).await.unwrap_or_else(|never: Infallible| match never {})
}

pub(crate) fn code(response: &Response<Body>) -> &str {
    response.headers().get("x-ca-error-code").map_or("", |code| code.to_str().unwrap())
}

/// An origin on a real socket that keeps what it received.
pub(crate) struct Origin {
    pub(crate) address: SocketAddr,
    pub(crate) heads: Arc<Mutex<Vec<String>>>,
}

impl Origin {
    /// Answers every request with `200` and its own name, and reads bodies of known length.
    pub(crate) async fn named(name: &'static str) -> Self {
        Self::start(move |mut stream, head| async move {
            let mut body = vec![0; content_length(&head)];
            stream.read_exact(&mut body).await.unwrap();
            let length = name.len();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{name}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        })
        .await
    }

    /// Answers every request with these bytes, then closes.
    pub(crate) async fn raw(answer: &'static str) -> Self {
        Self::start(move |mut stream, _| async move {
            stream.write_all(answer.as_bytes()).await.unwrap();
        })
        .await
    }

    /// Hands each connection on once a request's head has arrived on it.
    pub(crate) async fn start<F, A>(handle: F) -> Self
    where
        F: Fn(TcpStream, String) -> A + Send + Sync + 'static,
        A: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (kept, handle) = (Arc::clone(&heads), Arc::new(handle));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (kept, handle) = (Arc::clone(&kept), Arc::clone(&handle));
                tokio::spawn(async move {
                    let head = read_head(&mut stream).await;
                    kept.lock().unwrap().push(head.clone());
                    handle(stream, head).await;
                });
            }
        });
        Self { address, heads }
    }

    /// The heads received so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// The last head, its lines sorted after the first.
    pub(crate) fn last(&self) -> Vec<String> {
        let head = self.heads().pop().expect("the origin received nothing");
        let mut lines: Vec<_> = head.trim_end().split("\r\n").map(str::to_owned).collect();
        lines[1..].sort();
        lines
    }
}

pub(crate) fn content_length(head: &str) -> usize {
    head.lines()
        .filter_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok()
        })
        .next()
        .unwrap_or(0)
}

/// Reads byte by byte, so that nothing after the head is taken.
pub(crate) async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).await.unwrap_or(0) == 0 {
            break;
        }
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

/// Serves a gateway on a real socket, by hyper, each connection with its peer.
pub(crate) async fn serve(gateway: &Gateway) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let gateway = gateway.clone();
    tokio::spawn(async move {
        while let Ok((stream, peer)) = listener.accept().await {
            let gateway = gateway.peer(Peer::new(peer, Scheme::Http));
            let service = TowerToHyperService::new(gateway);
            let server = hyper::server::conn::http1::Builder::new();
            tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

/// Sends bytes and reads until the gateway closes.
pub(crate) async fn talk(address: SocketAddr, bytes: impl AsRef<[u8]>) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_ref()).await.unwrap();
    read_all(&mut stream).await
}

pub(crate) async fn read_all(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer));
    // A reset after the answer is a close, too.
    let _ = read.await.expect("the connection stays open");
    String::from_utf8_lossy(&answer).into_owned()
}

/// Sends a request without a body that asks for the connection to be closed.
pub(crate) async fn ask(address: SocketAddr, line: &str, headers: &[&str]) -> Told {
    let mut request = format!("{line} HTTP/1.1\r\nconnection: close\r\n");
    for header in headers {
        request.push_str(header);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    Told(talk(address, request).await)
}

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Told(pub(crate) String);

impl Told {
    pub(crate) fn status(&self) -> u16 {
        self.0.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let (head, _) = self.0.split_once("\r\n\r\n")?;
        head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn code(&self) -> &str {
        self.header("x-ca-error-code").unwrap_or_default()
    }

    pub(crate) fn message(&self) -> &str {
        self.header("x-ca-error-message").unwrap_or_default()
    }

    pub(crate) fn body(&self) -> &str {
        self.0.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }
}

/// Two origins, and a gateway before them: `old` serves TEST, `new` RELEASE.
pub(crate) struct Shop {
    pub(crate) registry: Registry,
    pub(crate) gateway: Gateway,
    pub(crate) address: SocketAddr,
    pub(crate) old: Origin,
    pub(crate) new: Origin,
}

pub(crate) const HOST: &str = "Host: shop.example.com";

impl Shop {
    pub(crate) async fn open() -> Self {
        let (old, new) = (Origin::named("old").await, Origin::named("new").await);
        let registry = registry().await;
        let group = Group::host("shop.example.com")
            .stage_host("test.shop.example.com", "TEST")
            .base_path("/shop");
        let get = Api::get("/orders/[id]").service("orders", "/v1/orders/[id]");
        let change = Change::new()
            .service("orders", kind("wire"))
            .define("orders", TEST, wire(&old))
            .define("orders", LIVE, wire(&new))
            .group("shop", group)
            .api("shop/get_order", get)
            .api("shop/files", Api::any("/files/*").service_same_path("orders"))
            .api("shop/tail", Api::get("/tail/[a]/*").service("orders", "/t/[a]/x/*"))
            .api("shop/only_live", Api::post("/live").service_same_path("orders"))
            .publish("shop/get_order", TEST)
            .publish("shop/get_order", LIVE)
            .publish("shop/files", LIVE)
            .publish("shop/tail", LIVE)
            .publish("shop/only_live", LIVE);
        apply(&registry, change).await;
        let gateway = Gateway::new(&registry);
        let address = serve(&gateway).await;
        Self { registry, gateway, address, old, new }
    }

    /// Asks with the shop's host.
    pub(crate) async fn ask(&self, line: &str, headers: &[&str]) -> Told {
        let headers: Vec<_> = [HOST].iter().chain(headers).copied().collect();
        ask(self.address, line, &headers).await
    }
}

pub(crate) fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}
