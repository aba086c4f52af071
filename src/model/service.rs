//! What many APIs share.

use serde::{Deserialize, Serialize};

use super::kind::Kind;

/// A backend service as an operator writes it down: an immutable kind and a description.
///
/// Its name is given where it is added to a change; what it means in an environment is its
/// [`Definition`](super::Definition) there.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct BackendService {
    /// The kind. It never changes.
    pub kind: Kind,
    /// At most 180 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

impl BackendService {
    /// A service of `kind` without a description.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self { kind, description: String::new() }
    }

    /// The same with a description of at most 180 characters.
    #[must_use]
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = text.into();
        self
    }
}

impl From<Kind> for BackendService {
    fn from(kind: Kind) -> Self {
        Self::new(kind)
    }
}
