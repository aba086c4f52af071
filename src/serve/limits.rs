//! How long a client may take and how much of a server it may have, each with its reason.

use std::time::Duration;

/// How long a new connection may say nothing. Clients that connect have something to ask; without
/// this a connection that never sends a byte is never noticed. Beyond it, the connection is closed.
pub const FIRST_BYTE: Duration = Duration::from_secs(10);
/// How long a request's head may take from its first byte. A head is one or two packets; whoever
/// sends it byte by byte holds a connection for nothing. Beyond it: `I408RT`, and the connection is
/// closed.
pub const HEAD: Duration = Duration::from_secs(10);
/// How long a connection may rest between two requests: common servers say 60 to 75 s. Beyond it, the
/// connection is closed.
pub const KEEP_ALIVE: Duration = Duration::from_secs(60);
/// How long a connection of HTTP/1 rests before it gives back what only requests need, its buffers above
/// all: they are made again for the next one, which costs a tenth of what a request does.
pub(super) const PAUSE: Duration = Duration::from_millis(100);
/// How long a request's body may be waited for before its pace counts: a start on a slow network is
/// no attack.
pub const BODY_GRACE: Duration = Duration::from_secs(10);
/// Bytes a second of a request's body, averaged over the time it was waited for: a tenth of what the
/// slowest modem did. Below it: `I408RT`, and the connection is closed.
pub const BODY_RATE: u64 = 1_024;
/// How long a request's body may be waited for in all; what a slow backend takes to read it does not
/// count. As long as common proxies give a whole request. Beyond it: `I408RT`.
pub const BODY_TOTAL: Duration = Duration::from_secs(300);
/// How long a client may take nothing of a response. A client that reads slower than [`WRITE_RATE`]
/// comes to it too, only later. Beyond it, the connection or the HTTP/2 stream is reset.
pub const WRITE_STALL: Duration = Duration::from_secs(30);
/// Bytes a second of a response that a client has to take while there are some for it.
pub const WRITE_RATE: u64 = 1_024;
/// Requests on one connection: clients come back over a load balancer now and then, and nothing one
/// client leaves behind lives for ever. The last answer says so.
pub const MAX_REQUESTS: u64 = 1_000;
/// How old a connection may get, for the same reason. Its next answer says so.
pub const MAX_AGE: Duration = Duration::from_secs(3_600);
/// Connections at once: at about 32 KiB for one at its worst, a third of a gigabyte. One more is
/// accepted and closed at once.
pub const MAX_CONNECTIONS: usize = 10_000;
/// Bytes that hyper buffers for a connection in each direction: a head at its limits fits.
pub const MAX_BUFFER: usize = 32 * 1024;
/// Bytes of an answer that the kernel takes before it could send them, where it can be told (Linux,
/// `TCP_NOTSENT_LOWAT`): without it a client that reads nothing is given megabytes, of a memory that all
/// connections share. More than that is never on its way between two writes.
#[cfg(target_os = "linux")]
pub(super) const MAX_UNSENT: u32 = 128 * 1024;
/// Bytes of a request's method: four times the longest that is registered. More is `I400RU`.
pub(super) const MAX_METHOD: usize = 64;
/// Empty lines before a request: old clients send one after a body. More is `I400RU`.
pub(super) const MAX_EMPTY_LINES: u8 = 4;
/// Bytes of chunk extensions in one body: nobody uses them. More is `I400BD`.
pub const MAX_CHUNK_EXTENSIONS: usize = 4 * 1024;
/// Bytes of a body nobody wants that are read after the answer, so that the client gets to see it
/// instead of a reset. Beyond them, the connection is closed all the same.
pub(super) const MAX_LINGER_BYTES: usize = 64 * 1024;
/// How long the same may take.
pub(super) const LINGER: Duration = Duration::from_secs(2);
/// Requests at once on one HTTP/2 connection; more are refused by `REFUSED_STREAM`.
pub const MAX_STREAMS: u32 = 100;
/// Bytes of a request's body on one HTTP/2 stream that may be on their way unread.
pub const STREAM_WINDOW: u32 = 64 * 1024;
/// The same for all streams of a connection.
pub const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// How long an HTTP/2 connection may be silent before it is asked whether it is alive, and how long
/// the answer may take.
pub const PING: Duration = Duration::from_secs(20);
/// HTTP/2 frames that cost work and carry nothing (`PING`, `SETTINGS`, `PRIORITY`, unknown ones) in
/// ten seconds: a hundred a second is far above any client's need. More closes the connection.
pub const MAX_IDLE_FRAMES: u32 = 1_000;
/// The time in which they are counted.
pub(super) const FLOOD_WINDOW: Duration = Duration::from_secs(10);
/// How long nothing is accepted after accepting failed, for want of descriptors above all: asking
/// again at once would only keep a core busy.
pub(super) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What stands for no limit at all: sums of two of them can still be told by a clock.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3_600);

/// What connections of a server may take. Starts with the constants of this module.
#[derive(Clone, Debug)]
pub struct Limits {
    pub(super) http2: bool,
    pub(super) first_byte: Duration,
    pub(super) head: Duration,
    pub(super) keep_alive: Duration,
    pub(super) body_grace: Duration,
    pub(super) body_rate: u64,
    pub(super) body_total: Duration,
    pub(super) write_stall: Duration,
    pub(super) write_rate: u64,
    pub(super) max_requests: u64,
    pub(super) max_age: Duration,
    pub(super) max_streams: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            http2: true,
            first_byte: FIRST_BYTE,
            head: HEAD,
            keep_alive: KEEP_ALIVE,
            body_grace: BODY_GRACE,
            body_rate: BODY_RATE,
            body_total: BODY_TOTAL,
            write_stall: WRITE_STALL,
            write_rate: WRITE_RATE,
            max_requests: MAX_REQUESTS,
            max_age: MAX_AGE,
            max_streams: MAX_STREAMS,
        }
    }
}

impl Limits {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, speaking HTTP/2 with clients that begin with it, or not. Without it such a beginning
    /// is answered `I400RU`.
    #[must_use]
    pub fn http2(mut self, spoken: bool) -> Self {
        self.http2 = spoken;
        self
    }

    /// The same with another [`FIRST_BYTE`].
    #[must_use]
    pub fn first_byte(mut self, limit: Duration) -> Self {
        self.first_byte = limit.min(LONGEST);
        self
    }

    /// The same with another [`HEAD`].
    #[must_use]
    pub fn head(mut self, limit: Duration) -> Self {
        self.head = limit.min(LONGEST);
        self
    }

    /// The same with another [`KEEP_ALIVE`].
    #[must_use]
    pub fn keep_alive(mut self, limit: Duration) -> Self {
        self.keep_alive = limit.min(LONGEST);
        self
    }

    /// The same with another [`BODY_RATE`] and [`BODY_GRACE`]; a rate of zero allows any pace.
    #[must_use]
    pub fn body_rate(mut self, bytes_per_second: u64, grace: Duration) -> Self {
        (self.body_rate, self.body_grace) = (bytes_per_second, grace.min(LONGEST));
        self
    }

    /// The same with another [`BODY_TOTAL`].
    #[must_use]
    pub fn body_total(mut self, limit: Duration) -> Self {
        self.body_total = limit.min(LONGEST);
        self
    }

    /// The same with another [`WRITE_RATE`] and [`WRITE_STALL`]. A rate of zero is taken as one.
    #[must_use]
    pub fn write_rate(mut self, bytes_per_second: u64, stall: Duration) -> Self {
        (self.write_rate, self.write_stall) = (bytes_per_second, stall.min(LONGEST));
        self
    }

    /// The same with another [`MAX_REQUESTS`].
    #[must_use]
    pub fn max_requests(mut self, count: u64) -> Self {
        self.max_requests = count;
        self
    }

    /// The same with another [`MAX_AGE`].
    #[must_use]
    pub fn max_age(mut self, limit: Duration) -> Self {
        self.max_age = limit.min(LONGEST);
        self
    }

    /// The same with another [`MAX_STREAMS`].
    #[must_use]
    pub fn max_streams(mut self, count: u32) -> Self {
        self.max_streams = count;
        self
    }
}
