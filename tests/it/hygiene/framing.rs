//! Rows F that a handler decides: where a request ends, as the backend reads it.

use backhaul::testing::{Script, Step};
use backhaul::{Change, Http, Mock};
use proptest::prelude::*;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::front::{Front, Tape};
use crate::gateway::harness::{HOST, LIVE, PATIENCE, Shop, Told, apply, read_all, read_head, talk};

#[tokio::test]
async fn f_28_of_trailers_those_are_passed_on_that_no_head_says() {
    // The last chunk and whatever follows it, up to an empty line.
    let tape = Tape::until(|bytes| {
        bytes.windows(5).any(|window| window == b"\r\n0\r\n") && bytes.ends_with(b"\r\n\r\n")
    })
    .await;
    let front = Front::open().await;
    let taped = Http::to(format!("http://{}", tape.address));
    apply(&front.registry, Change::new().define("all", LIVE, taped)).await;
    let request = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\n\
                   Trailer: x-ca-key, X-Sum\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\n\
                   X-Ca-Key: admin\r\nX-Sum: 7\r\nContent-Length: 100\r\nHost: evil\r\n\
                   X-Unannounced: 1\r\n\r\n";
    assert_eq!(front.talk(request).await.status(), 200);
    let sent = tape.text();
    assert!(sent.ends_with("\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 7\r\n\r\n"), "{sent}");
    assert!(sent.contains("\r\ntrailer: x-sum\r\n"), "{sent}");
    for gone in ["admin", "evil", "100", "x-ca-key", "unannounced", "te: "] {
        assert!(!sent.to_lowercase().contains(gone), "{gone}: {sent}");
    }
    let answering = Front::answering(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-end\r\n\r\n\
         3\r\nabc\r\n0\r\nX-End: 1\r\n\r\n",
    )
    .await;
    let answer = answering.ask("GET /", &["TE: trailers"]).await;
    assert!(answer.0.ends_with("3\r\nabc\r\n0\r\nx-end: 1\r\n\r\n"), "{answer:?}");
}

#[tokio::test]
async fn f_36_a_body_goes_with_any_method() {
    let front = Front::open().await;
    for method in ["GET", "OPTIONS", "DELETE", "PATCH", "BREW"] {
        let head = format!("{method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n");
        let answer = front.talk(format!("{head}Content-Length: 5\r\n\r\nhello")).await;
        assert_eq!(answer.body(), "fine", "{method}: {answer:?}");
        let received = front.last();
        assert_eq!(received.line(), format!("{method} / HTTP/1.1"));
        assert_eq!(received.header("content-length"), ["5"], "{method}");
        assert_eq!((&received.body[..], received.complete), (&b"hello"[..], true), "{method}");
    }
    for method in ["GET", "HEAD", "DELETE"] {
        let head = format!("{method} /chunked HTTP/1.1\r\nHost: a\r\nConnection: close\r\n");
        let body = "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
        front.talk(format!("{head}{body}")).await;
        let received = front.last();
        assert_eq!((received.target(), &received.body[..]), ("/chunked".to_owned(), &b"hello"[..]));
        assert_eq!(received.header("transfer-encoding"), ["chunked"], "{method}");
    }
    let before = front.count();
    let head = "HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
    front.talk(format!("{head}Content-Length: 5\r\n\r\nhello")).await;
    assert_eq!((front.last().body, front.count()), (b"hello".to_vec(), before + 1));
}

#[tokio::test]
async fn f_37_a_body_nobody_read_is_not_a_request() {
    let shop = Shop::open().await;
    let mock = backhaul::Api::post("/mock").inline(Mock::new().body("mocked"));
    apply(&shop.registry, Change::new().api("shop/mock", mock).publish("shop/mock", LIVE)).await;
    let smuggled = format!("GET /shop/orders/smuggled HTTP/1.1\r\n{HOST}\r\n\r\n");
    let length = smuggled.len();
    for path in ["/shop/mock", "/shop/none", "/elsewhere", "/shop/orders/1"] {
        let post = format!("POST {path} HTTP/1.1\r\n{HOST}\r\nContent-Length: {length}\r\n\r\n");
        let after = format!("GET /shop/orders/2 HTTP/1.1\r\n{HOST}\r\nConnection: close\r\n\r\n");
        let answers = talk(shop.address, format!("{post}{smuggled}{after}")).await;
        // Either the body was drained, or the connection was closed with it.
        let count = answers.matches("HTTP/1.1 ").count();
        assert!((1..=2).contains(&count), "{path}: {answers}");
    }
    assert!(!shop.new.heads().iter().any(|head| head.contains("smuggled")));
}

#[tokio::test]
async fn f_37_an_answer_before_the_body_has_ended_ends_the_call() {
    let answer = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
    let front = Front::before(move |_| Script::new().write(answer).then(Step::Hang)).await;
    let mut client = TcpStream::connect(front.address).await.unwrap();
    let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60\r\n\r\nGET /smuggled HTTP/1.1\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    let answer = read_head(&mut client).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    // The backend's connection is cut in the middle of the request, not used for another.
    assert!(front.upstream.has_open(0, PATIENCE).await);
    assert_eq!(front.count(), 1);
}

#[tokio::test]
async fn f_38_a_body_sent_at_once_belongs_to_its_request() {
    let front = Front::open().await;
    let post =
        "POST /1 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello";
    let get = "GET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answers = front.talk(format!("{post}{get}")).await;
    assert_eq!(answers.0.matches("HTTP/1.1 200 OK").count(), 2, "{answers:?}");
    let [first, second] = &front.upstream.received()[..] else { panic!("not two requests") };
    assert_eq!((first.target(), &first.body[..]), ("/1".to_owned(), &b"hello"[..]));
    assert_eq!((second.target(), &second.body[..]), ("/2".to_owned(), &b""[..]));
}

#[tokio::test]
async fn f_39_expect_is_not_forwarded_and_an_early_answer_costs_its_connection() {
    let front = Front::before(|received| match received.target().as_str() {
        "/early" => Script::new()
            .write("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n")
            .then(Step::Hang),
        _ => Script::ok("fine"),
    })
    .await;
    let mut client = TcpStream::connect(front.address).await.unwrap();
    let head =
        "POST /early HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    let mut answer = read_head(&mut client).await;
    if answer.starts_with("HTTP/1.1 100 ") {
        answer = read_head(&mut client).await;
    }
    assert!(answer.starts_with("HTTP/1.1 417 "), "{answer}");
    assert!(front.last().header("expect").is_empty());
    assert_eq!(front.ask("GET /next", &[]).await.body(), "fine");
    let received = front.upstream.received();
    assert_eq!((received[0].connection, received[1].connection), (1, 2));
    assert!(!received[0].complete);
}

#[tokio::test]
async fn f_40_an_unknown_expectation_is_ignored_and_not_forwarded() {
    let front = Front::open().await;
    for value in ["200-ok", "100-continue, x", "", "x=y"] {
        let expect = format!("Expect: {value}");
        assert_eq!(front.ask("GET /", &[&expect]).await.body(), "fine", "{value}");
        assert!(front.last().header("expect").is_empty(), "{value}");
    }
}

#[tokio::test]
async fn f_41_after_an_upgrade_everything_is_still_http() {
    let shop = Shop::open().await;
    let upgrade = format!(
        "GET /shop/orders/1 HTTP/1.1\r\n{HOST}\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n"
    );
    let next = format!("GET /shop/none HTTP/1.1\r\n{HOST}\r\nConnection: close\r\n\r\n");
    let answers = talk(shop.address, format!("{upgrade}{next}")).await;
    assert!(answers.starts_with("HTTP/1.1 200 "), "{answers}");
    assert_eq!(answers.matches("I404NF").count(), 2, "header and body: {answers}");
    let head = shop.new.last().join("\n");
    assert!(!head.contains("upgrade"), "{head}");
    assert_eq!(shop.new.heads().len(), 1);
    // Nor does a backend switch by itself.
    let front = Front::answering(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: foo\r\nConnection: upgrade\r\n\r\n",
    )
    .await;
    let asked = ["Connection: upgrade", "Upgrade: foo"];
    assert_eq!(front.ask("GET /", &asked).await.code(), "D502BR");
}

#[tokio::test]
async fn f_42_an_upgrade_with_a_body_is_a_request_with_a_body() {
    let front = Front::open().await;
    let head = "POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade, close\r\nUpgrade: websocket\r\n";
    let answer = front.talk(format!("{head}Content-Length: 5\r\n\r\nhello")).await;
    assert_eq!(answer.body(), "fine", "{answer:?}");
    let received = front.last();
    assert!(received.header("upgrade").is_empty() && received.header("connection").is_empty());
    assert_eq!(
        (&received.body[..], received.header("content-length")),
        (&b"hello"[..], vec!["5".to_owned()])
    );
    // The connection is in step: the next request is read from its beginning.
    assert_eq!(front.ask("GET /next", &[]).await.body(), "fine");
    assert_eq!(front.last().target(), "/next");
}

#[tokio::test]
async fn f_43_connect_is_refused_with_what_follows_it() {
    let shop = Shop::open().await;
    for target in ["shop.example.com:80", "a:443"] {
        let host = target.split(':').next().unwrap();
        let early = format!("GET /shop/orders/1 HTTP/1.1\r\n{HOST}\r\n\r\n");
        let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {host}\r\n\r\n{early}");
        // Reading to its end shows that the connection is closed, although nothing asked for it.
        let answer = Told(talk(shop.address, request).await);
        assert_eq!((answer.status(), answer.code()), (405, "I405UM"), "{answer:?}");
        assert_eq!(answer.0.matches("HTTP/1.1 ").count(), 1, "{answer:?}");
    }
    assert!(shop.new.heads().is_empty());
}

/// How a client says where its request ends.
#[derive(Clone, Debug)]
enum Framing {
    Nothing,
    Length { zeros: usize, twice: bool },
    Chunks { coding: &'static str, sizes: Vec<usize> },
}

#[derive(Clone, Debug)]
struct Asked {
    method: &'static str,
    framing: Framing,
    body: String,
    noise: Vec<&'static str>,
}

fn asked() -> impl Strategy<Value = Asked> {
    let framing = prop_oneof![
        Just(Framing::Nothing),
        (0_usize..3, any::<bool>()).prop_map(|(zeros, twice)| Framing::Length { zeros, twice }),
        (
            prop::sample::select(vec!["chunked", "Chunked", "CHUNKED", " chunked "]),
            prop::collection::vec(1_usize..9, 0..5)
        )
            .prop_map(|(coding, sizes)| Framing::Chunks { coding, sizes }),
    ];
    let noise = prop::sample::subsequence(
        vec![
            "Connection: content-length",
            "Connection: transfer-encoding, x-a",
            "TE: trailers, chunked",
            "Trailer: Content-Length",
            "Keep-Alive: 5",
            "Content_Length: 7",
            "Transfer_Encoding: chunked",
            "X-Content-Length: 7",
            "Expect: 100-continue",
        ],
        0..6,
    );
    let method = prop::sample::select(vec!["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]);
    (method, framing, "[a-z\r\n]{0,24}", noise).prop_map(|(method, framing, body, noise)| Asked {
        method,
        framing,
        body,
        noise,
    })
}

impl Asked {
    fn text(&self) -> String {
        let mut text = format!("{} /x HTTP/1.1\r\nHost: a\r\n", self.method);
        for line in &self.noise {
            text.push_str(line);
            text.push_str("\r\n");
        }
        let length = self.body.len();
        match &self.framing {
            Framing::Nothing => text.push_str("\r\n"),
            Framing::Length { zeros, twice } => {
                let line = format!("Content-Length: {}{length}\r\n", "0".repeat(*zeros));
                text.push_str(&line.repeat(if *twice { 2 } else { 1 }));
                text.push_str("\r\n");
                text.push_str(&self.body);
            }
            Framing::Chunks { coding, sizes } => {
                text.push_str(&format!("Transfer-Encoding:{coding}\r\n\r\n"));
                let mut rest = self.body.as_str();
                for size in sizes.iter().copied().chain([length]) {
                    let (chunk, after) = rest.split_at(size.min(rest.len()));
                    if !chunk.is_empty() {
                        text.push_str(&format!("{:x};ext=1\r\n{chunk}\r\n", chunk.len()));
                    }
                    rest = after;
                }
                text.push_str("0\r\n\r\n");
            }
        }
        text
    }

    fn body(&self) -> &str {
        if matches!(self.framing, Framing::Nothing) { "" } else { &self.body }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// What was accepted is framed once, and its body is what was sent.
    #[test]
    fn f_49_what_is_forwarded_is_framed_once(requests in prop::collection::vec(asked(), 1..5)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let front = Front::open().await;
            let mut client = TcpStream::connect(front.address).await.unwrap();
            // All at once: what one request leaves over would be the next one's beginning.
            let text: String = requests.iter().map(Asked::text).collect();
            let last = "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
            client.write_all(format!("{text}{last}").as_bytes()).await.unwrap();
            read_all(&mut client).await;
            let received = front.upstream.received();
            prop_assert_eq!(received.len(), requests.len() + 1);
            for (asked, received) in requests.iter().zip(&received) {
                let (lengths, codings) =
                    (received.header("content-length"), received.header("transfer-encoding"));
                let framed = lengths.len() + codings.len();
                prop_assert!(framed == 1 || framed == 0 && asked.body().is_empty());
                prop_assert!(codings.iter().all(|coding| coding == "chunked"));
                prop_assert_eq!(std::str::from_utf8(&received.body).unwrap(), asked.body());
                prop_assert!(received.complete);
                if let Some(length) = lengths.first() {
                    prop_assert_eq!(length, &asked.body().len().to_string());
                }
                prop_assert_eq!(received.line(), format!("{} /x HTTP/1.1", asked.method));
            }
            Ok(())
        })?;
    }
}
