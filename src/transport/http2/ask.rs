//! One request on a connection that nobody else uses, and that ends with it.

use std::pin::pin;

use h2::client::Builder;
use http::uri::Scheme;
use http::{Request, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};

use super::exchange::no_answer;
use super::head::head;
use crate::error::Result;
use crate::transport::response::{self, MAX_HEAD};

/// Sends one request without a body and waits for the head of its answer. Dropping the future closes the
/// connection; no task stays behind.
pub(in crate::transport) async fn ask<S>(
    stream: S,
    scheme: Scheme,
    request: Request<()>,
) -> Result<StatusCode>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let head = head(scheme, request.method(), request.uri(), request.headers())?;
    let mut builder = Builder::new();
    builder.max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX)).enable_push(false);
    let (mut sender, connection) =
        builder.handshake::<_, bytes::Bytes>(stream).await.map_err(no_answer)?;
    let mut asked = pin!(async {
        sender = sender.ready().await.map_err(no_answer)?;
        let (answer, _) = sender.send_request(head, true).map_err(no_answer)?;
        answer.await.map_err(no_answer)
    });
    let mut answer = tokio::select! {
        answer = &mut asked => answer,
        // What went wrong reaches the request through its own channel.
        _ = connection => asked.await,
    }?;
    response::check(&mut answer)?;
    Ok(answer.status())
}
