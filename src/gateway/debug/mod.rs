//! How a request is handled, step by step, for whoever may ask.
//!
//! | file | question |
//! |---|---|
//! | `trace` | what was decided, and how long did it take? |
//! | `decision` | in which words? |
//! | `redact` | what of it is secret? |
//! | `info` | what is a client told? |

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use bytes::Buf;
use http::{HeaderMap, Method, Request, Response};
use http_body::Body as HttpBody;

use super::Gateway;
use crate::body::Body;
use crate::error::{ErrorKind, Stage};
use crate::model::Environment;
use crate::observe::names;

mod decision;
mod info;
pub(super) mod redact;
mod trace;

pub(super) use self::decision::{admitted, asks, elsewhere, mapped, routed};
pub(super) use self::info::refusal;
use self::trace::Recording;
pub(super) use self::trace::Trace;

/// As whom, and where, a request is run.
#[derive(Debug)]
pub(super) struct Run<'a> {
    /// The only environment it can be for.
    pub(super) environment: Option<&'a Environment>,
    /// The application that it is run as, whatever it says itself.
    pub(super) app: Option<&'a str>,
    pub(super) trace: Trace,
}

/// How a request was handled.
#[derive(Debug)]
#[non_exhaustive]
pub struct Debugged {
    /// What its client would have been answered. Its body is what is left of the call: reading it is up
    /// to whoever asked.
    pub response: Response<Body>,
    /// What was decided, in order. The last may be a refusal.
    pub steps: Vec<Step>,
    /// What the backend was sent; absent if it was not called.
    pub sent: Option<Sent>,
    /// From the request's first step to the response's head.
    pub took: Duration,
}

/// One decision about a request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Step {
    /// How far the request had come.
    pub stage: Stage,
    /// What was decided, in words. No secret stands in it.
    pub decision: String,
    /// How long it took.
    pub took: Duration,
    /// The failure, if it ended here.
    pub refused: Option<ErrorKind>,
}

/// The head of a request as its backend was sent it, but for what its kind adds. In place of secrets
/// stands `[redacted]`: of headers and parameters whose names say that they are one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Sent {
    /// The method.
    pub method: Method,
    /// Path and query, below the definition's own path.
    pub uri: String,
    /// The headers.
    pub headers: HeaderMap,
}

impl Gateway {
    /// Runs a request through, as if it had come from a client, and says of every step what was decided,
    /// how long it took, and what the backend was sent. The backend is called for real.
    ///
    /// The request is for `environment`, whatever it or its host says. With `app` it is the application of
    /// this name that calls: no signature and no AppCode is looked at, its grants are, and where it may
    /// call the API elsewhere only, the refusal says where. Without, the request is admitted by what it
    /// carries, as ever. A [`Peer`](super::Peer) in its extensions is where it comes from.
    ///
    /// It never fails: a refusal is the last step, and the response.
    ///
    /// # Cancellation
    ///
    /// Dropping the future drops the call of the backend.
    pub async fn debug<B>(
        &self,
        request: Request<B>,
        environment: &Environment,
        app: Option<&str>,
    ) -> Debugged
    where
        B: HttpBody + Send + 'static,
        B::Data: Buf + Send,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let run = Run { environment: Some(environment), app, trace: Trace::kept() };
        let Ok(mut response) = self.respond(request, run).await;
        let recording = response.extensions_mut().remove::<Recording>().unwrap_or_default();
        let Recording { steps, sent, took, .. } = recording;
        Debugged { response, steps, sent, took }
    }
}

impl fmt::Display for Debugged {
    /// A line a step.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        if let Some(Sent { method, uri, headers }) = &self.sent {
            writeln!(f, "sent: {method} {uri}")?;
            for (name, value) in headers {
                writeln!(f, "  {name}: {}", String::from_utf8_lossy(value.as_bytes()))?;
            }
        }
        write!(f, "answered: {} after {:?}", self.response.status(), self.took)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stage, decision, took, refused } = self;
        let refused = if refused.is_some() { "refused: " } else { "" };
        write!(f, "{}: {refused}{decision} ({took:?})", names::stage(*stage))
    }
}

#[cfg(test)]
mod tests;
