//! What kinds of backend there are.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::name::{InvalidName, Reason};

/// The kind of a backend service: one of eight, or one an application registers.
///
/// Wire names: `http`, `vpc`, `function_compute`, `oss`, `event_bridge`, `discovery`, `mixed`,
/// `mock`. A custom name is lower-case ASCII letters, digits and `_`, at most 64 bytes, starting with
/// a letter.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Kind(Name);

#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
enum Name {
    BuiltIn(&'static str),
    Custom(Arc<str>),
}

impl Kind {
    /// An HTTP or HTTPS endpoint.
    pub const HTTP: Self = Self(Name::BuiltIn("http"));
    /// A private address inside a VPC.
    pub const VPC: Self = Self(Name::BuiltIn("vpc"));
    /// A function of Function Compute.
    pub const FUNCTION_COMPUTE: Self = Self(Name::BuiltIn("function_compute"));
    /// An S3-compatible object store.
    pub const OSS: Self = Self(Name::BuiltIn("oss"));
    /// An event bus.
    pub const EVENT_BRIDGE: Self = Self(Name::BuiltIn("event_bridge"));
    /// Endpoints found through a service registry.
    pub const DISCOVERY: Self = Self(Name::BuiltIn("discovery"));
    /// Another kind per environment, or a composition of several.
    pub const MIXED: Self = Self(Name::BuiltIn("mixed"));
    /// A canned answer.
    pub const MOCK: Self = Self(Name::BuiltIn("mock"));
    /// All eight.
    pub const BUILT_IN: [Self; 8] = [
        Self::HTTP,
        Self::VPC,
        Self::FUNCTION_COMPUTE,
        Self::OSS,
        Self::EVENT_BRIDGE,
        Self::DISCOVERY,
        Self::MIXED,
        Self::MOCK,
    ];

    /// A kind that an application registers.
    ///
    /// # Errors
    ///
    /// When the text breaks the rules above or is the name of a built-in kind.
    pub fn custom(text: &str) -> Result<Self, InvalidName> {
        let kind: Self = text.parse()?;
        match kind.0 {
            Name::Custom(_) => Ok(kind),
            Name::BuiltIn(_) => Err(InvalidName::new("kind", text, Reason::BuiltIn)),
        }
    }

    /// The wire name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Name::BuiltIn(name) => name,
            Name::Custom(name) => name,
        }
    }
}

impl FromStr for Kind {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if let Some(kind) = Self::BUILT_IN.into_iter().find(|kind| kind.as_str() == text) {
            return Ok(kind);
        }
        let valid = text.len() <= 64
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if valid {
            Ok(Self(Name::Custom(text.into())))
        } else {
            Err(InvalidName::new("kind", text, Reason::Kind))
        }
    }
}

impl TryFrom<String> for Kind {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<Kind> for String {
    fn from(kind: Kind) -> Self {
        kind.as_str().to_owned()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
