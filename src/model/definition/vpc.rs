//! A private address inside a VPC.

use serde::{Deserialize, Serialize};

use super::{InvalidDefinition, check_required_token, check_token};

/// A private address, reached through a named authorization.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Vpc {
    /// The name of the authorization.
    pub access: String,
    /// Whether the instance is reached by TLS.
    pub use_https: bool,
    /// The Host sent to the instance. Absent: the authorization's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
}

impl Vpc {
    /// The instance behind the authorization `access`.
    #[must_use]
    pub fn through(access: impl Into<String>) -> Self {
        Self { access: access.into(), ..Self::default() }
    }

    pub(super) fn check(&self) -> Result<(), InvalidDefinition> {
        check_required_token("access", &self.access)?;
        self.host.as_deref().map_or(Ok(()), |host| check_token("host", host))
    }
}
