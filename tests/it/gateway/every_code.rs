//! Every code the gateway can answer with, brought about on the wire. A new kind of failure fails here
//! until it has its case.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use backhaul::gateway::{MemoryNonces, ProxyName};
use backhaul::model::{
    Access, App, Grant, Location, Mode, Parameter, ParameterType, Protocol, Visibility,
};
use backhaul::sync::lease;
use backhaul::testing::{FakeUpstream, Script, Step};
use backhaul::time::Timestamp;
use backhaul::transport::{Egress, Pool, Transport};
use backhaul::{
    Api, Backend, Body, Call, Change, Custom, Error, ErrorKind, FunctionCompute, Gateway, Group,
    Registry, Retry,
};
use http::{Request, Response};
use serde::Deserialize;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::super::admission::signer::signature;
use super::harness::{
    HOST, LIVE, Origin, PATIENCE, Shop, Told, answered_by, apply, ask, kind, serve, talk, wire,
};

/// What the gateways here call themselves.
const NAME: &str = "edge";

/// How a kind of failure can be seen.
enum Case {
    Told(Told),
    /// Why it cannot be seen on the wire.
    Unseen(&'static str),
}

/// A shop in which everything can fail that a client on the wire can see.
async fn frail_shop() -> Shop {
    let mut shop = Shop::open().await;
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
    let quickly = Duration::from_millis(50);
    let change = refusing_apis(Change::new())
        .api("shop/guarded", Api::any("/guarded").service_same_path("orders").access(Access::App))
        .api("shop/numbered", numbered())
        .api(
            "shop/encrypted",
            Api::get("/encrypted").service_same_path("orders").protocol([Protocol::Https]),
        )
        .api(
            "shop/inside",
            Api::get("/inside").service_same_path("orders").visibility(Visibility::Private),
        )
        .app("caller", App::new().key(KEY, SECRET).code("the-code"))
        .app("former", App::new().code("the-former-code"))
        .app("stranger", App::new().code("the-strange-code"))
        .grant("caller", "shop/guarded", LIVE, Grant::unlimited())
        .grant("former", "shop/guarded", LIVE, Grant::until(Timestamp::from_millis(1)))
        .api(
            "shop/function",
            Api::get("/function").inline(FunctionCompute::event("cn-hangzhou", "f")),
        )
        .api("shop/small", Api::post("/small").service_same_path("orders").max_body(3))
        .api("shop/closed", Api::get("/closed").inline(wire(&refusing)))
        .api("shop/garbled", Api::get("/garbled").inline(wire(&garbled)))
        .api("shop/silent", Api::get("/silent").inline(wire(&silent)).timeout(quickly));
    let apis = [
        "guarded",
        "numbered",
        "encrypted",
        "inside",
        "mapped",
        "schemed",
        "function",
        "small",
        "closed",
        "garbled",
        "silent",
    ];
    let change = apis.iter().fold(change, |c, api| c.publish(format!("shop/{api}"), LIVE));
    apply(&shop.registry, change).await;
    shop.gateway = named(shop.gateway);
    shop.address = serve(&shop.gateway).await;
    shop
}

/// Adds the APIs that refuse what does not suit them.
fn refusing_apis(change: Change) -> Change {
    let change = change.api("shop/schemed", schemed());
    change.api("shop/mapped", mapped())
}

fn named(gateway: Gateway) -> Gateway {
    let inside = "192.0.2.0/24".parse().unwrap();
    gateway.proxy_status(NAME.parse::<ProxyName>().unwrap()).intranet([inside])
}

fn numbered() -> Api {
    let mut api = Api::get("/numbered").service_same_path("orders").access(Access::App);
    api.force_nonce = true;
    api
}

/// An API that takes a number from the query, and a form.
fn mapped() -> Api {
    let number = Parameter::new("number", Location::Query).kind(ParameterType::Int).required();
    let field = Parameter::new("field", Location::Body);
    let api = Api::post("/mapped").service_same_path("orders").mode(Mode::Mapping);
    api.parameter(number).parameter(field)
}

/// An API whose parameter is JSON.
fn schemed() -> Api {
    let mut id = Parameter::new("id", Location::Path);
    id.schema = Some(serde_json::json!({ "type": "string" }));
    Api::get("/schemed/[id]").service_same_path("orders").parameter(id)
}

const KEY: &str = "203753385";
const SECRET: &str = "sampleSecret1";

/// Asks for what only applications may call, signed as `text` says.
async fn signed(address: SocketAddr, line: &str, lines: &[&str], text: &str, body: &str) -> Told {
    let signature = signature(SECRET, None, text.as_bytes());
    let lines = lines.join("\r\n");
    let head = format!(
        "{line} HTTP/1.1\r\n{HOST}\r\nconnection: close\r\nx-ca-key: {KEY}\r\n\
         x-ca-signature: {signature}\r\ncontent-length: {}\r\n{lines}\r\n\r\n{body}",
        body.len(),
    );
    Told(talk(address, head).await)
}

/// The same request twice, with a nonce.
async fn repeated(address: SocketAddr) -> Told {
    let lines = ["x-ca-nonce: n", "x-ca-signature-headers: x-ca-nonce"];
    let text = "GET\n\n\n\n\nx-ca-nonce:n\n/shop/guarded";
    signed(address, "GET /shop/guarded", &lines, text, "").await;
    signed(address, "GET /shop/guarded", &lines, text, "").await
}

/// A request of an application that is refused.
async fn of_an_application(kind: ErrorKind, shop: &Shop) -> Told {
    let guarded = async |lines: &[&str]| shop.ask("GET /shop/guarded", lines).await;
    let key = format!("x-ca-key: {KEY}");
    let wrong = [key.as_str(), "x-ca-signature: d3Jvbmc="];
    let with = |line: &'static str| [wrong[0], wrong[1], line];
    match kind {
        ErrorKind::MissingCredentials => guarded(&[]).await,
        ErrorKind::MissingHeader => guarded(&[&key]).await,
        ErrorKind::InvalidAppCode => guarded(&["Authorization: APPCODE not-a-code"]).await,
        ErrorKind::UnknownAppKey => guarded(&["x-ca-key: nobody-1", wrong[1]]).await,
        ErrorKind::InvalidSignatureMethod => guarded(&with("x-ca-signature-method: none")).await,
        ErrorKind::InvalidTimestamp => guarded(&with("x-ca-timestamp: 0")).await,
        ErrorKind::MissingNonce => shop.ask("GET /shop/numbered", &wrong).await,
        ErrorKind::InvalidSignature => guarded(&wrong).await,
        ErrorKind::NonceUsed => repeated(shop.address).await,
        ErrorKind::NotGranted => guarded(&["Authorization: APPCODE the-strange-code"]).await,
        ErrorKind::GrantExpired => guarded(&["Authorization: APPCODE the-former-code"]).await,
        ErrorKind::NoncesUnavailable => {
            let full = shop.gateway.clone().nonces(MemoryNonces::with_limit(0));
            repeated(serve(&full).await).await
        }
        ErrorKind::InvalidDigest => {
            let digest = "kAFQmDzST7DWlj99KOF/cg==";
            let text = format!("POST\n\n{digest}\n\n\n/shop/guarded");
            let line = format!("content-md5: {digest}");
            signed(shop.address, "POST /shop/guarded", &[&line], &text, "abd").await
        }
        other => panic!("{other:?} is no refusal of an application"),
    }
}

/// The failure of a backend that fails like this.
async fn failing(kind: ErrorKind) -> Told {
    let (_registry, gateway) = answered_by(move |_| async move {
        Err(Error::new(kind, Retry::Never, "what it was").caused_by("10.0.0.7 refused"))
    })
    .await;
    ask(serve(&named(gateway)).await, "GET /", &["Host: a"]).await
}

/// A backend with room for one request at a time, and hardly any patience.
#[derive(Debug)]
struct Narrow(Pool);

#[derive(Debug, Deserialize)]
struct NarrowTo {
    url: String,
}

#[async_trait]
impl Backend for Narrow {
    async fn send(&self, mut request: Request<Body>, _: &Call) -> backhaul::Result<Response<Body>> {
        request.headers_mut().insert("host", "upstream".parse().unwrap());
        self.0.send(request, Duration::from_millis(10)).await
    }
}

/// A request that finds no place, because the only one is taken.
async fn crowded() -> Told {
    let upstream = FakeUpstream::start(|_| Script::new().then(Step::Hang)).await.unwrap();
    let narrow = |to: NarrowTo| {
        let builder = Transport::builder().egress(Egress::default().allow_loopback());
        let transport = builder.max_connections(1).build().unwrap();
        let pool = Pool::new(&transport, &to.url.parse().unwrap(), Arc::new(lease().0)).unwrap();
        Ok(Narrow(pool))
    };
    let registry = Registry::builder().kind("narrow", narrow).in_memory().await.unwrap();
    let change = Change::new()
        .service("narrow", kind("narrow"))
        .define("narrow", LIVE, Custom::new("narrow").unwrap().set("url", upstream.url()))
        .group("group", Group::host("a"))
        .api("group/everything", Api::any("/*").service_same_path("narrow"))
        .publish("group/everything", LIVE);
    apply(&registry, change).await;
    let address = serve(&named(Gateway::new(&registry))).await;
    let mut first = TcpStream::connect(address).await.unwrap();
    first.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert!(upstream.has_open(1, PATIENCE).await);
    ask(address, "GET /", &["Host: a"]).await
}

/// A request with the `Via` that the gateway gave an earlier one.
async fn come_back(shop: &Shop) -> Told {
    shop.ask("GET /shop/orders/1", &[]).await;
    let head = shop.new.last();
    let via = head.iter().find(|line| line.starts_with("via: ")).unwrap();
    shop.ask("GET /shop/orders/1", &[via]).await
}

async fn malformed(shop: &Shop) -> Told {
    let head = format!("POST /shop/small HTTP/1.1\r\n{HOST}\r\ntransfer-encoding: chunked\r\n\r\n");
    Told(talk(shop.address, format!("{head}zz\r\n")).await)
}

/// What only a server sees that reads every byte itself.
#[cfg(feature = "server")]
async fn on_sockets(kind: ErrorKind, shop: &Shop) -> Told {
    use backhaul::serve::{Limits, Server};
    let limits = Limits::new().head(Duration::from_millis(50));
    let server = Server::new(named(shop.gateway.clone())).limits(limits);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let _serving = tokio::spawn(async move { server.serve(listener).await });
    let head = match kind {
        ErrorKind::InvalidUri => "GET  /shop/orders/1 HTTP/1.1\r\nHost: a\r\n\r\n",
        _ => "GET /shop/orders/1 HTTP/1.1\r\nHost:",
    };
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    Told(super::harness::read_all(&mut stream).await)
}

async fn case(kind: ErrorKind, shop: &Shop) -> Case {
    let long = format!("GET /shop/{}", "a".repeat(9000));
    let large = format!("X-Large: {}", "v".repeat(16_500));
    let order = "GET /shop/orders/1";
    Case::Told(match kind {
        ErrorKind::InvalidHeader => shop.ask(order, &[HOST]).await,
        ErrorKind::InvalidStage => shop.ask(order, &["X-Ca-Stage: NO"]).await,
        ErrorKind::InvalidPath => shop.ask("GET /shop/..", &[]).await,
        ErrorKind::InvalidBody => malformed(shop).await,
        ErrorKind::UnknownHost => ask(shop.address, "GET /", &["Host: b"]).await,
        ErrorKind::NotFound => shop.ask("GET /shop/none", &[]).await,
        ErrorKind::UnsupportedMethod => shop.ask("TRACE /shop/orders/1", &[]).await,
        ErrorKind::BodyTooLarge => shop.ask("POST /shop/small", &["Content-Length: 4"]).await,
        ErrorKind::UrlTooLarge => shop.ask(&long, &[]).await,
        ErrorKind::HeadersTooLarge => shop.ask(order, &[&large]).await,
        ErrorKind::NotImplemented => shop.ask(order, &["Transfer-Encoding: gzip, chunked"]).await,
        #[cfg(feature = "schema")]
        ErrorKind::InvalidJson => shop.ask("GET /shop/schemed/text", &[]).await,
        #[cfg(not(feature = "schema"))]
        ErrorKind::InvalidJson => {
            return Case::Unseen("no schema is looked at without the feature `schema`");
        }
        ErrorKind::MissingParameter => shop.ask("POST /shop/mapped", &[]).await,
        ErrorKind::InvalidParameter => shop.ask("POST /shop/mapped?number=one", &[]).await,
        ErrorKind::InvalidContentType => {
            let lines = ["content-type: text/plain", "content-length: 1"];
            shop.ask("POST /shop/mapped?number=1", &lines).await
        }
        ErrorKind::InvalidProtocol => shop.ask("GET /shop/encrypted", &[]).await,
        ErrorKind::InternetDisabled => shop.ask("GET /shop/inside", &[]).await,
        ErrorKind::AdapterMissing => shop.ask("GET /shop/function", &[]).await,
        ErrorKind::Internal => failing(kind).await,
        ErrorKind::LoopDetected => come_back(shop).await,
        ErrorKind::Busy => crowded().await,
        ErrorKind::Connect => shop.ask("GET /shop/closed", &[]).await,
        ErrorKind::Timeout => shop.ask("GET /shop/silent", &[]).await,
        ErrorKind::BadResponse => shop.ask("GET /shop/garbled", &[]).await,
        ErrorKind::ClientGone => {
            return Case::Unseen(
                "there is nobody left to read the answer; `answers` asks without a socket",
            );
        }
        #[cfg(feature = "server")]
        ErrorKind::InvalidUri | ErrorKind::RequestTimeout => on_sockets(kind, shop).await,
        #[cfg(not(feature = "server"))]
        ErrorKind::InvalidUri | ErrorKind::RequestTimeout => {
            return Case::Unseen("told by the module that serves on sockets, feature `server`");
        }
        other => of_an_application(other, shop).await,
    })
}

#[tokio::test]
async fn a_25_every_code_is_told_on_the_wire() {
    let shop = frail_shop().await;
    let mut identities = std::collections::HashSet::new();
    for kind in ErrorKind::ALL {
        match case(*kind, &shop).await {
            Case::Told(answer) => {
                check(&answer, *kind);
                let identity = answer.header("x-ca-request-id").unwrap().to_owned();
                assert!(identities.insert(identity), "{kind:?}");
            }
            Case::Unseen(reason) => assert!(reason.len() > 20, "{kind:?}"),
        }
    }
}

/// Checks that an answer tells this failure, in its headers and in its body, and nothing about where.
fn check(answer: &Told, kind: ErrorKind) {
    let expected = kind.answer();
    assert_eq!(answer.code(), expected.code, "{answer:?}");
    assert_eq!(answer.status(), expected.status.as_u16(), "{answer:?}");
    assert!(answer.message().starts_with(expected.message), "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    let identity = answer.header("x-ca-request-id").unwrap();
    assert_eq!(identity.len(), 36, "{answer:?}");
    let problem: serde_json::Value = serde_json::from_str(answer.body()).unwrap();
    assert_eq!(problem["type"], "about:blank");
    assert!(problem["title"].is_string());
    assert_eq!(problem["status"], expected.status.as_u16());
    assert_eq!(problem["code"], expected.code);
    assert_eq!(problem["request_id"], identity);
    assert_eq!(problem["detail"], answer.message());
    let error = kind.proxy_error().unwrap();
    let told = format!("{NAME}; error={error}; details=\"{} {}\"", expected.code, expected.message);
    assert_eq!(answer.header("proxy-status"), Some(told.as_str()));
    for hidden in ["127.0.0.1", "10.0.0.7"] {
        assert!(!answer.0.contains(hidden), "{answer:?}");
    }
}

#[tokio::test]
async fn headers_too_many_are_refused_too() {
    let shop = Shop::open().await;
    let answer = shop.ask("GET /shop/orders/1", &["X: 1"; 101]).await;
    assert_eq!(answer.status(), 431, "hyper or the gateway: {answer:?}");
}

#[tokio::test]
async fn without_a_name_nothing_is_said_of_the_proxy() {
    let shop = Shop::open().await;
    for path in ["none", "orders/1"] {
        let answer = shop.ask(&format!("GET /shop/{path}"), &[]).await;
        assert_eq!(answer.header("proxy-status"), None, "{answer:?}");
    }
}

#[tokio::test]
async fn a_backends_answer_says_which_way_it_came() {
    let shop = Shop::open().await;
    let origin = Origin::raw(
        "HTTP/1.1 503 No\r\ncontent-length: 0\r\nproxy-status: cache; received-status=503\r\n\r\n",
    )
    .await;
    apply(&shop.registry, Change::new().define("orders", LIVE, wire(&origin))).await;
    let address = serve(&named(shop.gateway.clone())).await;
    let answer = ask(address, "GET /shop/orders/1", &[HOST]).await;
    let lines: Vec<_> =
        answer.0.lines().filter(|line| line.starts_with("proxy-status: ")).collect();
    let expected =
        ["proxy-status: cache; received-status=503", "proxy-status: edge; received-status=503"];
    assert_eq!((answer.status(), lines.as_slice()), (503, &expected[..]));
    assert_eq!(answer.code(), "");
}
