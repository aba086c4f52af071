//! HTTP/2 to an upstream: one connection, many requests.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use backhaul::model::definition::WireProtocol;
use backhaul::transport::Origin;
use h2::server::{Connection, SendResponse};
use h2::{Reason, RecvStream};
use http::HeaderMap;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::*;

mod bodies;
mod choice;
mod failures;
mod lifetime;
mod streams;

/// An upstream that speaks HTTP/2 and does with every request what a function says.
pub(crate) struct Http2Upstream {
    pub(crate) url: String,
    pub(super) accepted: Arc<AtomicUsize>,
    pub(super) open: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Drop for Http2Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) type Asked = (Request<RecvStream>, SendResponse<Bytes>);

/// An upstream whose connections allow so many streams.
pub(crate) async fn upstream<F, U>(streams: u32, answer: F) -> Http2Upstream
where
    F: Fn(Asked) -> U + Clone + Send + Sync + 'static,
    U: Future<Output = ()> + Send + 'static,
{
    let serve = move |mut connection: Connection<TcpStream, Bytes>| {
        let answer = answer.clone();
        async move {
            while let Some(Ok(asked)) = connection.accept().await {
                tokio::spawn(answer(asked));
            }
        }
    };
    raw(streams, serve).await
}

/// The same with the connection in the test's hands.
pub(crate) async fn raw<F, U>(streams: u32, serve: F) -> Http2Upstream
where
    F: Fn(Connection<TcpStream, Bytes>) -> U + Send + Sync + 'static,
    U: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (accepted, open) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let counts = (Arc::clone(&accepted), Arc::clone(&open));
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counts.0.fetch_add(1, Ordering::SeqCst);
            counts.1.fetch_add(1, Ordering::SeqCst);
            let mut builder = h2::server::Builder::new();
            let handshake = builder.max_concurrent_streams(streams).handshake(stream);
            let Ok(connection) = handshake.await else {
                counts.1.fetch_sub(1, Ordering::SeqCst);
                continue;
            };
            let (served, open) = (serve(connection), Arc::clone(&counts.1));
            tokio::spawn(async move {
                served.await;
                open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    Http2Upstream { url, accepted, open, task }
}

impl Http2Upstream {
    fn pool(&self, builder: Builder) -> (Arc<Pool>, Drained) {
        pool_speaking(builder, &self.url, Some(WireProtocol::Http2))
    }

    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    async fn has_open(&self, count: usize) {
        let reached = async {
            while self.open.load(Ordering::SeqCst) != count {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(PATIENCE, reached).await.expect("connections stay open");
    }
}

pub(super) fn pool_speaking(
    builder: Builder,
    url: &str,
    protocol: Option<WireProtocol>,
) -> (Arc<Pool>, Drained) {
    let (lease, drained) = lease();
    let url = url.parse().unwrap();
    let origin = Origin::new(&url).protocol(protocol);
    let pool = Pool::new(&builder.build().unwrap(), origin, Arc::new(lease)).unwrap();
    (Arc::new(pool), drained)
}

fn ok() -> Response<()> {
    Response::new(())
}

async fn hello((_, mut response): Asked) {
    let mut stream = response.send_response(ok(), false).unwrap();
    stream.send_data("hello".into(), true).unwrap();
}

/// Answers with what came, and with its trailers.
async fn echo((request, mut response): Asked) {
    let mut body = request.into_body();
    let mut stream = response.send_response(ok(), false).unwrap();
    while let Some(data) = body.data().await {
        let data = data.unwrap();
        body.flow_control().release_capacity(data.len()).unwrap();
        stream.send_data(data, false).unwrap();
    }
    match body.trailers().await.unwrap() {
        Some(trailers) => stream.send_trailers(trailers).unwrap(),
        None => stream.send_data(Bytes::new(), true).unwrap(),
    }
}

async fn gathered(pool: &Arc<Pool>, count: usize) -> Vec<String> {
    let all: Vec<_> = (0..count).map(|_| spawn_get(pool)).collect();
    let mut answers = Vec::new();
    for one in all {
        answers.push(one.await.unwrap());
    }
    answers
}
