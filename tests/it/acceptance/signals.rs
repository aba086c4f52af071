//! SIGHUP under load, and SIGTERM.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::process::Process;
use super::{Client, HOST, Origin, get, shop};
use crate::gateway::harness::read_head;

/// Callers that ask again and again, each on its own connection.
const CALLERS: usize = 8;
/// Moves from one origin to the other and back.
const MOVES: usize = 20;
const NAMES: [&str; 2] = ["first", "second"];

/// What callers count while the document changes.
#[derive(Default)]
struct Load {
    stop: AtomicBool,
    /// Odd from before a document is read until it was told to be applied; half of it are the moves.
    phase: AtomicUsize,
    asked: AtomicUsize,
    /// Sent after a move was told, and answered by the side that was left.
    late: AtomicUsize,
    failed: AtomicUsize,
}

impl Load {
    async fn call(&self, mut client: Client) {
        while !self.stop.load(Ordering::SeqCst) {
            let before = self.phase.load(Ordering::SeqCst);
            let answer = client.get("/shop/orders/42").await;
            let settled = before.is_multiple_of(2) && self.phase.load(Ordering::SeqCst) == before;
            self.asked.fetch_add(1, Ordering::Relaxed);
            match answer {
                Some((200, name)) if NAMES.contains(&name.as_str()) => {
                    let expected = NAMES[before / 2 % 2];
                    let late = usize::from(settled && name != expected);
                    self.late.fetch_add(late, Ordering::Relaxed);
                }
                // A connection rests after so many requests; the next one begins anew.
                _ => drop(self.failed.fetch_add(1, Ordering::Relaxed)),
            }
        }
    }

    async fn moved(&self, process: &Process, document: &str) -> String {
        self.phase.fetch_add(1, Ordering::SeqCst);
        let said = tokio::task::block_in_place(|| process.reload(document));
        self.phase.fetch_add(1, Ordering::SeqCst);
        said
    }
}

/// An origin whose connections last: one that closes them without a word makes requests fail that were
/// on their way already.
async fn lasting(name: &'static str) -> Origin {
    Origin::start(move |mut stream, _| async move {
        loop {
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{name}", name.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
            if read_head(&mut stream).await.is_empty() {
                return;
            }
        }
    })
    .await
}

async fn under_load(process: &Process) -> (Arc<Load>, JoinSet<()>) {
    let load = Arc::new(Load::default());
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (load, client) = (Arc::clone(&load), Client::connect(process).await);
        callers.spawn(async move { load.call(client).await });
    }
    (load, callers)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_over_under_load_is_one_instant_and_fails_nobody() {
    let (first, second) = (lasting(NAMES[0]).await, lasting(NAMES[1]).await);
    let documents = [shop(&first, &first), shop(&first, &second)];
    let process = Process::start(&documents[0], &[]);
    let (load, mut callers) = under_load(&process).await;
    for count in 0..MOVES {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let said = load.moved(&process, &documents[(count + 1) % 2]).await;
        assert_eq!(said, format!("applied revision {}", count + 2));
    }
    load.stop.store(true, Ordering::SeqCst);
    while callers.join_next().await.is_some() {}
    let asked = load.asked.load(Ordering::Relaxed);
    assert!(asked > 10 * MOVES, "too little was asked: {asked}");
    assert_eq!(load.late.load(Ordering::Relaxed), 0, "of {asked}");
    // The 1,000 requests of a connection may be over: the caller sees its end, nobody else's.
    assert_eq!(load.failed.load(Ordering::Relaxed), 0, "of {asked}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_that_is_the_same_bad_or_smaller() {
    let (old, new) = (Origin::named("old").await, Origin::named("new").await);
    let document = shop(&old, &new);
    let process = Process::start(&document, &[]);
    assert_eq!(process.reload(&document), "unchanged");
    assert_eq!(process.reload(&format!("# another comment\n{document}")), "unchanged");
    let both =
        document.replace("timeout = \"2s\"", "timeout = \"2 s\"").replace("\"POST\"", "\"PUSH\"");
    let said = process.reload(&both);
    assert!(
        said.starts_with("refused: line 12: backend_service[0].definition.RELEASE.timeout"),
        "{said}"
    );
    assert!(said.contains("; line ") && said.contains("api[1].method"), "{said}");
    assert_eq!(get(&process, "/shop/orders/42", &[]).await.body(), "new", "the old state serves");
    let nowhere = document.replace(
        "publish = [\"TEST\"]\nbackend = { service = \"banner\" }",
        "publish = [\"PRE\"]\nbackend = { service = \"banner\" }",
    );
    let said = process.reload(&nowhere);
    assert!(
        said.starts_with("refused: ") && said.contains("\"banner\"") && said.contains("PRE"),
        "{said}"
    );
    // The definition and what is published by it, gone in one revision.
    let (before, rest) = document.split_once("[backend_service.definition.RELEASE]").unwrap();
    let (_, after) = rest.split_once("[[backend_service]]").unwrap();
    let smaller = format!("{before}[[backend_service]]{after}")
        .replace("publish = [\"TEST\", \"RELEASE\"]", "publish = [\"TEST\"]")
        .replace("publish = [\"RELEASE\"]", "publish = []");
    assert_eq!(process.reload(&smaller), "applied revision 2");
    for path in ["/shop/orders/42", "/shop/orders", "/shop/search/a?q=red"] {
        assert_eq!(get(&process, path, &[]).await.code(), "I404NF", "{path}");
    }
    assert_eq!(get(&process, "/shop/orders/42", &["X-Ca-Stage: TEST"]).await.body(), "old");
    assert_eq!(process.reload(&smaller), "unchanged");
    assert_eq!(process.reload(&document), "applied revision 3");
    assert_eq!(get(&process, "/shop/orders/42", &[]).await.body(), "new");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_that_was_running_completes() {
    const PIECE: usize = 64 * 1024;
    const PIECES: usize = 32;
    let slow = Origin::start(|mut stream, _| async move {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", PIECE * PIECES);
        stream.write_all(head.as_bytes()).await.unwrap();
        for _ in 0..PIECES {
            if stream.write_all(&[b'x'; PIECE]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let (old, new) = (Origin::named("old").await, Origin::named("new").await);
    let process = Process::start(&shop(&old, &slow), &[]);
    let mut stream = TcpStream::connect(process.address).await.unwrap();
    let request = format!("GET /shop/orders/42 HTTP/1.1\r\n{HOST}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut first = [0; 1024];
    stream.read_exact(&mut first).await.unwrap();
    let said = tokio::task::block_in_place(|| process.reload(&shop(&old, &new)));
    assert_eq!(said, "applied revision 2");
    assert_eq!(get(&process, "/shop/orders/42", &[]).await.body(), "new");
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    let body = rest.iter().filter(|byte| **byte == b'x').count()
        + first.iter().rev().take_while(|byte| **byte == b'x').count();
    assert_eq!(body, PIECE * PIECES);
    assert_eq!(slow.heads().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_applied_is_there_after_a_kill() {
    let (old, new) = (Origin::named("old").await, Origin::named("new").await);
    let document = shop(&old, &new);
    let store = ["--store", "{folder}/shop.redb"];
    let process = Process::start(&document, &store);
    let moved = shop(&old, &old);
    assert_eq!(process.reload(&moved), "applied revision 2");
    // The store loads first, then the document is planned against it.
    let process = process.killed_and_started(&moved, &store);
    assert_eq!(get(&process, "/shop/orders/42", &[]).await.body(), "old");
    assert_eq!(process.reload(&moved), "unchanged");
    assert_eq!(process.reload(&document), "applied revision 3");
    // What a document created before the restart goes with a document after it.
    let process = process.killed_and_started("", &store);
    assert_eq!(get(&process, "/shop/orders/42", &[]).await.code(), "I404DO");
    assert_eq!(process.reload(&document), "applied revision 5");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_told_to_end_finishes_what_it_has_begun() {
    let slow = Origin::start(|mut stream, _| async move {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nslow";
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await;
    let process = Process::start(&shop(&slow, &slow), &[]);
    let address = process.address;
    let mut client = Client::connect(&process).await;
    let asked = tokio::spawn(async move { client.get("/shop/orders/42").await });
    while slow.heads().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (lines, status) = tokio::task::block_in_place(|| process.terminate());
    assert_eq!((lines, status.code()), (vec!["drained".to_owned()], Some(0)));
    assert_eq!(asked.await.unwrap(), Some((200, "slow".to_owned())));
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_takes_too_long_to_end_is_counted() {
    let hanging = Origin::start(|stream, _| async move {
        let _open = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let process = Process::start(&shop(&hanging, &hanging), &["--drain", "1"]);
    let mut clients = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(process.address).await.unwrap();
        let request = format!("GET /shop/orders/42 HTTP/1.1\r\n{HOST}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        clients.push(stream);
    }
    while hanging.heads().len() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (lines, status) = tokio::task::block_in_place(|| process.terminate());
    assert_eq!((lines, status.code()), (vec!["drain deadline: 2 left".to_owned()], Some(0)));
}
