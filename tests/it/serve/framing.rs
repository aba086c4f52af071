//! Heads that others could read in another way: answered, closed, and never seen by a backend.

use super::harness::{Answers, Served};

const NEXT: &str = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";

/// Each of these is refused alone, and what follows it is not served.
async fn refused(status: u16, code: &str, heads: &[&str]) {
    let served = Served::echo().await;
    for head in heads {
        let answers = served.talk(format!("{head}{NEXT}")).await;
        answers.refused(status, code);
        // In its turn: what came before is answered first.
        let answers = served.talk(format!("{NEXT}{head}{NEXT}")).await;
        assert_eq!(answers.statuses(), [200, status], "{head:?}");
        assert!(answers.0[0].body().contains("GET /next"), "{answers:?}");
    }
    assert_eq!(served.seen(), heads.len());
}

/// Posts with these headers.
async fn refused_headers(status: u16, code: &str, headers: &[&str]) {
    let heads: Vec<_> =
        headers.iter().map(|it| format!("POST /a HTTP/1.1\r\nHost: a\r\n{it}\r\n\r\n")).collect();
    let heads: Vec<_> = heads.iter().map(String::as_str).collect();
    refused(status, code, &heads).await;
}

/// Posts with these chunked bodies: the body fails, and nothing after it is served.
async fn broken_bodies(bodies: &[&str]) {
    let served = Served::echo().await;
    let deaf = Served::deaf().await;
    let start = "POST /a HTTP/1.1\r\nHost: a\r\ntransfer-encoding: chunked\r\n\r\n";
    for body in bodies {
        served.talk(format!("{start}{body}{NEXT}")).await.refused(400, "I400BD");
        let answers = deaf.talk(format!("{start}{body}{NEXT}")).await;
        assert_eq!(answers.statuses(), [200], "{body:?}");
        assert_eq!(answers.last().header("connection"), Some("close"), "{body:?}");
    }
}

#[tokio::test]
async fn f_01_content_length_with_transfer_encoding() {
    let both = "content-length: 5\r\ntransfer-encoding: chunked";
    refused_headers(400, "I400HD", &[both]).await;
}

#[tokio::test]
async fn f_02_transfer_encoding_with_content_length() {
    let both = "transfer-encoding: chunked\r\ncontent-length: 5";
    refused_headers(400, "I400HD", &[both]).await;
}

#[tokio::test]
async fn f_03_transfer_encoding_with_a_content_length_that_is_none() {
    let both = [
        "transfer-encoding: chunked\r\ncontent-length: zz",
        "content-length: zz\r\ntransfer-encoding: chunked",
    ];
    refused_headers(400, "I400HD", &both).await;
}

#[tokio::test]
async fn f_04_unknown_transfer_coding() {
    refused_headers(400, "I400HD", &["transfer-encoding: xchunked"]).await;
}

#[tokio::test]
async fn f_05_chunked_that_is_not_the_last() {
    refused_headers(400, "I400HD", &["transfer-encoding: chunked, identity"]).await;
}

#[tokio::test]
async fn f_06_a_coding_before_chunked() {
    refused_headers(501, "X501NI", &["transfer-encoding: gzip, chunked"]).await;
}

#[tokio::test]
async fn f_07_an_empty_coding() {
    refused_headers(400, "I400HD", &["transfer-encoding: ,chunked", "transfer-encoding:"]).await;
}

#[tokio::test]
async fn f_08_chunked_twice() {
    refused_headers(400, "I400HD", &["transfer-encoding: chunked, chunked"]).await;
}

#[tokio::test]
async fn f_09_two_transfer_encoding_lines() {
    let twice = "transfer-encoding: chunked\r\ntransfer-encoding: chunked";
    refused_headers(400, "I400HD", &[twice]).await;
}

#[tokio::test]
async fn f_10_tricks_with_the_coding() {
    let served = Served::echo().await;
    for value in [
        "\x0bchunked",
        "chunked\x0c",
        "chun\0ked",
        "\"chunked\"",
        "chunked;a=b",
        "'chunked'",
        "chunked\x7f",
    ] {
        let head = format!("POST /a HTTP/1.1\r\nHost: a\r\ntransfer-encoding: {value}\r\n\r\n");
        served.talk(format!("{head}0\r\n\r\n")).await.refused(400, "I400HD");
    }
    let mut head =
        b"POST /a HTTP/1.1\r\nHost: a\r\ntransfer-encoding: \xa0chunked\r\n\r\n".to_vec();
    head.extend_from_slice(b"0\r\n\r\n");
    served.talk(head).await.refused(400, "I400HD");
    assert_eq!(served.seen(), 0);
    let fine = "POST /a HTTP/1.1\r\nHost: a\r\nconnection: close\r\nTransfer-Encoding: CHUNKED\r\n\r\n1\r\nZ\r\n0\r\n\r\n";
    assert!(served.talk(fine).await.last().body().contains("Z>"));
}

#[tokio::test]
async fn f_11_transfer_encoding_on_http_10() {
    refused(400, "I400HD", &["POST /a HTTP/1.0\r\nHost: a\r\ntransfer-encoding: chunked\r\n\r\n"])
        .await;
}

#[tokio::test]
async fn f_12_space_before_the_colon() {
    refused_headers(400, "I400HD", &["content-length : 5", "x\t: y"]).await;
}

#[tokio::test]
async fn f_13_the_same_content_length_twice() {
    refused_headers(400, "I400HD", &["content-length: 1\r\ncontent-length: 1"]).await;
}

#[tokio::test]
async fn f_14_two_content_lengths() {
    refused_headers(400, "I400HD", &["content-length: 1\r\ncontent-length: 0"]).await;
}

#[tokio::test]
async fn f_15_a_list_of_content_lengths() {
    refused_headers(400, "I400HD", &["content-length: 1, 1", "content-length: 1, 2"]).await;
}

#[tokio::test]
async fn f_16_content_length_that_is_not_digits() {
    let values = ["+1", "-1", "0x1", "1_0", "", "1 0"];
    let headers: Vec<_> = values.iter().map(|value| format!("content-length: {value}")).collect();
    let headers: Vec<_> = headers.iter().map(String::as_str).collect();
    refused_headers(400, "I400HD", &headers).await;
}

#[tokio::test]
async fn f_17_leading_zeros_are_not_passed_on() {
    let served = Served::echo().await;
    let request =
        "POST /a HTTP/1.1\r\nHost: a\r\nconnection: close\r\ncontent-length: 010\r\n\r\n0123456789";
    let answers = served.talk(request).await;
    assert_eq!(answers.last().body(), "<POST /a Some(\"10\") 0123456789>");
}

#[tokio::test]
async fn f_18_content_length_beyond_64_bits() {
    refused_headers(400, "I400HD", &["content-length: 18446744073709551617"]).await;
    refused_headers(413, "I413RL", &["content-length: 18446744073709551615"]).await;
}

#[tokio::test]
async fn f_19_chunk_sizes_with_something_before_them() {
    let chunks = ["0x1", "+1", "-1", "0_1", " 1"].map(|size| format!("{size}\r\nZ\r\n0\r\n\r\n"));
    broken_bodies(&chunks.each_ref().map(String::as_str)).await;
}

#[tokio::test]
async fn f_20_chunk_size_beyond_64_bits() {
    broken_bodies(&["10000000000000001\r\nZ\r\n0\r\n\r\n"]).await;
}

#[tokio::test]
async fn f_21_no_chunk_size() {
    broken_bodies(&["\r\n\r\n", ";a\r\nZ\r\n"]).await;
}

#[tokio::test]
async fn f_22_bare_line_feeds_in_a_chunked_body() {
    broken_bodies(&["1\nZ\r\n0\r\n\r\n", "1\r\nZ\n0\r\n\r\n", "1\r\nZ\r\n0\n\r\n", "0\r\n\n"])
        .await;
}

#[tokio::test]
async fn f_23_line_ends_in_chunk_extensions() {
    broken_bodies(&["1;a\nb\r\nZ\r\n0\r\n\r\n", "1;a\rb\r\nZ\r\n0\r\n\r\n"]).await;
}

#[tokio::test]
async fn f_24_control_characters_in_chunk_extensions() {
    broken_bodies(&["1;a=\0\r\nZ\r\n0\r\n\r\n"]).await;
    let served = Served::echo().await;
    let fine = "POST /a HTTP/1.1\r\nHost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n1;a=b\r\nZ\r\n0\r\n\r\n";
    assert_eq!(served.talk(fine).await.last().body(), "<POST /a None Z>");
}

#[tokio::test]
async fn f_25_too_many_chunk_extensions() {
    let long = format!("1;{}\r\nZ\r\n0\r\n\r\n", "a".repeat(17 * 1024));
    broken_bodies(&[&long, &"1;aaaaaaaaaa\r\nZ\r\n".repeat(1_700)]).await;
}

#[tokio::test]
async fn f_26_bytes_after_a_chunk() {
    broken_bodies(&["1\r\nZZ\r\n0\r\n\r\n", "1\r\nZ0\r\n\r\n"]).await;
}

#[tokio::test]
async fn f_29_too_many_trailers() {
    let many = format!("0\r\n{}\r\n", "a: b\r\n".repeat(200));
    let large = format!("0\r\na: {}\r\n\r\n", "b".repeat(17 * 1024));
    broken_bodies(&[&many, &large]).await;
}

#[tokio::test]
async fn f_30_bare_line_feeds_in_a_head() {
    refused(
        400,
        "I400RU",
        &["GET /a HTTP/1.1\nHost: a\n\n", "\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n"],
    )
    .await;
    refused_headers(400, "I400HD", &["x: y\nz: z"]).await;
    refused(400, "I400HD", &["GET /a HTTP/1.1\r\nHost: a\r\n\n"]).await;
}

#[tokio::test]
async fn f_31_bare_returns_in_a_head() {
    refused_headers(400, "I400HD", &["x: a\rb", "x: a\r\rb", "x: a\r"]).await;
}

#[tokio::test]
async fn f_32_folded_lines() {
    refused_headers(400, "I400HD", &["x: a\r\n b", "x: a\r\n\tb"]).await;
}

#[tokio::test]
async fn f_33_space_before_the_first_header() {
    refused(
        400,
        "I400HD",
        &["GET /a HTTP/1.1\r\n Host: a\r\n\r\n", "GET /a HTTP/1.1\r\n\tHost: a\r\n\r\n"],
    )
    .await;
}

#[tokio::test]
async fn f_34_control_characters_in_a_head() {
    let served = Served::echo().await;
    for byte in (0..0x20_u8).chain([0x7f]).filter(|byte| !b"\t\r\n".contains(byte)) {
        let byte = char::from(byte);
        for header in [format!("x: a{byte}b"), format!("x{byte}: a"), format!("{byte}x: a")] {
            let head = format!("GET /a HTTP/1.1\r\nHost: a\r\n{header}\r\n\r\n");
            served.talk(head).await.refused(400, "I400HD");
        }
        let line = format!("GET /a{byte} HTTP/1.1\r\nHost: a\r\n\r\n");
        served.talk(line).await.refused(400, "I400RU");
    }
    assert_eq!(served.seen(), 0);
}

#[tokio::test]
async fn f_35_headers_without_a_name_or_a_colon() {
    refused_headers(400, "I400HD", &[": v", "NoColon", "x y: z"]).await;
}

#[tokio::test]
async fn f_47_other_versions() {
    let versions =
        ["HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/9.9", "http/1.1", "HTTP/1.10", "HTTP/11"];
    let heads = versions.map(|version| format!("GET /a {version}\r\nHost: a\r\n\r\n"));
    refused(400, "I400RU", &heads.each_ref().map(String::as_str)).await;
    refused(400, "I400RU", &["GET /a\r\n"]).await;
    // HTTP/2 begins otherwise than this.
    let almost = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r";
    Served::echo().await.talk(almost).await.refused(400, "I400RU");
}

#[tokio::test]
async fn f_48_tabs_and_spaces_in_the_request_line() {
    refused(
        400,
        "I400RU",
        &[
            "GET  /a HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /a  HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET\t/a HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /a\tHTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /a HTTP/1.1 \r\nHost: a\r\n\r\n",
            " GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
        ],
    )
    .await;
    refused(
        400,
        "I400RU",
        &[
            "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET x HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
            "G@T /a HTTP/1.1\r\nHost: a\r\n\r\n",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_client_cannot_forge_a_refusal() {
    let served = Served::echo().await;
    let forged = "GET / HTTP/1.1\r\nhost: refused\r\n\r\n";
    let answers = served.talk(format!("{forged}{NEXT}G\0T\r\n")).await;
    assert_eq!(answers.statuses(), [404, 200, 400]);
    assert_eq!(answers.0[0].code(), "I404DO");
}

#[tokio::test]
async fn an_end_in_the_middle_of_a_head_is_answered() {
    use tokio::io::AsyncWriteExt;
    let served = Served::echo().await;
    let mut stream = tokio::net::TcpStream::connect(served.listen().await).await.unwrap();
    stream.write_all(b"GET /a HTTP/1.1\r\nHost").await.unwrap();
    stream.shutdown().await.unwrap();
    Answers::read(&mut stream).await.refused(400, "I400HD");
}
