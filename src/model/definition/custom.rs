//! A kind an application registered.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{InvalidDefinition, RESILIENCE};
use crate::model::kind::Kind;
use crate::model::limits::MAX_CUSTOM_DEFINITION;
use crate::model::name::InvalidName;

/// A definition of a custom kind: keys that the kind's own type reads.
///
/// ```
/// use backhaul::Custom;
/// let greeter = Custom::new("greeter")?.set("greeting", "hi");
/// assert_eq!(greeter.settings["greeting"], "hi");
/// # Ok::<_, backhaul::model::InvalidName>(())
/// ```
#[derive(Clone, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Custom {
    /// The kind.
    pub kind: Kind,
    /// Its keys, as they are written in a document.
    pub settings: Map<String, Value>,
}

/// Its keys without their values: which of them are secret, only its adapter knows.
impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.settings.keys().collect();
        f.debug_struct("Custom").field("kind", &self.kind).field("keys", &keys).finish()
    }
}

impl Custom {
    /// A definition of `kind` without keys.
    ///
    /// # Errors
    ///
    /// When `kind` cannot be the name of a custom kind.
    pub fn new(kind: &str) -> Result<Self, InvalidName> {
        Ok(Self { kind: Kind::custom(kind)?, settings: Map::new() })
    }

    /// The same with one more key.
    #[must_use]
    pub fn set(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.settings.insert(key.into(), value.into());
        self
    }

    pub(super) fn check(&self) -> Result<(), InvalidDefinition> {
        for reserved in ["kind", "timeout"].into_iter().chain(RESILIENCE) {
            if self.settings.contains_key(reserved) {
                return Err(InvalidDefinition::new(reserved, "is a key of every definition"));
            }
        }
        let size = serde_json::to_vec(&self.settings).map_or(usize::MAX, |bytes| bytes.len());
        if size > MAX_CUSTOM_DEFINITION {
            return Err(InvalidDefinition::new("definition", "is larger than 64 KiB"));
        }
        Ok(())
    }
}
