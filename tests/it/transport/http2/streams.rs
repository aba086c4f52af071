//! How many streams share a connection, and how one ends without it.

use super::*;

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
