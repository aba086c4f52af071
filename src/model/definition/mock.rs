//! A canned answer.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{InvalidDefinition, MAX_TIMEOUT, check_whole};
use crate::model::duration;
use crate::model::limits::{MAX_MOCK_BODY, MAX_MOCK_HEADERS};

/// A canned answer.
///
/// ```
/// use backhaul::Mock;
/// let mock = Mock::new().status(203).header("x-banner", "1").body("hello");
/// assert_eq!(mock.body, "hello");
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Mock {
    /// One of the modelled system's list: 200–206, 300–307, 400–417, 450, 451, 500–505 (domain §10).
    pub status: u16,
    /// The answer's headers, at most 100.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The answer's body, at most 50 KiB.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// How long the answer takes, at most 120 s.
    #[serde(with = "duration::optional", skip_serializing_if = "Option::is_none")]
    pub delay: Option<Duration>,
}

impl Default for Mock {
    fn default() -> Self {
        Self { status: 200, headers: BTreeMap::new(), body: String::new(), delay: None }
    }
}

impl Mock {
    /// An empty answer with status 200.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with this status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same with another header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// The same with this body.
    #[must_use]
    pub fn body(mut self, body: impl Into<String>) -> Self {
        self.body = body.into();
        self
    }

    /// The same after this long.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = Some(delay);
        self
    }

    pub(super) fn check(&self) -> Result<(), InvalidDefinition> {
        if !matches!(self.status, 200..=206 | 300..=307 | 400..=417 | 450 | 451 | 500..=505) {
            let reason = format!(
                "{} is not one of 200-206, 300-307, 400-417, 450, 451, 500-505",
                self.status
            );
            return Err(InvalidDefinition::new("status", reason));
        }
        if self.body.len() > MAX_MOCK_BODY {
            return Err(InvalidDefinition::new("body", "is longer than 50 KiB"));
        }
        if self.headers.len() > MAX_MOCK_HEADERS {
            return Err(InvalidDefinition::new("headers", "are more than 100"));
        }
        for (name, value) in &self.headers {
            let field = || format!("headers.{}", name.chars().take(80).collect::<String>());
            if name.parse::<http::HeaderName>().is_err() {
                return Err(InvalidDefinition::new(field(), "is not a header name"));
            }
            if value.parse::<http::HeaderValue>().is_err() {
                return Err(InvalidDefinition::new(field(), "is not a header value"));
            }
            if is_framing(name) {
                return Err(InvalidDefinition::new(field(), "is set by the server itself"));
            }
        }
        if self.delay.is_some_and(|delay| delay > MAX_TIMEOUT) {
            return Err(InvalidDefinition::new("delay", "is longer than 120s"));
        }
        self.delay.map_or(Ok(()), |delay| check_whole("delay", delay))
    }
}

fn is_framing(name: &str) -> bool {
    ["content-length", "transfer-encoding", "connection", "upgrade", "trailer", "keep-alive"]
        .iter()
        .any(|framing| name.eq_ignore_ascii_case(framing))
}
