//! The server loop that all programs here share: one thread, HTTP/1.1, the address on standard output,
//! until SIGTERM.

#![allow(clippy::print_stdout, reason = "the address it listens on is its only output")]

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;

use backhaul::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};

/// Answers every request with what `answer` makes of it and of the address it came from.
pub(crate) fn serve<A, F>(prepare: impl Future<Output = A>) -> io::Result<()>
where
    A: Fn(Request<Incoming>, SocketAddr) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let answer = prepare.await;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        let mut stop = signal(SignalKind::terminate())?;
        loop {
            let (stream, peer) = tokio::select! {
                accepted = listener.accept() => accepted?,
                _ = stop.recv() => return Ok(()),
            };
            stream.set_nodelay(true)?;
            let answer = answer.clone();
            let service = service_fn(move |request| {
                let answer = answer(request, peer);
                async { Ok::<_, Infallible>(answer.await) }
            });
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new());
            // A client that goes away is no concern of a benchmark.
            tokio::spawn(
                async move { http.serve_connection(TokioIo::new(stream), service).await.ok() },
            );
        }
    })
}
