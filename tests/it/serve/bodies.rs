//! Bodies in both directions: cut short, too large, held back, without an end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use backhaul::Body;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::BodyExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::harness::{Answers, PATIENCE, Served, read_until};

/// A body of these pieces.
pub(super) fn pieces(pieces: impl Iterator<Item = Bytes> + Send + 'static) -> Body {
    Body::new(Pieces(Box::new(pieces)))
}

struct Pieces(Box<dyn Iterator<Item = Bytes> + Send>);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = backhaul::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> Poll<Option<backhaul::Result<Frame<Bytes>>>> {
        Poll::Ready(self.0.next().map(|piece| Ok(Frame::data(piece))))
    }
}

/// Counts what is dropped.
struct Dropped(Arc<AtomicUsize>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn f_27_a_body_that_ends_early() {
    let served = Served::echo().await;
    let start = "POST /a HTTP/1.1\r\nHost: a\r\n";
    for rest in ["transfer-encoding: chunked\r\n\r\n5\r\nab", "content-length: 5\r\n\r\nab"] {
        let mut stream = TcpStream::connect(served.listen().await).await.unwrap();
        stream.write_all(format!("{start}{rest}").as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        Answers::read(&mut stream).await.refused(400, "I400BD");
    }
}

#[tokio::test]
async fn f_28_trailers_are_no_headers() {
    let served = Served::by(|request: Request<Body>| async move {
        let (parts, body) = request.into_parts();
        let body = body.collect().await?;
        assert!(!parts.headers.contains_key("x-ca-key"));
        assert!(body.trailers().is_none());
        Ok(Response::new(Body::from(body.to_bytes().to_vec())))
    })
    .await;
    let head =
        "POST /a HTTP/1.1\r\nHost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    let body = "1\r\nZ\r\n0\r\nx-ca-key: admin\r\ncontent-length: 5\r\nhost: b\r\n\r\n";
    let answers = served.talk(format!("{head}{body}")).await;
    assert_eq!(answers.last().body(), "Z");
}

#[tokio::test]
async fn r_10_a_body_that_is_too_large() {
    let served = Served::echo().await;
    let head = "POST /a HTTP/1.1\r\nHost: a\r\ncontent-length: 11534336\r\n\r\n";
    served.talk(format!("{head}aaa")).await.refused(413, "I413RL");
    assert_eq!(served.seen(), 0);
    // Without a length, it is found out on the way.
    let mut stream = TcpStream::connect(served.listen().await).await.unwrap();
    let head = "POST /a HTTP/1.1\r\nHost: a\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("100000\r\n{}\r\n", "a".repeat(0x10_0000));
    for _ in 0..10 {
        stream.write_all(chunk.as_bytes()).await.unwrap();
    }
    // No more than what is thrown away afterwards, so that nothing is lost on the way back.
    stream.write_all(b"100\r\n").await.unwrap();
    stream.write_all(&[b'a'; 0x100]).await.unwrap();
    Answers::read(&mut stream).await.refused(413, "I413RL");
}

#[tokio::test(start_paused = true)]
async fn r_11_nobody_collects_what_is_not_read() {
    let served = Served::by(|request: Request<Body>| async move {
        let mut body = request.into_body();
        body.frame().await.unwrap().unwrap();
        std::future::pending().await
    })
    .await;
    let (mut client, _serving) = served.pipe();
    let head = "POST /a HTTP/1.1\r\nHost: a\r\ncontent-length: 9000000\r\n\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    let mut taken = 0;
    // The clock only moves on when nobody has anything left to do.
    while tokio::time::timeout(std::time::Duration::from_secs(1), client.write_all(&[0; 1024]))
        .await
        .is_ok_and(|written| written.is_ok())
    {
        taken += 1024;
        assert!(taken < 256 * 1024, "it is taken without end");
    }
    assert!(taken > 0);
}

#[tokio::test]
async fn r_12_an_endless_answer_ends_with_its_client() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&dropped);
    let served = Served::by(move |_| {
        let held = Dropped(Arc::clone(&counted));
        async move {
            let endless = std::iter::repeat_with(move || {
                let _ = &held;
                Bytes::from_static(&[b'a'; 1000])
            });
            Ok(Response::new(pieces(endless)))
        }
    })
    .await;
    let mut stream = TcpStream::connect(served.listen().await).await.unwrap();
    stream.write_all(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    read_until(&mut stream, "aaaa").await;
    drop(stream);
    let gone = async {
        while dropped.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_body_whose_maker_panics_is_cut_short() {
    let served = Served::by(|_| async { Ok(Response::new(Body::new(Panicking(0, None)))) }).await;
    let (mut client, serving) = served.pipe();
    client.write_all(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let answers = Answers::read(&mut client).await;
    assert_eq!(answers.statuses(), [200]);
    assert!(answers.last().body().contains("piece"), "{answers:?}");
    assert!(!answers.last().body().ends_with("0\r\n\r\n"), "{answers:?}");
    serving.await.expect("the panic went on");
}

/// Gives a piece, waits, and panics.
struct Panicking(u8, Option<std::pin::Pin<Box<tokio::time::Sleep>>>);

impl http_body::Body for Panicking {
    type Data = Bytes;
    type Error = backhaul::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> Poll<Option<backhaul::Result<Frame<Bytes>>>> {
        self.0 += 1;
        if self.0 == 1 {
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"piece")))));
        }
        let second = std::time::Duration::from_secs(1);
        let sleep = self.1.get_or_insert_with(|| Box::pin(tokio::time::sleep(second)));
        std::task::ready!(sleep.as_mut().poll(cx));
        panic!("a panic that is expected");
    }
}
