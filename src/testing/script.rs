//! What a scripted upstream does with a request.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;

/// A request as it came over the wire.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Received {
    /// Which connection it came on, counted from one.
    pub connection: usize,
    /// Request line and headers, byte for byte, with the empty line at their end.
    pub head: Vec<u8>,
    /// The body, without its chunked framing, as far as it was read.
    pub body: Vec<u8>,
    /// Whether the body was read to its end.
    pub complete: bool,
}

impl Received {
    /// The request line.
    #[must_use]
    pub fn line(&self) -> String {
        self.lines().next().unwrap_or_default()
    }

    /// The path and query of the request line.
    #[must_use]
    pub fn target(&self) -> String {
        let line = self.line();
        line.split(' ').nth(1).unwrap_or_default().to_owned()
    }

    /// All values of a header, in order.
    #[must_use]
    pub fn header(&self, name: &str) -> Vec<String> {
        self.lines()
            .skip(1)
            .filter_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
            })
            .collect()
    }

    fn lines(&self) -> impl Iterator<Item = String> {
        let text = String::from_utf8_lossy(&self.head).into_owned();
        let lines: Vec<_> = text.split("\r\n").map(str::to_owned).collect();
        lines.into_iter()
    }
}

/// One thing an upstream does.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Step {
    /// Reads the rest of the request's body.
    Read,
    /// Sends these bytes as they are.
    Write(Bytes),
    /// Sends these bytes one by one, each in a packet of its own.
    Drip(Bytes),
    /// Sends the request's body back as it arrives, in chunks, with the last one at its end.
    Echo,
    /// Waits this long.
    Pause(Duration),
    /// Waits until the gate is open.
    Wait(Gate),
    /// Waits until the other side closes.
    Hang,
    /// Closes the connection.
    Close,
    /// Lets go of the connection without a goodbye: behind TLS there is no `close_notify`.
    Drop,
}

/// What an upstream does with one request, in order. Unless it closes, the connection then takes the
/// next one.
#[derive(Clone, Debug, Default)]
pub struct Script {
    pub(super) steps: Vec<Step>,
}

impl Script {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the request, then answers 200 with this body.
    #[must_use]
    pub fn ok(body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let mut answer =
            format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
        answer.extend_from_slice(body);
        Self::raw(answer)
    }

    /// Reads the request, then sends these bytes.
    #[must_use]
    pub fn raw(bytes: impl AsRef<[u8]>) -> Self {
        Self::new().then(Step::Read).write(bytes)
    }

    /// The same with these bytes sent after.
    #[must_use]
    pub fn write(self, bytes: impl AsRef<[u8]>) -> Self {
        self.then(Step::Write(Bytes::copy_from_slice(bytes.as_ref())))
    }

    /// The same with the steps of another script after.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.steps.extend(other.steps);
        self
    }

    /// The same with another step.
    #[must_use]
    pub fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

/// Something a script waits for and a test opens.
#[derive(Clone, Debug)]
pub struct Gate(watch::Sender<bool>);

impl Gate {
    /// A closed gate.
    #[must_use]
    pub fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Lets everybody through, now and later.
    pub fn open(&self) {
        self.0.send_replace(true);
    }

    /// Waits until it is open.
    pub async fn wait(&self) {
        // Cannot fail: this gate is a sender itself.
        let _ = self.0.subscribe().wait_for(|open| *open).await;
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}
