//! A request's body on its way to the backend: counted, timed, never collected.

use std::error::Error as StdError;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use std::{fmt, io};

use bytes::{Buf, Bytes};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Instant;

use super::hop;
use super::limits::BODY_IDLE;
use super::receive::refused;
use crate::body::Body;
use crate::error::{Error, ErrorKind, Result, Retry, Stage};

/// What is known of a request's body while its backend is waited for.
#[derive(Clone)]
pub(super) struct Upload(Arc<Shared>);

struct Shared {
    progress: Mutex<Progress>,
    /// Bytes that the backend took.
    passed: AtomicU64,
}

struct Progress {
    state: State,
    /// When the state last changed or a piece went through.
    since: Instant,
    /// Who waits for the backend, to be told of the end.
    waker: Option<Waker>,
}

enum State {
    /// The client has to send more.
    AwaitsClient,
    /// The backend has to take more.
    AwaitsBackend,
    /// It was sent, or the backend wants no more of it.
    Done,
    /// It failed; the error is taken by whoever answers.
    Failed(Option<Error>),
}

/// What the one who waits for the backend has to do.
#[derive(Debug)]
pub(super) enum Duty {
    /// Wait for the response's head until then.
    Answer(Instant),
    /// Wait for the body to move on until then, and fail like this if it does not.
    Move(Instant, Stalled),
    /// Give up: the body failed.
    Fail(Error),
}

/// Who keeps a body from moving on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stalled {
    Client,
    Backend,
}

impl Upload {
    /// Wraps a request's body, failing when it has more than `limit` bytes.
    pub(super) fn start<B>(body: B, limit: u64) -> (Self, Body)
    where
        B: HttpBody + Send + 'static,
        B::Data: Buf + Send,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let progress = Progress { state: State::AwaitsBackend, since: Instant::now(), waker: None };
        let passed = AtomicU64::new(0);
        let upload = Self(Arc::new(Shared { progress: Mutex::new(progress), passed }));
        let body = Counted {
            inner: Box::pin(body),
            left: limit,
            limit,
            upload: upload.clone(),
            ended: false,
        };
        (upload, Body::new(body))
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.0.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many bytes the backend took.
    pub(super) fn passed(&self) -> u64 {
        self.0.passed.load(Ordering::Relaxed)
    }

    /// What to wait for. `cx` is woken when the body ends or fails, not for each piece.
    pub(super) fn duty(&self, timeout: Duration, cx: &Context<'_>) -> Duty {
        let mut progress = self.lock();
        let idle = progress.since + BODY_IDLE;
        match &mut progress.state {
            State::Done => return Duty::Answer(progress.since + timeout),
            State::Failed(error) => {
                let taken = || refused(ErrorKind::InvalidBody, "");
                return Duty::Fail(error.take().unwrap_or_else(taken));
            }
            State::AwaitsClient | State::AwaitsBackend => {}
        }
        let same = |waker: &Waker| waker.will_wake(cx.waker());
        if !progress.waker.as_ref().is_some_and(same) {
            progress.waker = Some(cx.waker().clone());
        }
        Duty::Move(
            idle,
            match progress.state {
                State::AwaitsClient => Stalled::Client,
                _ => Stalled::Backend,
            },
        )
    }

    /// The failure of the body, which explains the backend's.
    pub(super) fn failure(&self) -> Option<Error> {
        match &mut self.lock().state {
            State::Failed(error) => error.take(),
            _ => None,
        }
    }

    fn moved(&self, state: State) {
        let waker = {
            let mut progress = self.lock();
            if matches!(progress.state, State::Done | State::Failed(_)) {
                return;
            }
            if matches!((&progress.state, &state), (State::AwaitsClient, State::AwaitsClient)) {
                return;
            }
            let ended = matches!(state, State::Done | State::Failed(_));
            progress.state = state;
            progress.since = Instant::now();
            if ended { progress.waker.take() } else { None }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("passed", &self.passed()).finish_non_exhaustive()
    }
}

impl Stalled {
    /// The failure this is.
    pub(super) fn error(self) -> Error {
        match self {
            Self::Client => {
                refused(ErrorKind::InvalidBody, format!("idle for {} s", BODY_IDLE.as_secs()))
            }
            Self::Backend => {
                let context = format!("request body not read for {} s", BODY_IDLE.as_secs());
                Error::new(ErrorKind::Timeout, Retry::IfIdempotent, context)
                    .at_stage(Stage::Request)
            }
        }
    }
}

/// A request's body as the backend reads it. Of its trailers only those are left that nobody may take
/// for what a head says.
struct Counted<B> {
    inner: Pin<Box<B>>,
    left: u64,
    limit: u64,
    upload: Upload,
    ended: bool,
}

impl<B> Counted<B>
where
    B: HttpBody,
    B::Data: Buf,
{
    fn piece(&mut self, mut data: B::Data) -> Result<Bytes> {
        let length = u64::try_from(data.remaining()).unwrap_or(u64::MAX);
        match self.left.checked_sub(length) {
            Some(left) => {
                self.left = left;
                self.upload.0.passed.store(self.limit - left, Ordering::Relaxed);
            }
            None => return Err(self.fail(too_large(self.limit), too_large(self.limit))),
        }
        let bytes = data.copy_to_bytes(data.remaining());
        // Who reads a body of known length does not ask for what comes after its last piece.
        if self.inner.is_end_stream() {
            self.end();
        } else {
            self.upload.moved(State::AwaitsBackend);
        }
        Ok(bytes)
    }

    fn end(&mut self) {
        self.ended = true;
        self.upload.moved(State::Done);
    }

    fn fail(&mut self, told: Error, passed_on: Error) -> Error {
        self.ended = true;
        self.upload.moved(State::Failed(Some(told)));
        passed_on
    }
}

impl<B> HttpBody for Counted<B>
where
    B: HttpBody + Send + 'static,
    B::Data: Buf + Send,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>>>> {
        let this = &mut *self;
        while !this.ended {
            match this.inner.as_mut().poll_frame(cx) {
                Poll::Pending => {
                    this.upload.moved(State::AwaitsClient);
                    return Poll::Pending;
                }
                Poll::Ready(None) => this.end(),
                Poll::Ready(Some(Ok(frame))) => {
                    let trailers = match frame.into_data() {
                        Ok(data) => return Poll::Ready(Some(this.piece(data).map(Frame::data))),
                        Err(frame) => frame.into_trailers(),
                    };
                    if let Ok(mut trailers) = trailers {
                        hop::clean_trailers(&mut trailers);
                        this.end();
                        let frame = (!trailers.is_empty()).then(|| Ok(Frame::trailers(trailers)));
                        return Poll::Ready(frame);
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    let told = broken(error.into());
                    let passed_on = refused(told.kind(), told.context());
                    return Poll::Ready(Some(Err(this.fail(told, passed_on))));
                }
            }
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B> Drop for Counted<B> {
    /// A backend that reads no further has all it wants.
    fn drop(&mut self) {
        self.upload.moved(State::Done);
    }
}

/// A body of more than `limit` bytes.
pub(super) fn too_large(limit: u64) -> Error {
    refused(ErrorKind::BodyTooLarge, format!("more than {limit} bytes"))
}

/// What a server received, as one type that knows how long it is. Its failures become those that clients
/// are told.
pub(super) fn received<B>(body: B) -> Body
where
    B: HttpBody + Send + 'static,
    B::Data: Buf + Send,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    Body::new(Received(Box::pin(body)))
}

struct Received<B>(Pin<Box<B>>);

impl<B> HttpBody for Received<B>
where
    B: HttpBody,
    B::Data: Buf,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>>>> {
        self.0.as_mut().poll_frame(cx).map(|frame| {
            frame.map(|frame| match frame {
                Ok(frame) => {
                    Ok(frame.map_data(|mut data: B::Data| data.copy_to_bytes(data.remaining())))
                }
                Err(error) => Err(broken(error.into())),
            })
        })
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

/// The failure of a body that could not be read to its end.
fn broken(error: Box<dyn StdError + Send + Sync>) -> Error {
    let (kind, context) = reason(&*error);
    refused(kind, context).caused_by(error)
}

/// Whether a body is malformed or its client is gone. An early end is told as malformed: the client
/// may have closed its sending side only. A server that knows better gives an [`Error`] of its own.
fn reason(error: &(dyn StdError + 'static)) -> (ErrorKind, String) {
    let gone = |kind| {
        matches!(
            kind,
            io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
        )
    };
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<Error>() {
            return (error.kind(), error.context().to_owned());
        }
        if error.downcast_ref().is_some_and(|error: &io::Error| gone(error.kind())) {
            return (ErrorKind::ClientGone, String::new());
        }
        next = error.source();
    }
    (ErrorKind::InvalidBody, String::new())
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::task::Waker;

    use http::{HeaderMap, HeaderName};
    use http_body_util::BodyExt;

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(3);

    enum Step {
        Piece(&'static str),
        Wait,
        Trailers,
        Break(io::ErrorKind),
    }

    struct Script(VecDeque<Step>);

    impl HttpBody for Script {
        type Data = Bytes;
        type Error = io::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
            match self.0.pop_front() {
                None => Poll::Ready(None),
                Some(Step::Wait) => Poll::Pending,
                Some(Step::Piece(text)) => Poll::Ready(Some(Ok(Frame::data(text.into())))),
                Some(Step::Trailers) => Poll::Ready(Some(Ok(Frame::trailers(trailers())))),
                Some(Step::Break(kind)) => Poll::Ready(Some(Err(kind.into()))),
            }
        }
    }

    fn start(steps: impl IntoIterator<Item = Step>, limit: u64) -> (Upload, Body) {
        Upload::start(Script(steps.into_iter().collect()), limit)
    }

    fn duty(upload: &Upload) -> Duty {
        upload.duty(TIMEOUT, &Context::from_waker(Waker::noop()))
    }

    fn poll(body: &mut Body) -> Poll<Option<Result<Frame<Bytes>>>> {
        Pin::new(body).poll_frame(&mut Context::from_waker(Waker::noop()))
    }

    #[tokio::test(start_paused = true)]
    async fn the_clock_starts_when_the_body_is_sent() {
        let (upload, mut body) = start([Step::Piece("a"), Step::Wait, Step::Piece("b")], 2);
        let second = Duration::from_secs(1);
        let begun = Instant::now();
        let expect = |duty, at, who| match duty {
            Duty::Move(due, stalled) => assert_eq!((due, stalled), (at, who)),
            other => panic!("{other:?}"),
        };
        expect(duty(&upload), begun + BODY_IDLE, Stalled::Backend);
        tokio::time::advance(second).await;
        assert!(poll(&mut body).is_ready());
        expect(duty(&upload), begun + second + BODY_IDLE, Stalled::Backend);
        tokio::time::advance(second).await;
        assert!(poll(&mut body).is_pending());
        let due = begun + 2 * second + BODY_IDLE;
        expect(duty(&upload), due, Stalled::Client);
        tokio::time::advance(second).await;
        assert!(poll(&mut body).is_ready());
        assert!(matches!(poll(&mut body), Poll::Ready(None)));
        assert!(matches!(duty(&upload), Duty::Answer(due) if due == begun + 3 * second + TIMEOUT));
    }

    fn trailers() -> HeaderMap {
        let names = ["x-sum", "host", "content-type", "x-ca-key", "authorization", "te"];
        let value = http::HeaderValue::from_static("1");
        names.map(|name| (HeaderName::from_static(name), value.clone())).into_iter().collect()
    }

    #[tokio::test]
    async fn a_body_may_be_as_large_as_the_limit_and_no_larger() {
        let (_, body) = start([Step::Piece("ab"), Step::Piece("c")], 3);
        assert_eq!(body.collect().await.unwrap().to_bytes(), "abc");
        let (upload, body) = start([Step::Piece("ab"), Step::Piece("cd")], 3);
        let error = body.collect().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BodyTooLarge);
        assert!(matches!(
            duty(&upload),
            Duty::Fail(error) if error.kind() == ErrorKind::BodyTooLarge
        ));
    }

    #[tokio::test]
    async fn a_dropped_body_is_sent_as_far_as_it_will_be() {
        let (upload, body) = start([Step::Piece("ab")], 3);
        drop(body);
        assert!(matches!(duty(&upload), Duty::Answer(_)));
    }

    #[tokio::test]
    async fn trailers_are_cleaned_and_are_the_end() {
        let (upload, body) = start([Step::Piece("ab"), Step::Trailers], 3);
        let collected = body.collect().await.unwrap();
        let trailers: Vec<_> = collected.trailers().unwrap().keys().collect();
        assert_eq!(trailers, ["x-sum"]);
        assert!(matches!(duty(&upload), Duty::Answer(_)));
        assert_eq!(collected.to_bytes(), "ab");
    }

    #[tokio::test]
    async fn whose_fault_a_broken_body_is() {
        for (kind, expected) in [
            (io::ErrorKind::UnexpectedEof, ErrorKind::InvalidBody),
            (io::ErrorKind::InvalidData, ErrorKind::InvalidBody),
            (io::ErrorKind::ConnectionReset, ErrorKind::ClientGone),
        ] {
            let (upload, body) = start([Step::Break(kind)], 3);
            assert_eq!(body.collect().await.unwrap_err().kind(), expected);
            assert_eq!(upload.failure().unwrap().kind(), expected);
        }
    }
}
