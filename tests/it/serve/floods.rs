//! HTTP/2 clients that mean harm.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use backhaul::Body;
use backhaul::serve::{Limits, limits};
use bytes::Bytes;
use http::Response;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, Http2, PING, PRIORITY,
    RST_STREAM, SETTINGS, WINDOW_UPDATE, fields, frame, head, request,
};
use super::harness::{PATIENCE, Served};

/// Far more than anybody has to bear.
const FLOOD: u32 = 200_000;
const CANCEL: [u8; 4] = [0, 0, 0, 8];

async fn connect(served: &Served) -> Http2<TcpStream> {
    Http2::start(TcpStream::connect(served.listen().await).await.unwrap()).await
}

/// Sends one piece after the other until the server closes, which it has to do.
async fn flood(served: &Served, piece: impl Fn(u32) -> Vec<u8> + Send + 'static) {
    let stream = TcpStream::connect(served.listen().await).await.unwrap();
    let (mut read, mut write) = stream.into_split();
    let reading = tokio::spawn(async move {
        let mut answers = tokio::io::sink();
        // A reset is a close, too.
        let _ = tokio::io::copy(&mut read, &mut answers).await;
    });
    let mut client = Http2::start(tokio::io::join(tokio::io::empty(), &mut write)).await;
    let mut sent = 0;
    while sent < FLOOD && client.try_send(&piece(sent)).await {
        sent += 1;
    }
    tokio::time::timeout(PATIENCE, reading).await.expect("it is served on and on").unwrap();
}

/// The server still answers others.
async fn others_are_served(served: &Served) {
    let mut client = connect(served).await;
    client.send(&request(1, "/a")).await;
    assert_eq!(client.answer(1).await, Some(200));
}

#[tokio::test]
async fn t_01_rapid_resets() {
    let served = Served::echo().await;
    flood(&served, |number| {
        let stream = 2 * number + 1;
        [request(stream, "/a"), frame(RST_STREAM, 0, stream, &CANCEL)].concat()
    })
    .await;
    assert!(served.seen() <= 1_000, "{}", served.seen());
    others_are_served(&served).await;
}

struct Under(Arc<AtomicUsize>);

impl Drop for Under {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn t_02_resets_reach_the_backend() {
    let under_way = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&under_way);
    let served = Served::by(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        let under = Under(Arc::clone(&counted));
        async move {
            let _under = under;
            std::future::pending().await
        }
    })
    .await;
    let mut client = connect(&served).await;
    for number in 0..90 {
        client.send(&request(2 * number + 1, "/a")).await;
    }
    let wait = |count: usize| {
        let under_way = Arc::clone(&under_way);
        let there = async move {
            while under_way.load(Ordering::SeqCst) != count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, there)
    };
    wait(90).await.unwrap();
    for number in 0..45 {
        client.send(&frame(RST_STREAM, 0, 2 * number + 1, &CANCEL)).await;
    }
    wait(45).await.unwrap();
    // And so does the end of the connection.
    drop(client);
    wait(0).await.unwrap();
}

#[tokio::test]
async fn t_03_resets_that_the_server_is_made_to_send() {
    let served = Served::by(|_| std::future::pending()).await;
    flood(&served, |number| {
        let stream = 2 * number + 1;
        [request(stream, "/a"), frame(WINDOW_UPDATE, 0, stream, &[0; 4])].concat()
    })
    .await;
}

#[tokio::test]
async fn t_04_continuations_without_end() {
    let served = Served::echo().await;
    for block in [fields(&[("x", "y")]), Vec::new()] {
        flood(&served, move |number| match number {
            0 => frame(HEADERS, END_STREAM, 1, &fields(&head("GET", "/a"))),
            _ => frame(CONTINUATION, 0, 1, &block),
        })
        .await;
    }
    assert_eq!(served.seen(), 0);
    others_are_served(&served).await;
}

#[tokio::test]
async fn t_05_fields_that_are_small_on_the_wire_only() {
    let served = Served::echo().await;
    let mut client = connect(&served).await;
    // One field that is kept, then named again by one byte each.
    let mut block = fields(&head("GET", "/a"));
    block.extend_from_slice(&[0x40, 1, b'x', 60]);
    block.extend_from_slice(&[b'y'; 60]);
    block.resize(block.len() + 5_000, 0x80 | 62);
    client.send(&frame(HEADERS, END_STREAM | END_HEADERS, 1, &block)).await;
    assert_ne!(client.answer(1).await, Some(200));
    assert_eq!(served.seen(), 0);
}

fn large(dropped: &Arc<AtomicUsize>, size: usize) -> Body {
    struct Held(Arc<AtomicUsize>);
    impl Drop for Held {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let held = Held(Arc::clone(dropped));
    let pieces = std::iter::repeat_n(Bytes::from(vec![b'a'; 10_000]), size / 10_000);
    super::bodies::pieces(pieces.inspect(move |_| {
        let _ = &held;
    }))
}

#[tokio::test(start_paused = true)]
async fn t_06_a_window_that_never_opens() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&dropped);
    let served = Served::by(move |_| {
        let body = large(&counted, 1_000_000);
        async move { Ok(Response::new(body)) }
    })
    .await;
    for window in [[0, 4, 0, 0, 0, 0], [0, 4, 0, 0, 0, 1]] {
        let (client, _serving) = served.pipe();
        let mut client = Http2::start_with(client, &window).await;
        let begun = Instant::now();
        for stream in [1, 3] {
            client.send(&request(stream, "/a")).await;
        }
        let mut resets = 0;
        let reset = client.until(|frame| {
            resets += u32::from(frame.kind == RST_STREAM);
            resets == 2
        });
        assert!(reset.await);
        assert_eq!(begun.elapsed(), limits::WRITE_STALL);
        // The connection is still there for what comes next.
        client.send(&frame(WINDOW_UPDATE, 0, 0, &[0, 1, 0, 0])).await;
        client.send(&request(5, "/%2f")).await;
        client.send(&frame(WINDOW_UPDATE, 0, 5, &[0, 1, 0, 0])).await;
        assert_eq!(client.answer(5).await, Some(400));
    }
    assert_eq!(dropped.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn t_07_a_body_in_tiny_frames() {
    let served = Served::by(|request| async move {
        let _held = request;
        std::future::pending().await
    })
    .await;
    for data in [&b""[..], b"a"] {
        flood(&served, move |number| match number {
            0 => frame(HEADERS, END_HEADERS, 1, &fields(&head("POST", "/a"))),
            _ => frame(DATA, 0, 1, data),
        })
        .await;
    }
}

#[tokio::test]
async fn t_07_tiny_frames_that_are_read() {
    let served =
        Served::by(|request: http::Request<Body>| async { Ok(Response::new(request.into_body())) });
    let served = served.await;
    let mut client = connect(&served).await;
    client.send(&frame(HEADERS, END_HEADERS, 1, &fields(&head("POST", "/a")))).await;
    // A talk: each word is answered before the next.
    for _ in 0..2_000 {
        client.send(&frame(DATA, 0, 1, b"a")).await;
        assert!(client.until(|frame| frame.kind == DATA && frame.payload == b"a").await);
    }
    client.send(&frame(DATA, END_STREAM, 1, b"")).await;
    assert!(client.until(|frame| frame.ends() && frame.kind == DATA).await);
}

#[tokio::test(start_paused = true)]
async fn t_06_a_small_answer_that_is_never_taken() {
    let served = Served::deaf().await;
    let (client, serving) = served.pipe();
    // One byte may be sent: the rest waits where no task is left to watch it.
    let mut client = Http2::start_with(client, &[0, 4, 0, 0, 0, 1]).await;
    let begun = Instant::now();
    client.send(&request(1, "/a")).await;
    assert!(client.until(|frame| frame.kind == DATA && frame.payload.len() == 1).await);
    client.ends().await;
    serving.await.unwrap();
    assert!(begun.elapsed() < limits::KEEP_ALIVE * 2);
}

#[tokio::test]
async fn t_09_frames_that_carry_nothing() {
    let served = Served::echo().await;
    let floods: [fn() -> Vec<u8>; 4] = [
        || frame(PING, 0, 0, &[0; 8]),
        || frame(SETTINGS, 0, 0, &[]),
        || frame(PRIORITY, 0, 1, &[0, 0, 0, 3, 1]),
        || frame(0xee, 0, 0, b"unknown"),
    ];
    for piece in floods {
        flood(&served, move |_| piece()).await;
    }
    others_are_served(&served).await;
}

#[tokio::test(start_paused = true)]
async fn r_05_an_http_2_connection_at_rest() {
    let served = Served::echo().await;
    let (client, serving) = served.pipe();
    let mut client = Http2::start(client).await;
    client.send(&request(1, "/a")).await;
    assert_eq!(client.answer(1).await, Some(200));
    let begun = Instant::now();
    assert!(client.until(|frame| frame.kind == GOAWAY).await);
    assert_eq!(begun.elapsed(), limits::KEEP_ALIVE);
    client.ends().await;
    serving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn r_05_an_http_2_client_that_is_gone() {
    let served = Served::by(|_| std::future::pending()).await;
    let (client, serving) = served.pipe();
    let mut client = Http2::start(client).await;
    client.send(&request(1, "/a")).await;
    let begun = Instant::now();
    // It answers nothing, not even whether it is there.
    serving.await.unwrap();
    assert!(begun.elapsed() <= limits::PING * 3, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn r_06_requests_on_an_http_2_connection() {
    let served = Served::echo().await.limits(Limits::new().max_requests(3));
    let (client, serving) = served.pipe();
    let mut client = Http2::start(client).await;
    for stream in [1, 3, 5] {
        client.send(&request(stream, "/a")).await;
    }
    let (mut answers, mut goodbye) = (0, false);
    client
        .until(|frame| {
            answers += u32::from(frame.kind == HEADERS);
            goodbye |= frame.kind == GOAWAY;
            false
        })
        .await;
    assert_eq!((answers, goodbye), (3, true));
    serving.await.unwrap();
}
