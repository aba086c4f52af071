//! Every way to be slow, with a clock that stands still unless somebody waits.

use std::time::Duration;

use backhaul::Body;
use backhaul::serve::{Limits, limits};
use http::Response;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, sleep};

use super::harness::{Answers, Served, read_until};

const SECOND: Duration = Duration::from_secs(1);
const GET: &str = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

/// Writes these bytes one by one, as long as somebody takes them.
async fn drip(client: &mut DuplexStream, text: &str, pause: Duration) {
    for byte in text.as_bytes() {
        if client.write_all(&[*byte]).await.is_err() {
            return;
        }
        sleep(pause).await;
    }
}

/// Reads to the end while dripping.
pub(super) async fn drip_and_read(client: DuplexStream, text: &str, pause: Duration) -> Answers {
    let (mut read, mut write) = tokio::io::split(client);
    let dripping = async {
        for byte in text.as_bytes() {
            if write.write_all(&[*byte]).await.is_err() {
                break;
            }
            sleep(pause).await;
        }
        std::future::pending().await
    };
    tokio::select! {
        answers = Answers::read(&mut read) => answers,
        () = dripping => unreachable!(),
    }
}

#[tokio::test(start_paused = true)]
async fn r_01_a_connection_that_says_nothing() {
    let served = Served::echo().await;
    let (mut client, serving) = served.pipe();
    let begun = Instant::now();
    assert!(Answers::read(&mut client).await.0.is_empty());
    serving.await.unwrap();
    assert_eq!(begun.elapsed(), limits::FIRST_BYTE);
}

#[tokio::test(start_paused = true)]
async fn r_02_a_head_that_never_ends() {
    let served = Served::echo().await;
    for start in ["GET /a HTTP/1.1\r\nHost: a\r\nx: ", "P", "PRI * HTTP/2.0\r\n"] {
        let (client, _) = served.pipe();
        sleep(5 * SECOND).await;
        let begun = Instant::now();
        let head = format!("{start}{}", "y".repeat(100));
        drip_and_read(client, &head, SECOND).await.refused(408, "I408RT");
        assert_eq!(begun.elapsed(), limits::HEAD, "{start}");
    }
    assert_eq!(served.seen(), 0);
}

#[tokio::test(start_paused = true)]
async fn r_02_a_second_head_that_never_ends() {
    let served = Served::echo().await;
    let (mut client, _) = served.pipe();
    client.write_all(GET.as_bytes()).await.unwrap();
    read_until(&mut client, "<GET /a None >").await;
    sleep(30 * SECOND).await;
    let begun = Instant::now();
    client.write_all(b"G").await.unwrap();
    Answers::read(&mut client).await.refused(408, "I408RT");
    assert_eq!(begun.elapsed(), limits::HEAD);
}

#[tokio::test(start_paused = true)]
async fn r_02_a_head_that_takes_a_while_is_served() {
    let served = Served::echo().await;
    let (mut client, _) = served.pipe();
    for _ in 0..3 {
        drip(&mut client, GET, SECOND / 4).await;
        read_until(&mut client, "<GET /a None >").await;
    }
}

#[tokio::test(start_paused = true)]
async fn r_03_a_body_that_hardly_comes() {
    let served = Served::echo().await;
    let head = "POST /a HTTP/1.1\r\nHost: a\r\ncontent-length: 1000\r\n\r\n";
    let (mut client, _) = served.pipe();
    client.write_all(head.as_bytes()).await.unwrap();
    let begun = Instant::now();
    drip_and_read(client, &"a".repeat(1_000), SECOND / 10).await.refused(408, "I408RT");
    assert!(begun.elapsed() < limits::BODY_GRACE + 2 * SECOND);
    // Fast enough, in all.
    let served = Served::echo().await;
    let (mut client, _) = served.pipe();
    let head = head.replace("1000", "20000");
    client.write_all(head.as_bytes()).await.unwrap();
    let piece = "a".repeat(2_000);
    for _ in 0..10 {
        client.write_all(piece.as_bytes()).await.unwrap();
        sleep(SECOND + SECOND / 2).await;
    }
    assert!(read_until(&mut client, "aaa>").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test(start_paused = true)]
async fn r_03_a_body_has_a_limit_in_all() {
    let limits = Limits::new().body_total(20 * SECOND).body_rate(0, SECOND);
    let served = Served::echo().await.limits(limits);
    let head = "POST /a HTTP/1.1\r\nHost: a\r\ncontent-length: 1000\r\n\r\n";
    let (mut client, _) = served.pipe();
    client.write_all(head.as_bytes()).await.unwrap();
    let begun = Instant::now();
    drip_and_read(client, &"a".repeat(1_000), 3 * SECOND).await.refused(408, "I408RT");
    assert_eq!(begun.elapsed(), 20 * SECOND);
}

/// Ten million bytes, in pieces.
async fn large() -> Served {
    Served::by(|_| async {
        let piece = bytes::Bytes::from(vec![b'a'; 10_000]);
        let pieces = std::iter::repeat_n(piece, 1_000);
        Ok(Response::new(super::bodies::pieces(pieces)))
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn r_04_a_client_that_reads_nothing() {
    let served = large().await;
    let (mut client, serving) = served.pipe();
    client.write_all(GET.as_bytes()).await.unwrap();
    let begun = Instant::now();
    serving.await.unwrap();
    assert_eq!(begun.elapsed(), limits::WRITE_STALL);
}

#[tokio::test(start_paused = true)]
async fn r_04_a_client_that_hardly_reads() {
    let served = large().await;
    let (mut client, serving) = served.pipe();
    client.write_all(GET.as_bytes()).await.unwrap();
    let begun = Instant::now();
    let mut place = [0; 100];
    while !serving.is_finished() {
        client.read_exact(&mut place).await.unwrap();
        sleep(SECOND).await;
        assert!(begun.elapsed() < 2 * limits::WRITE_STALL, "it goes on and on");
    }
}

#[tokio::test(start_paused = true)]
async fn r_04_a_client_that_reads_steadily() {
    let served = large().await;
    let (mut client, _serving) = served.pipe();
    client.write_all(GET.as_bytes()).await.unwrap();
    let mut place = vec![0; 50_000];
    let mut read = 0;
    while read < 10_000_000 {
        // A breath of ten seconds every now and then is allowed.
        sleep(10 * SECOND).await;
        let count = client.read(&mut place).await.unwrap();
        assert!(count > 0, "closed after {read}");
        read += count;
    }
}

#[tokio::test(start_paused = true)]
async fn r_05_a_connection_at_rest() {
    let served = Served::echo().await;
    let (mut client, _) = served.pipe();
    for _ in 0..3 {
        sleep(9 * SECOND).await;
        client.write_all(GET.as_bytes()).await.unwrap();
        read_until(&mut client, "<GET /a None >").await;
    }
    let begun = Instant::now();
    assert!(Answers::read(&mut client).await.0.is_empty());
    assert_eq!(begun.elapsed(), limits::KEEP_ALIVE);
}

#[tokio::test(start_paused = true)]
async fn r_05_a_slow_backend_is_no_rest() {
    let served = Served::by(|_| async {
        sleep(90 * SECOND).await;
        Ok(Response::new(Body::from("late")))
    })
    .await;
    let (mut client, _) = served.pipe();
    client.write_all(GET.as_bytes()).await.unwrap();
    assert!(read_until(&mut client, "late").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test(start_paused = true)]
async fn r_06_requests_on_a_connection() {
    let served = Served::echo().await.limits(Limits::new().max_requests(3));
    let (mut client, _) = served.pipe();
    client.write_all(GET.repeat(5).as_bytes()).await.unwrap();
    let answers = Answers::read(&mut client).await;
    let closes: Vec<_> = answers.0.iter().map(|told| told.header("connection")).collect();
    assert_eq!(closes, [None, None, Some("close")]);
}

#[tokio::test(start_paused = true)]
async fn r_06_age_of_a_connection() {
    let served = Served::by(|_| async {
        sleep(40 * SECOND).await;
        Ok(Response::new(Body::from("late")))
    })
    .await
    .limits(Limits::new().max_age(60 * SECOND));
    let (mut client, _) = served.pipe();
    client.write_all(GET.as_bytes()).await.unwrap();
    let first = read_until(&mut client, "late").await;
    assert!(!first.contains("connection: close"), "{first}");
    client.write_all(GET.as_bytes()).await.unwrap();
    let last = Answers::read(&mut client).await;
    assert_eq!(last.statuses(), [200]);
    assert_eq!(last.last().header("connection"), Some("close"));
}
