//! One connection of a scripted upstream: reading requests, taking the steps of scripts.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::script::{Received, Script, Step};
use super::upstream::Open;

/// Bytes of a request's head an upstream reads before it gives up: far above any limit of a gateway.
const MAX_HEAD: usize = 1024 * 1024;

/// One connection, and what of it was read but not used.
pub(super) struct Speaker<'a, S> {
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
    pub(super) fn new(stream: S, open: &'a Open) -> Self {
        Self { stream, buffer: Vec::new(), open }
    }

    pub(super) async fn serve<F>(mut self, script: &F) -> io::Result<()>
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
