//! An event bus.

use serde::{Deserialize, Serialize};

use super::{InvalidDefinition, check_required_token};

/// An event bus, and what the events put on it look like.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct EventBridge {
    /// Where it is reached. Absent: derived from region and account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The region it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The account that owns it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The bus.
    pub bus: String,
    /// The events' source.
    pub source: String,
    /// The events' type.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// The events' subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// How events are written.
    pub format: EventFormat,
    /// The name of the credential to sign with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
}

/// How events are written.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventFormat {
    /// As the modelled system's clients do.
    #[default]
    Aliyun,
    /// CloudEvents, structured.
    CloudeventsStructured,
    /// CloudEvents, binary.
    CloudeventsBinary,
    /// CloudEvents, in batches.
    CloudeventsBatch,
}

impl EventBridge {
    /// Events of `source` on `bus`.
    #[must_use]
    pub fn bus(bus: impl Into<String>, source: impl Into<String>) -> Self {
        Self { bus: bus.into(), source: source.into(), ..Self::default() }
    }

    pub(super) fn check(&self) -> Result<(), InvalidDefinition> {
        check_required_token("bus", &self.bus)?;
        check_required_token("source", &self.source)?;
        if self.endpoint.is_none() {
            check_required_token("region", self.region.as_deref().unwrap_or_default())?;
            check_required_token("account", self.account.as_deref().unwrap_or_default())?;
        }
        Ok(())
    }
}
