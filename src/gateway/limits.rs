//! How much of a request is accepted, and how long parts of it may take, each with its reason.

use std::time::Duration;

/// Bytes in a request's URI: the modelled system's limit; more is `I413UL`.
pub const MAX_URI: usize = 8 * 1024;
/// Bytes in a request's headers, each counted as `name: value` with its line end. The modelled system
/// has no known limit of its own; common servers stop between 8 and 60 KiB. More is `I431HD`.
pub const MAX_HEADER_BYTES: usize = 16 * 1024;
/// Headers in a request: what common proxies allow. More is `I431HD`.
pub const MAX_HEADERS: usize = 100;
/// Bytes in a request's body unless an API or the gateway says otherwise; more is `I413RL`.
pub const MAX_BODY: u64 = 10 * 1024 * 1024;
/// Pairs of a query or a form that is taken apart, or its parts, because it is mapped or signed:
/// as many as common servers read, and few enough to compare. More is `I400RU` in a query, `I400BD` in a form.
pub const MAX_PAIRS: usize = 1_000;
/// Bytes in the head of a part of a form: its names and its type. File systems take names of 255 bytes.
/// More is `I400BD`.
pub const MAX_PART_HEAD: usize = 4 * 1024;
/// Bytes in a mapped path and query: three for each of a request's longest, and what an API adds. Few
/// servers take as much; more is `I413UL`.
pub const MAX_MAPPED_URI: usize = 32 * 1024;
/// How long a body may rest between two pieces, in either direction. Well above what slow networks
/// need, well below what it costs to keep a stalled exchange.
pub const BODY_IDLE: Duration = Duration::from_secs(15);
/// How long nothing may move in a tunnel (WebSocket) before both ends are closed, unless the gateway
/// says otherwise: ten of the pings that clients and servers send by habit.
pub const TUNNEL_IDLE: Duration = Duration::from_secs(600);
/// How long a client's connection may take to become a tunnel once it was told so: the answer's way
/// through the server's buffer. After that the backend's is closed.
pub(super) const TUNNEL_START: Duration = BODY_IDLE;
/// How long a backend may take to answer, once the request is fully sent, where neither API nor
/// definition says.
pub const TIMEOUT: Duration = crate::registry::target::DEFAULT_TIMEOUT;
/// Bytes in `X-Ca-Error-Message`: a request's path is part of some messages and must not make the
/// answer's head too large for the client. The text that a usual request signs fits.
pub const MAX_MESSAGE: usize = 4 * 1_024;
/// Timers kept for the next request. A kept timer also keeps its last request's task in memory, so
/// the number is small; more requests at once make timers of their own.
pub(super) const KEPT_TIMERS: usize = 64;
/// Bytes in a form that has to be read whole before anything is sent, because it is signed or mapped,
/// unless the gateway says otherwise; more is `I413RL`. What is read whole is memory for each request.
pub const MAX_FORM: u64 = 1024 * 1024;
/// How far a signed request's timestamp may be from now, either way (domain §4.2).
pub const TIMESTAMP_WINDOW: Duration = Duration::from_secs(15 * 60);
/// Characters in a nonce: three times what clients send.
pub const MAX_NONCE: usize = 128;
