//! HTTP/2 by hand: a client that can say whatever no library lets it say.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::harness::PATIENCE;

pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const PRIORITY: u8 = 2;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;

pub(super) const REFUSED_STREAM: u32 = 7;

#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    pub(super) payload: Vec<u8>,
}

impl Frame {
    /// The status of a response, where the compression of its first field shows it.
    pub(super) fn status(&self) -> Option<u16> {
        match self.payload.first()? {
            0x88 => Some(200),
            0x8c => Some(400),
            0x8d => Some(404),
            0x8e => Some(500),
            _ => None,
        }
    }

    pub(super) fn ends(&self) -> bool {
        self.kind == RST_STREAM || self.flags & END_STREAM != 0 && self.kind <= HEADERS
    }

    /// What a reset says.
    pub(super) fn reason(&self) -> u32 {
        u32::from_be_bytes(self.payload[..4].try_into().unwrap())
    }
}

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend_from_slice(&[kind, flags]);
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// Fields without compression (RFC 7541 section 6.2.2).
pub(super) fn fields(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            assert!(text.len() < 127);
            block.push(u8::try_from(text.len()).unwrap());
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

pub(super) fn head<'a>(method: &'a str, path: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![(":method", method), (":scheme", "http"), (":authority", "a"), (":path", path)]
}

/// A request without a body.
pub(super) fn request(stream: u32, path: &str) -> Vec<u8> {
    frame(HEADERS, END_STREAM | END_HEADERS, stream, &fields(&head("GET", path)))
}

/// A client's end of a connection.
pub(super) struct Http2<S>(S);

impl<S: AsyncRead + AsyncWrite + Unpin> Http2<S> {
    pub(super) async fn start(stream: S) -> Self {
        Self::start_with(stream, &[]).await
    }

    pub(super) async fn start_with(stream: S, settings: &[u8]) -> Self {
        let mut client = Self(stream);
        client.send(PREFACE).await;
        client.send(&frame(SETTINGS, 0, 0, settings)).await;
        client
    }

    /// Sends, whether or not the server still listens.
    pub(super) async fn send(&mut self, bytes: &[u8]) {
        self.try_send(bytes).await;
    }

    pub(super) async fn try_send(&mut self, bytes: &[u8]) -> bool {
        let written = tokio::time::timeout(PATIENCE * 100, self.0.write_all(bytes)).await;
        written.expect("nobody reads").is_ok()
    }

    /// The next frame, unless the connection is closed.
    pub(super) async fn read(&mut self) -> Option<Frame> {
        tokio::time::timeout(PATIENCE * 100, async {
            let mut start = [0; 9];
            self.0.read_exact(&mut start).await.ok()?;
            let [high, middle, low, kind, flags, stream @ ..] = start;
            let length = u32::from_be_bytes([0, high, middle, low]);
            let mut payload = vec![0; usize::try_from(length).unwrap()];
            self.0.read_exact(&mut payload).await.ok()?;
            let stream = u32::from_be_bytes(stream);
            if kind == PING && flags & 1 == 0 {
                let _ = self.0.write_all(&frame(PING, 1, 0, &payload)).await;
            }
            if kind == SETTINGS && flags & 1 == 0 {
                let _ = self.0.write_all(&frame(SETTINGS, 1, 0, &[])).await;
            }
            Some(Frame { kind, flags, stream, payload })
        })
        .await
        .expect("nothing comes")
    }

    /// Whether such a frame comes before the connection is closed.
    pub(super) async fn until(&mut self, mut wanted: impl FnMut(&Frame) -> bool) -> bool {
        while let Some(frame) = self.read().await {
            if wanted(&frame) {
                return true;
            }
        }
        false
    }

    /// Reads until the server closes.
    pub(super) async fn ends(&mut self) -> bool {
        while self.read().await.is_some() {}
        true
    }

    /// How a stream is answered: a status, or none for a reset.
    pub(super) async fn answer(&mut self, stream: u32) -> Option<u16> {
        let mut status = None;
        self.until(|frame| {
            if frame.kind == HEADERS && frame.stream == stream {
                status = frame.status().or(Some(0));
            }
            frame.kind == GOAWAY || frame.stream == stream && frame.ends()
        })
        .await;
        status
    }
}
