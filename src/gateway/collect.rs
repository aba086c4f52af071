//! Reading a body whole, where what it says has to be known before anything is sent.

use std::error::Error as StdError;
use std::pin::pin;

use bytes::{Buf, Bytes, BytesMut};
use http_body::Body as HttpBody;
use http_body_util::BodyExt;

use super::limits::BODY_IDLE;
use super::upload::{Stalled, broken, too_large};
use crate::error::Result;

/// Reads a body of at most `limit` bytes. A client that rests is not waited for.
pub(super) async fn whole<B>(body: B, limit: u64) -> Result<Bytes>
where
    B: HttpBody + Send + 'static,
    B::Data: Buf + Send,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let mut body = pin!(body);
    let mut whole = BytesMut::new();
    loop {
        let frame = tokio::time::timeout(BODY_IDLE, body.frame()).await;
        match frame.map_err(|_| Stalled::Client.error())? {
            None => return Ok(whole.freeze()),
            Some(Err(error)) => return Err(broken(error.into())),
            Some(Ok(frame)) => {
                // Trailers stay out.
                let Ok(mut data) = frame.into_data() else { continue };
                let length = whole.len().saturating_add(data.remaining());
                if u64::try_from(length).unwrap_or(u64::MAX) > limit {
                    return Err(too_large(limit));
                }
                whole.extend_from_slice(&data.copy_to_bytes(data.remaining()));
            }
        }
    }
}
