//! Where a service can be defined and an API published.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::name::{InvalidName, Reason};

/// An environment, by its wire name.
///
/// Three are always there: [`TEST`](Self::TEST), [`PRE`](Self::PRE) and
/// [`PRODUCTION`](Self::PRODUCTION), whose wire name is `RELEASE`. Others are declared by a change
/// first. A name is 2 to 10 upper-case ASCII letters or digits, the first a letter.
///
/// ```
/// use backhaul::Environment;
/// assert_eq!(Environment::PRODUCTION.as_str(), "RELEASE");
/// assert_eq!("STAGING".parse::<Environment>()?.to_string(), "STAGING");
/// assert!("staging".parse::<Environment>().is_err());
/// # Ok::<_, backhaul::model::InvalidName>(())
/// ```
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Environment(Name);

#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
enum Name {
    Test,
    Pre,
    Production,
    Declared(Arc<str>),
}

impl Environment {
    /// `TEST`.
    pub const TEST: Self = Self(Name::Test);
    /// `PRE`.
    pub const PRE: Self = Self(Name::Pre);
    /// `RELEASE`: where requests go that name no environment.
    pub const PRODUCTION: Self = Self(Name::Production);
    /// The three that are always there, in promotion order.
    pub const BUILT_IN: [Self; 3] = [Self::TEST, Self::PRE, Self::PRODUCTION];

    /// The wire name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Name::Test => "TEST",
            Name::Pre => "PRE",
            Name::Production => "RELEASE",
            Name::Declared(name) => name,
        }
    }
}

impl FromStr for Environment {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let mut bytes = text.bytes();
        Ok(Self(match text {
            "TEST" => Name::Test,
            "PRE" => Name::Pre,
            "RELEASE" => Name::Production,
            _ if (2..=10).contains(&text.len())
                && bytes.next().is_some_and(|first| first.is_ascii_uppercase())
                && bytes.all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) =>
            {
                Name::Declared(text.into())
            }
            _ => return Err(InvalidName::new("environment", text, Reason::Environment)),
        }))
    }
}

/// What an operator declares of an environment besides its name.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Declaration {
    /// At most 200 characters.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
}

impl Declaration {
    /// With a description of at most 200 characters.
    #[must_use]
    pub fn new(description: impl Into<String>) -> Self {
        Self { description: description.into() }
    }
}

impl TryFrom<String> for Environment {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<Environment> for String {
    fn from(environment: Environment) -> Self {
        environment.as_str().to_owned()
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
