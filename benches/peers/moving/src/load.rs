//! A thousand requests a second, whether or not earlier ones were answered.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, interval, timeout};

use crate::AnyError;

const PACE: Duration = Duration::from_millis(1);
/// Who is not answered by then has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    Old,
    New,
    Failed,
}

/// What became of a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) outcome: Outcome,
    /// When it was its turn.
    pub(crate) asked: Instant,
    /// When it was written to a connection, the last time if it was retried.
    pub(crate) sent: Instant,
    pub(crate) answered: Instant,
    pub(crate) retried: bool,
}

/// Requests that are being sent until it is finished.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    sending: JoinHandle<Vec<Answer>>,
}

impl Load {
    pub(crate) fn start(address: SocketAddr, paths: u32) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let client = Client { address, idle: Arc::default() };
        let sending = tokio::spawn(send(client, paths, Arc::clone(&stop)));
        Self { stop, sending }
    }

    /// What became of all of them.
    pub(crate) async fn finish(self) -> Vec<Answer> {
        self.stop.store(true, Ordering::Relaxed);
        self.sending.await.unwrap_or_default()
    }
}

async fn send(client: Client, paths: u32, stop: Arc<AtomicBool>) -> Vec<Answer> {
    let mut random = fastrand::Rng::with_seed(1);
    let mut ticks = interval(PACE);
    let mut requests = JoinSet::new();
    while !stop.load(Ordering::Relaxed) {
        ticks.tick().await;
        let path = format!("/r{:05}/x", random.u32(..paths.max(1)));
        requests.spawn(client.clone().ask(path));
    }
    requests.join_all().await
}

#[derive(Clone)]
struct Client {
    address: SocketAddr,
    /// Connections that wait for a request; the last one that was used is taken first.
    idle: Arc<Mutex<Vec<SendRequest<Empty<Bytes>>>>>,
}

impl Client {
    async fn ask(self, path: String) -> Answer {
        let asked = Instant::now();
        let mut sent = asked;
        let mut retried = false;
        let answer = timeout(PATIENCE, async {
            let first = self.exchange(&path, &mut sent, true).await;
            match first {
                // Connections may be closed between two requests: as every client does with a GET.
                Err(_) => {
                    retried = true;
                    self.exchange(&path, &mut sent, false).await
                }
                answered => answered,
            }
        });
        let outcome = match answer.await {
            Ok(Ok((StatusCode::OK, body))) if body.starts_with(b"old") => Outcome::Old,
            Ok(Ok((StatusCode::OK, body))) if body.starts_with(b"new") => Outcome::New,
            _ => Outcome::Failed,
        };
        Answer { outcome, asked, sent, answered: Instant::now(), retried }
    }

    async fn exchange(
        &self,
        path: &str,
        sent: &mut Instant,
        reuse: bool,
    ) -> Result<(StatusCode, Bytes), AnyError> {
        let mut sender = self.connection(reuse).await?;
        let request = Request::get(path).header("host", "127.0.0.1").body(Empty::new())?;
        *sent = Instant::now();
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        self.idle().push(sender);
        Ok((status, body))
    }

    async fn connection(&self, reuse: bool) -> Result<SendRequest<Empty<Bytes>>, AnyError> {
        while reuse {
            let Some(mut sender) = self.idle().pop() else { break };
            if sender.ready().await.is_ok() {
                return Ok(sender);
            }
        }
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(async move { connection.await.ok() });
        Ok(sender)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<SendRequest<Empty<Bytes>>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
