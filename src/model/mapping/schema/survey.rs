//! What a schema costs whoever follows it: measured before it is compiled.
//!
//! To follow a schema is to recurse: into the value, and on the spot, where a schema is made of others.
//! The product of both is the stack it takes, which must be there.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use crate::model::limits::{MAX_SCHEMA_CHAIN, MAX_SCHEMA_DEPTH};

/// What stands in a schema.
#[derive(Debug)]
pub(super) struct Survey {
    /// Its patterns.
    pub(super) patterns: usize,
}

/// Keywords whose schemas are about the same value.
const ON_THE_SPOT: [&str; 9] =
    ["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies"];
/// Keywords whose schemas are about a part of it, or about nothing until they are referred to.
const INTO_IT: [&str; 13] = [
    "properties",
    "patternProperties",
    "$defs",
    "definitions",
    "prefixItems",
    "items",
    "additionalItems",
    "additionalProperties",
    "contains",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contentSchema",
];
/// Keywords whose value is an object of schemas; of the others it is a schema, or a list of them.
const OBJECTS: [&str; 6] =
    ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"];
const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];
/// Keywords that name a schema by a URI; of draft 4 the second.
const URIS: [&str; 2] = ["$id", "id"];
/// Keywords that name a schema within one that has a URI.
const ANCHORS: [&str; 2] = ["$anchor", "$dynamicAnchor"];

/// Characters of a reference that are told.
const MAX_TOLD: usize = 100;

type Table = Map<String, Value>;

impl Survey {
    /// Looks at a whole schema. Whether it is one, the compiler says; what is none is passed over.
    pub(super) fn of(root: &Value) -> Result<Self, String> {
        if !is_within(root, MAX_SCHEMA_DEPTH) {
            return Err(format!("has more than {MAX_SCHEMA_DEPTH} levels"));
        }
        let Value::Object(table) = root else {
            return Ok(Self { patterns: 0 });
        };
        let mut surveyor = Surveyor { bases: vec![root], ..Surveyor::default() };
        surveyor.name(root);
        surveyor.find(table);
        let mut patterns = 0;
        for table in surveyor.tables.clone() {
            if let Some(reference) = references(table).find(|it| surveyor.is_outside(it)) {
                let reference: String = reference.chars().take(MAX_TOLD).collect();
                return Err(format!("refers to {reference:?}, which does not stand in it"));
            }
            surveyor.chain(table, 0)?;
            let more =
                table.get("patternProperties").and_then(Value::as_object).map_or(0, Map::len);
            patterns += more + usize::from(table.contains_key("pattern"));
        }
        Ok(Self { patterns })
    }
}

fn is_within(value: &Value, levels: usize) -> bool {
    let inner = |value| levels.checked_sub(1).is_some_and(|levels| is_within(value, levels));
    match value {
        Value::Array(list) => list.iter().all(inner),
        Value::Object(table) => table.values().all(inner),
        _ => true,
    }
}

#[derive(Default)]
struct Surveyor<'s> {
    /// The whole, and every schema with a URI: what the places in a reference are counted from.
    bases: Vec<&'s Value>,
    anchored: Vec<&'s Table>,
    /// All schemas that are objects, each once.
    tables: Vec<&'s Table>,
    /// How many schemas in a row are about one value, from each on; `None` while that is looked for.
    chains: HashMap<*const Table, Option<usize>>,
}

impl<'s> Surveyor<'s> {
    /// Finds what has a name.
    fn name(&mut self, value: &'s Value) {
        if let Value::Object(table) = value {
            if uri(value).is_some() {
                self.bases.push(value);
            }
            if ANCHORS.iter().any(|keyword| table.contains_key(*keyword)) {
                self.anchored.push(table);
            }
            table.values().for_each(|value| self.name(value));
        } else if let Value::Array(list) = value {
            list.iter().for_each(|value| self.name(value));
        }
    }

    /// Finds every schema, also those that are nowhere but referred to.
    fn find(&mut self, root: &'s Table) {
        let mut found = HashSet::from([std::ptr::from_ref(root)]);
        let mut waiting = vec![root];
        while let Some(table) = waiting.pop() {
            self.tables.push(table);
            let inner = schemas(table, &INTO_IT).chain(self.on_the_spot(table));
            for next in inner {
                if found.insert(std::ptr::from_ref(next)) {
                    waiting.push(next);
                }
            }
        }
    }

    /// The most schemas in a row, from this on, that are about the same value.
    fn chain(&mut self, table: &'s Table, above: usize) -> Result<usize, String> {
        let key = std::ptr::from_ref(table);
        match self.chains.get(&key) {
            Some(Some(chain)) => return Ok(*chain),
            Some(None) => return Err("refers to itself without going into the value".to_owned()),
            None => self.chains.insert(key, None),
        };
        let too_long =
            || format!("has more than {MAX_SCHEMA_CHAIN} schemas in a row for one value");
        if above >= MAX_SCHEMA_CHAIN {
            return Err(too_long());
        }
        let mut longest = 0;
        for next in self.on_the_spot(table) {
            longest = longest.max(self.chain(next, above + 1)?);
        }
        if longest >= MAX_SCHEMA_CHAIN {
            return Err(too_long());
        }
        self.chains.insert(key, Some(longest + 1));
        Ok(longest + 1)
    }

    /// The schemas that are about the same value as this.
    fn on_the_spot(&self, table: &'s Table) -> Vec<&'s Table> {
        let mut next: Vec<_> = schemas(table, &ON_THE_SPOT).collect();
        for reference in references(table) {
            next.extend(self.targets(reference));
        }
        next
    }

    /// Whether a reference names a document that nothing here is called by.
    fn is_outside(&self, reference: &str) -> bool {
        let document = reference.split('#').next().unwrap_or_default();
        let is_meant = |base: &&Value| uri(base).is_some_and(|uri| last(uri) == last(document));
        !document.is_empty() && !self.bases.iter().any(is_meant)
    }

    /// What a reference may mean: at least what it does.
    fn targets(&self, reference: &str) -> Vec<&'s Table> {
        let (document, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let is_meant = |base: &&&Value| {
            document.is_empty() || uri(base).is_some_and(|uri| last(uri) == last(document))
        };
        let bases: Vec<_> = self.bases.iter().filter(is_meant).collect();
        if fragment.is_empty() || fragment.starts_with('/') {
            let place = decoded(fragment).unwrap_or_default();
            return bases.iter().filter_map(|base| base.pointer(&place)?.as_object()).collect();
        }
        let called = |table: &&&Table| {
            ANCHORS.iter().any(|name| table.get(*name).and_then(Value::as_str) == Some(fragment))
        };
        let by_anchor = self.anchored.iter().filter(called).copied();
        // Of drafts 4 to 7.
        let by_uri = self
            .bases
            .iter()
            .filter(|base| uri(base).and_then(|uri| uri.strip_prefix('#')) == Some(fragment));
        by_anchor.chain(by_uri.filter_map(|base| base.as_object())).collect()
    }
}

/// What a schema refers to.
fn references(table: &Table) -> impl Iterator<Item = &str> {
    REFERENCES.iter().filter_map(|keyword| table.get(*keyword)?.as_str())
}

/// The URI that a schema is called by.
fn uri(schema: &Value) -> Option<&str> {
    URIS.iter().find_map(|keyword| schema.get(*keyword)?.as_str())
}

/// The last segment of a URI without its fragment: however it is written, that stays.
fn last(uri: &str) -> &str {
    let path = uri.split('#').next().unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default()
}

/// The schemas of these keywords that are objects.
fn schemas<'s>(table: &'s Table, keywords: &'static [&str]) -> impl Iterator<Item = &'s Table> {
    let all = keywords.iter().filter_map(|keyword| Some((keyword, table.get(*keyword)?)));
    let each = |(keyword, value): (&&str, &'s Value)| -> Vec<&'s Value> {
        match value {
            Value::Array(list) => list.iter().collect(),
            Value::Object(table) if OBJECTS.contains(keyword) => table.values().collect(),
            value => vec![value],
        }
    };
    all.flat_map(each).filter_map(Value::as_object)
}

/// A pointer in a fragment, where bytes may be percent-encoded (RFC 6901 section 6).
fn decoded(pointer: &str) -> Option<String> {
    let mut parts = pointer.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}
