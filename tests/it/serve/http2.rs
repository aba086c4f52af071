//! What HTTP/2 clients may say and what not, and what they get.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use backhaul::{Body, ErrorKind};
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use tokio::net::TcpStream;

use super::frames::{
    DATA, END_HEADERS, END_STREAM, HEADERS, Http2, REFUSED_STREAM, RST_STREAM, fields, frame, head,
    request,
};
use super::harness::{PATIENCE, Served};

async fn connect(served: &Served) -> Http2<TcpStream> {
    Http2::start(TcpStream::connect(served.listen().await).await.unwrap()).await
}

fn headers(stream: u32, all: &[(&str, &str)]) -> Vec<u8> {
    frame(HEADERS, END_STREAM | END_HEADERS, stream, &fields(all))
}

/// None of these requests reaches the backend; each is answered by one of these, `None` for a reset.
async fn malformed(requests: &[Vec<(&str, &str)>], expected: &[Option<u16>]) {
    let served = Served::echo().await;
    for request in requests {
        let mut client = connect(&served).await;
        client.send(&headers(1, request)).await;
        let answer = client.answer(1).await;
        assert!(expected.contains(&answer), "{request:?}: {answer:?}");
    }
    assert_eq!(served.seen(), 0);
}

fn with<'a>(name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut all = head("GET", "/a");
    all.push((name, value));
    all
}

#[tokio::test]
async fn t_10_streams_over_the_limit_are_refused() {
    let served = Served::by(|_| std::future::pending()).await;
    let mut client = connect(&served).await;
    // The limit holds once the client has seen it.
    client.until(|frame| frame.kind == super::frames::SETTINGS && frame.flags == 1).await;
    for number in 0..150 {
        client.send(&request(2 * number + 1, "/a")).await;
    }
    let mut refused = 0;
    let all = client.until(|frame| {
        if frame.kind == RST_STREAM {
            assert_eq!(frame.reason(), REFUSED_STREAM);
            refused += 1;
        }
        refused == 50
    });
    assert!(all.await);
    let rest = async {
        while served.seen() < 100 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, rest).await.unwrap();
    assert_eq!(served.seen(), 100);
}

#[tokio::test]
async fn t_11_two_identities() {
    malformed(&[with("host", "b")], &[Some(400)]).await;
    let served = Served::echo().await;
    let mut client = connect(&served).await;
    client.send(&headers(1, &with("host", "a"))).await;
    assert_eq!(client.answer(1).await, Some(200));
}

#[tokio::test]
async fn t_12_hosts_without_an_authority() {
    let start = [(":method", "GET"), (":scheme", "http"), (":path", "/a")];
    let twice = [&start[..], &[("host", "a"), ("host", "a")]].concat();
    malformed(&[twice, start.to_vec()], &[Some(400)]).await;
}

#[tokio::test]
async fn t_13_pseudo_headers_and_names() {
    let mut without_path = head("GET", "/a");
    without_path.pop();
    let mut twice = head("GET", "/a");
    twice.push((":path", "/b"));
    let mut late = vec![("x", "y")];
    late.extend(head("GET", "/a"));
    let all = [
        without_path,
        twice,
        late,
        with(":status", "200"),
        with(":other", "1"),
        with("Upper", "x"),
    ];
    malformed(&all, &[None]).await;
}

#[tokio::test]
async fn t_14_paths_methods_and_schemes_of_two_lines() {
    let mut all = Vec::new();
    for path in ["/a b", "/a\r\nx: y", "a", ""] {
        all.push(head("GET", path));
    }
    for method in ["GET /", "G\r\nT", ""] {
        all.push(head(method, "/a"));
    }
    let mut scheme = head("GET", "/a");
    scheme[1] = (":scheme", "ht tp");
    all.push(scheme);
    malformed(&all, &[None, Some(400)]).await;
}

#[tokio::test]
async fn t_15_control_characters_in_values() {
    malformed(&[with("x", "a\rb"), with("x", "a\nb"), with("x", "a\0b")], &[None]).await;
}

#[tokio::test]
async fn t_16_headers_of_http_1() {
    let all = [
        with("transfer-encoding", "chunked"),
        with("connection", "close"),
        with("upgrade", "foo"),
        with("keep-alive", "1"),
        with("proxy-connection", "close"),
    ];
    malformed(&all, &[None]).await;
}

#[tokio::test]
async fn t_17_a_length_that_is_not_the_bodys() {
    let broken = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&broken);
    let served = Served::by(move |request: Request<Body>| {
        let counted = Arc::clone(&counted);
        async move {
            let failed = request.into_body().collect().await.err();
            assert_eq!(failed.map(|error| error.kind()), Some(ErrorKind::InvalidBody));
            counted.fetch_add(1, Ordering::SeqCst);
            Err(super::harness::failure())
        }
    })
    .await;
    let mut all = head("POST", "/a");
    all.push(("content-length", "5"));
    for body in ["ab", "abcdefgh"] {
        let mut client = connect(&served).await;
        client.send(&frame(HEADERS, END_HEADERS, 1, &fields(&all))).await;
        client.send(&frame(DATA, END_STREAM, 1, body.as_bytes())).await;
        assert_ne!(client.answer(1).await, Some(200));
    }
    let seen = async {
        while broken.load(Ordering::SeqCst) < served.seen() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, seen).await.unwrap();
}

#[tokio::test]
async fn t_18_te_other_than_trailers() {
    malformed(&[with("te", "gzip"), with("te", "trailers, gzip")], &[None]).await;
}

#[tokio::test]
async fn t_19_a_body_without_a_length() {
    let served = Served::echo().await;
    let mut client = connect(&served).await;
    client.send(&frame(HEADERS, END_HEADERS, 1, &fields(&head("POST", "/a")))).await;
    client.send(&frame(DATA, END_STREAM, 1, b"hello")).await;
    let body = client.until(|frame| frame.kind == DATA && frame.payload == b"<POST /a None hello>");
    assert!(body.await);
}

#[tokio::test]
async fn t_20_an_upgrade_to_http_2_does_not_happen() {
    let served = Served::by(|request: Request<Body>| async move {
        let headers = request.headers();
        assert!(!headers.contains_key("upgrade") && !headers.contains_key("http2-settings"));
        Ok(Response::new(Body::from("one")))
    })
    .await;
    let request = "GET /a HTTP/1.1\r\nHost: a\r\nconnection: upgrade, http2-settings, close\r\n\
                   upgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n\r\n";
    let answers = served.talk(request).await;
    assert_eq!(answers.statuses(), [200]);
    assert_eq!(answers.last().body(), "one");
}

#[tokio::test]
async fn t_21_extended_connect() {
    let mut all = head("CONNECT", "/a");
    all.push((":protocol", "websocket"));
    malformed(&[all], &[None, Some(0), Some(400)]).await;
}

#[tokio::test]
async fn t_23_trailers_reach_the_client() {
    let served = Served::by(|_| async {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", "0".parse().unwrap());
        let body = http_body_util::Full::new(bytes::Bytes::from_static(b"message"))
            .with_trailers(async move { Some(Ok(trailers)) })
            .map_err(|never: std::convert::Infallible| match never {});
        Ok(Response::new(Body::new(body)))
    })
    .await;
    let mut client = connect(&served).await;
    client.send(&request(1, "/a")).await;
    let mut heads = Vec::new();
    client
        .until(|frame| {
            if frame.kind == HEADERS {
                heads.push(frame.flags & END_STREAM);
            }
            frame.ends()
        })
        .await;
    assert_eq!(heads, [0, END_STREAM]);
}

#[tokio::test]
async fn t_24_a_bad_stream_is_alone() {
    let served = Served::echo().await;
    let mut client = connect(&served).await;
    let mut all = Vec::new();
    for number in 0..80 {
        let stream = 2 * number + 1;
        all.extend(match number {
            40 => headers(stream, &with("te", "gzip")),
            _ => request(stream, "/a"),
        });
    }
    client.send(&all).await;
    let (mut good, mut reset) = (0, 0);
    client
        .until(|frame| {
            good += u32::from(frame.kind == HEADERS && frame.status() == Some(200));
            reset += u32::from(frame.kind == RST_STREAM);
            good + reset == 80
        })
        .await;
    assert_eq!((good, reset), (79, 1));
}

#[tokio::test]
async fn r_21_a_panic_is_one_streams() {
    let served = Served::by(|request: Request<Body>| async move {
        assert!(request.uri().path() != "/panic", "a panic that is expected");
        Ok(Response::new(Body::from("fine")))
    })
    .await;
    let mut client = connect(&served).await;
    client.send(&request(1, "/panic")).await;
    assert_eq!(client.answer(1).await, Some(500));
    client.send(&request(3, "/a")).await;
    assert_eq!(client.answer(3).await, Some(200));
}

#[tokio::test]
async fn without_http_2_its_beginning_is_refused() {
    let served = Served::echo().await.limits(backhaul::serve::Limits::new().http2(false));
    served.talk(super::frames::PREFACE).await.refused(400, "I400RU");
}
