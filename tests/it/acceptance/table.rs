//! The answers with the sample document, row by row.

use std::time::Duration;

use tokio::io::AsyncWriteExt;

use super::super::admission::signer::signature;
use super::process::Process;
use super::{HOST, Origin, ask, get, post, shop};

#[tokio::test]
async fn every_row_that_needs_no_caller_and_no_mapping() {
    let (old, new) = (Origin::named("old").await, Origin::named("new").await);
    let process = Process::start(&shop(&old, &new), &[]);
    let answer = get(&process, "/shop/orders/42?x=1", &[]).await;
    assert_eq!((answer.status(), answer.body()), (200, "new"));
    let head = new.last();
    assert_eq!(head[0], "GET /base/v1/orders/42?x=1 HTTP/1.1");
    assert!(head.contains(&"host: orders.internal".to_owned()), "{head:?}");

    let answer = get(&process, "/shop/orders/42?x=1", &["X-Ca-Stage: TEST"]).await;
    assert_eq!((answer.status(), answer.body()), (200, "old"));
    let head = old.last();
    assert_eq!(head[0], "GET /v1/orders/42?x=1 HTTP/1.1");
    assert!(head.contains(&format!("host: {}", old.address)), "{head:?}");

    let answer = get(&process, "/shop/orders/42?x=1", &["X-Ca-Stage: NOPE"]).await;
    assert_eq!((answer.status(), answer.code()), (400, "I400SG"));
    let answer = get(&process, "/shop/none", &[]).await;
    assert_eq!((answer.status(), answer.code()), (404, "I404NF"));
    assert!(answer.message().contains("GET /shop/none"), "{answer:?}");
    let answer = ask(process.address, "GET /shop/none", &["Host: other.example.com"]).await;
    assert_eq!((answer.status(), answer.code()), (404, "I404DO"));

    let answer = post(&process, "/shop/orders", &[]).await;
    assert_eq!((answer.status(), answer.code()), (404, "I404NF"), "not published there");
    let answer = get(&process, "/shop/banner", &["X-Ca-Stage: TEST"]).await;
    assert_eq!((answer.status(), answer.body()), (203, "hello from the mock"));
    assert_eq!(answer.header("x-banner"), Some("1"));
    assert_eq!(answer.header("content-type"), Some("text/plain"));
    let answer = get(&process, "/shop/banner", &[]).await;
    assert_eq!((answer.status(), answer.code()), (404, "I404NF"));
}

#[tokio::test]
async fn the_rows_about_callers() {
    let (old, new) = (Origin::named("old").await, Origin::named("new").await);
    let process = Process::start(&shop(&old, &new), &[]);
    let test = "X-Ca-Stage: TEST";
    let answer = post(&process, "/shop/orders", &[test]).await;
    assert_eq!((answer.status(), answer.code()), (400, "A400MA"));
    let code = "Authorization: APPCODE sampleAppCode1";
    let answer = post(&process, "/shop/orders", &[test, code]).await;
    assert_eq!((answer.status(), answer.body()), (200, "old"), "{answer:?}");
    let head = old.last();
    assert_eq!(head[0], "POST /v1/orders HTTP/1.1");
    assert!(!head.iter().any(|line| line.starts_with("authorization:")), "{head:?}");
    let answer = post(&process, "/shop/orders?AppCode=sampleAppCode1", &[test]).await;
    assert_eq!((answer.status(), answer.body()), (200, "old"), "{answer:?}");
    assert_eq!(old.last()[0], "POST /v1/orders HTTP/1.1");
    let seconds = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let text = format!(
        "POST\n\n\n\n\nx-ca-key:203753385\nx-ca-stage:TEST\nx-ca-timestamp:{seconds}000\n/shop/orders"
    );
    let signed = [
        test.to_owned(),
        "X-Ca-Key: 203753385".to_owned(),
        format!("X-Ca-Timestamp: {seconds}000"),
        "X-Ca-Signature-Headers: x-ca-key,x-ca-stage,x-ca-timestamp".to_owned(),
        format!("X-Ca-Signature: {}", signature("sampleSecret1", None, text.as_bytes())),
    ];
    let signed: Vec<&str> = signed.iter().map(String::as_str).collect();
    let answer = post(&process, "/shop/orders", &signed).await;
    assert_eq!((answer.status(), answer.body()), (200, "old"), "{answer:?}");
    let answer = post(&process, "/shop/orders?a=1", &signed).await;
    assert_eq!((answer.status(), answer.code()), (400, "I400IS"));
    assert!(!answer.0.contains("sampleSecret1"));
    let answer = post(&process, "/shop/orders", &[code]).await;
    assert_eq!((answer.status(), answer.code()), (404, "I404NF"), "not published there");
}

#[tokio::test]
async fn the_rows_about_parameters() {
    let (old, new) = (Origin::named("old").await, Origin::named("new").await);
    let process = Process::start(&shop(&old, &new), &[]);
    let forged = ["X-Query: forged", "X-Other: 1", "Accept: text/plain", "Connection: x-real-ip"];
    let answer = get(&process, "/shop/search/a/b?q=red&evil=1", &forged).await;
    assert_eq!((answer.status(), answer.body()), (200, "new"), "{answer:?}");
    let head = new.last();
    assert_eq!(head[0], "GET /base/find?n=20&source=gateway HTTP/1.1");
    for line in ["x-query: red", "x-real-ip: 127.0.0.1", "accept: text/plain"] {
        assert!(head.contains(&line.to_owned()), "{head:?}");
    }
    assert!(!format!("{head:?}").contains("evil") && !format!("{head:?}").contains("x-other"));
    for (path, code, named) in [
        ("/shop/search/a", "I400MP", "q"),
        ("/shop/search/a?q=RED", "I400IP", "q"),
        ("/shop/search/a?q=red&limit=101", "I400IP", "limit"),
        ("/shop/search/a?q=red&limit=abc", "I400IP", "limit"),
        ("/shop/search/a?q=%zz", "I400RU", "hexadecimal"),
    ] {
        let answer = get(&process, path, &[]).await;
        assert_eq!((answer.status(), answer.code()), (400, code), "{path}");
        assert!(answer.message().contains(named), "{path} {}", answer.message());
    }
    assert_eq!(new.heads().len(), 1);
    assert!(!format!("{:?}", get(&process, "/shop/search/a", &[]).await).contains("sampleSecret1"));
}

#[tokio::test]
async fn a_kind_without_adapter_answers_so() {
    let document = r#"
        [[backend_service]]
        name = "pictures"
        kind = "oss"
        [backend_service.definition.RELEASE]
        bucket = "pictures"
        region = "cn-hangzhou"
        [[group]]
        name = "shop"
        hosts = ["shop.example.com"]
        [[api]]
        name = "picture"
        group = "shop"
        method = "GET"
        path = "/[key]"
        publish = ["RELEASE"]
        backend = { service = "pictures", oss = { action = "GetObject", key = "/[key]" } }
    "#;
    let process = Process::start(document, &[]);
    let answer = get(&process, "/a.png", &[]).await;
    assert_eq!((answer.status(), answer.code()), (503, "X503BZ"));
}

#[tokio::test]
async fn an_origin_that_is_down_hangs_or_talks_nonsense() {
    let nobody = {
        let closed = Origin::named("nobody").await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        Origin { address: listener.local_addr().unwrap(), ..closed }
    };
    let hanging = Origin::start(|stream, _| async move {
        let _open = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let process = Process::start(&shop(&nobody, &hanging), &[]);
    let answer = get(&process, "/shop/orders/42", &["X-Ca-Stage: TEST"]).await;
    assert_eq!((answer.status(), answer.code()), (504, "D504CO"));
    // The definition's timeout, and the API's own.
    for (path, seconds) in [("/shop/orders", 2), ("/shop/orders/42", 5)] {
        let begun = tokio::time::Instant::now();
        let answer = get(&process, path, &[]).await;
        assert_eq!((answer.status(), answer.code()), (504, "D504TO"));
        let took = begun.elapsed();
        // The default would be ten.
        let expected = Duration::from_secs(seconds)..Duration::from_secs(9);
        assert!(expected.contains(&took), "{path} after {took:?}");
    }
    let garbled = Origin::start(|mut stream, _| async move {
        let both =
            "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
        stream.write_all(both.as_bytes()).await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    assert!(process.reload(&shop(&nobody, &garbled)).starts_with("applied revision "));
    for count in 1..3 {
        let answer = get(&process, "/shop/orders/42", &[]).await;
        assert_eq!((answer.status(), answer.code()), (502, "D502BR"));
        assert_eq!(garbled.heads().len(), count, "another connection each time");
    }
}

#[tokio::test]
async fn requests_that_can_be_read_in_two_ways_are_answered_and_the_connection_closed() {
    let (old, new) = (Origin::named("old").await, Origin::named("new").await);
    let process = Process::start(&shop(&old, &new), &[]);
    let line = "GET /shop/orders/42 HTTP/1.1\r\n";
    let smuggled = format!("{line}{HOST}\r\n\r\n");
    for (head, status) in [
        ("\r\n".to_owned(), 400),
        (format!("{HOST}\r\n{HOST}\r\n\r\n"), 400),
        (format!("{HOST}\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n"), 400),
        (
            format!("{HOST}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            400,
        ),
        (format!("{HOST}\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 501),
        (format!("{HOST}\n\n"), 400),
        (format!("{HOST}\r\n folded\r\n\r\n"), 400),
        (format!("{HOST}\r\nX : 1\r\n\r\n"), 400),
    ] {
        let sent = format!("{line}{head}{smuggled}");
        let answer = super::Told(crate::gateway::harness::talk(process.address, &sent).await);
        assert_eq!(answer.status(), status, "{head:?} {answer:?}");
        assert_eq!(answer.0.matches("HTTP/1.1 ").count(), 1, "{head:?} {answer:?}");
        assert_eq!(answer.code().len(), 6, "{answer:?}");
    }
    assert!(new.heads().is_empty());
    for path in ["/shop/a%2Fb", "/shop/%5C", "/shop/%00", "/shop/%zz", "/shop/..", "/shop/%2e%2e/x"]
    {
        assert_eq!(get(&process, path, &[]).await.code(), "I400PH", "{path}");
    }
    let long = format!("/shop/{}", "a".repeat(8 * 1024));
    assert_eq!(get(&process, &long, &[]).await.code(), "I413UL");
    let large = format!("X: {}", "a".repeat(16 * 1024));
    assert_eq!(get(&process, "/shop/none", &[&large]).await.code(), "I431HD");
    assert_eq!(get(&process, "/shop/none", &["X: 1"; 101]).await.code(), "I431HD");
}
