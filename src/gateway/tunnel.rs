//! WebSocket: a client and a backend that talk past the gateway (RFC 6455).
//!
//! Nothing is passed before the backend has answered 101. From then on bytes are copied both ways until
//! either side ends, nothing moves for long, or the definition's end closes what is left of it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Version, response};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional};

use super::answer;
use super::hop;
use super::limits::TUNNEL_START;
use super::told::Told;
use crate::body::Body;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::registry::target::Target;
use crate::transport::{Offer, Stream, Tunnel};

const SWITCHING: StatusCode = StatusCode::SWITCHING_PROTOCOLS;
const WEBSOCKET: &str = "websocket";

/// What both sides agree on in their heads, which belongs to neither's mapping.
const HANDSHAKE: [HeaderName; 4] =
    [SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_EXTENSIONS];

/// Whether a request asks to go on as WebSocket, and its server lets it.
pub(super) fn is_asked(parts: &Parts) -> bool {
    Offer::is_in(&parts.extensions)
        && parts.method == Method::GET
        && parts.version == Version::HTTP_11
        && hop::lists(&parts.headers, &UPGRADE, WEBSOCKET.as_bytes())
        && hop::lists(&parts.headers, &CONNECTION, b"upgrade")
}

/// What of a request's head is about the tunnel.
pub(super) fn handshake(headers: &HeaderMap) -> HeaderMap {
    let mut kept = HeaderMap::new();
    for name in HANDSHAKE {
        for line in headers.get_all(&name) {
            kept.append(&name, line.clone());
        }
    }
    kept
}

/// Makes a request ask its backend for the tunnel.
pub(super) fn ask(headers: &mut HeaderMap, handshake: HeaderMap) {
    for name in HANDSHAKE {
        headers.remove(&name);
    }
    headers.extend(handshake);
    headers.insert(UPGRADE, HeaderValue::from_static(WEBSOCKET));
}

/// Makes a backend's cleaned head tell the client that it agreed.
pub(super) fn agree(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static(WEBSOCKET));
}

/// What a backend made of a request.
pub(super) enum Answered {
    Whole(Response<Body>),
    Tunnel(Agreed),
}

/// Both sides of a tunnel, before it is one.
pub(super) struct Agreed {
    pub(super) head: response::Parts,
    pub(super) offer: Offer,
    pub(super) backend: Box<dyn Stream>,
}

impl Answered {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Whole(response) => response.status(),
            Self::Tunnel(agreed) => agreed.head.status,
        }
    }
}

/// Takes an answer for what it is. A tunnel is one that was offered and that the backend agreed to as
/// WebSockets do (RFC 6455 section 4.2.2).
pub(super) fn check(response: Response<Body>, offer: Option<Offer>) -> Result<Answered> {
    let (SWITCHING, Some(offer)) = (response.status(), offer) else {
        answer::check(response.status())?;
        return Ok(Answered::Whole(response));
    };
    let (head, _) = response.into_parts();
    let accepted = head.headers.contains_key(SEC_WEBSOCKET_ACCEPT);
    let tunnel = head.extensions.get::<Tunnel>().filter(|_| accepted);
    let Some(backend) = tunnel.and_then(Tunnel::take) else {
        let context = "switches protocols without accepting the key";
        return Err(Error::new(ErrorKind::BadResponse, Retry::IfIdempotent, context));
    };
    Ok(Answered::Tunnel(Agreed { head, offer, backend }))
}

/// Joins both sides until either ends. The definition is in use until then.
pub(super) async fn join(
    offer: Offer,
    mut backend: Box<dyn Stream>,
    target: Arc<Target>,
    idle: Duration,
    mut told: Told,
) {
    told.head(SWITCHING);
    let Ok(Ok(client)) = tokio::time::timeout(TUNNEL_START, offer.accept()).await else {
        return;
    };
    let moved = Arc::new(AtomicBool::new(true));
    let mut client = Watched { stream: client, moved: Arc::clone(&moved), told };
    tokio::select! {
        // How it ended both sides know.
        _ = copy_bidirectional(&mut client, &mut backend) => {}
        () = at_rest(&moved, idle) => {}
        () = target.closing().reached() => {}
    }
    client.told.over();
}

/// Ready once nothing has moved for `idle`, to a quarter of it.
async fn at_rest(moved: &AtomicBool, idle: Duration) {
    let mut quiet = 0;
    while quiet < 4 {
        tokio::time::sleep(idle / 4).await;
        quiet = if moved.swap(false, Ordering::Relaxed) { 0 } else { quiet + 1 };
    }
}

/// A side of a tunnel on which everything that moves is noticed.
struct Watched {
    stream: Box<dyn Stream>,
    moved: Arc<AtomicBool>,
    told: Told,
}

impl Watched {
    fn notice<T>(&self, polled: Poll<T>) -> Poll<T> {
        if polled.is_ready() {
            self.moved.store(true, Ordering::Relaxed);
        }
        polled
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.told.moved(buf.filled().len() - before, 0);
        self.notice(polled)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        if let Poll::Ready(Ok(written)) = polled {
            self.told.moved(0, written);
        }
        self.notice(polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
