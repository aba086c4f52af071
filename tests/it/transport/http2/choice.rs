//! Who speaks HTTP/2, and who is asked to.

use std::collections::HashMap;

use super::*;

#[tokio::test]
async fn what_does_not_speak_http2_is_a_connect_error() {
    let plain = FakeUpstream::start(|_| Script::ok("plain")).await.unwrap();
    let (pool, _) = pool_speaking(local(), &plain.url(), Some(WireProtocol::Http2));
    let error = send(&pool, get("/")).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Connect, Retry::Always));
    assert_eq!(error.context(), "the backend does not speak HTTP/2");
    let silent = FakeUpstream::start(|_| Script::new().then(Step::Hang)).await.unwrap();
    let limit = local().connect_timeout(Duration::from_millis(50));
    let (pool, _) = pool_speaking(limit, &silent.url(), Some(WireProtocol::Http2));
    let error = send(&pool, get("/")).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Connect, Retry::Always));
}

#[cfg(any(feature = "tls-aws-lc", feature = "tls-ring"))]
#[tokio::test]
async fn a_target_behind_tls_chooses_its_protocol() {
    use super::super::tls::{acceptor, authority};
    let authority = authority();
    let both = acceptor(&authority, &["localhost"], &["h2", "http/1.1"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let server = tokio::spawn(async move {
        let mut seen = HashMap::<Vec<u8>, usize>::new();
        for _ in 0..2 {
            let (stream, _) = listener.accept().await.unwrap();
            let stream = both.accept(stream).await.unwrap();
            let chosen = stream.get_ref().1.alpn_protocol().unwrap().to_vec();
            if chosen == b"h2" {
                let mut connection = h2::server::handshake(stream).await.unwrap();
                tokio::spawn(async move {
                    while let Some(Ok(asked)) = connection.accept().await {
                        assert_eq!(asked.0.uri().scheme_str(), Some("https"));
                        hello(asked).await;
                    }
                });
            }
            *seen.entry(chosen).or_default() += 1;
        }
        seen
    });
    let trusting = || local().trust(authority.pem()).connect_timeout(PATIENCE);
    let (pool, _) = pool_speaking(trusting(), &url, None);
    assert_eq!(gathered(&pool, 20).await, ["hello"; 20]);
    let (pool, _) = pool_speaking(trusting(), &url, Some(WireProtocol::Http1));
    let waiting = tokio::spawn(async move { pool.send(get("/"), PATIENCE).await.map(drop) });
    let seen = server.await.unwrap();
    assert_eq!((seen[&b"h2"[..]], seen[&b"http/1.1"[..]]), (1, 1));
    waiting.abort();
}

#[cfg(any(feature = "tls-aws-lc", feature = "tls-ring"))]
#[tokio::test]
async fn s_19_http2_is_not_spoken_with_who_did_not_choose_it() {
    use super::super::tls::{acceptor, authority};
    let authority = authority();
    for (alpn, context) in
        [(&["http/1.1"][..], "TLS handshake failed"), (&[], "the backend does not speak HTTP/2")]
    {
        let (upstream, _) = tls::upstream(acceptor(&authority, &["localhost"], alpn)).await;
        let url = format!("https://localhost:{}", upstream.address().port());
        let trusting = || local().trust(authority.pem());
        let (pool, _) = pool_speaking(trusting(), &url, Some(WireProtocol::Http2));
        let error = send(&pool, get("/")).await.unwrap_err();
        assert_eq!((error.kind(), error.context()), (ErrorKind::Connect, context));
        let (pool, _) = pool_speaking(trusting(), &url, None);
        assert_eq!(get_text(&pool, "/").await, "secret");
    }
}
