//! Rows U: answers that cannot be believed, and what the next client gets.

use backhaul::testing::{Script, Step};

use super::front::Front;
use crate::gateway::harness::PATIENCE;

/// Before an upstream that does this at `/bad`, and answers everything else with `fine`.
pub(super) async fn before(bad: Script) -> Front {
    Front::before(move |request| match request.target().as_str() {
        "/bad" => bad.clone(),
        _ => Script::ok("fine"),
    })
    .await
}

/// Whatever is asked next is answered on another connection than the first, which is closed.
async fn the_next_is_answered_afresh(front: &Front, what: &str) {
    assert!(front.upstream.has_open(0, PATIENCE).await, "{what:?}");
    assert_eq!(front.ask("GET /", &[]).await.body(), "fine", "{what:?}");
    assert_eq!((front.upstream.accepted(), front.count()), (2, 2), "{what:?}");
}

/// The client is told that the answer was invalid, and nothing of what it said.
async fn is_disbelieved(answer: &str) {
    let front = before(Script::raw(answer)).await;
    let told = front.ask("GET /bad", &[]).await;
    assert_eq!((told.status(), told.code()), (502, "D502BR"), "{answer:?}: {told:?}");
    assert!(!told.0.contains("poison"), "{answer:?}: {told:?}");
    the_next_is_answered_afresh(&front, answer).await;
}

#[tokio::test]
async fn u_01_a_length_beside_chunks_is_not_believed() {
    for head in [
        "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 6\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: zz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nTransfer-Encoding: identity\r\n",
        "HTTP/1.0 200 OK\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n",
    ] {
        is_disbelieved(&format!("{head}\r\n6\r\npoison\r\n0\r\n\r\n")).await;
    }
}

#[tokio::test]
async fn u_02_a_length_that_is_not_one_number_is_not_believed() {
    for length in ["+6", "-6", "", "0x6", "6 6", "6,7", "6,", "1e1", "6.0", "99999999999999999999"]
    {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
        is_disbelieved(&format!("{head}poison")).await;
    }
    for (one, other) in [("6", "7"), ("7", "6"), ("6", ""), ("0", "6"), ("6", "x")] {
        let lines = format!("Content-Length: {one}\r\nContent-Length: {other}\r\n");
        is_disbelieved(&format!("HTTP/1.1 200 OK\r\n{lines}\r\npoison")).await;
    }
}

#[tokio::test]
async fn u_03_a_coding_that_is_not_chunked_once_is_not_believed() {
    for coding in [
        "xchunked",
        "identity",
        "gzip",
        "gzip, chunked",
        "chunked, gzip",
        "chunked, chunked",
        ",chunked",
        "chunked;q=1",
        "\"chunked\"",
        "chunked\r\nTransfer-Encoding: chunked",
        "chunked\r\nTransfer-Encoding: identity",
    ] {
        let head = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: {coding}\r\n\r\n");
        is_disbelieved(&format!("{head}6\r\npoison\r\n0\r\n\r\n")).await;
    }
}

#[tokio::test]
async fn u_04_bytes_after_an_answer_reach_nobody() {
    let poison = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";
    for (method, answer, body) in [
        ("GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", "ab"),
        ("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ""),
        ("GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n", ""),
        ("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\n", ""),
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n", ""),
    ] {
        for after in [poison, "poison", "\r\n", "x"] {
            let what = format!("{answer}{after}");
            let front = before(Script::raw(&what)).await;
            let told = front.ask(&format!("{method} /bad"), &[]).await;
            assert!(told.status() < 400 && !told.0.contains("poison"), "{what:?}: {told:?}");
            let expected = if answer.contains("chunked") { "0\r\n\r\n" } else { body };
            assert_eq!(told.body(), expected, "{what:?}");
            the_next_is_answered_afresh(&front, &what).await;
        }
    }
}

#[tokio::test]
async fn u_05_what_comes_while_nothing_is_asked_reaches_nobody() {
    let timeout = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n";
    for unasked in [timeout, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison", "\r\n"] {
        let pause = Step::Pause(std::time::Duration::from_millis(20));
        let front = before(Script::ok("asked").then(pause).write(unasked)).await;
        assert_eq!(front.ask("GET /bad", &[]).await.body(), "asked");
        the_next_is_answered_afresh(&front, unasked).await;
    }
}

#[tokio::test]
async fn u_06_an_answer_that_breaks_off_is_never_whole() {
    let length = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab";
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (answer, said) in [
        (length.to_owned(), "10"),
        (format!("{chunked}5\r\nab"), ""),
        (format!("{chunked}2\r\nab\r\n"), ""),
        (format!("{chunked}2\r\nab\r\n0\r\n"), ""),
        (format!("{chunked}2\r\nab\r\nzz\r\n"), ""),
    ] {
        let front = before(Script::raw(&answer).then(Step::Close)).await;
        let told = front.ask("GET /bad", &[]).await;
        assert_eq!(told.status(), 200, "{answer:?}");
        assert_eq!(told.header("content-length").unwrap_or_default(), said, "{answer:?}");
        match said {
            // Either the bytes that were announced are missing, or the last chunk is.
            "10" => assert_eq!(told.body(), "ab"),
            _ => assert!(!told.body().ends_with("0\r\n\r\n"), "{answer:?}: {told:?}"),
        }
        the_next_is_answered_afresh(&front, &answer).await;
    }
}

#[cfg(feature = "server")]
#[tokio::test]
async fn u_06_over_http2_its_stream_is_reset() {
    use tokio::net::{TcpListener, TcpStream};
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    ] {
        let front = before(Script::raw(answer).then(Step::Close)).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let server = backhaul::serve::Server::new(front.gateway.clone());
        let serving = tokio::spawn(async move { server.serve(listener).await });
        let (client, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        let request = http::Request::get("http://a/bad").body(()).unwrap();
        let mut client = client.ready().await.unwrap();
        let answered = client.send_request(request, true).unwrap().0.await.unwrap();
        assert_eq!(answered.status(), 200);
        let mut body = answered.into_body();
        let error = loop {
            match body.data().await.expect("it ends as if it were whole") {
                Ok(data) => assert_eq!(data, "ab"),
                Err(error) => break error,
            }
        };
        assert!(error.is_reset(), "{error}");
        serving.abort();
    }
}

#[tokio::test]
async fn u_07_a_switch_that_nobody_asked_for_is_not_believed() {
    for upgrade in ["websocket", "h2c", "x"] {
        let lines = format!("Connection: upgrade\r\nUpgrade: {upgrade}\r\n");
        is_disbelieved(&format!("HTTP/1.1 101 Switching Protocols\r\n{lines}\r\npoison")).await;
    }
}

#[tokio::test]
async fn u_08_a_status_that_none_has_is_not_believed() {
    for status in ["000", "001", "99", "099", "600", "999", "1000", "20", "2xx", "-200", ""] {
        let head = format!("HTTP/1.1 {status} Odd\r\nContent-Length: 6\r\n\r\n");
        is_disbelieved(&format!("{head}poison")).await;
    }
}

#[tokio::test]
async fn u_09_informational_answers_without_an_end_are_cut_off() {
    let link = "x".repeat(100);
    let early = format!("HTTP/1.1 103 Early Hints\r\nLink: </{link}>; rel=preload\r\n\r\n");
    let flood = Script::raw(early.repeat(5_000)).and(Script::ok("late"));
    let front = before(flood).await;
    let told = front.ask("GET /bad", &[]).await;
    assert_eq!((told.status(), told.code()), (502, "D502BR"), "{told:?}");
    assert_eq!(told.0.matches("HTTP/1.").count(), 1);
    the_next_is_answered_afresh(&front, "a flood").await;
}
