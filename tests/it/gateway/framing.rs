//! Requests whose end or host is in doubt are answered, and the connection is closed.

use super::harness::{HOST, Shop, Told, talk};

#[tokio::test]
async fn doubt_about_framing_is_answered_and_ends_the_connection() {
    let shop = Shop::open().await;
    let start = format!("POST /shop/files/a HTTP/1.1\r\n{HOST}\r\n");
    for (request, status, code) in [
        ("GET /shop/orders/1 HTTP/1.1\r\n\r\n".to_owned(), 400, "I400HD"),
        ("GET /shop/orders/1 HTTP/1.0\r\n\r\n".to_owned(), 400, "I400HD"),
        (format!("GET /shop/orders/1 HTTP/1.1\r\n{HOST}\r\n{HOST}\r\n\r\n"), 400, "I400HD"),
        ("GET / HTTP/1.1\r\nHost:\r\n\r\n".to_owned(), 400, "I400HD"),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n".to_owned(), 400, "I400HD"),
        (format!("GET http://b/ HTTP/1.1\r\n{HOST}\r\n\r\n"), 400, "I400HD"),
        (format!("{start}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 501, "X501NI"),
        (format!("{start}transfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n"), 400, "I400HD"),
        (format!("{start}transfer-encoding: , chunked\r\n\r\n0\r\n\r\n"), 400, "I400HD"),
    ] {
        // Nothing asks for the connection to be closed: reading to its end shows that it is.
        let answer = Told(talk(shop.address, &request).await);
        assert_eq!((answer.status(), answer.code()), (status, code), "{request}\n{answer:?}");
        assert_eq!(answer.header("connection"), Some("close"), "{request}");
        assert_eq!(answer.0.matches("HTTP/1.").count(), 1, "{request}");
    }
    assert!(shop.new.heads().is_empty());
}

#[tokio::test]
async fn a_length_beside_chunks_smuggles_nothing() {
    // hyper takes the length out before anybody sees it; what is left is one request, one answer.
    let shop = Shop::open().await;
    for framing in [
        "content-length: 5\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 5",
    ] {
        let smuggled = format!("0\r\n\r\nGET /shop/orders/1 HTTP/1.1\r\n{HOST}\r\n\r\n");
        let request = format!("POST /shop/none HTTP/1.1\r\n{HOST}\r\n{framing}\r\n\r\n{smuggled}");
        let answer = Told(talk(shop.address, request).await);
        assert_eq!(answer.header("connection"), Some("close"), "{answer:?}");
        assert_eq!(answer.0.matches("HTTP/1.").count(), 1, "{answer:?}");
    }
    assert!(shop.new.heads().is_empty());
}

#[tokio::test]
async fn a_body_is_framed_anew() {
    let shop = Shop::open().await;
    let start = format!("POST /shop/files/a HTTP/1.1\r\n{HOST}\r\nconnection: close\r\n");
    let request = format!("{start}content-length: 003\r\ncontent-length: 3\r\n\r\nabc");
    let answer = Told(talk(shop.address, request).await);
    assert_eq!(answer.body(), "new", "{answer:?}");
    let head = shop.new.last();
    let framing: Vec<_> = head.iter().filter(|line| line.starts_with("content-length")).collect();
    assert_eq!(framing, ["content-length: 3"], "{head:?}");
    // Without a body there is no framing at all.
    shop.ask("GET /shop/files/a", &[]).await;
    let head = shop.new.last().join("\n");
    assert!(!head.contains("content-length") && !head.contains("transfer-encoding"), "{head}");
}
