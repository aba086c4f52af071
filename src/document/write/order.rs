//! In which order keys are written: what names a thing first, the rest by the alphabet.

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// The tables of a document: what others refer to before those.
const TABLES: [&str; 10] = [
    "registry",
    "environment",
    "credential",
    "vpc_access",
    "object_grant",
    "backend_service",
    "group",
    "app",
    "api",
    "grant",
];

/// Keys that come before all others of their table.
const FIRST: [&str; 26] = [
    "name",
    "key",
    "secret",
    "code",
    "group",
    "app",
    "api",
    "environment",
    "renamed_from",
    "kind",
    "description",
    "url",
    "hosts",
    "stage_hosts",
    "base_path",
    "service",
    "method",
    "in",
    "type",
    "path",
    "mode",
    "auth",
    "status",
    "headers",
    "publish",
    "backend",
];

/// The entries of a table in the order they are written.
pub(super) fn entries<'v>(
    map: &'v Map<String, Value>,
    first: &[&str],
) -> Vec<(&'v str, &'v Value)> {
    let mut entries: Vec<_> = map.iter().map(|(key, value)| (key.as_str(), value)).collect();
    let rank = |key: &str| first.iter().position(|other| *other == key).unwrap_or(first.len());
    entries.sort_by(|(one, _), (other, _)| (rank(one), one).cmp(&(rank(other), other)));
    entries
}

/// The tables of a document in their order.
pub(super) fn tables(map: &Map<String, Value>) -> Vec<(&str, &Value)> {
    entries(map, &TABLES)
}

/// The entries of any other table in their order.
pub(super) fn keys(map: &Map<String, Value>) -> Vec<(&str, &Value)> {
    entries(map, &FIRST)
}

/// A value that is serialized in this order.
#[derive(Clone, Copy)]
pub(super) struct Ordered<'v> {
    value: &'v Value,
    root: bool,
}

impl<'v> Ordered<'v> {
    /// A whole document.
    pub(super) fn tables(value: &'v Value) -> Self {
        Self { value, root: true }
    }

    fn inner(value: &'v Value) -> Self {
        Self { value, root: false }
    }
}

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.value {
            Value::Object(map) => {
                let mut written = serializer.serialize_map(Some(map.len()))?;
                let entries = if self.root { tables(map) } else { keys(map) };
                for (key, value) in entries {
                    written.serialize_entry(key, &Self::inner(value))?;
                }
                written.end()
            }
            Value::Array(list) => {
                let mut written = serializer.serialize_seq(Some(list.len()))?;
                for value in list {
                    written.serialize_element(&Self::inner(value))?;
                }
                written.end()
            }
            other => other.serialize(serializer),
        }
    }
}
