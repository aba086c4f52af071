//! A gateway behind a real server, and what it takes to call it byte by byte.

use std::net::SocketAddr;
use std::time::Duration;

use backhaul::Gateway;
use backhaul::gateway::{Peer, Scheme};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// Far longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A gateway behind a server on a free port of 127.0.0.1. Dropping it drops its connections too.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Served {
    pub(crate) async fn start(gateway: Gateway) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, peer)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let gateway = gateway.peer(Peer::new(peer, Scheme::Http));
                let mut server = http1::Builder::new();
                server.timer(TokioTimer::new());
                let service = TowerToHyperService::new(gateway);
                let served = server.serve_connection(TokioIo::new(stream), service);
                connections.spawn(async move { served.await.ok() });
            }
        });
        Self { address, task }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A keep-alive connection that says exactly what it is told.
#[derive(Debug)]
pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer with a length.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Client {
    pub(crate) async fn connect(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: &str) {
        self.stream.write_all(bytes.as_bytes()).await.unwrap();
    }

    /// Everything up to and with `end`.
    pub(crate) async fn read_until(&mut self, end: &str) -> String {
        let mut looked_at = 0;
        loop {
            let from = usize::saturating_sub(looked_at, end.len());
            let found = self.buffer[from..].windows(end.len()).position(|it| it == end.as_bytes());
            if let Some(at) = found {
                let taken = self.buffer.drain(..from + at + end.len()).collect();
                return String::from_utf8(taken).unwrap();
            }
            looked_at = self.buffer.len();
            assert!(self.more().await > 0, "closed after {:?}", self.text());
        }
    }

    /// Everything up to the end of the connection, however it ends.
    pub(crate) async fn read_to_end(&mut self) -> String {
        // A connection that was reset has ended too.
        let end = self.stream.read_to_end(&mut self.buffer);
        tokio::time::timeout(PATIENCE, end).await.expect("an end in time").ok();
        self.text()
    }

    /// Reads this many bytes, in small pieces, and throws them away. Says how many there were.
    pub(crate) async fn read_exactly(&mut self, bytes: usize) -> usize {
        let mut read = std::mem::take(&mut self.buffer).len();
        while read < bytes && self.more().await > 0 {
            read += std::mem::take(&mut self.buffer).len();
        }
        read
    }

    /// The next answer, which has to have a `Content-Length`.
    pub(crate) async fn answer(&mut self) -> Answer {
        let head = self.read_until("\r\n\r\n").await.to_ascii_lowercase();
        let status = head["http/1.1 ".len()..][..3].parse().unwrap();
        let length = head.split("content-length: ").nth(1).expect("an answer with a length");
        let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
        while self.buffer.len() < length {
            assert!(self.more().await > 0, "closed after {:?}", self.text());
        }
        let body = String::from_utf8(self.buffer.drain(..length).collect()).unwrap();
        Answer { status, head, body }
    }

    async fn more(&mut self) -> usize {
        let more = self.stream.read_buf(&mut self.buffer);
        tokio::time::timeout(PATIENCE, more).await.expect("an answer in time").unwrap()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.buffer).into_owned()
    }
}
