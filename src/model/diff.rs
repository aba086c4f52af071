//! What differs between two values of a noun, field by field.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use super::definition::{REDACTED, is_veiled};
use super::fingerprint::{Noun, tree};

/// A field that is not the same before and after.
///
/// Safe to show: a secret is `[redacted]` on both sides, and what would break a line is escaped.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Difference {
    /// The key as an operator writes it, with dots between levels, `[n]` for an item of a list counted
    /// from 0, and quotes around what is not a bare key: `tls.ca`, `hosts[1]`,
    /// `stage_hosts."test.example.com"`.
    pub field: String,
    /// The value before, texts in quotes; absent if the field was left out.
    pub before: Option<String>,
    /// The value after.
    pub after: Option<String>,
}

impl Difference {
    /// A text that is another one.
    pub(crate) fn of(field: &str, before: &str, after: &str) -> Self {
        let shown = |text: &str| Some(format!("{text:?}"));
        Self { field: field.to_owned(), before: shown(before), after: shown(after) }
    }
}

/// What differs between two values, sorted by field: nothing exactly when every field is equal.
///
/// A field that is left out because it has its default is absent. In a custom definition and in the legs
/// of a mixed one, keys that sound like secrets (`password`, `token`, `api_key`, …) are taken for some,
/// and whatever is below them; what other keys hold, only their adapters know, and it is shown.
///
/// ```
/// use backhaul::{Definition, Http};
/// use backhaul::model::diff;
/// let before: Definition = Http::to("http://a").into();
/// let after: Definition = Http::to("http://b").host("shop").into();
/// let shown: Vec<_> = diff(&before, &after).iter().map(ToString::to_string).collect();
/// assert_eq!(shown, [r#"host: absent -> "shop""#, r#"url: "http://a" -> "http://b""#]);
/// ```
#[must_use]
pub fn diff<T: Noun + ?Sized>(before: &T, after: &T) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", Some(&tree(before)), Some(&tree(after)), &mut found);
    found.sort_unstable_by(|one, other| one.field.cmp(&other.field));
    found
}

fn compare(
    field: &str,
    before: Option<&Value>,
    after: Option<&Value>,
    found: &mut Vec<Difference>,
) {
    match (before, after) {
        (Some(before), Some(after)) if before == after => {}
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            for key in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
                compare(&below(field, key), before.get(key), after.get(key), found);
            }
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) => {
            for index in 0..before.len().max(after.len()) {
                compare(&item(field, index), before.get(index), after.get(index), found);
            }
        }
        _ => unlike(field, before, after, found),
    }
}

/// Differences of values that have no levels in common: one is absent, or of another form.
fn unlike(field: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Difference>) {
    let [mut before, mut after] = [before, after].map(|value| {
        let mut leaves = BTreeMap::new();
        if let Some(value) = value {
            collect(field.to_owned(), value, &mut leaves);
        }
        leaves
    });
    let fields: BTreeSet<_> = before.keys().chain(after.keys()).cloned().collect();
    for field in fields {
        let (before, after) = (before.remove(&field), after.remove(&field));
        found.push(Difference { field, before, after });
    }
}

/// Everything at and below `field` that is not itself made of something. What is empty is a leaf too,
/// because it is not the same as nothing.
fn collect(field: String, value: &Value, leaves: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                collect(below(&field, key), value, leaves);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, value) in items.iter().enumerate() {
                collect(item(&field, index), value, leaves);
            }
        }
        leaf => {
            leaves.insert(field, shown(leaf));
        }
    }
}

fn shown(leaf: &Value) -> String {
    match leaf {
        Value::String(text) if is_veiled(text) => REDACTED.to_owned(),
        // Not as JSON, which leaves some control characters as they are.
        Value::String(text) => format!("{text:?}"),
        other => other.to_string(),
    }
}

fn below(field: &str, key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let dot = if field.is_empty() { "" } else { "." };
    if !key.is_empty() && key.chars().all(bare) {
        format!("{field}{dot}{key}")
    } else {
        format!("{field}{dot}{key:?}")
    }
}

fn item(field: &str, index: usize) -> String {
    format!("{field}[{index}]")
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |side: &Option<String>| side.as_deref().unwrap_or("absent").to_owned();
        write!(f, "{}: {} -> {}", self.field, side(&self.before), side(&self.after))
    }
}
