//! HTTP/2 to an upstream: one connection, many requests.

use std::collections::HashMap;
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

#[tokio::test]
async fn requests_share_a_connection_and_say_where_they_go() {
    let seen = Arc::<Mutex<Vec<(String, String, HeaderMap)>>>::default();
    let log = Arc::clone(&seen);
    let upstream = upstream(100, move |asked: Asked| {
        let head = &asked.0;
        let about = (head.method().to_string(), head.uri().to_string(), head.headers().clone());
        log.lock().unwrap().push(about);
        hello(asked)
    })
    .await;
    let (pool, _) = upstream.pool(local());
    assert_eq!(gathered(&pool, 50).await, ["hello"; 50]);
    assert_eq!((upstream.accepted(), pool.idle()), (1, 1));
    let seen = seen.lock().unwrap();
    let (method, uri, headers) = &seen[0];
    assert_eq!((method.as_str(), uri.as_str()), ("GET", "http://upstream/"));
    assert!(headers.is_empty(), "{headers:?}");
    assert_eq!(seen.len(), 50);
}

#[tokio::test]
async fn connections_are_added_when_streams_run_out() {
    let gate = Gate::new();
    let own = gate.clone();
    let upstream = upstream(2, move |asked| {
        let gate = own.clone();
        async move {
            gate.wait().await;
            hello(asked).await;
        }
    })
    .await;
    let (pool, _) = upstream.pool(local());
    let held: Vec<_> = (0..5).map(|_| spawn_get(&pool)).collect();
    upstream.has_open(3).await;
    gate.open();
    for answer in held {
        assert_eq!(answer.await.unwrap(), "hello");
    }
    assert_eq!(upstream.accepted(), 3);
    // They are filled one after the other, so that those that are not needed become idle.
    assert_eq!(gathered(&pool, 2).await, ["hello"; 2]);
    assert_eq!(upstream.accepted(), 3);
}

#[tokio::test]
async fn our_own_limit_for_streams_adds_connections_too() {
    let gate = Gate::new();
    let own = gate.clone();
    let upstream = upstream(100, move |asked| {
        let gate = own.clone();
        async move {
            gate.wait().await;
            hello(asked).await;
        }
    })
    .await;
    let (pool, _) = upstream.pool(local().max_streams(3));
    let held: Vec<_> = (0..6).map(|_| spawn_get(&pool)).collect();
    upstream.has_open(2).await;
    gate.open();
    for answer in held {
        assert_eq!(answer.await.unwrap(), "hello");
    }
    assert_eq!(upstream.accepted(), 2);
}

#[tokio::test]
async fn bodies_and_trailers_flow_both_ways() {
    let upstream = upstream(100, echo).await;
    let (pool, _) = upstream.pool(local());
    let trailers = HeaderMap::from_iter([("x-sum".parse().unwrap(), "7".parse().unwrap())]);
    let data = Bytes::from(vec![b'x'; 1_000_000]);
    let told = trailers.clone();
    let body = Body::from(data.to_vec()).with_trailers(async move { Some(Ok(told)) });
    let body = Body::new(body);
    let response = send(&pool, request(Method::POST, "/", body)).await.unwrap();
    let collected = response.into_body().collect().await.unwrap();
    assert_eq!(collected.trailers(), Some(&trailers));
    assert_eq!(collected.to_bytes(), data);
}

/// A body that tells its end with an empty piece.
struct Ending(Vec<&'static str>);

impl http_body::Body for Ending {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Error>>> {
        std::task::Poll::Ready(self.0.pop().map(|piece| Ok(Frame::data(piece.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }
}

#[tokio::test]
async fn an_end_without_a_byte_is_an_end() {
    let upstream = upstream(100, echo).await;
    let (pool, _) = upstream.pool(local());
    let body = Body::new(Ending(vec!["", "b", "", "a"]));
    let response = send(&pool, request(Method::POST, "/", body)).await.unwrap();
    let answer = tokio::time::timeout(PATIENCE, text(response)).await.expect("never ends");
    assert_eq!(answer, "ab");
}

#[tokio::test]
async fn an_answer_dropped_early_ends_its_stream_and_not_the_connection() {
    let ended = Gate::new();
    let own = ended.clone();
    let upstream = upstream(100, move |(request, mut response)| {
        let ended = own.clone();
        async move {
            let mut stream = response.send_response(ok(), false).unwrap();
            if request.uri().path() == "/endless" {
                let reset = std::future::poll_fn(|cx| stream.poll_reset(cx)).await;
                assert_eq!(reset.unwrap(), Reason::CANCEL);
                ended.open();
            } else {
                stream.send_data("hello".into(), true).unwrap();
            }
        }
    })
    .await;
    let (pool, _) = upstream.pool(local());
    let response = send(&pool, get("/endless")).await.unwrap();
    drop(response);
    tokio::time::timeout(PATIENCE, ended.wait()).await.expect("the stream goes on");
    assert_eq!(get_text(&pool, "/").await, "hello");
    assert_eq!(upstream.accepted(), 1);
}

#[tokio::test]
async fn a_request_dropped_before_its_answer_ends_its_stream_and_frees_its_place() {
    let (began, ended) = (Gate::new(), Gate::new());
    let own = (began.clone(), ended.clone());
    let upstream = upstream(100, move |(request, mut response)| {
        let (began, ended) = own.clone();
        async move {
            if request.uri().path() == "/" {
                return hello((request, response)).await;
            }
            began.open();
            std::future::poll_fn(|cx| response.poll_reset(cx)).await.unwrap();
            ended.open();
        }
    })
    .await;
    let (pool, _) = upstream.pool(local().max_connections(1));
    let own = Arc::clone(&pool);
    let (_feeder, body) = fed();
    let hanging = request(Method::POST, "/hang", body);
    let hanging = tokio::spawn(async move { own.send(hanging, PATIENCE).await.map(drop) });
    tokio::time::timeout(PATIENCE, began.wait()).await.unwrap();
    hanging.abort();
    tokio::time::timeout(PATIENCE, ended.wait()).await.expect("the stream goes on");
    assert_eq!(get_text(&pool, "/").await, "hello");
    assert_eq!(upstream.accepted(), 1);
}

#[tokio::test]
async fn what_was_not_processed_goes_out_again() {
    for refuse in [true, false] {
        let first = Arc::new(AtomicUsize::new(0));
        let upstream = raw(100, move |mut connection| {
            let first = first.fetch_add(1, Ordering::SeqCst) == 0;
            async move {
                while let Some(Ok((request, mut response))) = connection.accept().await {
                    if first && refuse {
                        response.send_reset(Reason::REFUSED_STREAM);
                    } else if first {
                        // The first stream is answered, whatever comes after is not looked at.
                        connection.graceful_shutdown();
                        hello((request, response)).await;
                    } else {
                        hello((request, response)).await;
                    }
                }
            }
        })
        .await;
        let (pool, _) = upstream.pool(local());
        for _ in 0..4 {
            assert_eq!(get_text(&pool, "/").await, "hello", "{refuse}");
        }
        assert_eq!(upstream.accepted(), 2, "{refuse}");
    }
}

#[tokio::test]
async fn a_body_whose_stream_was_refused_is_not_sent_twice() {
    let asked = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&asked);
    let upstream = upstream(100, move |(_, mut response): Asked| {
        count.fetch_add(1, Ordering::SeqCst);
        async move { response.send_reset(Reason::REFUSED_STREAM) }
    })
    .await;
    let (pool, _) = upstream.pool(local());
    let error = send(&pool, request(Method::POST, "/", "x".into())).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Connect, Retry::Always));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    // Without a body it is tried again, but not for ever.
    let error = send(&pool, get("/")).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Connect, Retry::Always));
    assert_eq!(asked.load(Ordering::SeqCst), 5);
}

#[tokio::test]
async fn failures_say_whether_the_request_may_have_been_seen() {
    let upstream = upstream(100, |(request, mut response): Asked| async move {
        match request.uri().path() {
            "/reset" => response.send_reset(Reason::INTERNAL_ERROR),
            "/flood" => {
                for _ in 0..40 {
                    let early = Response::builder().status(103).body(()).unwrap();
                    let _ = response.send_informational(early);
                }
                let _ = response.send_response(ok(), true);
            }
            "/hints" => {
                for _ in 0..16 {
                    let early = Response::builder().status(103).body(()).unwrap();
                    response.send_informational(early).unwrap();
                }
                hello((request, response)).await;
            }
            "/status" => {
                let odd = Response::builder().status(700).body(()).unwrap();
                response.send_response(odd, true).unwrap();
            }
            _ => {
                let head = Response::builder().header("content-length", "10").body(()).unwrap();
                let mut stream = response.send_response(head, false).unwrap();
                stream.send_data("half".into(), false).unwrap();
                tokio::time::sleep(Duration::from_millis(20)).await;
                stream.send_reset(Reason::NO_ERROR);
            }
        }
    })
    .await;
    let (pool, _) = upstream.pool(local());
    for (path, kind, retry) in [
        ("/reset", ErrorKind::Connect, Retry::IfIdempotent),
        ("/flood", ErrorKind::BadResponse, Retry::IfIdempotent),
        ("/status", ErrorKind::BadResponse, Retry::IfIdempotent),
    ] {
        let error = send(&pool, get(path)).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (kind, retry), "{path}: {error}");
    }
    assert_eq!(get_text(&pool, "/hints").await, "hello");
    let broken = send(&pool, get("/half")).await.unwrap().into_body().collect().await.unwrap_err();
    assert_eq!((broken.kind(), broken.retry()), (ErrorKind::BadResponse, Retry::Never));
    assert_eq!(upstream.accepted(), 1, "a stream that fails leaves the others alone");
}

#[tokio::test]
async fn the_error_of_a_body_comes_back_as_it_was() {
    let upstream = upstream(100, |(request, response): Asked| async move {
        let mut body = request.into_body();
        while let Some(Ok(_)) = body.data().await {}
        drop(response);
    })
    .await;
    let (pool, _) = upstream.pool(local());
    let (feeder, body) = fed();
    feeder.send(Ok("a")).await.unwrap();
    let failure = Error::new(ErrorKind::InvalidBody, Retry::Never, "client went away");
    feeder.send(Err(failure)).await.unwrap();
    let error = send(&pool, request(Method::POST, "/", body)).await.unwrap_err();
    assert_eq!((error.kind(), error.context()), (ErrorKind::InvalidBody, "client went away"));
}

#[tokio::test]
async fn an_answer_before_the_body_was_sent_is_passed_on_and_stops_the_upload() {
    let upstream = upstream(100, |(_, mut response): Asked| async move {
        let head = Response::builder().status(413).body(()).unwrap();
        response.send_response(head, true).unwrap();
        // What is not on its way yet a reset would take back.
        tokio::time::sleep(Duration::from_millis(20)).await;
        response.send_reset(Reason::NO_ERROR);
    })
    .await;
    let (pool, _) = upstream.pool(local());
    let (feeder, body) = fed();
    feeder.send(Ok("a")).await.unwrap();
    let response = send(&pool, request(Method::POST, "/", body)).await.unwrap();
    assert_eq!(response.status(), 413);
    tokio::time::timeout(PATIENCE, feeder.closed()).await.expect("the upload goes on");
}

#[tokio::test]
async fn many_small_frames_are_no_flood() {
    let upstream = upstream(100, |(_, mut response): Asked| async move {
        let mut stream = response.send_response(ok(), false).unwrap();
        for _ in 0..100_000 {
            while stream.capacity() < 10 {
                stream.reserve_capacity(10);
                let grown = std::future::poll_fn(|cx| stream.poll_capacity(cx)).await;
                if !matches!(grown, Some(Ok(_))) {
                    return;
                }
            }
            stream.send_data(Bytes::from_static(b"0123456789"), false).unwrap();
        }
        stream.send_data(Bytes::new(), true).unwrap();
    })
    .await;
    let (pool, _) = upstream.pool(local());
    let text = get_text(&pool, "/").await;
    assert_eq!(text.len(), 1_000_000);
}

#[tokio::test]
async fn what_does_not_speak_http2_is_a_connect_error() {
    let plain = FakeUpstream::start(|_| Script::ok("plain")).await.unwrap();
    let (pool, _) = pool_speaking(local(), &plain.url(), Some(WireProtocol::Http2));
    let error = send(&pool, get("/")).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Connect, Retry::Always));
    assert_eq!(error.context(), "the backend does not speak HTTP/2");
    let silent = FakeUpstream::start(|_| Script::new().then(Step::Hang)).await.unwrap();
    let limit = local().connect_timeout(Duration::from_millis(50));
    let (pool, _) = pool_speaking(limit, &silent.url(), Some(WireProtocol::Http2));
    let error = send(&pool, get("/")).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Connect, Retry::Always));
}

#[tokio::test]
async fn those_who_wait_for_a_connection_share_its_failure() {
    let silent = FakeUpstream::start(|_| Script::new().then(Step::Hang)).await.unwrap();
    let limit = local().connect_timeout(Duration::from_millis(100));
    let (pool, _) = pool_speaking(limit, &silent.url(), Some(WireProtocol::Http2));
    let all: Vec<_> = (0..20)
        .map(|_| {
            let pool = Arc::clone(&pool);
            tokio::spawn(async move { send(&pool, get("/")).await.unwrap_err().kind() })
        })
        .collect();
    for one in all {
        assert_eq!(one.await.unwrap(), ErrorKind::Connect);
    }
    assert_eq!(silent.accepted(), 1);
}

#[tokio::test]
async fn dropping_the_pool_closes_what_is_idle_at_once_and_the_rest_with_its_answer() {
    let gate = Gate::new();
    let own = gate.clone();
    let upstream = upstream(100, move |(request, mut response): Asked| {
        let gate = own.clone();
        async move {
            if request.uri().path() == "/" {
                return hello((request, response)).await;
            }
            let mut stream = response.send_response(ok(), false).unwrap();
            gate.wait().await;
            stream.send_data("late".into(), true).unwrap();
        }
    })
    .await;
    let (pool, drained) = upstream.pool(local());
    assert_eq!(get_text(&pool, "/").await, "hello");
    drop(pool);
    tokio::time::timeout(PATIENCE, drained).await.expect("an idle connection stays");
    upstream.has_open(0).await;
    let (pool, drained) = upstream.pool(local());
    let response = send(&pool, get("/late")).await.unwrap();
    drop(pool);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!drained.is_drained());
    gate.open();
    assert_eq!(text(response).await, "late");
    tokio::time::timeout(PATIENCE, drained).await.expect("the connection stays");
    upstream.has_open(0).await;
}

#[tokio::test]
async fn idle_and_old_connections_are_closed() {
    let upstream = upstream(100, hello).await;
    let idle = local().idle_limit(Duration::from_millis(40));
    let (pool, _) = upstream.pool(idle);
    assert_eq!(get_text(&pool, "/").await, "hello");
    upstream.has_open(0).await;
    assert_eq!(pool.idle(), 0);
    let old = local().idle_limit(Duration::from_millis(100)).max_age(Duration::from_millis(100));
    let (pool, _) = upstream.pool(old);
    let before = upstream.accepted();
    let enough = async {
        while upstream.accepted() < before + 3 {
            assert_eq!(get_text(&pool, "/").await, "hello");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, enough).await.expect("a connection is used for ever");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_answers_nothing_is_given_up() {
    // It says its settings and swallows everything after.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let swallowing = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, &[0, 0, 0, 4, 0, 0, 0, 0, 0])
            .await
            .unwrap();
        let mut place = vec![0; 4096];
        while tokio::io::AsyncReadExt::read(&mut stream, &mut place).await.unwrap_or(0) > 0 {}
    });
    let builder = local().connect_timeout(Duration::from_secs(100));
    let (pool, drained) = pool_speaking(builder, &url, Some(WireProtocol::Http2));
    let error = pool.send(get("/"), PATIENCE).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Connect, Retry::IfIdempotent));
    drop(pool);
    drained.await;
    swallowing.await.unwrap();
}

#[cfg(any(feature = "tls-aws-lc", feature = "tls-ring"))]
#[tokio::test]
async fn a_target_behind_tls_chooses_its_protocol() {
    use super::tls::{acceptor, authority};
    let authority = authority();
    let both = acceptor(&authority, &["localhost"], &["h2", "http/1.1"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let server = tokio::spawn(async move {
        let mut seen = HashMap::<Vec<u8>, usize>::new();
        for _ in 0..2 {
            let (stream, _) = listener.accept().await.unwrap();
            let stream = both.accept(stream).await.unwrap();
            let chosen = stream.get_ref().1.alpn_protocol().unwrap().to_vec();
            if chosen == b"h2" {
                let mut connection = h2::server::handshake(stream).await.unwrap();
                tokio::spawn(async move {
                    while let Some(Ok(asked)) = connection.accept().await {
                        assert_eq!(asked.0.uri().scheme_str(), Some("https"));
                        hello(asked).await;
                    }
                });
            }
            *seen.entry(chosen).or_default() += 1;
        }
        seen
    });
    let trusting = || local().trust(authority.pem()).connect_timeout(PATIENCE);
    let (pool, _) = pool_speaking(trusting(), &url, None);
    assert_eq!(gathered(&pool, 20).await, ["hello"; 20]);
    let (pool, _) = pool_speaking(trusting(), &url, Some(WireProtocol::Http1));
    let waiting = tokio::spawn(async move { pool.send(get("/"), PATIENCE).await.map(drop) });
    let seen = server.await.unwrap();
    assert_eq!((seen[&b"h2"[..]], seen[&b"http/1.1"[..]]), (1, 1));
    waiting.abort();
}

#[cfg(any(feature = "tls-aws-lc", feature = "tls-ring"))]
#[tokio::test]
async fn s_19_http2_is_not_spoken_with_who_did_not_choose_it() {
    use super::tls::{acceptor, authority};
    let authority = authority();
    for (alpn, context) in
        [(&["http/1.1"][..], "TLS handshake failed"), (&[], "the backend does not speak HTTP/2")]
    {
        let (upstream, _) = tls::upstream(acceptor(&authority, &["localhost"], alpn)).await;
        let url = format!("https://localhost:{}", upstream.address().port());
        let trusting = || local().trust(authority.pem());
        let (pool, _) = pool_speaking(trusting(), &url, Some(WireProtocol::Http2));
        let error = send(&pool, get("/")).await.unwrap_err();
        assert_eq!((error.kind(), error.context()), (ErrorKind::Connect, context));
        let (pool, _) = pool_speaking(trusting(), &url, None);
        assert_eq!(get_text(&pool, "/").await, "secret");
    }
}
