//! How bytes flow.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use tokio::time::{Instant, Sleep};

use crate::error::{Error, ErrorKind, Retry, Stage};

/// A streaming body of either direction.
///
/// A newtype, so that what is inside can change without a breaking release. It is `Send` but not
/// `Sync`: bodies that come from axum are not `Sync`, and nothing here needs them to be.
pub struct Body {
    inner: Inner,
    held: Option<Arc<dyn Any + Send + Sync>>,
    idle: Option<Idle>,
    trailers: Option<fn(&mut HeaderMap)>,
    watch: Option<Box<dyn Watch>>,
}

/// Is told what becomes of a body. Dropped without an end, so was the body.
pub(crate) trait Watch: Send {
    /// So many bytes were handed out.
    fn passed(&mut self, bytes: usize);
    /// The body is over. Nothing is told after that.
    fn ended(&mut self, how: Result<(), &Error>);
}

enum Inner {
    Empty,
    Whole(Bytes),
    Stream(UnsyncBoxBody<Bytes, Error>),
}

/// How long a body may rest between two frames. The timer is made when it first rests.
struct Idle {
    /// Milliseconds: a body is moved often, and these are small.
    limit: u32,
    sleep: Option<Pin<Box<Sleep>>>,
    resting: bool,
}

impl Body {
    /// A body without bytes.
    #[must_use]
    pub fn empty() -> Self {
        Self::of(Inner::Empty)
    }

    /// A body that streams another.
    pub fn new<B>(body: B) -> Self
    where
        B: http_body::Body<Data = Bytes, Error = Error> + Send + 'static,
    {
        Self::of(Inner::Stream(body.boxed_unsync()))
    }

    fn of(inner: Inner) -> Self {
        Self { inner, held: None, idle: None, trailers: None, watch: None }
    }

    /// The same, keeping `lease` alive until its last byte is handed out or it is dropped.
    #[must_use]
    pub(crate) fn holding(mut self, lease: Arc<dyn Any + Send + Sync>) -> Self {
        if !self.is_end_stream() {
            self.held = Some(lease);
        }
        self
    }

    /// The same with its trailers, where it has any, changed like this.
    #[must_use]
    pub(crate) fn with_trailers_changed(mut self, change: fn(&mut HeaderMap)) -> Self {
        self.trailers = Some(change);
        self
    }

    /// Tells what becomes of it; at once, if nothing is in it.
    pub(crate) fn watch(&mut self, mut watch: Box<dyn Watch>) {
        if self.is_end_stream() {
            watch.ended(Ok(()));
        } else {
            self.watch = Some(watch);
        }
    }

    fn tell(&mut self, frame: Option<&Result<Frame<Bytes>, Error>>) {
        let Some(mut watch) = self.watch.take() else {
            return;
        };
        match frame {
            None => watch.ended(Ok(())),
            Some(Err(error)) => watch.ended(Err(error)),
            Some(Ok(frame)) => {
                watch.passed(frame.data_ref().map_or(0, Bytes::len));
                if self.is_end_stream() {
                    watch.ended(Ok(()));
                } else {
                    self.watch = Some(watch);
                }
            }
        }
    }

    /// The same, failing when it rests for longer than `limit` between two frames.
    #[must_use]
    pub(crate) fn idle_limit(mut self, limit: Duration) -> Self {
        if matches!(self.inner, Inner::Stream(_)) {
            let limit = u32::try_from(limit.as_millis()).unwrap_or(u32::MAX);
            self.idle = Some(Idle { limit, sleep: None, resting: false });
        }
        self
    }
}

impl Idle {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        let limit = Duration::from_millis(self.limit.into());
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        if !std::mem::replace(&mut self.resting, true) {
            sleep.as_mut().reset(Instant::now() + limit);
        }
        ready!(sleep.as_mut().poll(cx));
        Poll::Ready(
            Error::new(ErrorKind::Timeout, Retry::Never, format!("body idle for {limit:?}"))
                .at_stage(Stage::Response),
        )
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        let frame = match &mut this.inner {
            Inner::Empty => None,
            Inner::Whole(_) => match std::mem::replace(&mut this.inner, Inner::Empty) {
                Inner::Whole(bytes) => Some(Ok(Frame::data(bytes))),
                _ => None,
            },
            Inner::Stream(stream) => match (Pin::new(stream).poll_frame(cx), &mut this.idle) {
                (Poll::Ready(frame), idle) => {
                    if let Some(idle) = idle {
                        idle.resting = false;
                    }
                    frame
                }
                (Poll::Pending, Some(idle)) => Some(Err(ready!(idle.poll(cx)))),
                (Poll::Pending, None) => return Poll::Pending,
            },
        };
        // An end that is known already frees what the body holds before the bytes are on their way.
        if this.held.is_some() && (!matches!(frame, Some(Ok(_))) || this.is_end_stream()) {
            this.inner = Inner::Empty;
            this.held = None;
        }
        if this.watch.is_some() {
            this.tell(frame.as_ref());
        }
        Poll::Ready(match (frame, this.trailers) {
            (Some(Ok(mut frame)), Some(change)) => {
                if let Some(trailers) = frame.trailers_mut() {
                    change(trailers);
                }
                Some(Ok(frame))
            }
            (frame, _) => frame,
        })
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Inner::Empty => true,
            Inner::Whole(bytes) => bytes.is_empty(),
            Inner::Stream(stream) => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Empty => SizeHint::with_exact(0),
            Inner::Whole(bytes) => {
                SizeHint::with_exact(u64::try_from(bytes.len()).unwrap_or(u64::MAX))
            }
            Inner::Stream(stream) => stream.size_hint(),
        }
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::empty()
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::of(if bytes.is_empty() { Inner::Empty } else { Inner::Whole(bytes) })
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("size", &self.size_hint()).finish_non_exhaustive()
    }
}
