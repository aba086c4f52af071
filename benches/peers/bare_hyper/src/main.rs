//! hyper in front of hyper, and nothing else: what a proxy on this library costs at the least.
//!
//! One thread, HTTP/1.1 on both sides. Connections to the origin that have nothing to do lie on a stack,
//! and the one that was put there last is taken first. Heads and bodies are passed on as they came: no
//! header is looked at, added or taken away, nothing has a deadline, and nobody's limits are kept to.
//!
//! `peer_bare_hyper LISTEN ORIGIN`

use std::convert::Infallible;
use std::error::Error;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use http_body_util::{Either, Empty};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

type Answer = Response<Either<Returning, Empty<Bytes>>>;
type AnyError = Box<dyn Error + Send + Sync>;

/// Connections to the origin that wait for a request.
#[derive(Clone, Default)]
struct Idle(Arc<Mutex<Vec<SendRequest<Incoming>>>>);

impl Idle {
    fn stack(&self) -> MutexGuard<'_, Vec<SendRequest<Incoming>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn main() -> Result<(), AnyError> {
    let mut arguments = std::env::args().skip(1);
    let (Some(listen), Some(origin)) = (arguments.next(), arguments.next()) else {
        return Err("peer_bare_hyper LISTEN ORIGIN".into());
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve(listen, origin.into()))
}

async fn serve(listen: String, origin: Arc<str>) -> Result<(), AnyError> {
    let listener = TcpListener::bind(listen).await?;
    let idle = Idle::default();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (origin, idle) = (Arc::clone(&origin), idle.clone());
        let service = service_fn(move |request| answer(Arc::clone(&origin), idle.clone(), request));
        let served = Builder::new().serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move { served.await.ok() });
    }
}

async fn answer(
    origin: Arc<str>,
    idle: Idle,
    request: Request<Incoming>,
) -> Result<Answer, Infallible> {
    Ok(match pass_on(&origin, idle, request).await {
        Ok(response) => response.map(Either::Left),
        Err(_) => {
            let mut failed = Response::new(Either::Right(Empty::new()));
            *failed.status_mut() = StatusCode::BAD_GATEWAY;
            failed
        }
    })
}

async fn pass_on(
    origin: &str,
    idle: Idle,
    request: Request<Incoming>,
) -> Result<Response<Returning>, AnyError> {
    let mut sender = connection(origin, &idle).await?;
    let response = sender.send_request(request).await?;
    Ok(response.map(|body| Returning { body, back: Some((sender, idle)) }))
}

async fn connection(origin: &str, idle: &Idle) -> Result<SendRequest<Incoming>, AnyError> {
    loop {
        let Some(mut sender) = idle.stack().pop() else { break };
        if sender.ready().await.is_ok() {
            return Ok(sender);
        }
    }
    let stream = TcpStream::connect(origin).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move { connection.await.ok() });
    Ok(sender)
}

/// A body that puts its connection back when it was read to its end.
struct Returning {
    body: Incoming,
    back: Option<(SendRequest<Incoming>, Idle)>,
}

impl Body for Returning {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        let ended = matches!(polled, Poll::Ready(None)) || self.body.is_end_stream();
        if ended && let Some((sender, idle)) = self.back.take() {
            idle.stack().push(sender);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
