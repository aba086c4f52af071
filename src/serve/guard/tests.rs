//! What the guard lets through, hyper reads in the same way; and where bytes are cut makes no
//! difference.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::transcript::Transcript;

/// Pieces that requests are made of, right and wrong.
const PIECES: &[&str] = &[
    "GET / HTTP/1.1\r\n",
    "POST /a?b HTTP/1.1\r\n",
    "GET /a HTTP/1.0\r\n",
    "GET  / HTTP/1.1\r\n",
    "OPTIONS * HTTP/1.1\r\n",
    "GET http://a/b HTTP/1.1\r\n",
    "GET /<\" HTTP/1.1\r\n",
    "PUT / HTTP/1.1\n",
    "Host: a\r\n",
    "Content-Length: 5\r\n",
    "content-length: 05\r\n",
    "Content-Length: 0\r\n",
    "content-length: 1_0\r\n",
    "Transfer-Encoding: chunked\r\n",
    "transfer-encoding:\tCHUNKED \r\n",
    "Transfer-Encoding: gzip, chunked\r\n",
    "connection: close\r\n",
    "Expect: 100-continue\r\n",
    "x:\r\n",
    "x: a\r\n b\r\n",
    "x : y\r\n",
    "x: \u{e9}\r\n",
    "upgrade: h2c\r\nconnection: upgrade\r\n",
    "\r\n",
    "\r\n\r\n",
    "\n",
    "hello",
    "5\r\nhello\r\n",
    "5;x=\"y\"\r\nhello\r\n",
    "5 \r\nhello\r\n",
    "A\r\n0123456789\r\n",
    "0\r\n\r\n",
    "0\r\na: b\r\n\r\n",
    "00\r\n\r\n",
    "1\r\nZZ\r\n",
    "fffffffffffffffff\r\n",
    "0",
    "\r",
    " ",
    "\0",
    "a",
];

fn text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        9 => proptest::sample::select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..4),
    ];
    let request = prop_oneof![
        Just("POST / HTTP/1.1\r\nHost: a\r\ncontent-length: 5\r\n\r\nhello"),
        Just("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        Just("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n1\r\n"),
        Just("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ];
    let part = prop_oneof![piece, request.prop_map(|it| it.as_bytes().to_vec())];
    proptest::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

/// Bytes that mean something somewhere.
const TELLING: &[u8] = b"\r\n\t :;,_-+x0fAa/#\x0b\0\x80";

/// The same with a few bytes changed, put in or taken out.
fn mangled() -> impl Strategy<Value = Vec<u8>> {
    let change = (0..3_u8, any::<proptest::sample::Index>(), proptest::sample::select(TELLING));
    (text(), proptest::collection::vec(change, 0..4)).prop_map(|(mut bytes, changes)| {
        for (way, index, byte) in changes {
            let at = index.index(bytes.len() + 1);
            match way {
                0 => bytes.insert(at, byte),
                1 if at < bytes.len() => bytes[at] = byte,
                _ if at < bytes.len() => drop(bytes.remove(at)),
                _ => {}
            }
        }
        bytes
    })
}

/// The lengths of the bodies that hyper reads, `None` for one that is not whole.
async fn read_by_hyper(bytes: Vec<u8>) -> (Vec<Option<usize>>, String) {
    let (mut client, server) = tokio::io::duplex(bytes.len() + 1);
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&bodies);
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let kept = Arc::clone(&kept);
        async move {
            let body = request.into_body().collect().await;
            kept.lock().unwrap().push(body.ok().map(|body| body.to_bytes().len()));
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    });
    let serving = async {
        let server = TokioIo::new(server);
        let mut builder = hyper::server::conn::http1::Builder::new();
        // The end of the bytes is no end of the client.
        let _ = builder.half_close(true).serve_connection(server, service).await;
    };
    let talking = async {
        client.write_all(&bytes).await.unwrap();
        client.shutdown().await.unwrap();
        let mut answers = Vec::new();
        client.read_to_end(&mut answers).await.unwrap();
        String::from_utf8(answers).unwrap()
    };
    let ((), answers) = tokio::join!(serving, talking);
    let bodies = bodies.lock().unwrap().clone();
    (bodies, answers)
}

fn agree(bytes: &[u8], cuts: &[usize]) -> Result<(), TestCaseError> {
    let whole = Transcript::of(bytes, &[]);
    let cut = Transcript::of(bytes, cuts);
    prop_assert_eq!(&whole.bodies, &cut.bodies);
    prop_assert_eq!(&whole.ended, &cut.ended);
    prop_assert_eq!(&whole.passed, &cut.passed);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (bodies, answers) = runtime.block_on(read_by_hyper(whole.passed.clone()));
    prop_assert!(!answers.contains("HTTP/1.1 4"), "hyper refused: {}", answers);
    // A request may be the last of its connection; the guard goes on counting.
    prop_assert!(bodies.len() <= whole.bodies.len());
    prop_assert_eq!(&bodies[..], &whole.bodies[..bodies.len()]);
    if bodies.len() < whole.bodies.len() {
        let closes = answers.contains("connection: close") || answers.contains("HTTP/1.0 200");
        prop_assert!(closes || bodies.last() == Some(&None), "{:?} {:?}", bodies, whole.bodies);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn hyper_reads_what_was_let_through_in_the_same_way(
        bytes in mangled(),
        cuts in proptest::collection::vec(0..200_usize, 0..20),
    ) {
        agree(&bytes, &cuts)?;
    }
}

#[test]
fn byte_by_byte_is_the_same() {
    for text in [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\nPOST / HTTP/1.1\r\ncontent-length: 2\r\n\r\nabGET",
        "\r\n\r\nPOST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1;x\r\nZ\r\n0\r\na: b\r\n\r\n\r\nG T",
        "GET / HTTP/1.1\r\nx: y\n",
        "\r\n\nGET / HTTP/1.1\r\n\r\n",
    ] {
        agree(text.as_bytes(), &vec![1; text.len()]).unwrap();
    }
}
