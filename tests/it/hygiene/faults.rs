//! Row U-15: whatever fails on the way to an answer is told as what it is, and in time.

use std::net::SocketAddr;
use std::time::Duration;

use backhaul::gateway::limits::BODY_IDLE;
use backhaul::model::definition::WireProtocol::{self, Http1, Http2};
use backhaul::transport::dns::{Answer, Failed, Resolve};
use backhaul::{Api, Body, Change, Gateway, Group, Http, Kind, Registry};
use http::{Request, Response};
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::Instant;

use crate::gateway::harness::{LIVE, apply, call, code};

/// What an API gives its backend for a head.
const LIMIT: Duration = Duration::from_secs(1);
/// What may pass beyond a limit.
const GRACE: Duration = Duration::from_millis(100);

/// A name that is unknown, one about which nobody says anything, and one at an address that is refused.
#[derive(Debug)]
struct Names;

#[async_trait::async_trait]
impl Resolve for Names {
    async fn resolve(&self, name: &str, _: Duration) -> Result<Answer, Failed> {
        match name {
            "silent.internal" => std::future::pending().await,
            "metadata.internal" => Ok(Answer::new(["169.254.169.254".parse().unwrap()])),
            _ => Err(Failed::new("no such name")),
        }
    }
}

/// How far a backend gets before it fails.
#[derive(Clone, Copy, Debug)]
enum Until {
    Accepted,
    Asked,
    Begun,
}

/// How it fails.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Closes,
    Resets,
    IsSilent,
    SaysNonsense,
}

use Fault::{Closes, IsSilent, Resets, SaysNonsense};
use Until::{Accepted, Asked, Begun};

/// A first frame without settings.
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
/// The head of an answer 200, and two bytes of its body.
const HALF: &[u8] = b"\0\0\x01\x01\x04\0\0\0\x01\x88\0\0\x02\0\0\0\0\0\x01ab";
/// Data of no stream.
const NO_FRAME: &[u8] = b"\0\0\x01\0\0\0\0\0\0x";

/// Reads until a request is there.
async fn request(stream: &mut TcpStream, protocol: WireProtocol) {
    let mut read = Vec::new();
    loop {
        let there = match protocol {
            Http1 => read.ends_with(b"\r\n\r\n"),
            _ => has_headers(&read),
        };
        if there || stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
            return;
        }
    }
}

/// Whether a frame with headers came after the preface.
fn has_headers(read: &[u8]) -> bool {
    let mut rest = read.get(24..).unwrap_or_default();
    while let [_, high, low, sort, _, _, _, _, _, after @ ..] = rest {
        if *sort == 1 {
            return true;
        }
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        rest = after.get(length..).unwrap_or_default();
    }
    false
}

async fn fail(mut stream: TcpStream, protocol: WireProtocol, until: Until, fault: Fault) {
    let (head, nonsense) = match (protocol, until) {
        (Http1, Begun) => (
            &b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"[..],
            &b"zz\r\n"[..],
        ),
        (Http1, _) => (&b""[..], &b"nonsense\r\n\r\n"[..]),
        (_, Accepted) => (&b""[..], &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..]),
        (_, Asked) => (&b""[..], NO_FRAME),
        (_, Begun) => (HALF, NO_FRAME),
    };
    // Who asks may have gone.
    if !matches!(until, Accepted) {
        if matches!(protocol, Http2) {
            let _ = stream.write_all(SETTINGS).await;
        }
        request(&mut stream, protocol).await;
    }
    let _ = stream.write_all(head).await;
    match fault {
        Closes => {}
        Resets => {
            // What is on its way a reset would take back.
            tokio::time::sleep(GRACE / 2).await;
            stream.set_zero_linger().unwrap();
        }
        IsSilent => std::future::pending().await,
        SaysNonsense => {
            let _ = stream.write_all(nonsense).await;
            while stream.read(&mut [0; 1024]).await.unwrap_or(0) > 0 {}
        }
    }
}

async fn upstream(protocol: WireProtocol, until: Until, fault: Fault) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(fail(stream, protocol, until, fault));
        }
    });
    address
}

/// The answer of a gateway whose backend is at this URL, and how long it took.
async fn answer(url: &str, protocol: WireProtocol) -> (Response<Body>, Duration) {
    let builder = Registry::builder().allow_loopback().transport(|it| it.resolver(Names));
    let registry = builder.in_memory().await.unwrap();
    let mut http = Http::to(url);
    http.protocol = Some(protocol);
    let change = Change::new()
        .service("all", Kind::HTTP)
        .define("all", LIVE, http)
        .group("all", Group::host("a"))
        .api("all/everything", Api::get("/*").service_same_path("all").timeout(LIMIT))
        .publish("all/everything", LIVE);
    apply(&registry, change).await;
    let begun = Instant::now();
    let request = Request::get("/").header("host", "a").body(Body::empty()).unwrap();
    let response = call(&Gateway::new(&registry), request).await;
    (response, begun.elapsed())
}

async fn is_told(url: &str, protocol: WireProtocol, expected: &str, what: &str) {
    let (response, taken) = answer(url, protocol).await;
    assert_eq!(code(&response), expected, "{what} with {protocol:?}");
    assert!(taken <= LIMIT + GRACE, "{what} with {protocol:?}: {taken:?}");
}

/// An address that takes no more connections and refuses none: its queue is full.
async fn full() -> (SocketAddr, TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    while let Ok(stream) = tokio::time::timeout(GRACE, TcpStream::connect(address)).await {
        queued.push(stream.unwrap());
        assert!(queued.len() < 100, "the queue has no end");
    }
    (address, listener, queued)
}

#[tokio::test(start_paused = true)]
async fn u_15_without_a_connection() {
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let (full, _listener, _queued) = full().await;
    for protocol in [Http1, Http2] {
        for (host, expected) in [
            (closed.to_string(), "D504CO"),
            (full.to_string(), "D504TO"),
            ("unknown.internal".to_owned(), "D504CO"),
            ("silent.internal".to_owned(), "D504TO"),
            ("metadata.internal".to_owned(), "D504CO"),
        ] {
            is_told(&format!("http://{host}"), protocol, expected, &host).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn u_15_amid_a_handshake() {
    for (fault, expected) in
        [(Closes, "D504CO"), (Resets, "D504CO"), (SaysNonsense, "D504CO"), (IsSilent, "D504TO")]
    {
        let what = format!("a backend that {fault:?}");
        let address = upstream(Http2, Accepted, fault).await;
        is_told(&format!("http://{address}"), Http2, expected, &what).await;
        #[cfg(any(feature = "tls-aws-lc", feature = "tls-ring"))]
        for protocol in [Http1, Http2] {
            is_told(&format!("https://{address}"), protocol, expected, &what).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn u_15_before_an_answer() {
    for protocol in [Http1, Http2] {
        for (fault, expected) in
            [(Closes, "D504CO"), (Resets, "D504CO"), (SaysNonsense, "D502BR"), (IsSilent, "D504TO")]
        {
            let what = format!("a backend that {fault:?}");
            let address = upstream(protocol, Asked, fault).await;
            is_told(&format!("http://{address}"), protocol, expected, &what).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn u_15_amid_an_answer() {
    for protocol in [Http1, Http2] {
        for fault in [Closes, Resets, SaysNonsense, IsSilent] {
            let what = format!("a backend that {fault:?} with {protocol:?}");
            let address = upstream(protocol, Begun, fault).await;
            let (response, taken) = answer(&format!("http://{address}"), protocol).await;
            assert_eq!((response.status().as_u16(), code(&response)), (200, ""), "{what}");
            assert!(taken <= LIMIT + GRACE, "{what}: {taken:?}");
            let begun = Instant::now();
            let mut body = response.into_body();
            let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
            assert_eq!(first, "ab", "{what}");
            let rest = body.frame().await.expect("it ends as if it were whole");
            assert!(rest.is_err(), "{what}");
            assert!(begun.elapsed() <= BODY_IDLE + GRACE, "{what}: {:?}", begun.elapsed());
        }
    }
}
