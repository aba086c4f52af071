//! Any requests between a pipe and a backend that answers anything: every request has an answer or its
//! connection ends, the backend is sent what its API says and nothing else, and no cut answer looks whole.

#![no_main]

use std::time::Duration;

use arbitrary::Arbitrary;
use backhaul::gateway::{Peer, Scheme};
use backhaul::serve::Server;
use backhaul::testing::{FakeUpstream, Received, Script, Step};
use backhaul::{Api, Change, Environment, Gateway, Group, Http, Kind, Registry};
use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Builder;

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"];
const STATUSES: [u16; 12] = [200, 200, 201, 204, 206, 301, 304, 404, 500, 503, 100, 103];
/// Fields of requests and answers that mean something to who passes them on.
const FIELDS: [&str; 16] = [
    "connection",
    "te",
    "trailer",
    "expect",
    "upgrade",
    "via",
    "forwarded",
    "x-forwarded-for",
    "content-type",
    "content-encoding",
    "cookie",
    "range",
    "set-cookie",
    "x-ca-request-mode",
    "keep-alive",
    "x_forwarded_for",
];
/// More than this is no fault of a request.
const REQUESTS: usize = 6;
const PATIENCE: Duration = Duration::from_secs(20);
const CLIENT: &str = "192.0.2.7";

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Framing {
    Nothing,
    Length,
    Chunked,
    Trailers,
    /// Fewer bytes than are told of.
    Short(u8),
    /// No last chunk.
    Cut,
    /// Two ways to read it.
    Both,
}

#[derive(Arbitrary, Clone, Debug)]
struct Message<'a> {
    first: u8,
    path: &'a str,
    fields: Vec<(u8, &'a str)>,
    framing: Framing,
    body: &'a [u8],
}

/// What a line of a head can hold.
fn line(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).collect()
}

impl Message<'_> {
    fn is_whole(&self) -> bool {
        !matches!(self.framing, Framing::Short(_) | Framing::Cut | Framing::Both)
    }

    /// The head's fields, the empty line and the body.
    fn write(&self, out: &mut Vec<u8>) {
        for (field, value) in &self.fields {
            let name = FIELDS[usize::from(*field) % FIELDS.len()];
            out.extend(format!("{name}: {}\r\n", line(value)).bytes());
        }
        let length = self.body.len();
        let told = match self.framing {
            Framing::Nothing => return out.extend_from_slice(b"\r\n"),
            Framing::Length => format!("content-length: {length}\r\n\r\n"),
            Framing::Short(more) => {
                format!("content-length: {}\r\n\r\n", length + usize::from(more) + 1)
            }
            Framing::Both => {
                format!("content-length: {length}\r\ntransfer-encoding: chunked\r\n\r\n")
            }
            Framing::Chunked | Framing::Trailers | Framing::Cut => {
                return self.write_chunked(out);
            }
        };
        out.extend_from_slice(told.as_bytes());
        out.extend_from_slice(self.body);
    }

    fn write_chunked(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n");
        if !self.body.is_empty() {
            out.extend(format!("{:x}\r\n", self.body.len()).bytes());
            out.extend_from_slice(self.body);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(match self.framing {
            Framing::Cut => b"",
            Framing::Trailers => b"0\r\nx-sum: 1\r\n\r\n",
            _ => b"0\r\n\r\n",
        });
    }

    /// As the `number`th request of a client.
    fn ask(&self, number: usize, last: bool, out: &mut Vec<u8>) {
        let method = METHODS[usize::from(self.first) % METHODS.len()];
        let path: String = line(self.path).chars().filter(|char| !" #".contains(*char)).collect();
        let head = format!("{method} /a/{number}/{path} HTTP/1.1\r\nhost: shop.example.com\r\n");
        out.extend_from_slice(head.as_bytes());
        if last {
            out.extend_from_slice(b"connection: close\r\n");
        }
        self.write(out);
    }

    /// As a backend's answer. It closes unless nothing more can be waited for.
    fn answer(&self) -> Script {
        let status = STATUSES[usize::from(self.first) % STATUSES.len()];
        let mut bytes = format!("HTTP/1.1 {status} {}\r\n", line(self.path)).into_bytes();
        self.write(&mut bytes);
        let bounded = self.is_whole() && !matches!(self.framing, Framing::Nothing);
        let script = Script::raw(bytes);
        if bounded && status == 200 { script } else { script.then(Step::Close) }
    }

    fn looks_whole(&self) -> bool {
        !matches!(self.framing, Framing::Cut) || self.body.ends_with(b"0\r\n")
    }
}

async fn registry(upstream: &FakeUpstream) -> Registry {
    let live = Environment::PRODUCTION;
    let registry = Registry::builder().allow_loopback().in_memory().await.expect("memory");
    let mut change = Change::new()
        .service("orders", Kind::HTTP)
        .define("orders", live.clone(), Http::to(upstream.url()))
        .group("shop", Group::host("shop.example.com"));
    for method in METHODS {
        let name = format!("shop/{}_it", method.to_lowercase());
        let written = serde_json::json!({
            "method": method, "path": "/a/*", "backend": { "service": "orders", "path": "/b/*" },
        });
        let api: Api = serde_json::from_value(written).expect("an API");
        change = change.api(name.clone(), api).publish(name, live.clone());
    }
    registry.publisher("fuzz").apply(change).await.expect("a change");
    registry
}

/// What a backend is sent is one request of the client, for its API, and says who the client is.
fn check(received: &[Received]) {
    let mut before = 0;
    for request in received {
        let target = request.target();
        let below = target.strip_prefix("/b/").unwrap_or_else(|| panic!("{request:?}"));
        let number = below.split('/').next().and_then(|number| number.parse().ok());
        let number: usize = number.unwrap_or_else(|| panic!("{request:?}"));
        assert!(number >= before && number < REQUESTS, "{request:?}");
        before = number;
        assert_eq!(request.header("host").len(), 1, "{request:?}");
        assert_eq!(request.header("x-forwarded-for"), [CLIENT], "{request:?}");
        for name in ["x_forwarded_for", "keep-alive", "upgrade", "forwarded"] {
            assert!(request.header(name).is_empty(), "{request:?}");
        }
        let lengths = request.header("content-length").len();
        assert!(lengths + request.header("transfer-encoding").len() <= 1, "{request:?}");
    }
}

async fn run(messages: &[(Message<'_>, Message<'_>)]) {
    let mut bytes = Vec::new();
    for (number, (request, _)) in messages.iter().enumerate() {
        request.ask(number, number + 1 == messages.len(), &mut bytes);
    }
    let answers: Vec<Script> = messages.iter().map(|(_, answer)| answer.answer()).collect();
    let upstream = FakeUpstream::start(move |request| {
        let number = request.target().split('/').nth(2).and_then(|number| number.parse().ok());
        number.and_then(|number: usize| answers.get(number)).cloned().unwrap_or_default()
    });
    let upstream = upstream.await.expect("a port");
    let registry = registry(&upstream).await;
    let server = Server::new(Gateway::new(&registry).environment(Environment::PRODUCTION));
    let peer = Peer::new(format!("{CLIENT}:4711").parse().expect("an address"), Scheme::Http);
    let (mut client, pipe) = tokio::io::duplex(bytes.len() + 1);
    let whole = messages.iter().all(|(request, _)| request.is_whole());
    let mut answered = Vec::new();
    let talking = async {
        // The server may have closed before it read everything.
        let _ = client.write_all(&bytes).await;
        if !whole {
            let _ = client.shutdown().await;
        }
        let _ = client.read_to_end(&mut answered).await;
    };
    let both = async { tokio::join!(server.connection(pipe, peer), talking) };
    tokio::time::timeout(PATIENCE, both).await.expect("it hangs");
    check(&upstream.received());
    let text = String::from_utf8_lossy(&answered);
    assert!(answered.is_empty() || text.starts_with("HTTP/1.1 "), "{text}");
    assert!(!text.contains("X500ER"), "{text}");
    if !messages.iter().any(|(_, answer)| answer.looks_whole()) {
        assert!(!answered.ends_with(b"\r\n0\r\n\r\n"), "{text}");
    }
}

fuzz_target!(|messages: Vec<(Message, Message)>| {
    let messages = &messages[..messages.len().min(REQUESTS)];
    if !messages.is_empty() {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(run(messages));
    }
});
