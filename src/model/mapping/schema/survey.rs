//! What a schema costs whoever follows it: measured before it is compiled.
//!
//! To follow a schema is to recurse: into the value, and on the spot, where a schema is made of others.
//! The product of both is the stack it takes, which must be there.

use std::collections::HashMap;

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
/// Keywords that give a schema a name to refer to.
const NAMES: [&str; 5] = ["$id", "id", "$anchor", "$dynamicAnchor", "$recursiveAnchor"];

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
        let mut surveyor = Surveyor { root, tables: Vec::new(), chains: HashMap::new() };
        surveyor.find(table);
        let mut patterns = 0;
        for table in surveyor.tables.clone() {
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

struct Surveyor<'s> {
    root: &'s Value,
    /// All schemas that are objects, each once.
    tables: Vec<&'s Table>,
    /// How many schemas in a row are about one value, from each on; `None` while that is looked for.
    chains: HashMap<*const Table, Option<usize>>,
}

impl<'s> Surveyor<'s> {
    /// Finds every schema, also those that are nowhere but referred to.
    fn find(&mut self, root: &'s Table) {
        let mut found = HashMap::from([(std::ptr::from_ref(root), ())]);
        let mut waiting = vec![root];
        while let Some(table) = waiting.pop() {
            self.tables.push(table);
            let inner = schemas(table, &INTO_IT).chain(schemas(table, &ON_THE_SPOT));
            for next in inner.chain(self.by_pointer(table)) {
                if found.insert(std::ptr::from_ref(next), ()).is_none() {
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
        let mut next: Vec<_> = schemas(table, &ON_THE_SPOT).chain(self.by_pointer(table)).collect();
        if REFERENCES.iter().any(|keyword| is_by_name(table, keyword)) {
            // Which of them is meant, takes more than to look. Any may be.
            let named = |table: &&&Table| NAMES.iter().any(|name| table.contains_key(*name));
            next.extend(self.tables.iter().filter(named).filter(|other| !same(other, table)));
        }
        let mut longest = 0;
        for next in next {
            longest = longest.max(self.chain(next, above + 1)?);
        }
        if longest >= MAX_SCHEMA_CHAIN {
            return Err(too_long());
        }
        self.chains.insert(key, Some(longest + 1));
        Ok(longest + 1)
    }

    /// What a schema refers to by where it stands.
    fn by_pointer(&self, table: &'s Table) -> impl Iterator<Item = &'s Table> + use<'s> {
        let root = self.root;
        let target = move |keyword: &&str| {
            let pointer = table.get(*keyword)?.as_str()?.strip_prefix('#')?;
            root.pointer(&decoded(pointer)?)?.as_object()
        };
        REFERENCES.iter().filter_map(target)
    }
}

fn same(one: &Table, other: &Table) -> bool {
    std::ptr::eq(one, other)
}

/// Whether a schema refers to another by a name.
fn is_by_name(table: &Table, keyword: &str) -> bool {
    let name = table.get(keyword).and_then(Value::as_str);
    name.is_some_and(|name| !(name == "#" || name.starts_with("#/")))
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
