//! Writes documents.

use std::cell::Cell;

use serde::de::{DeserializeSeed, Error as _};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::tree::{Places, Tree, ValueSeed};
use super::{Document, Format, Source, read};

mod order;
mod toml;
mod value;
mod yaml;

use self::order::Ordered;

/// Something in a document cannot be written in a format.
///
/// TOML has no null; the settings of custom definitions, of legs and of connectors and the schemas of
/// parameters may hold one.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{path}: {reason}")]
#[non_exhaustive]
pub struct Unwritable {
    /// Where it stands.
    pub path: String,
    /// Why it cannot be written.
    pub reason: String,
}

impl Document {
    /// Writes the document. What is written is read back as an equal one, and what is as it is by
    /// default is left out. Secrets are written.
    ///
    /// # Errors
    ///
    /// When it holds what the format cannot say, which only TOML knows.
    pub fn text(&self, format: Format) -> Result<String, Unwritable> {
        let value = value::of(self)?;
        match format {
            Format::Toml => toml::text(&value),
            Format::Json => {
                let text = serde_json::to_string_pretty(&Ordered::tables(&value));
                let mut text = text.map_err(|error| value::unwritable("", &error))?;
                text.push('\n');
                Ok(text)
            }
            Format::Yaml => Ok(yaml::text(&value)),
        }
    }
}

/// As [`Document::text`] writes it.
impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = value::of(self).map_err(S::Error::custom)?;
        Ordered::tables(&value).serialize(serializer)
    }
}

/// As [`Document::parse`] reads it, without lines.
impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seed = ValueSeed { line: &Cell::new(0), depth: 1 };
        let root = seed.deserialize(deserializer)?;
        read::document(Tree { root, places: Places::Unknown }, Source::default())
            .map_err(D::Error::custom)
    }
}
