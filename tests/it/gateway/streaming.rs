//! Bodies flow as they come, in both directions, and ends are passed on.

use std::sync::Arc;
use std::time::Duration;

use backhaul::{Body, Change};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};
use tower_service::Service;

use super::harness::{
    HOST, LIVE, Origin, PATIENCE, Shop, answered_by, apply, bytes, call, read_all, read_head, wire,
};

async fn shop_with(origin: &Origin) -> Shop {
    let shop = Shop::open().await;
    apply(&shop.registry, Change::new().define("orders", LIVE, wire(origin))).await;
    shop
}

async fn connect(shop: &Shop, request: &str) -> TcpStream {
    let mut client = TcpStream::connect(shop.address).await.unwrap();
    client.write_all(request.as_bytes()).await.unwrap();
    client
}

async fn expect(stream: &mut TcpStream, text: &str) {
    let mut read = vec![0; text.len()];
    let exact = tokio::time::timeout(PATIENCE, stream.read_exact(&mut read));
    exact.await.expect("nothing arrives").unwrap();
    assert_eq!(String::from_utf8_lossy(&read), text);
}

#[tokio::test]
async fn a_download_arrives_piece_by_piece() {
    let go_on = Arc::new(Notify::new());
    let gate = Arc::clone(&go_on);
    let origin = Origin::start(move |mut stream, _| {
        let gate = Arc::clone(&gate);
        async move {
            let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
            stream.write_all(format!("{head}3\r\none\r\n").as_bytes()).await.unwrap();
            gate.notified().await;
            stream.write_all(b"3\r\ntwo\r\n0\r\n\r\n").await.unwrap();
        }
    })
    .await;
    let shop = shop_with(&origin).await;
    let request = format!("GET /shop/orders/1 HTTP/1.1\r\n{HOST}\r\nconnection: close\r\n\r\n");
    let mut client = connect(&shop, &request).await;
    let head = read_head(&mut client).await;
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    expect(&mut client, "3\r\none\r\n").await;
    // Only now: had anything been collected, the first piece would not be here.
    go_on.notify_one();
    assert_eq!(read_all(&mut client).await, "3\r\ntwo\r\n0\r\n\r\n");
}

#[tokio::test]
async fn an_upload_and_its_answer_flow_at_the_same_time() {
    let origin = Origin::start(|mut stream, _| async move {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        expect(&mut stream, "3\r\none\r\n").await;
        stream.write_all(format!("{head}3\r\nONE\r\n").as_bytes()).await.unwrap();
        expect(&mut stream, "3\r\ntwo\r\n").await;
        stream.write_all(b"3\r\nTWO\r\n").await.unwrap();
        expect(&mut stream, "0\r\n\r\n").await;
        stream.write_all(b"0\r\n\r\n").await.unwrap();
    })
    .await;
    let shop = shop_with(&origin).await;
    let head =
        format!("POST /shop/files/a HTTP/1.1\r\n{HOST}\r\ntransfer-encoding: chunked\r\n\r\n");
    let mut client = connect(&shop, &format!("{head}3\r\none\r\n")).await;
    read_head(&mut client).await;
    expect(&mut client, "3\r\nONE\r\n").await;
    client.write_all(b"3\r\ntwo\r\n").await.unwrap();
    expect(&mut client, "3\r\nTWO\r\n").await;
    client.write_all(b"0\r\n\r\n").await.unwrap();
    expect(&mut client, "0\r\n\r\n").await;
}

#[tokio::test]
async fn a_client_that_goes_takes_its_call_along() {
    let (seen, mut gone) = mpsc::unbounded_channel();
    let origin = Origin::start(move |mut stream, _| {
        let seen = seen.clone();
        async move {
            seen.send("asked").unwrap();
            // Ends when the gateway closes: the client is gone, and nothing was answered.
            let left = stream.read(&mut [0; 8]).await.unwrap_or(0);
            assert_eq!(left, 0);
            seen.send("gone").unwrap();
        }
    })
    .await;
    let shop = shop_with(&origin).await;
    let client = connect(&shop, &format!("GET /shop/orders/1 HTTP/1.1\r\n{HOST}\r\n\r\n")).await;
    assert_eq!(gone.recv().await, Some("asked"));
    drop(client);
    let gone = tokio::time::timeout(PATIENCE, gone.recv()).await.expect("the call goes on");
    assert_eq!(gone, Some("gone"));
}

#[tokio::test]
async fn dropping_the_future_drops_the_backends() {
    let (dropped, mut gone) = mpsc::unbounded_channel();
    let (_registry, gateway) = answered_by(move |_| {
        let alive = Alive(dropped.clone());
        async move {
            let _alive = alive;
            std::future::pending().await
        }
    })
    .await;
    let request = Request::get("/").header("host", "a").body(Empty::<Bytes>::new()).unwrap();
    let mut calling = Box::pin(gateway.clone().call(request));
    let waited = tokio::time::timeout(Duration::from_millis(10), calling.as_mut()).await;
    assert!(waited.is_err() && gone.try_recv().is_err());
    drop(calling);
    assert!(gone.try_recv().is_ok());
}

struct Alive(mpsc::UnboundedSender<()>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.send(()).unwrap();
    }
}

#[tokio::test]
async fn a_download_that_breaks_off_is_seen_to() {
    for head in
        ["transfer-encoding: chunked\r\n\r\n5\r\nwhole\r\n", "content-length: 9\r\n\r\nwhole"]
    {
        let answer = format!("HTTP/1.1 200 OK\r\n{head}");
        let origin = Origin::raw(Box::leak(answer.into_boxed_str())).await;
        let shop = shop_with(&origin).await;
        let mut client =
            connect(&shop, &format!("GET /shop/orders/1 HTTP/1.1\r\n{HOST}\r\n\r\n")).await;
        let read = read_all(&mut client).await;
        assert!(read.starts_with("HTTP/1.1 200 OK\r\n"), "{read:?}");
        // Neither the last chunk nor the missing bytes: no client takes this for a whole answer.
        assert!(!read.ends_with("0\r\n\r\n") && !read.ends_with("whole5678"), "{read:?}");
    }
}

#[tokio::test]
async fn a_request_uses_its_target_until_the_last_byte_of_its_answer() {
    let (more, rest) = mpsc::unbounded_channel::<Bytes>();
    let rest = std::sync::Mutex::new(Some(rest));
    let (registry, gateway) = answered_by(move |_| {
        let rest = rest.lock().unwrap().take().unwrap();
        async move { Ok(Response::new(Body::new(Pieces(rest)))) }
    })
    .await;
    let request = Request::get("/").header("host", "a").body(Empty::<Bytes>::new()).unwrap();
    let mut body = call(&gateway, request).await.into_body();
    let same = backhaul::Custom::new("inside").unwrap().set("other", true);
    let receipt = apply(&registry, Change::new().define("inside", LIVE, same)).await;
    more.send(bytes("one")).unwrap();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "one");
    receipt.drained(Duration::from_millis(50)).await.unwrap_err();
    drop(more);
    assert!(body.frame().await.is_none());
    // The body is still there; its last byte is not.
    receipt.drained(PATIENCE).await.unwrap();
    assert_eq!(receipt.in_flight(), 0);
    drop(body);
}

#[tokio::test]
async fn a_dropped_answer_lets_its_target_go() {
    let (kept, _kept) = mpsc::unbounded_channel();
    let (registry, gateway) = answered_by(move |_| {
        let kept = kept.clone();
        async move {
            // As long as there is a sender, the answer has no end.
            let (sender, pieces) = mpsc::unbounded_channel();
            kept.send(sender).unwrap();
            Ok(Response::new(Body::new(Pieces(pieces))))
        }
    })
    .await;
    let request = Request::get("/").header("host", "a").body(Empty::<Bytes>::new()).unwrap();
    let answer = call(&gateway, request).await;
    let receipt = apply(&registry, Change::new().delete_definition("inside", LIVE)).await;
    receipt.drained(Duration::from_millis(10)).await.unwrap_err();
    drop(answer);
    receipt.drained(PATIENCE).await.unwrap();
}

/// A body that ends when its sender is dropped.
struct Pieces(mpsc::UnboundedReceiver<Bytes>);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = backhaul::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<backhaul::Result<http_body::Frame<Bytes>>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|piece| Ok(http_body::Frame::data(piece))))
    }
}
