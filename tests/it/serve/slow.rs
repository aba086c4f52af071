//! Slow clients of all kinds at once, and a good one beside them. The clock stands still unless all
//! of them wait.

use std::time::Duration;

use backhaul::Body;
use backhaul::serve::Limits;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, Interest};
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout};

use super::bodies::pieces;
use super::harness::{Answers, PATIENCE, Served, read_until};
use super::time::drip_and_read;

const OF_EACH_KIND: usize = 200;
const TENTH: Duration = Duration::from_millis(100);
const FIRST_BYTE: Duration = Duration::from_secs(1);
const HEAD: Duration = Duration::from_secs(2);
const GRACE: Duration = Duration::from_secs(3);
const STALL: Duration = Duration::from_secs(4);

#[derive(Clone, Copy, Debug)]
enum Slow {
    Silent,
    Head,
    Body,
    Reader,
}

impl Slow {
    const ALL: [Self; 4] = [Self::Silent, Self::Head, Self::Body, Self::Reader];

    /// By when it has to be closed. What is averaged is noticed some moments later.
    fn limit(self) -> Duration {
        match self {
            Self::Silent => FIRST_BYTE,
            Self::Head => HEAD,
            Self::Body => GRACE + Duration::from_secs(1),
            Self::Reader => 2 * STALL,
        }
    }

    /// Is slow until the server has closed.
    async fn attack(self, mut client: DuplexStream, serving: JoinHandle<()>) {
        match self {
            Self::Silent => assert!(Answers::read(&mut client).await.0.is_empty()),
            Self::Head => {
                let head = format!("GET /a HTTP/1.1\r\nHost: a\r\nx: {}", "y".repeat(1_000));
                drip_and_read(client, &head, TENTH).await.refused(408, "I408RT");
            }
            Self::Body => {
                let head = "POST /a HTTP/1.1\r\nHost: a\r\ncontent-length: 1000\r\n\r\n";
                client.write_all(head.as_bytes()).await.unwrap();
                let answers = drip_and_read(client, &"a".repeat(1_000), TENTH).await;
                answers.refused(408, "I408RT");
            }
            Self::Reader => {
                client.write_all(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
                while !serving.is_finished() {
                    client.read_exact(&mut [0; 10]).await.unwrap();
                    sleep(TENTH).await;
                }
            }
        }
        serving.await.unwrap();
    }
}

/// A large body, or what a request's body was.
async fn served() -> Served {
    let limits = Limits::new()
        .first_byte(FIRST_BYTE)
        .head(HEAD)
        .body_rate(1_024, GRACE)
        .write_rate(1_024, STALL);
    let served = Served::by(|request: Request<Body>| async move {
        if request.uri().path() == "/large" {
            let piece = Bytes::from(vec![b'a'; 10_000]);
            return Ok(Response::new(pieces(std::iter::repeat_n(piece, 1_000))));
        }
        request.into_body().collect().await?;
        Ok(Response::new(Body::from("fine")))
    });
    served.await.limits(limits)
}

#[tokio::test]
async fn r_04_a_client_that_reads_nothing_is_reset() {
    let limits = Limits::new().write_rate(1_024, TENTH);
    let served = served().await.limits(limits);
    let mut client = TcpStream::connect(served.listen().await).await.unwrap();
    client.write_all(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    // Were it only closed, the kernel would keep what was written, and tell no error.
    timeout(PATIENCE, client.ready(Interest::ERROR)).await.expect("not reset").unwrap();
    let error = client.take_error().unwrap().expect("an error that is none");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test(start_paused = true)]
async fn r_02_slow_clients_of_all_kinds_leave_a_good_one_alone() {
    let served = served().await;
    let mut attackers = JoinSet::new();
    for _ in 0..OF_EACH_KIND {
        for slow in Slow::ALL {
            let (client, serving) = served.pipe();
            attackers.spawn(async move {
                let begun = Instant::now();
                slow.attack(client, serving).await;
                (slow, begun.elapsed())
            });
        }
    }
    let (mut good, _serving) = served.pipe();
    let (mut closed, mut answered) = (0, 0);
    while closed < OF_EACH_KIND * Slow::ALL.len() {
        good.write_all(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let answer = timeout(FIRST_BYTE, read_until(&mut good, "fine")).await;
        assert!(answer.expect("the good client waits").starts_with("HTTP/1.1 200"));
        answered += 1;
        sleep(TENTH).await;
        while let Some(ended) = attackers.try_join_next() {
            let (slow, after) = ended.unwrap();
            assert!(after <= slow.limit(), "{slow:?} was closed after {after:?}");
            closed += 1;
        }
    }
    assert!(answered >= 40, "{answered}: the slow ones were closed before they could do harm");
}
