//! Clients that send at a constant rate, whatever becomes of what they sent before.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::desired::mocked;

/// Keep-alive connections, each with a thread of its own.
pub(crate) const CONNECTIONS: u32 = 8;
/// Requests a second, on all of them together.
pub(crate) const RATE: u32 = 2_000;

/// Sends for so long. The latency of each request in microseconds, from the moment it was due.
pub(crate) fn latencies(address: SocketAddr, length: Duration) -> Vec<f64> {
    #[expect(clippy::disallowed_methods, reason = "wall time is what is measured")]
    let start = Instant::now() + Duration::from_millis(20);
    let clients: Vec<_> = (0..CONNECTIONS)
        .map(|client| thread::spawn(move || one(client, address, start, length)))
        .collect();
    clients
        .into_iter()
        .flat_map(|client| client.join().expect("every request is answered"))
        .collect()
}

fn one(client: u32, address: SocketAddr, start: Instant, length: Duration) -> Vec<f64> {
    let mut connection = TcpStream::connect(address).expect("the gateway listens");
    connection.set_nodelay(true).expect("it can be set");
    let mut latencies = Vec::new();
    for turn in 0.. {
        let number = turn * CONNECTIONS + client;
        let due = Duration::from_secs(1) * number / RATE;
        if due >= length {
            break;
        }
        thread::sleep((start + due).saturating_duration_since(now()));
        let (host, path) = mocked(usize::try_from(number).unwrap_or_default() * 7_919);
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n");
        connection.write_all(request.as_bytes()).expect("the connection is kept");
        answer(&mut connection);
        latencies.push((now() - (start + due)).as_nanos() as f64 / 1_000.0);
    }
    latencies
}

#[expect(clippy::disallowed_methods, reason = "wall time is what is measured")]
fn now() -> Instant {
    Instant::now()
}

/// Reads one answer to its end: `turn N` with a `Content-Length`.
fn answer(connection: &mut TcpStream) {
    let (mut answer, mut buffer) = (Vec::new(), [0; 2_048]);
    loop {
        let read = connection.read(&mut buffer).expect("the connection is kept");
        assert!(read > 0, "the gateway closed: {:?}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(buffer.get(..read).unwrap_or_default());
        let text = String::from_utf8_lossy(&answer);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            assert!(head.starts_with("HTTP/1.1 200"), "{text}");
            if body.len() == "turn 0".len() {
                return;
            }
        }
    }
}
