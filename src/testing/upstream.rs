//! A scripted upstream on a real socket.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::script::{Received, Script, Step};

/// Bytes of a request's head an upstream reads before it gives up: far above any limit of a gateway.
const MAX_HEAD: usize = 1024 * 1024;

/// An upstream that does as it is told and remembers what it received. It listens on a free port of
/// 127.0.0.1 and stops when it is dropped.
#[derive(Debug)]
pub struct FakeUpstream {
    address: SocketAddr,
    log: Arc<Log>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Log {
    received: Mutex<Vec<Received>>,
    /// Connections ever accepted, and those still open.
    connections: watch::Sender<(usize, usize)>,
}

impl FakeUpstream {
    /// An upstream that asks `script` what to do once the head of a request is there.
    ///
    /// # Errors
    ///
    /// No port could be opened.
    pub async fn start<F>(script: F) -> io::Result<Self>
    where
        F: Fn(&Received) -> Script + Send + Sync + 'static,
    {
        Self::start_behind(async |stream| Ok::<TcpStream, io::Error>(stream), script).await
    }

    /// The same behind something that is done with every connection first, such as a TLS handshake.
    /// A connection for which that fails is closed.
    ///
    /// # Errors
    ///
    /// No port could be opened.
    pub async fn start_behind<A, U, S, F>(accept: A, script: F) -> io::Result<Self>
    where
        A: Fn(TcpStream) -> U + Send + Sync + 'static,
        U: Future<Output = io::Result<S>> + Send,
        S: AsyncRead + AsyncWrite + Send + Unpin,
        F: Fn(&Received) -> Script + Send + Sync + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let log =
            Arc::new(Log { received: Mutex::default(), connections: watch::Sender::new((0, 0)) });
        let (accept, script, own) = (Arc::new(accept), Arc::new(script), Arc::clone(&log));
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let open = Open::new(&own);
                let (accept, script) = (Arc::clone(&accept), Arc::clone(&script));
                connections.spawn(async move {
                    if let Ok(stream) = accept(stream).await {
                        // A peer that went away is nothing to report.
                        let _ = Speaker::new(stream, &open).serve(&*script).await;
                    }
                });
            }
        });
        Ok(Self { address, log, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL, without a path.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests so far, in the order their heads arrived.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.log.received().clone()
    }

    /// How many connections it ever accepted.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.log.connections.borrow().0
    }

    /// How many connections are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.log.connections.borrow().1
    }

    /// Waits until this many connections are open. Says whether that was so within `limit`.
    pub async fn has_open(&self, count: usize, limit: Duration) -> bool {
        self.until(|open| open == count, limit).await
    }

    /// Waits until as many connections are open as `enough` says. Says whether that was so within
    /// `limit`.
    pub async fn until<F>(&self, enough: F, limit: Duration) -> bool
    where
        F: Fn(usize) -> bool + Send + Sync,
    {
        let mut connections = self.log.connections.subscribe();
        let wait = connections.wait_for(|(_, open)| enough(*open));
        tokio::time::timeout(limit, wait).await.is_ok()
    }
}

impl Drop for FakeUpstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Log {
    fn received(&self) -> MutexGuard<'_, Vec<Received>> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a connection as long as it lives.
struct Open {
    log: Arc<Log>,
    number: usize,
}

impl Open {
    fn new(log: &Arc<Log>) -> Self {
        let mut number = 0;
        log.connections.send_modify(|(accepted, open)| {
            *accepted += 1;
            *open += 1;
            number = *accepted;
        });
        Self { log: Arc::clone(log), number }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.log.connections.send_modify(|(_, open)| *open -= 1);
    }
}

/// One connection, and what of it was read but not used.
struct Speaker<'a, S> {
    stream: S,
    buffer: Vec<u8>,
    open: &'a Open,
}

/// How the body of a request is framed, and how much of it is left.
enum Left {
    Bytes(usize),
    Chunks,
    Nothing,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Speaker<'a, S> {
    fn new(stream: S, open: &'a Open) -> Self {
        Self { stream, buffer: Vec::new(), open }
    }

    async fn serve<F>(mut self, script: &F) -> io::Result<()>
    where
        F: Fn(&Received) -> Script + Sync,
    {
        while let Some(received) = self.head().await? {
            let script = script(&received);
            let mut left = framing(&received);
            let index = {
                let mut log = self.open.log.received();
                log.push(received);
                log.len() - 1
            };
            self.finished(index, &left);
            for step in script.steps {
                if !self.step(step, index, &mut left).await? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Takes one step. Says whether the connection goes on.
    async fn step(&mut self, step: Step, index: usize, left: &mut Left) -> io::Result<bool> {
        match step {
            Step::Read => while self.piece(index, left).await?.is_some() {},
            Step::Write(bytes) => self.write(&bytes).await?,
            Step::Drip(bytes) => {
                for byte in bytes {
                    self.write(&[byte]).await?;
                    tokio::task::yield_now().await;
                }
            }
            Step::Echo => {
                while let Some(piece) = self.piece(index, left).await? {
                    self.write(&chunk(&piece)).await?;
                }
                self.write(b"0\r\n\r\n").await?;
            }
            Step::Pause(time) => tokio::time::sleep(time).await,
            Step::Wait(gate) => gate.wait().await,
            Step::Hang => while self.more().await? {},
            Step::Close => {
                self.stream.shutdown().await?;
                return Ok(false);
            }
            Step::Drop => return Ok(false),
        }
        Ok(true)
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// Reads more into the buffer. Says whether there was more.
    async fn more(&mut self) -> io::Result<bool> {
        Ok(self.stream.read_buf(&mut self.buffer).await? > 0)
    }

    async fn head(&mut self) -> io::Result<Option<Received>> {
        loop {
            let end = self.buffer.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(end) = end {
                return Ok(Some(Received {
                    connection: self.open.number,
                    head: self.buffer.drain(..end + 4).collect(),
                    ..Received::default()
                }));
            }
            if self.buffer.len() > MAX_HEAD || !self.more().await? {
                return Ok(None);
            }
        }
    }

    /// The next piece of the request's body, which is remembered too.
    async fn piece(&mut self, index: usize, left: &mut Left) -> io::Result<Option<Vec<u8>>> {
        let piece = match left {
            Left::Nothing => return Ok(None),
            Left::Bytes(count) => {
                if self.buffer.is_empty() && !self.more().await? {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                let taken = self.buffer.len().min(*count);
                *count -= taken;
                if *count == 0 {
                    *left = Left::Nothing;
                }
                self.buffer.drain(..taken).collect()
            }
            Left::Chunks => {
                let piece = self.chunk().await?;
                if piece.is_empty() {
                    *left = Left::Nothing;
                }
                piece
            }
        };
        if let Some(received) = self.open.log.received().get_mut(index) {
            received.body.extend_from_slice(&piece);
        }
        self.finished(index, left);
        Ok((!piece.is_empty()).then_some(piece))
    }

    fn finished(&self, index: usize, left: &Left) {
        if matches!(left, Left::Nothing)
            && let Some(received) = self.open.log.received().get_mut(index)
        {
            received.complete = true;
        }
    }

    async fn chunk(&mut self) -> io::Result<Vec<u8>> {
        let size = loop {
            if let Some(end) = self.buffer.windows(2).position(|two| two == b"\r\n") {
                let line: Vec<u8> = self.buffer.drain(..end + 2).collect();
                let text = String::from_utf8_lossy(&line);
                break usize::from_str_radix(text.trim(), 16)
                    .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            }
            if !self.more().await? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        };
        while self.buffer.len() < size + 2 {
            if !self.more().await? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let mut chunk: Vec<u8> = self.buffer.drain(..size + 2).collect();
        chunk.truncate(size);
        Ok(chunk)
    }
}

fn framing(received: &Received) -> Left {
    if !received.header("transfer-encoding").is_empty() {
        return Left::Chunks;
    }
    let length = received.header("content-length");
    match length.first().and_then(|length| length.parse().ok()) {
        None | Some(0) => Left::Nothing,
        Some(length) => Left::Bytes(length),
    }
}

fn chunk(piece: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
    chunk.extend_from_slice(piece);
    chunk.extend_from_slice(b"\r\n");
    chunk
}
