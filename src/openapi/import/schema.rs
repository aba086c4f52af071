//! What a parameter may be, by its schema.

use crate::document::foreign::{Node, Path, Value};
use crate::model::{Location, Parameter, ParameterType};
use crate::openapi::limits::MAX_REFERENCES;
use crate::openapi::reference::{entries, key, place};

use super::reading::Reading;

/// Keywords that say more than a parameter can be told.
const LOST: [&str; 12] = [
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "multipleOf",
    "minItems",
    "maxItems",
    "uniqueItems",
    "contains",
    "minProperties",
    "maxProperties",
];
/// Those of items that it cannot be told either.
const LOST_OF_ITEMS: [&str; 9] = [
    "enum",
    "const",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
];

/// Reads a schema into a parameter; `None` if no parameter can be what it says.
pub(super) fn read<'n>(
    reading: &mut Reading<'n>,
    node: &'n Node<'n>,
    path: &Path<'_>,
    parameter: &mut Parameter,
) -> Option<()> {
    within(reading, node, path, parameter, 0)
}

/// The same, of a schema that stands alone in another's `allOf`, as many tools write a reference.
fn within<'n>(
    reading: &mut Reading<'n>,
    node: &'n Node<'n>,
    path: &Path<'_>,
    parameter: &mut Parameter,
    depth: usize,
) -> Option<()> {
    if key(node, "type").is_none()
        && let [only] = reading.list(node, path, "allOf")
        && depth < MAX_REFERENCES
    {
        let path = &Path::Key(path, "allOf");
        return reading.referred(only, &Path::Index(path, 0), "schemas", |reading, node, path| {
            within(reading, node, path, parameter, depth + 1)
        });
    }
    parameter.kind = kind(reading, node, path, parameter.location)?;
    if parameter.kind == ParameterType::Array
        && let Some(items) = reading.table(node, path, "items")
    {
        let path = &Path::Key(path, "items");
        parameter.items = reading.referred(items, path, "schemas", |reading, node, path| {
            lost(reading, node, path, &LOST_OF_ITEMS);
            key(node, "type")?;
            kind(reading, node, path, parameter.location)
        });
    }
    lost(reading, node, path, &LOST);
    values(reading, node, path, parameter);
    bounds(reading, node, path, parameter);
    parameter.min_length = count(reading, node, path, "minLength");
    parameter.max_length = count(reading, node, path, "maxLength");
    parameter.pattern = reading.text(node, path, "pattern").map(str::to_owned);
    Some(())
}

fn lost<'n>(reading: &mut Reading<'n>, node: &'n Node<'n>, path: &Path<'_>, keywords: &[&str]) {
    for keyword in keywords {
        if let Some(value) = key(node, keyword) {
            reading.warn(value.at, Path::Key(path, keyword), "is not kept");
        }
    }
}

fn kind<'n>(
    reading: &mut Reading<'n>,
    node: &'n Node<'n>,
    path: &Path<'_>,
    location: Location,
) -> Option<ParameterType> {
    let at = &Path::Key(path, "type");
    let name = match key(node, "type").map(|node| (node.at, &node.value)) {
        None if key(node, "properties").is_some() => "object",
        None => return Some(ParameterType::String),
        Some((_, Value::Text(text))) => text.as_ref(),
        Some((line, Value::List(list))) => alone(reading, list, line, at),
        Some((line, other)) => {
            reading.fault(line, at, other.instead_of("the name of a type"));
            return None;
        }
    };
    let format = reading.text(node, path, "format").unwrap_or_default();
    let media = key(node, "contentMediaType").is_some();
    Some(match name {
        "string" if location == Location::Body && (format == "binary" || media) => {
            ParameterType::File
        }
        "string" => ParameterType::String,
        "integer" if format == "int32" => ParameterType::Int,
        "integer" => ParameterType::Long,
        "number" if format == "float" => ParameterType::Float,
        "number" => ParameterType::Double,
        "boolean" => ParameterType::Boolean,
        "array" => ParameterType::Array,
        "object" => {
            reading.warn(node.at, path, "is an object, which is not kept");
            return None;
        }
        _ => {
            let shown: String = name.chars().take(80).collect();
            reading.fault(place(node, "type"), at, format!("{shown:?} is not a type"));
            return None;
        }
    })
}

/// The only type in a list beside null; any text, if there are several.
fn alone<'n>(
    reading: &mut Reading<'n>,
    list: &'n [Node<'n>],
    line: u32,
    path: &Path<'_>,
) -> &'n str {
    let mut names = list.iter().filter_map(|node| match &node.value {
        Value::Text(text) if text != "null" => Some(text.as_ref()),
        _ => None,
    });
    match (names.next(), names.next()) {
        (Some(only), None) => only,
        _ => {
            reading.warn(line, path, "is not one type: any text is taken");
            "string"
        }
    }
}

fn values<'n>(
    reading: &mut Reading<'n>,
    node: &'n Node<'n>,
    path: &Path<'_>,
    parameter: &mut Parameter,
) {
    if let Some(default) = key(node, "default") {
        parameter.default = text(default);
        if parameter.default.is_none() {
            reading.warn(
                default.at,
                Path::Key(path, "default"),
                "is not kept: it is not one value",
            );
        }
    }
    let choices = reading.list(node, path, "enum").iter().chain(key(node, "const"));
    for choice in choices.filter(|choice| !matches!(choice.value, Value::Null)) {
        match text(choice) {
            Some(text) => parameter.choices.push(text),
            None => {
                reading.fault(choice.at, Path::Key(path, "enum"), "has more than single values")
            }
        }
    }
}

fn text(node: &Node<'_>) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(text.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

fn bounds<'n>(
    reading: &mut Reading<'n>,
    node: &'n Node<'n>,
    path: &Path<'_>,
    parameter: &mut Parameter,
) {
    let whole = matches!(parameter.kind, ParameterType::Int | ParameterType::Long);
    parameter.min = bound(reading, node, path, ("minimum", "exclusiveMinimum", 1), whole);
    parameter.max = bound(reading, node, path, ("maximum", "exclusiveMaximum", -1), whole);
}

/// A bound that itself is within. One that is not is the next whole number, where there is one.
fn bound<'n>(
    reading: &mut Reading<'n>,
    node: &'n Node<'n>,
    path: &Path<'_>,
    (name, exclusive, step): (&str, &str, i64),
    whole: bool,
) -> Option<serde_json::Number> {
    let mut number = |name: &str| match key(node, name).map(|node| (node.at, &node.value)) {
        None | Some((_, Value::Bool(_))) => None,
        Some((_, Value::Number(number))) => Some(number.clone()),
        Some((line, other)) => {
            reading.fault(line, Path::Key(path, name), other.instead_of("a number"));
            None
        }
    };
    let (included, own) = (number(name), number(exclusive));
    let said = key(node, exclusive).is_some_and(|node| matches!(node.value, Value::Bool(true)));
    let excluded = if said { included.clone() } else { own };
    let Some(excluded) = excluded else {
        return included;
    };
    if let Some(next) = excluded.as_i64().filter(|_| whole).and_then(|n| n.checked_add(step)) {
        return Some(next.into());
    }
    reading.warn(
        place(node, exclusive),
        Path::Key(path, exclusive),
        "is kept as a bound that is within",
    );
    Some(excluded)
}

fn count<'n>(
    reading: &mut Reading<'n>,
    node: &'n Node<'n>,
    path: &Path<'_>,
    name: &str,
) -> Option<u32> {
    let value = key(node, name)?;
    let count = match &value.value {
        Value::Number(number) => number.as_u64().and_then(|count| u32::try_from(count).ok()),
        _ => None,
    };
    if count.is_none() {
        let reason = format!("is not a whole number up to {}", u32::MAX);
        reading.fault(value.at, Path::Key(path, name), reason);
    }
    count
}

/// The names in a list, for looking them up.
pub(super) fn names<'n>(list: &'n [Node<'n>]) -> std::collections::HashSet<&'n str> {
    let names = list.iter().filter_map(|node| match &node.value {
        Value::Text(text) => Some(text.as_ref()),
        _ => None,
    });
    names.collect()
}

/// The properties of an object; what else it says of them is lost.
pub(super) fn properties<'n>(
    reading: &mut Reading<'n>,
    node: &'n Node<'n>,
    path: &Path<'_>,
) -> Vec<(&'n str, &'n Node<'n>)> {
    lost(reading, node, path, &LOST);
    entries(reading.table(node, path, "properties")).collect()
}
