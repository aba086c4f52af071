//! A request's body on its way in: its pace is watched while the client is waited for.

use std::error::Error as StdError;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use super::limits::Limits;
use crate::error::{Error, ErrorKind, Retry, Stage};

type Failure = Box<dyn StdError + Send + Sync>;

/// A body that fails when its client is too slow. What the backend needs to take it does not count.
#[derive(Debug)]
pub(super) struct Received<B = Incoming> {
    inner: B,
    limits: Arc<Limits>,
    /// Time it was waited for, the wait under way left out.
    waited: Duration,
    waiting: Option<Instant>,
    bytes: u64,
    sleep: Option<Pin<Box<Sleep>>>,
    /// Whether it was read to its end; shared with whoever answers.
    read: Arc<AtomicBool>,
    failed: bool,
}

impl<B: HttpBody> Received<B> {
    pub(super) fn new(inner: B, limits: Arc<Limits>) -> Self {
        let read = Arc::new(AtomicBool::new(inner.is_end_stream()));
        Self {
            inner,
            limits,
            waited: Duration::ZERO,
            waiting: None,
            bytes: 0,
            sleep: None,
            read,
            failed: false,
        }
    }

    /// Turns true when it was read to its end.
    pub(super) fn read(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.read)
    }

    /// How long it may have been waited for by now.
    fn allowance(&self) -> Duration {
        let Limits { body_grace, body_rate, body_total, .. } = &*self.limits;
        match self.bytes.saturating_mul(1_000).checked_div(*body_rate) {
            Some(paid) => (*body_total).min(body_grace.saturating_add(Duration::from_millis(paid))),
            None => *body_total,
        }
    }

    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let since = *self.waiting.get_or_insert_with(Instant::now);
        let due = since + self.allowance().saturating_sub(self.waited);
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        if sleep.deadline() != due {
            sleep.as_mut().reset(due);
        }
        sleep.as_mut().poll(cx)
    }

    fn moved(&mut self, bytes: usize) {
        if let Some(since) = self.waiting.take() {
            self.waited += since.elapsed();
        }
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }
}

impl<B> HttpBody for Received<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<Failure>,
{
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        let this = &mut *self;
        if this.failed {
            return Poll::Ready(None);
        }
        let frame = match Pin::new(&mut this.inner).poll_frame(cx) {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                std::task::ready!(this.poll_patience(cx));
                this.failed = true;
                let error =
                    Error::new(ErrorKind::RequestTimeout, Retry::Never, "the body came too slowly");
                return Poll::Ready(Some(Err(error.at_stage(Stage::Request).into())));
            }
        };
        this.moved(frame.as_ref().map_or(0, |frame| match frame {
            Ok(frame) => frame.data_ref().map_or(0, Bytes::len),
            Err(_) => 0,
        }));
        let ended = match &frame {
            None => true,
            Some(Ok(_)) => this.inner.is_end_stream(),
            Some(Err(_)) => {
                this.failed = true;
                false
            }
        };
        if ended {
            this.read.store(true, Ordering::Relaxed);
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use tokio::sync::mpsc;

    use super::*;

    type Piece = Result<Frame<Bytes>, Failure>;

    struct Pieces(mpsc::Receiver<Piece>);

    impl HttpBody for Pieces {
        type Data = Bytes;
        type Error = Failure;

        fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Piece>> {
            self.0.poll_recv(cx)
        }
    }

    /// Sends `size` bytes every `pause`, and tells after how long the body failed, if it did.
    async fn fed(size: usize, pause: Duration, count: usize, limits: Limits) -> Option<Duration> {
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            for _ in 0..count {
                tokio::time::sleep(pause).await;
                let piece = Frame::data(Bytes::from(vec![0; size]));
                if sender.send(Ok(piece)).await.is_err() {
                    return;
                }
            }
        });
        let begun = Instant::now();
        let body = Received::new(Pieces(receiver), Arc::new(limits));
        let error = body.collect().await.err()?;
        let error = error.downcast::<Error>().unwrap();
        assert_eq!(error.kind(), ErrorKind::RequestTimeout);
        Some(begun.elapsed())
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_pace_is_demanded_after_a_grace() {
        let limits = Limits::default;
        assert_eq!(fed(1_024, SECOND, 200, limits()).await, None);
        // Twenty bytes a second pay for next to nothing.
        assert_eq!(fed(20, SECOND, 200, limits()).await, Some(Duration::from_millis(10_195)));
        // Half the pace doubles the time that the grace lasts.
        let failed = fed(540, SECOND, 200, limits()).await;
        assert_eq!(failed, Some(Duration::from_millis(20_546)));
        assert_eq!(fed(20, SECOND, 200, limits().body_rate(0, SECOND)).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_whole_body_has_a_limit_too() {
        assert_eq!(fed(9_999, SECOND, 400, Limits::default()).await, Some(300 * SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_reader_is_not_the_clients_fault() {
        let (sender, receiver) = mpsc::channel(1);
        let mut body = Received::new(Pieces(receiver), Arc::new(Limits::default()));
        for _ in 0..20 {
            sender.send(Ok(Frame::data(Bytes::from_static(b"a")))).await.unwrap();
            tokio::time::sleep(60 * SECOND).await;
            assert!(body.frame().await.unwrap().is_ok());
        }
    }

    #[tokio::test]
    async fn it_is_read_when_its_end_was_seen() {
        let (sender, receiver) = mpsc::channel(1);
        let mut body = Received::new(Pieces(receiver), Arc::new(Limits::default()));
        sender.send(Ok(Frame::data(Bytes::from_static(b"a")))).await.unwrap();
        drop(sender);
        let read = body.read();
        assert!(body.frame().await.is_some());
        assert!(!read.load(Ordering::Relaxed));
        assert!(body.frame().await.is_none());
        assert!(read.load(Ordering::Relaxed));
    }
}
