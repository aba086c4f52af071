//! How long connections live, and who keeps them.

use super::*;

#[tokio::test]
async fn a_connection_the_answer_closes_is_not_used_again() {
    for answer in [
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab",
    ] {
        let upstream = FakeUpstream::start(move |_| Script::raw(answer)).await.unwrap();
        let (pool, _) = pool(local(), &upstream);
        for _ in 0..3 {
            assert_eq!(get_text(&pool, "/").await, "ab");
        }
        assert_eq!(upstream.accepted(), 3);
    }
}

#[tokio::test]
async fn an_answer_dropped_early_closes_its_connection() {
    let script = |_: &Received| {
        Script::raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello").then(Step::Hang)
    };
    let upstream = FakeUpstream::start(script).await.unwrap();
    let (pool, _) = pool(local(), &upstream);
    let mut response = send(&pool, get("/")).await.unwrap();
    let first = response.body_mut().frame().await.unwrap().unwrap();
    assert_eq!(first.into_data().unwrap(), "hello");
    drop(response);
    assert!(upstream.has_open(0, PATIENCE).await);
    assert_eq!(pool.idle(), 0);
}

#[tokio::test]
async fn a_request_dropped_before_its_answer_closes_its_connection_and_frees_its_place() {
    let script = |request: &Received| match request.target().as_str() {
        "/hang" => Script::new().then(Step::Hang),
        _ => Script::ok("fine"),
    };
    let upstream = FakeUpstream::start(script).await.unwrap();
    let (pool, _) = pool(local().max_connections(1), &upstream);
    let limit = Duration::from_millis(50);
    assert!(tokio::time::timeout(limit, pool.send(get("/hang"), PATIENCE)).await.is_err());
    assert!(upstream.has_open(0, PATIENCE).await);
    assert_eq!(get_text(&pool, "/").await, "fine");
}

#[tokio::test]
async fn a_connection_closed_while_idle_is_replaced_without_an_error() {
    let script = |_: &Received| Script::ok("once").then(Step::Close);
    let upstream = FakeUpstream::start(script).await.unwrap();
    let (pool, _) = pool(local(), &upstream);
    for _ in 0..5 {
        assert_eq!(get_text(&pool, "/").await, "once");
        assert!(upstream.has_open(0, PATIENCE).await);
        // The end of the connection has to arrive here too.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(upstream.received().len(), 5);
}

#[tokio::test]
async fn u_11_posts_over_connections_that_close_all_the_time_arrive_at_most_once() {
    let script = |_: &Received| Script::ok("once").then(Step::Close);
    let upstream = FakeUpstream::start(script).await.unwrap();
    let (pool, _) = pool(local(), &upstream);
    let mut failed = 0;
    for number in 0..1_000 {
        let body = Body::from(number.to_string());
        match send(&pool, request(Method::POST, "/", body)).await {
            Ok(response) => assert_eq!(text(response).await, "once"),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Connect);
                failed += usize::from(error.retry() == Retry::Always);
            }
        }
    }
    let received = upstream.received();
    let mut bodies: Vec<_> =
        received.iter().filter(|one| one.complete).map(|one| &one.body).collect();
    let all = bodies.len();
    bodies.sort();
    bodies.dedup();
    assert_eq!(bodies.len(), all, "a body arrived twice");
    assert!(all + failed <= 1_000, "what may be repeated had arrived");
}

#[tokio::test]
async fn u_05_an_unasked_answer_on_an_idle_connection_reaches_nobody() {
    let script = |_: &Received| {
        Script::ok("asked").write("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
    };
    let upstream = FakeUpstream::start(script).await.unwrap();
    let (pool, _) = pool(local(), &upstream);
    for _ in 0..5 {
        let response = send(&pool, get("/")).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(text(response).await, "asked");
        // Until the connection is found out.
        assert!(upstream.has_open(0, PATIENCE).await);
    }
}

#[tokio::test]
async fn a_large_answer_leaves_its_connection_to_the_next_request() {
    // Head and body are read at once as soon as the buffer has grown to that.
    let large = "x".repeat(100_000);
    let body = large.clone();
    let upstream = FakeUpstream::start(move |_| Script::ok(&body)).await.unwrap();
    let (pool, _) = pool(local(), &upstream);
    for _ in 0..50 {
        assert_eq!(get_text(&pool, "/").await, large);
    }
    assert_eq!(upstream.accepted(), 1);
}

#[tokio::test]
async fn idle_connections_are_closed_after_the_limit() {
    let upstream = FakeUpstream::start(|_| Script::ok("x")).await.unwrap();
    let (pool, drained) = pool(local().idle_limit(Duration::from_millis(40)), &upstream);
    assert_eq!(get_text(&pool, "/").await, "x");
    assert_eq!(pool.idle(), 1);
    assert!(upstream.has_open(0, PATIENCE).await);
    assert_eq!(pool.idle(), 0);
    // And again, with a sweeper of its own.
    assert_eq!(get_text(&pool, "/").await, "x");
    assert!(upstream.has_open(0, PATIENCE).await);
    assert!(!drained.is_drained(), "the pool itself keeps the lease");
}

#[tokio::test]
async fn idle_connections_outlive_the_runtime_of_the_sweeper() {
    let upstream = FakeUpstream::start(|_| Script::ok("x")).await.unwrap();
    let (pool, _) = pool(local().idle_limit(Duration::from_millis(40)), &upstream);
    let pool = Arc::new(pool);
    let own = Arc::clone(&pool);
    let there = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(get_text(&own, "/"))
    });
    while !there.is_finished() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(there.join().unwrap(), "x");
    assert_eq!(get_text(&pool, "/").await, "x");
    assert!(upstream.has_open(0, PATIENCE).await, "nobody sweeps");
}

#[tokio::test]
async fn dropping_the_pool_closes_idle_connections_at_once_and_drains() {
    let upstream = FakeUpstream::start(|_| Script::ok("x")).await.unwrap();
    let (pool, drained) = pool(local(), &upstream);
    assert_eq!(get_text(&pool, "/").await, "x");
    assert!(!drained.is_drained());
    drop(pool);
    tokio::time::timeout(PATIENCE, drained).await.unwrap();
    assert!(upstream.has_open(0, PATIENCE).await);
}

#[tokio::test]
async fn an_answer_outlives_its_pool_and_drains_with_its_last_byte() {
    let gate = Gate::new();
    let own = gate.clone();
    let script = move |_: &Received| {
        Script::raw("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
            .then(Step::Wait(own.clone()))
            .write("cd")
    };
    let upstream = FakeUpstream::start(script).await.unwrap();
    let (pool, drained) = pool(local(), &upstream);
    let response = send(&pool, get("/")).await.unwrap();
    drop(pool);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!drained.is_drained(), "an answer is on its way");
    gate.open();
    assert_eq!(text(response).await, "abcd");
    tokio::time::timeout(PATIENCE, drained).await.unwrap();
    assert!(upstream.has_open(0, PATIENCE).await);
}

#[tokio::test]
async fn without_idle_connections_every_request_has_its_own() {
    let upstream = FakeUpstream::start(|_| Script::ok("x")).await.unwrap();
    let (pool, _) = pool(local().max_idle(0), &upstream);
    for _ in 0..3 {
        assert_eq!(get_text(&pool, "/").await, "x");
    }
    assert_eq!(upstream.accepted(), 3);
}

/// Answers one request for each connection, and closes the first only when told to.
fn closes_when_told(
    listener: &std::net::TcpListener,
    told: &std::sync::mpsc::Receiver<()>,
    closed: &std::sync::mpsc::Sender<()>,
) -> Vec<String> {
    use std::io::{Read, Write};
    let mut heads = Vec::new();
    for _ in 0..2 {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\nbody") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        heads.push(String::from_utf8(head).unwrap());
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
        if heads.len() == 1 {
            told.recv().unwrap();
        }
        drop(stream);
        closed.send(()).unwrap();
    }
    heads
}

/// The upstream has a thread of its own and this test one for everything else: the end of the connection
/// is found in the same turn in which the request is handed over, and after it.
#[tokio::test]
async fn u_11_a_request_handed_back_unsent_is_sent_again() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = std::sync::mpsc::channel();
    let (closed, is_closed) = std::sync::mpsc::channel();
    let upstream = std::thread::spawn(move || closes_when_told(&listener, &told, &closed));
    let (pool, _) = pool_for(local(), &url);
    let post = |target| request(Method::POST, target, Body::from("body"));
    assert_eq!(text(send(&pool, post("/first")).await.unwrap()).await, "ok");
    tell.send(()).unwrap();
    is_closed.recv().unwrap();
    tokio::task::yield_now().await;
    assert_eq!(pool.idle(), 1);
    assert_eq!(text(send(&pool, post("/second")).await.unwrap()).await, "ok");
    let heads = upstream.join().unwrap();
    assert!(heads[1].starts_with("POST /second "), "{}", heads[1]);
}
