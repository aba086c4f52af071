//! What the server refuses before a gateway sees it is told, too.

use backhaul::error::Party;
use backhaul::observe::Outcome;
use backhaul::serve::Server;
use backhaul::{Body, ErrorKind};
use http::Response;
use tokio::net::TcpListener;

use super::recorder::{Ended, Recorder};
use crate::gateway::harness::talk;

async fn told(recorder: &Recorder, request: &str) -> Vec<Ended> {
    let (_registry, gateway) = recorder
        .before(|request| async move {
            assert!(request.uri().path() != "/panics", "on purpose");
            Ok(Response::new(Body::from("hello")))
        })
        .await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move { Server::new(gateway).serve(listener).await });
    let answer = talk(address, request).await;
    serving.abort();
    recorder.ended(answer.matches("HTTP/1.1 ").count()).await
}

#[tokio::test]
async fn a_head_that_cannot_be_read_is_its_clients_failure() {
    let recorder = Recorder::with_text();
    let request =
        "GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n";
    let ended = told(&recorder, request).await.remove(0);
    let Outcome::Failed { kind, party, .. } = ended.outcome else { panic!("{ended:?}") };
    assert_eq!((kind, party), (ErrorKind::InvalidHeader, Party::Client));
    assert_eq!((ended.status, ended.place), (Some(400), None));
    let text = ended.text.unwrap();
    assert!(text.message.is_some_and(|message| message.starts_with("I400HD")));
}

#[tokio::test]
async fn a_panic_is_told_once() {
    let recorder = Recorder::default();
    let request = "GET /panics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let ended = told(&recorder, request).await.remove(0);
    let Outcome::Failed { kind, party, .. } = ended.outcome else { panic!("{ended:?}") };
    assert_eq!((kind, party), (ErrorKind::Internal, Party::Gateway));
}

#[tokio::test]
async fn requests_on_one_connection_are_told_one_by_one() {
    let recorder = Recorder::default();
    let one = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    let last = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let ended = told(&recorder, &format!("{one}{one}{last}")).await;
    assert_eq!(ended.len(), 3);
    assert!(ended.iter().all(|it| it.outcome == Outcome::Answered && it.sent == 5), "{ended:?}");
}
