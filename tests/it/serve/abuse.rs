//! Too many connections, backends that panic, clients that go away.

use backhaul::Body;
use http::{Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::harness::{PATIENCE, Served, read_until};

const GET: &str = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

async fn asked(address: std::net::SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(GET.as_bytes()).await.unwrap();
    read_until(&mut stream, "<GET /a None >").await;
    stream
}

async fn closed(address: std::net::SocketAddr) -> bool {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let _ = stream.write_all(GET.as_bytes()).await;
    let read = tokio::time::timeout(PATIENCE, stream.read_u8()).await;
    read.expect("neither closed nor served").is_err()
}

#[tokio::test]
async fn r_07_connections_are_counted() {
    for per_address in [false, true] {
        let mut served = Served::echo().await;
        served.server = if per_address {
            served.server.max_connections_per_address(20)
        } else {
            served.server.max_connections(20)
        };
        let address = served.listen().await;
        let mut open = Vec::new();
        for _ in 0..20 {
            open.push(asked(address).await);
        }
        for _ in 0..50 {
            assert!(closed(address).await);
        }
        drop(open.pop());
        // The place is free as soon as the server has seen that.
        let again = async {
            while closed(address).await {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, again).await.unwrap();
        assert_eq!(open.len(), 19);
    }
}

#[tokio::test]
async fn r_21_a_panic_is_one_requests() {
    let served = Served::by(|request: Request<Body>| async move {
        let path = request.uri().path().to_owned();
        assert!(path != "/late", "a panic that is expected");
        Ok(Response::new(Body::from(format!("<GET {path} None >"))))
    })
    .await;
    let mut stream = asked(served.listen().await).await;
    stream.write_all(GET.replace("/a", "/late").as_bytes()).await.unwrap();
    let answer = read_until(&mut stream, "}").await;
    assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
    assert!(answer.contains("X500ER") && !answer.contains("expected"), "{answer}");
    stream.write_all(GET.as_bytes()).await.unwrap();
    read_until(&mut stream, "<GET /a None >").await;
}

#[tokio::test]
async fn r_22_no_task_outlives_its_client() {
    let served = Served::by(|_| std::future::pending()).await;
    let address = served.listen().await;
    let metrics = tokio::runtime::Handle::current().metrics();
    let base = metrics.num_alive_tasks();
    let mut clients = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(GET.as_bytes()).await.unwrap();
        clients.push(stream);
    }
    let all = async {
        while served.seen() < 200 {
            tokio::task::yield_now().await;
        }
        assert!(metrics.num_alive_tasks() >= base + 200);
        drop(clients);
        while metrics.num_alive_tasks() > base {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, all).await.unwrap();
}
