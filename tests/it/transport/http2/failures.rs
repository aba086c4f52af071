//! What may be sent again, and what a failure says.

use super::*;

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
