//! Stands between the socket and hyper, and lets through only what both read in the same way.
//!
//! | file | question |
//! |---|---|
//! | `line`, `head` | is a request's head valid, and where does it end? |
//! | `body` | where does a body end? |
//! | `framing` | one request after the other |
//! | `frames` | how many HTTP/2 frames carry nothing? |
//!
//! A head is held back until it is whole and valid. One that is not is replaced by [`STAND_IN`]: hyper
//! then answers it in its turn, after all that came before, and the service knows by its number what
//! to answer.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, timeout_at};

use self::frames::Frames;
use self::framing::{Framing, Step};
use self::line::refusal;
use super::ledger::Ledger;
use super::lifeline::End;
use super::limits::MAX_LINGER_BYTES;
use crate::error::{Error, ErrorKind};

mod body;
mod frames;
mod framing;
mod head;
mod line;
#[cfg(test)]
mod tests;
#[cfg(any(test, fuzzing))]
pub(crate) mod transcript;

/// What hyper is given in place of a refused head.
const STAND_IN: &[u8] = b"GET / HTTP/1.1\r\nhost: refused\r\n\r\n";
/// How HTTP/2 begins (RFC 9113 section 3.4). No request of HTTP/1 begins like this.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Bytes read at once where hyper has no place for them yet: most heads fit.
const READ: usize = 2 * 1024;
/// Bytes of place for a head that are kept for the next one: most need no more.
const KEPT: usize = 512;

/// A socket that hyper may read.
#[derive(Debug)]
pub(super) struct Guard<I> {
    io: I,
    ledger: Arc<Ledger>,
    mode: Mode,
    /// What was read and not let through yet.
    held: BytesMut,
    /// So many of them may be let through.
    passable: usize,
    ended: bool,
    /// The request let through last asked for a tunnel: what comes now may not be a request.
    asked: bool,
    lingered: usize,
    end: End,
}

#[derive(Debug)]
enum Mode {
    Http1(Framing),
    Http2(Frames),
    /// Another protocol, which is not looked at.
    Tunnel,
    /// The rest is not read.
    Refused,
}

/// How a connection begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Beginning {
    Http1,
    Http2,
    /// With silence or its end.
    Nothing,
}

impl<I: AsyncRead + AsyncWrite + Unpin> Guard<I> {
    pub(super) fn new(io: I, ledger: Arc<Ledger>) -> Self {
        let end = End(Arc::clone(ledger.lifeline()));
        Self {
            io,
            ledger,
            mode: Mode::Http1(Framing::default()),
            held: BytesMut::new(),
            passable: 0,
            ended: false,
            asked: false,
            lingered: 0,
            end,
        }
    }

    /// Waits for the first bytes, each for as long as its limit says.
    pub(super) async fn begin(&mut self) -> io::Result<Beginning> {
        let limits = Arc::clone(self.ledger.limits());
        let mut due = Instant::now() + limits.first_byte;
        let mut since = None;
        while self.held.is_empty() || limits.http2 && self.is_half_a_preface() {
            match timeout_at(due, poll_fn(|cx| self.poll_hold(cx))).await {
                Ok(Ok(1..)) => {}
                Ok(Err(error)) => return Err(error),
                // The rest of it is looked at as a head that came too slowly or ended early.
                _ if since.is_some() => break,
                _ => return Ok(Beginning::Nothing),
            }
            let now = Instant::now();
            due = *since.get_or_insert(now) + limits.head;
        }
        if limits.http2 && self.held.starts_with(PREFACE) {
            let mut frames = Frames::after(PREFACE.len());
            // Too few to be too many.
            frames.read(&self.held);
            self.mode = Mode::Http2(frames);
            return Ok(Beginning::Http2);
        }
        self.ledger.head_awaited(since);
        Ok(Beginning::Http1)
    }

    fn is_half_a_preface(&self) -> bool {
        self.held.len() < PREFACE.len() && PREFACE.starts_with(&self.held)
    }

    /// Reads what is there and holds it. Tells how much it was.
    ///
    /// Its place is on the stack: whoever waits for bytes needs none until they are there.
    fn poll_hold(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut place = [0; READ];
        let mut buf = ReadBuf::new(&mut place);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut buf))?;
        self.held.extend_from_slice(buf.filled());
        Poll::Ready(Ok(buf.filled().len()))
    }

    /// Ready once there is a request for hyper, whole in its head or refused; or the connection's end.
    pub(super) fn poll_request(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut place = [0; READ];
        loop {
            self.give_up_late_head();
            if self.inspect().is_err() || self.has_request() || self.ended {
                return Poll::Ready(());
            }
            let mut buf = ReadBuf::new(&mut place);
            if ready!(self.read_head(cx, &mut buf)).is_err() {
                return Poll::Ready(());
            }
        }
    }

    /// Whether hyper would find something here.
    pub(super) fn has_request(&self) -> bool {
        self.passable > 0
    }

    fn give_up_late_head(&mut self) {
        if self.ledger.head_expired() {
            self.refuse(refusal(ErrorKind::RequestTimeout, "the head came too slowly"));
        }
    }

    fn refuse(&mut self, error: Error) {
        self.ledger.refuse(error);
        self.mode = Mode::Refused;
        // What may be let through already is.
        self.held.truncate(self.passable);
        self.held.extend_from_slice(STAND_IN);
        self.passable = self.held.len();
    }

    /// Looks at what is held until some of it may be let through or more is needed.
    fn inspect(&mut self) -> io::Result<()> {
        while self.passable == 0 {
            let Mode::Http1(framing) = &mut self.mode else {
                self.passable = self.held.len();
                return Ok(());
            };
            match framing.step(&self.held) {
                Step::Head { length, bare, upgrade } => {
                    if upgrade {
                        self.asked = true;
                        self.ledger.lifeline().asked();
                    }
                    self.passable = length;
                    self.ledger.head_passed(bare);
                }
                Step::Body { length, ends } => {
                    self.passable = length;
                    if ends {
                        self.ledger.body_passed();
                    }
                }
                Step::Skip(length) => self.held.advance(length.min(self.held.len())),
                Step::More => return Ok(()),
                Step::Refuse(error) => self.refuse(error),
                Step::Break(reason) => return Err(broken(reason)),
            }
        }
        Ok(())
    }

    fn hand_over(&mut self, buf: &mut ReadBuf<'_>) {
        let length = self.passable.min(buf.remaining());
        buf.put_slice(self.held.get(..length).unwrap_or_default());
        self.held.advance(length);
        self.passable -= length;
        if self.held.is_empty() && self.held.capacity() > KEPT {
            self.held = BytesMut::new();
        }
    }

    /// Bytes of a body or of HTTP/2 go where hyper wants them, without a copy. Those of the next head
    /// that came with them are held.
    fn read_through(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        let input = buf.filled().get(before..).unwrap_or_default();
        if input.is_empty() {
            self.ended = true;
            return Poll::Ready(Ok(()));
        }
        let framing = match &mut self.mode {
            Mode::Http1(framing) => framing,
            Mode::Http2(frames) => {
                let fine = frames.read(input);
                let flood = || Err(broken("too many frames that carry nothing"));
                return Poll::Ready(if fine { Ok(()) } else { flood() });
            }
            Mode::Tunnel => return Poll::Ready(Ok(())),
            Mode::Refused => return Poll::Pending,
        };
        match framing.step(input) {
            Step::Body { length, ends } => {
                if ends {
                    self.ledger.body_passed();
                }
                self.held.extend_from_slice(input.get(length..).unwrap_or_default());
                buf.set_filled(before + length);
                Poll::Ready(Ok(()))
            }
            Step::Break(reason) => {
                buf.set_filled(before);
                Poll::Ready(Err(broken(reason)))
            }
            // Within a body there is nothing else.
            _ => Poll::Ready(Err(broken("no body"))),
        }
    }

    /// Reads more of a head. `buf` only lends its place: nothing in it is handed over.
    fn read_head(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        if Pin::new(&mut self.io).poll_read(cx, buf)?.is_pending() {
            if !self.held.is_empty() {
                self.ledger.head_awaited(None);
            }
            return Poll::Pending;
        }
        let input = buf.filled().get(before..).unwrap_or_default();
        self.ended = input.is_empty();
        self.held.extend_from_slice(input);
        buf.set_filled(before);
        if self.ended && !self.held.is_empty() {
            self.refuse(refusal(ErrorKind::InvalidHeader, "the head ends early"));
        }
        Poll::Ready(Ok(()))
    }

    /// Whether a tunnel was granted, once that is known. Until then what comes is held, a little of it,
    /// and looked at by nobody.
    fn poll_granted(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        if let Poll::Ready(granted) = self.end.0.poll_granted(cx) {
            return Poll::Ready(Ok(granted));
        }
        while !self.ended && self.held.len() < READ {
            self.ended = ready!(self.poll_hold(cx))? == 0;
        }
        Poll::Pending
    }

    /// Whether the client may have sent something that nobody will read.
    fn is_in_doubt(&self) -> bool {
        match &self.mode {
            _ if self.ended => false,
            Mode::Http1(framing) => framing.is_in_body() || !self.held.is_empty(),
            Mode::Http2(_) | Mode::Tunnel => false,
            Mode::Refused => true,
        }
    }
}

fn broken(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncRead for Guard<I> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        this.give_up_late_head();
        if this.asked && this.passable == 0 {
            match this.poll_granted(cx) {
                Poll::Ready(Ok(true)) => this.mode = Mode::Tunnel,
                Poll::Ready(Ok(false)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending if this.ended => return Poll::Ready(Ok(())),
                Poll::Pending => return Poll::Pending,
            }
            this.asked = false;
        }
        if matches!(this.mode, Mode::Tunnel) && this.end.0.is_cut(cx) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        loop {
            this.inspect()?;
            if this.passable > 0 {
                this.hand_over(buf);
                return Poll::Ready(Ok(()));
            }
            match &this.mode {
                // The answer's end closes the connection. An end of the input would drop the answer.
                Mode::Refused => return Poll::Pending,
                _ if this.ended => return Poll::Ready(Ok(())),
                Mode::Http1(framing) if !framing.is_in_body() => ready!(this.read_head(cx, buf))?,
                _ => return this.read_through(cx, buf),
            }
        }
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> Guard<I> {
    fn wrote(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &result {
            Poll::Ready(Ok(count)) => self.ledger.written(*count),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => self.ledger.write_blocked(),
        }
        result
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guard<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write(cx, buf);
        self.wrote(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.wrote(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.io).poll_flush(cx);
        // Below encryption, bytes that were taken may still wait here.
        match &result {
            Poll::Ready(_) => self.ledger.written(0),
            Poll::Pending => self.ledger.write_blocked(),
        }
        result
    }

    /// Ends what is sent. What the client is still sending is thrown away for a while: closing a
    /// socket with unread bytes resets it, and the answer may be lost on its way.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.io).poll_shutdown(cx))?;
        if !this.is_in_doubt() {
            return Poll::Ready(Ok(()));
        }
        this.ledger.closing();
        let mut place = [0; READ];
        while this.lingered < MAX_LINGER_BYTES {
            let mut buf = ReadBuf::new(&mut place);
            match ready!(Pin::new(&mut this.io).poll_read(cx, &mut buf)) {
                Ok(()) if !buf.filled().is_empty() => this.lingered += buf.filled().len(),
                _ => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}
