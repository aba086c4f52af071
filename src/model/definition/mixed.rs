//! Another kind per environment, or a composition of several.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{Definition, InvalidDefinition, Kind, Settings};

/// What a mixed service means in one environment.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Mixed {
    /// It has this concrete kind here.
    Concrete(Box<Definition>),
    /// It is composed of legs.
    Legs {
        /// The legs, in order.
        legs: Vec<Leg>,
        /// What keeps a caller on one leg.
        sticky: Option<String>,
    },
}

/// One leg of a composition. What its keys mean is decided by the adapter.
#[derive(Clone, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Leg {
    /// Its name, unique among the legs.
    pub name: String,
    /// Its other keys.
    #[serde(flatten)]
    pub settings: Map<String, Value>,
}

/// Its other keys without their values: which of them are secret, only its adapter knows.
impl fmt::Debug for Leg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.settings.keys().collect();
        f.debug_struct("Leg").field("name", &self.name).field("keys", &keys).finish()
    }
}

impl Mixed {
    /// A concrete kind.
    #[must_use]
    pub fn concrete(definition: impl Into<Definition>) -> Self {
        Self::Concrete(Box::new(definition.into()))
    }

    /// The kinds it is made of, as far as its keys say.
    pub(crate) fn parts(&self) -> Vec<Kind> {
        match self {
            Self::Concrete(definition) => vec![definition.kind()],
            Self::Legs { legs, .. } => {
                let named = legs.iter().filter_map(|leg| leg.settings.get("kind")?.as_str());
                named.filter_map(|kind| kind.parse().ok()).collect()
            }
        }
    }

    pub(super) fn check(&self) -> Result<(), InvalidDefinition> {
        match self {
            Self::Concrete(definition) => match &definition.settings {
                Settings::Mixed(_) => Err(InvalidDefinition::new("kind", "is mixed again")),
                _ => definition.check(),
            },
            Self::Legs { legs, .. } if legs.is_empty() => {
                Err(InvalidDefinition::new("legs", "is empty"))
            }
            Self::Legs { legs, .. } => {
                for (index, leg) in legs.iter().enumerate() {
                    if leg.name.is_empty() || legs.iter().take(index).any(|l| l.name == leg.name) {
                        let field = format!("legs[{index}].name");
                        return Err(InvalidDefinition::new(field, "is empty or not unique"));
                    }
                }
                Ok(())
            }
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Composition {
    legs: Vec<Leg>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sticky: Option<String>,
}

impl Serialize for Mixed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            // Under a key of its own, so that it is not taken for the kind of the whole.
            Self::Concrete(definition) => {
                let mut map = Map::new();
                let value = serde_json::to_value(definition).map_err(serde::ser::Error::custom)?;
                map.insert("concrete".to_owned(), value);
                map.serialize(serializer)
            }
            Self::Legs { legs, sticky } => {
                Composition { legs: legs.clone(), sticky: sticky.clone() }.serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Mixed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut map = Map::<String, Value>::deserialize(deserializer)?;
        if map.contains_key("legs") {
            let Composition { legs, sticky } =
                serde_json::from_value(Value::Object(map)).map_err(D::Error::custom)?;
            return Ok(Self::Legs { legs, sticky });
        }
        let definition = match map.remove("concrete") {
            Some(stored) if map.is_empty() => {
                serde_json::from_value(stored).map_err(D::Error::custom)?
            }
            Some(_) => return Err(D::Error::custom("unknown key beside `concrete`")),
            None => Definition::from_table(map, None).map_err(D::Error::custom)?,
        };
        Ok(Self::Concrete(Box::new(definition)))
    }
}
