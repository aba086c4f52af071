//! The server loop that all programs here share: one thread, HTTP/1.1, the address on standard output,
//! until SIGTERM.

#![allow(clippy::print_stdout, reason = "the address it listens on is its only output")]

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;

use backhaul::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};

/// Serves every connection by what `prepare` leads to makes of the address at its other end.
pub(crate) fn serve<C, S>(
    prepare: impl Future<Output = Result<C, Box<dyn Error>>>,
) -> Result<(), Box<dyn Error>>
where
    C: Fn(SocketAddr) -> S,
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible> + Send + 'static,
    S::Future: Send,
{
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let connect = prepare.await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        let mut stop = signal(SignalKind::terminate())?;
        loop {
            let (stream, peer) = tokio::select! {
                accepted = listener.accept() => accepted?,
                _ = stop.recv() => return Ok(()),
            };
            stream.set_nodelay(true)?;
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new());
            let served = http.serve_connection(TokioIo::new(stream), connect(peer));
            // A client that goes away is no concern of a benchmark.
            tokio::spawn(async move { served.await.ok() });
        }
    })
}
