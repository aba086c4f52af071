//! Answers that cannot be believed, and what becomes of their connections.

use super::*;

/// Sends the raw answer to the first request and `fine` to those after.
async fn upstream(answer: &'static [u8]) -> FakeUpstream {
    FakeUpstream::start(move |request| match request.target().as_str() {
        "/bad" => Script::raw(answer),
        _ => Script::ok("fine"),
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn an_ambiguous_head_is_a_bad_response_and_its_connection_is_not_used_again() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"[..],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: zz\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n",
        b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 600 Odd\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 99 Odd\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n",
        b"garbage\r\n\r\n",
        b"\x16\x03\x01\x00\x05hello\r\n\r\n",
    ] {
        let upstream = upstream(answer).await;
        let (pool, _) = pool(local(), &upstream);
        let shown = String::from_utf8_lossy(answer);
        let error = send(&pool, get("/bad")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadResponse, "{shown}");
        assert_eq!((error.retry(), error.status().as_u16()), (Retry::IfIdempotent, 502), "{shown}");
        assert_eq!(pool.idle(), 0, "{shown}");
        assert!(upstream.has_open(0, PATIENCE).await, "{shown}");
        assert_eq!(get_text(&pool, "/").await, "fine", "{shown}");
        assert_eq!(upstream.accepted(), 2, "{shown}");
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_is_a_bad_response() {
    let large = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(40_000));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: x\r\n".repeat(150));
    for answer in [large, many] {
        let script = move |_: &Received| Script::raw(&answer).then(Step::Hang);
        let upstream = FakeUpstream::start(script).await.unwrap();
        let (pool, _) = pool(local(), &upstream);
        let error = send(&pool, get("/")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadResponse);
    }
}

#[tokio::test]
async fn odd_but_clear_lengths_are_passed_on_in_one_spelling() {
    for (answer, length, body) in [
        (&b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nab"[..], Some("2"), "ab"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab", Some("2"), "ab"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 02\r\n\r\nab", Some("2"), "ab"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", None, "ab"),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", None, ""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", Some("9"), ""),
    ] {
        let upstream = upstream(answer).await;
        let (pool, _) = pool(local(), &upstream);
        let response = send(&pool, get("/bad")).await.unwrap();
        let lengths: Vec<_> = response.headers().get_all("content-length").iter().collect();
        assert_eq!(lengths, length.into_iter().collect::<Vec<_>>());
        assert!(!response.headers().contains_key("transfer-encoding"));
        assert_eq!(text(response).await, body);
        assert_eq!(get_text(&pool, "/").await, "fine");
        assert_eq!(upstream.accepted(), 1, "a clean answer frees its connection");
    }
}

#[tokio::test]
async fn an_answer_to_head_keeps_its_length_and_has_no_body() {
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
    let upstream = upstream(answer).await;
    let (pool, _) = pool(local(), &upstream);
    let response = send(&pool, request(Method::HEAD, "/bad", Body::empty())).await.unwrap();
    assert_eq!(response.headers()["content-length"], "1000");
    assert!(response.body().is_end_stream());
    assert_eq!(get_text(&pool, "/").await, "fine");
    assert_eq!(upstream.accepted(), 1);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error_and_never_a_short_success() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab"[..],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n",
    ] {
        let script = move |_: &Received| Script::raw(answer).then(Step::Close);
        let upstream = FakeUpstream::start(script).await.unwrap();
        let (pool, _) = pool(local(), &upstream);
        let response = send(&pool, get("/")).await.unwrap();
        let error = response.into_body().collect().await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::BadResponse, Retry::Never));
        assert_eq!(pool.idle(), 0);
    }
}

#[tokio::test]
async fn no_answer_or_half_a_head_is_a_connect_error_that_may_have_been_seen() {
    for answer in [&b""[..], b"HTTP/1.1 200 OK\r\nContent-"] {
        let script = move |_: &Received| Script::raw(answer).then(Step::Close);
        let upstream = FakeUpstream::start(script).await.unwrap();
        let (pool, _) = pool(local(), &upstream);
        let error = send(&pool, get("/")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect);
        assert_eq!(error.context(), "connection closed before an answer");
        assert_eq!(error.retry(), Retry::IfIdempotent);
        assert_eq!(upstream.received().len(), 1);
    }
}

#[tokio::test]
async fn an_answer_in_single_bytes_is_understood() {
    let answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let drip = Step::Drip(Bytes::from_static(answer));
    let script = move |_: &Received| Script::new().then(Step::Read).then(drip.clone());
    let upstream = FakeUpstream::start(script).await.unwrap();
    let (pool, _) = pool(local(), &upstream);
    for _ in 0..2 {
        assert_eq!(get_text(&pool, "/").await, "hello");
    }
    assert_eq!(upstream.accepted(), 1);
}

#[tokio::test]
async fn an_answer_without_a_length_ends_with_its_connection() {
    let answer = "HTTP/1.1 200 OK\r\n\r\nto the end";
    let script = move |_: &Received| Script::raw(answer).then(Step::Close);
    let upstream = FakeUpstream::start(script).await.unwrap();
    let (pool, _) = pool(local(), &upstream);
    for _ in 0..2 {
        assert_eq!(get_text(&pool, "/").await, "to the end");
    }
    assert_eq!(upstream.accepted(), 2);
}

#[tokio::test]
async fn informational_answers_are_skipped() {
    let early = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".repeat(10);
    let script = move |_: &Received| Script::raw(&early).and(Script::ok("final"));
    let upstream = FakeUpstream::start(script).await.unwrap();
    let (pool, _) = pool(local(), &upstream);
    assert_eq!(get_text(&pool, "/").await, "final");
}

#[tokio::test]
async fn bytes_after_an_answer_never_reach_the_next_request() {
    let twice = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";
    let upstream = upstream(twice).await;
    let (pool, _) = pool(local(), &upstream);
    assert_eq!(get_text(&pool, "/bad").await, "ab");
    assert_eq!(get_text(&pool, "/").await, "fine");
    assert_eq!(upstream.accepted(), 2);
}
