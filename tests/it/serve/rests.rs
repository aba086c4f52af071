//! Connections that rest between their requests, with a clock that stands still unless somebody waits.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use super::harness::{Answers, Served, peer, read_until};

const SECOND: Duration = Duration::from_secs(1);
const GET: &str = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
const POST: &str = "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
const CHUNKED: &str =
    "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn a_request_after_a_rest_is_served_as_one_without() {
    let served = Served::echo().await;
    let (mut client, _) = served.pipe();
    for _ in 0..3 {
        for (request, answer) in [
            (GET, "<GET /a None >"),
            (POST, "<POST /b Some(\"3\") abc>"),
            (CHUNKED, "<POST /c None abc>"),
            // Two at once, and what some clients send between them.
            (&*format!("{GET}\r\n{GET}"), "<GET /a None >"),
        ] {
            client.write_all(request.as_bytes()).await.unwrap();
            for _ in request.matches("HTTP/1.1") {
                read_until(&mut client, answer).await;
            }
            sleep(SECOND).await;
        }
    }
    assert_eq!(served.seen(), 15);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_comes_in_pieces_over_rests_is_served() {
    let served = Served::echo().await;
    let (mut client, _) = served.pipe();
    for request in [GET, POST, CHUNKED, POST] {
        for piece in request.as_bytes().chunks(20) {
            client.write_all(piece).await.unwrap();
            sleep(SECOND).await;
        }
        read_until(&mut client, ">").await;
        sleep(SECOND).await;
    }
    assert_eq!(served.seen(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_takes_long_is_no_rest() {
    let served = Served::by(|_| async {
        sleep(5 * SECOND).await;
        Ok(http::Response::new("late".into()))
    })
    .await;
    let (mut client, _) = served.pipe();
    for _ in 0..2 {
        client.write_all(GET.as_bytes()).await.unwrap();
        read_until(&mut client, "late").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_head_after_a_rest_is_answered() {
    let served = Served::echo().await;
    let (mut client, _) = served.pipe();
    client.write_all(GET.as_bytes()).await.unwrap();
    read_until(&mut client, ">").await;
    sleep(SECOND).await;
    client.write_all(b"GET /a HTTP/1.1\r\nHost : a\r\n\r\n").await.unwrap();
    Answers::read(&mut client).await.refused(400, "I400HD");
    assert_eq!(served.seen(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_resting_connection_ends_with_its_client_and_its_server() {
    let served = Served::echo().await;
    // The client leaves.
    let (mut client, serving) = served.pipe();
    client.write_all(GET.as_bytes()).await.unwrap();
    read_until(&mut client, ">").await;
    sleep(SECOND).await;
    drop(client);
    serving.await.unwrap();
    // The server stops.
    let (mut client, io) = tokio::io::duplex(1_000);
    let (stop, stopped) = oneshot::channel::<()>();
    let server = served.server.clone();
    let serving = tokio::spawn(async move {
        let stopped = async { stopped.await.unwrap() };
        server.connection_until(io, peer(), stopped).await;
    });
    client.write_all(GET.as_bytes()).await.unwrap();
    read_until(&mut client, ">").await;
    sleep(SECOND).await;
    let begun = Instant::now();
    stop.send(()).unwrap();
    serving.await.unwrap();
    assert_eq!(client.read(&mut [0; 10]).await.unwrap(), 0);
    assert_eq!(begun.elapsed(), Duration::ZERO);
}
