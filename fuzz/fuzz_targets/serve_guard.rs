//! Any bytes, cut anywhere: the server's guard reads them in one way, and hyper reads what it lets
//! through as the same requests with the same bodies.

#![no_main]

use std::convert::Infallible;
use std::sync::{Arc, LazyLock, Mutex};

use backhaul::fuzzing;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().build().expect("a runtime"));

/// The lengths of the bodies that hyper reads, and its answers.
async fn read_by_hyper(bytes: &[u8]) -> (Vec<Option<usize>>, String) {
    let (mut client, server) = tokio::io::duplex(bytes.len() + 1);
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&bodies);
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let kept = Arc::clone(&kept);
        async move {
            let body = request.into_body().collect().await;
            let length = body.ok().map(|body| body.to_bytes().len());
            kept.lock().expect("no panic").push(length);
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    });
    let serving = async {
        let mut builder = hyper::server::conn::http1::Builder::new();
        let _ = builder.half_close(true).serve_connection(TokioIo::new(server), service).await;
    };
    let talking = async {
        client.write_all(bytes).await.expect("a pipe that is long enough");
        client.shutdown().await.expect("a pipe");
        let mut answers = Vec::new();
        client.read_to_end(&mut answers).await.expect("a pipe");
        String::from_utf8_lossy(&answers).into_owned()
    };
    let ((), answers) = tokio::join!(serving, talking);
    let bodies = bodies.lock().expect("no panic").clone();
    (bodies, answers)
}

fuzz_target!(|input: (Vec<u8>, &[u8])| {
    let (cuts, bytes) = input;
    let cuts: Vec<usize> = cuts.into_iter().map(usize::from).collect();
    let whole = fuzzing::guarded(bytes, &[]);
    assert_eq!(whole, fuzzing::guarded(bytes, &cuts));
    let (passed, bodies, _) = whole;
    let (read, answers) = RUNTIME.block_on(read_by_hyper(&passed));
    assert!(!answers.contains("HTTP/1.1 4"), "hyper refused {passed:?}: {answers}");
    // A client may have asked for a request to be the last.
    assert!(read.len() <= bodies.len(), "{passed:?}");
    assert_eq!(read[..], bodies[..read.len()], "{passed:?}");
});
