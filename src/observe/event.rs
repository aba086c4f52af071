//! What is told, as plain values.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode, Version};

use super::pool::Pool;
use crate::error::{ErrorKind, Party, Place, Stage};
use crate::model::{ApiName, ResourceName, Revision};
use crate::time::Timestamp;

/// A request came, and it is known where it goes, or that it goes nowhere.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RequestBegun<'a> {
    /// The identity that its answer, its backend and the logs have.
    pub id: &'a str,
    /// Which definition of which service it entered with; absent if it was not routed. The same value for
    /// all its requests: what belongs to it can be found again by its address.
    pub place: Option<&'a Arc<Place>>,
    /// Which API it is for; absent if it was not routed.
    pub api: Option<&'a ApiName>,
}

/// A request ended, in whatever way. Told exactly once for each that begun, when its answer's last byte is
/// handed to the server, when that fails, or when the server lets go of it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RequestEnded<'a> {
    /// The identity that its answer, its backend and the logs have.
    pub id: &'a str,
    /// As when it begun.
    pub place: Option<&'a Arc<Place>>,
    /// As when it begun.
    pub api: Option<&'a ApiName>,
    /// Whether its definition has been replaced since it entered.
    pub superseded: bool,
    /// What became of it.
    pub outcome: Outcome,
    /// The status of the answer; absent if its head was never handed out.
    pub status: Option<StatusCode>,
    /// From its head to its end.
    pub took: Duration,
    /// From handing it to its backend to the head of the answer; absent if it did not come to both.
    pub backend: Option<Duration>,
    /// Bytes of its body that the backend took.
    pub received: u64,
    /// Bytes of the answer's body that were handed to the server.
    pub sent: u64,
    /// Whether it was run by [`Gateway::debug`](crate::Gateway::debug).
    pub debug: bool,
    /// What it said; kept only if an observer [wants it](super::Observer::wants_text).
    pub text: Option<&'a RequestText>,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// Its answer was handed out to the last byte, whatever its status.
    Answered,
    /// It was refused, got no answer, or the answer broke off.
    Failed {
        /// What happened.
        kind: ErrorKind,
        /// Whose side it was.
        party: Party,
        /// How far it had come.
        stage: Stage,
    },
    /// Its client went away. Nobody's failure: it counts neither for the backend nor for the gateway.
    Aborted {
        /// How far it had come.
        stage: Stage,
    },
}

/// What a request said, for logs. Secrets are replaced already: what the names of headers and parameters
/// say is one. Long texts are cut.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RequestText {
    /// When it came.
    pub at: Timestamp,
    /// The method.
    pub method: Method,
    /// The version its client spoke.
    pub version: Version,
    /// The host it was for, as received.
    pub host: Option<String>,
    /// The path as received.
    pub path: String,
    /// The query, without secrets.
    pub query: Option<String>,
    /// The headers, without secrets; kept only if an observer
    /// [wants them](super::Observer::wants_headers).
    pub headers: Option<HeaderMap>,
    /// The address of its client, as far as it is believed.
    pub client: Option<IpAddr>,
    /// The nonce of a signed request.
    pub nonce: Option<String>,
    /// The AppKey it shows, which is a name and no secret.
    pub key: Option<String>,
    /// The application it was admitted as.
    pub app: Option<ResourceName>,
    /// When it was handed to its backend, counted from its head.
    pub called: Option<Duration>,
    /// When the answer's head was there, counted from its head.
    pub answered: Option<Duration>,
    /// What its client was told of a failure.
    pub message: Option<String>,
    /// What lies behind a failure. It may name addresses.
    pub exception: Option<String>,
}

/// What a connection to a backend speaks.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

impl Protocol {
    /// What the label says.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http1 => "http1",
            Self::Http2 => "http2",
        }
    }
}

/// A connection to a backend was made.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ConnectionOpened<'a> {
    /// Whose it is.
    pub pool: &'a Arc<Pool>,
    /// What it speaks.
    pub protocol: Protocol,
    /// How long that took, name and TLS included.
    pub took: Duration,
}

/// A connection to a backend was closed, by whichever side.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ConnectionClosed<'a> {
    /// Whose it was.
    pub pool: &'a Arc<Pool>,
    /// What it spoke.
    pub protocol: Protocol,
    /// How long it was open.
    pub lived: Duration,
}

/// A request had to wait for a place in a pool.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RequestWaited<'a> {
    /// Which pool was full.
    pub pool: &'a Arc<Pool>,
    /// How long it waited.
    pub took: Duration,
    /// Whether it got a place. If not it fails as busy, or its client went away.
    pub served: bool,
}

/// A change became visible.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RevisionApplied {
    /// Which revision it is.
    pub revision: Revision,
    /// How many definitions it replaced or took away.
    pub superseded: usize,
    /// Whether this registry made it, not somebody who shares its store.
    pub own: bool,
}

/// A change was not made.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ChangeRefused<'a> {
    /// Why, in a word.
    pub reason: Reason,
    /// Why, in a sentence.
    pub message: &'a str,
}

/// Why a change was not made.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Reason {
    /// A rule refuses it.
    Rejected,
    /// What it was planned on has moved.
    Stale,
    /// It would touch more than it may.
    TooFar,
    /// The store did not keep it, or did not say.
    Store,
    /// Others committed first, again and again.
    Contended,
    /// The change itself could not be worked on.
    Unfinished,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Rejected, Self::Stale, Self::TooFar, Self::Store, Self::Contended, Self::Unfinished];

    /// What the label says.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Stale => "stale",
            Self::TooFar => "too_far",
            Self::Store => "store",
            Self::Contended => "contended",
            Self::Unfinished => "unfinished",
        }
    }
}

/// A definition was replaced or taken away; nothing new reaches it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct DrainBegun<'a> {
    /// Which definition it was.
    pub place: &'a Place,
    /// The revision that replaced it.
    pub by: Revision,
}

/// The last request of a replaced definition ended, and its last connection, unless the next definition
/// took those over.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct DrainEnded<'a> {
    /// Which definition it was.
    pub place: &'a Place,
    /// The revision that replaced it.
    pub by: Revision,
    /// How long it took.
    pub took: Duration,
}
