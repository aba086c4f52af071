//! Reading a body whole, where what it says has to be known before anything is sent.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;

use super::limits::BODY_IDLE;
use super::upload::{Stalled, too_large};
use crate::body::Body;
use crate::error::Result;

/// Reads a body of at most `limit` bytes. A client that rests is not waited for.
pub(super) async fn whole(mut body: Body, limit: u64) -> Result<Bytes> {
    let mut whole = BytesMut::new();
    loop {
        let frame = tokio::time::timeout(BODY_IDLE, body.frame()).await;
        let Some(frame) = frame.map_err(|_| Stalled::Client.error())? else {
            return Ok(whole.freeze());
        };
        // Trailers stay out.
        let Ok(data) = frame?.into_data() else { continue };
        let length = whole.len().saturating_add(data.len());
        if u64::try_from(length).unwrap_or(u64::MAX) > limit {
            return Err(too_large(limit));
        }
        whole.extend_from_slice(&data);
    }
}
