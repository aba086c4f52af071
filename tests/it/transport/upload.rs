//! Bodies of requests.

use super::*;

#[tokio::test]
async fn both_bodies_flow_at_once() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let script = move |_: &Received| Script::new().write(head).then(Step::Echo);
    let upstream = FakeUpstream::start(script).await.unwrap();
    let (pool, _) = pool(local(), &upstream);
    let (feeder, body) = fed();
    let mut response = send(&pool, request(Method::POST, "/", body)).await.unwrap();
    for piece in ["one", "two", "three"] {
        feeder.send(Ok(piece)).await.unwrap();
        let frame = tokio::time::timeout(PATIENCE, response.body_mut().frame()).await.unwrap();
        assert_eq!(frame.unwrap().unwrap().into_data().unwrap(), piece);
    }
    drop(feeder);
    assert!(response.body_mut().frame().await.is_none());
    assert_eq!(pool.idle(), 1, "both ended cleanly");
    assert_eq!(upstream.received()[0].body, b"onetwothree");
}

#[tokio::test]
async fn the_error_of_a_body_comes_back_as_it_was() {
    for kind in [ErrorKind::BodyTooLarge, ErrorKind::InvalidBody, ErrorKind::ClientGone] {
        let upstream = FakeUpstream::start(|_| Script::ok("never")).await.unwrap();
        let (pool, _) = pool(local(), &upstream);
        let (feeder, body) = fed();
        feeder.send(Ok("some")).await.unwrap();
        let original = Error::new(kind, Retry::Never, "told by the test");
        feeder.send(Err(original)).await.unwrap();
        let error = send(&pool, request(Method::POST, "/", body)).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(error.context(), "told by the test");
        assert!(upstream.has_open(0, PATIENCE).await);
        assert!(!upstream.received().iter().any(|one| one.complete), "no clean end was sent");
    }
}

#[tokio::test]
async fn the_error_of_a_body_after_the_head_ends_the_answer() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let script = move |_: &Received| Script::new().write(head).then(Step::Echo);
    let upstream = FakeUpstream::start(script).await.unwrap();
    let (pool, _) = pool(local(), &upstream);
    let (feeder, body) = fed();
    let response = send(&pool, request(Method::POST, "/", body)).await.unwrap();
    let original = Error::new(ErrorKind::BodyTooLarge, Retry::Never, "told by the test");
    feeder.send(Err(original)).await.unwrap();
    let error = response.into_body().collect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BodyTooLarge);
    assert!(upstream.has_open(0, PATIENCE).await);
}

#[tokio::test]
async fn an_answer_before_the_body_was_sent_is_passed_on_and_stops_the_upload() {
    for answer in [
        "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig",
    ] {
        let script = move |_: &Received| Script::new().write(answer).then(Step::Hang);
        let upstream = FakeUpstream::start(script).await.unwrap();
        let (pool, _) = pool(local(), &upstream);
        let (feeder, body) = fed();
        feeder.send(Ok("the beginning")).await.unwrap();
        let response = send(&pool, request(Method::POST, "/", body)).await.unwrap();
        assert_eq!(response.status(), 413);
        let _ = text(response).await;
        assert!(upstream.has_open(0, PATIENCE).await, "the connection is cut");
        tokio::time::timeout(PATIENCE, feeder.closed()).await.unwrap();
        assert_eq!(pool.idle(), 0);
    }
}

#[tokio::test]
async fn a_whole_body_is_sent_with_its_length() {
    let upstream = FakeUpstream::start(|_| Script::ok("x")).await.unwrap();
    let (pool, _) = pool(local(), &upstream);
    for _ in 0..2 {
        let post = request(Method::POST, "/", Body::from("hello"));
        assert_eq!(text(send(&pool, post).await.unwrap()).await, "x");
    }
    let received = upstream.received();
    assert_eq!(received[0].header("content-length"), ["5"]);
    assert_eq!(received[1].body, b"hello");
    assert_eq!(upstream.accepted(), 1);
}

#[tokio::test]
async fn a_body_shorter_than_announced_is_not_ended_cleanly() {
    let upstream = FakeUpstream::start(|_| Script::ok("x")).await.unwrap();
    let (pool, _) = pool(local(), &upstream);
    let (feeder, body) = fed();
    feeder.send(Ok("short")).await.unwrap();
    drop(feeder);
    let mut post = request(Method::POST, "/", body);
    post.headers_mut().insert("content-length", 10.into());
    let error = send(&pool, post).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidBody);
    assert!(upstream.has_open(0, PATIENCE).await);
}

#[tokio::test]
async fn a_body_of_unknown_length_goes_with_get_too() {
    let upstream = FakeUpstream::start(|_| Script::ok("x")).await.unwrap();
    let (pool, _) = pool(local(), &upstream);
    for method in [Method::GET, Method::POST] {
        let (feeder, body) = fed();
        feeder.send(Ok("hello")).await.unwrap();
        drop(feeder);
        assert_eq!(text(send(&pool, request(method, "/", body)).await.unwrap()).await, "x");
        let received = upstream.received().pop().unwrap();
        assert_eq!(received.header("transfer-encoding"), ["chunked"]);
        assert_eq!((&received.body[..], received.complete), (&b"hello"[..], true));
    }
    // What announces a length is framed by it alone.
    let (feeder, body) = fed();
    feeder.send(Ok("hello")).await.unwrap();
    drop(feeder);
    let mut get = request(Method::GET, "/", body);
    get.headers_mut().insert("content-length", 5.into());
    assert_eq!(text(send(&pool, get).await.unwrap()).await, "x");
    let received = upstream.received().pop().unwrap();
    assert!(received.header("transfer-encoding").is_empty());
    assert_eq!(received.body, b"hello");
}
