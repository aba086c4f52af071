//! Requests that are right, and what comes before and after them.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::harness::{Answers, Served, read_until};

const NEXT: &str = "GET /next HTTP/1.1\r\nHost: a\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn f_36_a_get_with_a_body_keeps_it() {
    let served = Served::echo().await;
    for method in ["GET", "OPTIONS", "DELETE"] {
        let request = format!("{method} /a HTTP/1.1\r\nHost: a\r\ncontent-length: 5\r\n\r\nhello");
        let answers = served.talk(format!("{request}{NEXT}")).await;
        assert_eq!(answers.0[0].body(), format!("<{method} /a Some(\"5\") hello>"));
        assert_eq!(answers.0[1].body(), "<GET /next None >");
    }
}

#[tokio::test]
async fn f_37_an_unread_body_is_no_request() {
    let served = Served::deaf().await;
    let hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\nx: 12345\r\n\r\n";
    let length = hidden.len();
    for path in ["/a", "/%2f"] {
        let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\ncontent-length: {length}\r\n\r\n");
        // All of it is there: hyper skips it.
        let answers = served.talk(format!("{head}{hidden}{NEXT}")).await;
        assert_eq!(answers.0.len(), 2, "{answers:?}");
        // Without a length it does not, and the connection ends.
        let chunked = "transfer-encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n";
        let request = format!("POST {path} HTTP/1.1\r\nHost: a\r\n{chunked}{NEXT}");
        let answers = served.talk(request).await;
        assert_eq!(answers.0.len(), 1, "{answers:?}");
        assert_eq!(answers.last().header("connection"), Some("close"));
        // Some of it is missing: the connection ends, and says so.
        let answers = served.talk(format!("{head}{}", &hidden[..10])).await;
        assert_eq!(answers.0.len(), 1, "{answers:?}");
        assert_eq!(answers.last().header("connection"), Some("close"));
    }
}

#[tokio::test]
async fn f_37_what_is_thrown_away_of_an_unread_body_is_bounded() {
    let served = Served::deaf().await;
    let mut stream = TcpStream::connect(served.listen().await).await.unwrap();
    let head = "POST /a HTTP/1.1\r\nHost: a\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = read_until(&mut stream, "deaf").await;
    assert!(answer.contains("connection: close"), "{answer}");
    // A body without an end is not read without one.
    let chunk = format!("1000\r\n{}\r\n", "a".repeat(0x1000));
    let mut sent = 0;
    while stream.write_all(chunk.as_bytes()).await.is_ok() {
        sent += chunk.len();
        assert!(sent < 64 << 20, "it is read on and on");
    }
}

#[tokio::test]
async fn f_38_a_body_that_did_not_wait_to_be_asked_for() {
    let served = Served::echo().await;
    let head = "POST /a HTTP/1.1\r\nHost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n";
    let answers = served.talk(format!("{head}hello{NEXT}")).await;
    let last = answers.0.len() - 2;
    assert_eq!(answers.0[last].body(), "<POST /a Some(\"5\") hello>", "{answers:?}");
    assert_eq!(answers.0[last + 1].body(), "<GET /next None >");
}

#[tokio::test]
async fn f_40_an_unknown_expectation_is_ignored() {
    let served = Served::by(|request| async move {
        assert!(!request.headers().contains_key("expect"));
        Ok(http::Response::new(backhaul::Body::from("met")))
    })
    .await;
    let request = "GET /a HTTP/1.1\r\nHost: a\r\nexpect: 200-ok\r\nconnection: close\r\n\r\n";
    assert_eq!(served.talk(request).await.last().body(), "met");
}

#[tokio::test]
async fn f_41_an_upgrade_that_did_not_happen() {
    let served = Served::echo().await;
    let first = "GET /first HTTP/1.1\r\nHost: a\r\nconnection: upgrade\r\nupgrade: foo\r\n\r\n";
    let answers = served.talk(format!("{first}{NEXT}")).await;
    assert_eq!(answers.0[0].body(), "<GET /first None >");
    assert_eq!(answers.0[1].body(), "<GET /next None >");
    let unrouted = NEXT.replace("Host: a", "Host: other");
    let answers = served.talk(format!("{first}{unrouted}")).await;
    assert_eq!(answers.0[1].code(), "I404DO");
}

#[tokio::test]
async fn f_42_an_upgrade_with_a_body() {
    let served = Served::by(|request| async move {
        assert!(!request.headers().contains_key("upgrade"));
        Ok(http::Response::new(backhaul::Body::from("plain")))
    })
    .await;
    let first = "POST /a HTTP/1.1\r\nHost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\ncontent-length: 5\r\n\r\nhello";
    let answers = served.talk(format!("{first}{NEXT}")).await;
    assert_eq!(answers.statuses(), [200, 200]);
}

#[tokio::test]
async fn f_43_connect_is_refused_and_what_follows_it_too() {
    let served = Served::echo().await;
    let connect = "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n";
    served.talk(format!("{connect}{NEXT}")).await.refused(405, "I405UM");
    assert_eq!(served.seen(), 0);
}

#[tokio::test]
async fn f_44_pipelined_requests_are_answered_in_order() {
    let served = Served::echo().await;
    let mut all = String::new();
    for number in 0..10 {
        let last = if number == 9 { "connection: close\r\n" } else { "" };
        all += &format!(
            "POST /{number} HTTP/1.1\r\nHost: a\r\n{last}content-length: 1\r\n\r\n{number}"
        );
    }
    let answers = served.talk(&all).await;
    let bodies: Vec<_> = answers.0.iter().map(|told| told.body().to_owned()).collect();
    let expected: Vec<_> =
        (0..10).map(|number| format!("<POST /{number} Some(\"1\") {number}>")).collect();
    assert_eq!(bodies, expected);
    // The same byte by byte.
    let mut stream = TcpStream::connect(served.listen().await).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for byte in all.as_bytes() {
        stream.write_all(&[*byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(Answers::read(&mut stream).await.statuses(), [200; 10]);
}

#[tokio::test]
async fn f_45_nothing_is_served_after_the_last() {
    let served = Served::echo().await;
    let answers = served.talk(format!("{NEXT}{NEXT}")).await;
    assert_eq!(answers.statuses(), [200]);
    assert_eq!(answers.last().header("connection"), Some("close"));
    assert_eq!(served.seen(), 1);
    // HTTP/1.0 keeps a connection only when asked to.
    let old = "GET /a HTTP/1.0\r\nHost: a\r\n\r\n";
    assert_eq!(served.talk(format!("{old}{NEXT}")).await.0.len(), 1);
}

#[tokio::test]
async fn f_46_a_few_empty_lines_before_a_request() {
    let served = Served::echo().await;
    assert_eq!(served.talk(format!("\r\n{NEXT}")).await.statuses(), [200]);
    let twice = format!("\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n\r\n\r\n{NEXT}");
    assert_eq!(served.talk(twice).await.statuses(), [200, 200]);
    let many = format!("{}{NEXT}", "\r\n".repeat(4_097));
    served.talk(many).await.refused(400, "I400RU");
}

#[tokio::test]
async fn r_09_heads_have_a_size() {
    let served = Served::echo().await;
    let head =
        |headers: &str| format!("GET /a HTTP/1.1\r\nHost: a\r\nconnection: close\r\n{headers}");
    let many = |count| head(&format!("{}\r\n", "x: y\r\n".repeat(count)));
    assert_eq!(served.talk(many(98)).await.statuses(), [200]);
    served.talk(many(99)).await.refused(431, "I431HD");
    // Nobody waits for the end of what is too much already.
    served.talk(head(&format!("x: {}", "y".repeat(17 * 1024)))).await.refused(431, "I431HD");
    served.talk(format!("GET /{}", "a".repeat(9 * 1024))).await.refused(413, "I413UL");
    let longest = format!(
        "GET /{} HTTP/1.1\r\nHost: a\r\nconnection: close\r\n\r\n",
        "a".repeat(8 * 1024 - 1)
    );
    assert_eq!(served.talk(&longest).await.statuses(), [200]);
    served.talk(longest.replace("/a", "/aa")).await.refused(413, "I413UL");
    served.talk("A".repeat(100_000)).await.refused(400, "I400RU");
}
