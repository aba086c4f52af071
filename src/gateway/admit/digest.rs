//! `Content-MD5`, verified while the body goes by (RFC 1864; domain §4.1).

use std::error::Error as StdError;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use md5::{Digest as _, Md5};

use crate::error::{ErrorKind, Result};
use crate::gateway::receive::refused;

/// What a body has to be, by its digest.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::gateway) struct ContentMd5([u8; 16]);

impl ContentMd5 {
    /// What a request says its body is, if it says so.
    pub(super) fn of(headers: &HeaderMap) -> Result<Option<Self>> {
        let Some(value) = headers.get("content-md5") else {
            return Ok(None);
        };
        let decoded = STANDARD.decode(value.as_bytes()).ok();
        match decoded.and_then(|bytes| <[u8; 16]>::try_from(bytes).ok()) {
            Some(digest) => Ok(Some(Self(digest))),
            None => Err(refused(ErrorKind::InvalidDigest, "is not a digest")),
        }
    }

    /// Whether it is the digest of `body`.
    pub(in crate::gateway) fn check(self, body: &[u8]) -> Result<()> {
        self.compare(Md5::new_with_prefix(body))
    }

    fn compare(self, seen: Md5) -> Result<()> {
        if <[u8; 16]>::from(seen.finalize()) == self.0 {
            Ok(())
        } else {
            Err(refused(ErrorKind::InvalidDigest, "differs from the body's"))
        }
    }
}

/// A body whose last piece is held back until the whole is known to be what its digest says. If it is
/// not, the body fails instead of ending: nobody can take it for whole.
pub(in crate::gateway) struct Verified<B> {
    inner: Pin<Box<B>>,
    expected: ContentMd5,
    seen: Option<Md5>,
    held: Option<Bytes>,
}

impl<B: HttpBody> Verified<B> {
    pub(in crate::gateway) fn new(body: B, expected: ContentMd5) -> Self {
        Self { inner: Box::pin(body), expected, seen: Some(Md5::new()), held: None }
    }
}

impl<B> HttpBody for Verified<B>
where
    B: HttpBody + Send + 'static,
    B::Data: Buf + Send,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Box<dyn StdError + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        loop {
            let Some(seen) = &mut this.seen else {
                return Poll::Ready(None);
            };
            match ready!(this.inner.as_mut().poll_frame(cx)) {
                Some(Ok(frame)) => {
                    // Trailers go no further anyway.
                    let Ok(mut data) = frame.into_data() else { continue };
                    let piece = data.copy_to_bytes(data.remaining());
                    if piece.is_empty() {
                        continue;
                    }
                    seen.update(&piece);
                    if let Some(before) = this.held.replace(piece) {
                        return Poll::Ready(Some(Ok(Frame::data(before))));
                    }
                }
                Some(Err(error)) => {
                    this.seen = None;
                    return Poll::Ready(Some(Err(error.into())));
                }
                None => {
                    let seen = this.seen.take().unwrap_or_default();
                    return Poll::Ready(match this.expected.compare(seen) {
                        Ok(()) => this.held.take().map(|last| Ok(Frame::data(last))),
                        Err(error) => Some(Err(error.into())),
                    });
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.seen.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let held = self.held.as_ref().map_or(0, Bytes::len);
        let held = u64::try_from(held).unwrap_or(u64::MAX);
        let inner = self.inner.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower().saturating_add(held));
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.saturating_add(held));
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http_body_util::BodyExt;

    use super::*;

    fn expected(body: &[u8]) -> ContentMd5 {
        ContentMd5(Md5::digest(body).into())
    }

    fn pieces(
        pieces: &'static [&'static str],
    ) -> impl HttpBody<Data = Bytes, Error = Infallible> + Send {
        let frames =
            pieces.iter().map(|piece| Ok(Frame::data(Bytes::from_static(piece.as_bytes()))));
        Pieces(frames.collect::<Vec<_>>().into_iter())
    }

    struct Pieces(std::vec::IntoIter<Result<Frame<Bytes>, Infallible>>);

    impl HttpBody for Pieces {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Ready(self.0.next())
        }
    }

    #[tokio::test]
    async fn a_body_that_is_what_it_says_goes_by() {
        for body in [&["ab", "", "c"][..], &["abc"], &["a", "b", "c", ""]] {
            let verified = Verified::new(pieces(body), expected(b"abc"));
            assert_eq!(verified.collect().await.unwrap().to_bytes(), "abc");
        }
        assert_eq!(expected(b"abc").check(b"abc").map_err(|e| e.kind()), Ok(()));
    }

    #[tokio::test]
    async fn the_last_piece_of_another_body_never_comes() {
        let mut verified = Verified::new(pieces(&["ab", "c", "d"]), expected(b"abc"));
        let mut came = Vec::new();
        let error = loop {
            match verified.frame().await.unwrap() {
                Ok(frame) => came.push(frame.into_data().unwrap()),
                Err(error) => break error,
            }
        };
        assert_eq!(came, ["ab", "c"]);
        let error = error.downcast::<crate::Error>().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidDigest);
        assert!(verified.frame().await.is_none());
        let nothing = Verified::new(pieces(&[]), expected(b"abc"));
        assert!(nothing.collect().await.is_err());
    }

    #[test]
    fn a_digest_is_sixteen_bytes_in_base64() {
        let read = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("content-md5", http::HeaderValue::from_static(text));
            ContentMd5::of(&headers)
        };
        // Domain §4.5.
        assert_eq!(read("kAFQmDzST7DWlj99KOF/cg==").unwrap(), Some(expected(b"abc")));
        for bad in ["", "abc", "kAFQmDzST7DWlj99KOF/cg", "kAFQmDzST7DWlj99KOF/cgA="] {
            assert_eq!(read(bad).unwrap_err().kind(), ErrorKind::InvalidDigest, "{bad}");
        }
        assert_eq!(ContentMd5::of(&HeaderMap::new()).unwrap(), None);
    }
}
