//! Parameters.

use std::collections::BTreeSet;

use serde_json::{Map, Number, Value, json};

use super::operation::{Described, in_form};
use super::{difference, put};
use crate::document::foreign::{Path, node};
use crate::model::{Location, Parameter, ParameterType};
use crate::openapi::extension::{PARAMETER, POSITION};
use crate::openapi::import::{Import, Names, Read, of_body, of_list};

/// The parameters in the path, the query and headers, as far as OpenAPI has words for them.
pub(super) fn list(described: &Described<'_>, names: &Names, extensions: bool) -> Vec<Value> {
    let mut list = Vec::new();
    let mut keys = BTreeSet::new();
    for parameter in &described.api.parameters {
        let place = match parameter.location {
            Location::Query => "query",
            Location::Head => "header",
            Location::Path => "path",
            Location::Body => continue,
        };
        let there = names.iter().find(|(_, own)| *own == parameter.name && place == "path");
        let name = there.map_or(parameter.name.as_str(), |(there, _)| there.as_str());
        if let Some(value) = listed(described, parameter, (name, place), names, extensions) {
            keys.insert((name.to_owned(), place));
            list.push(value);
        }
    }
    for (name, _) in names {
        if !keys.contains(&(name.clone(), "path")) {
            let schema = json!({ "type": "string" });
            list.push(json!({ "name": name, "in": "path", "required": true, "schema": schema }));
        }
    }
    list
}

/// One of them; `None` if OpenAPI cannot have it.
fn listed(
    described: &Described<'_>,
    parameter: &Parameter,
    (name, place): (&str, &str),
    names: &Names,
    extensions: bool,
) -> Option<Value> {
    let mut value = json!({ "name": name, "in": place, "schema": schema(parameter) });
    if parameter.required || place == "path" {
        put(&mut value, "required", true);
    }
    if !parameter.description.is_empty() {
        put(&mut value, "description", parameter.description.as_str());
    }
    completed(parameter, value, extensions, |value| {
        read(described, value, |reading, node| match of_list(reading, node, &Path::Root, names)? {
            (_, Read::Kept(parameter)) => Some(Some(*parameter)),
            (_, Read::Plain) => Some(None),
            (_, Read::Lost) => None,
        })
    })
}

/// The form, if the API has parameters in one.
pub(super) fn form(described: &Described<'_>, extensions: bool) -> Option<Value> {
    let all: Vec<_> = in_form(described.api).collect();
    let needed = all.iter().any(|parameter| parameter.required);
    // A table has no order, neither here nor in many tools.
    let ordered = all.is_sorted_by_key(|parameter| &parameter.name);
    let mut properties = Map::new();
    for (position, parameter) in all.iter().enumerate() {
        let mut value = schema(parameter);
        if !parameter.description.is_empty() {
            put(&mut value, "description", parameter.description.as_str());
        }
        let required = parameter.required;
        let completed = completed(parameter, value, extensions, |value| {
            read(described, value, |reading, node| {
                let read = of_body(reading, &parameter.name, node, &Path::Root, required)?;
                Some(Some(read.1))
            })
        });
        let Some(mut value) = completed else {
            continue;
        };
        if !ordered && extensions {
            let own = value.get(PARAMETER).cloned();
            let mut own = own.unwrap_or_else(|| json!({}));
            put(&mut own, POSITION, position);
            put(&mut value, PARAMETER, own);
        }
        properties.insert(parameter.name.clone(), value);
    }
    if properties.is_empty() {
        return None;
    }
    let file = all.iter().any(|parameter| parameter.kind == ParameterType::File);
    let media = if file { "multipart/form-data" } else { "application/x-www-form-urlencoded" };
    let required = all.iter().filter(|parameter| parameter.required);
    let required: Vec<_> = required.map(|parameter| parameter.name.as_str()).collect();
    let mut schema = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        put(&mut schema, "required", required);
    }
    Some(json!({ "required": needed, "content": { media: { "schema": schema } } }))
}

/// The value with what it does not say in our extension. `read` says what an import reads of it: a
/// parameter, nothing because the path says it, or that it is none.
fn completed(
    parameter: &Parameter,
    mut value: Value,
    extensions: bool,
    read: impl Fn(&Value) -> Option<Option<Parameter>>,
) -> Option<Value> {
    let said = read(&value);
    if !extensions {
        return said.map(|_| value);
    }
    if said?.as_ref() == Some(parameter) {
        return Some(value);
    }
    put(&mut value, PARAMETER, json!({}));
    let written = |parameter: &Parameter| serde_json::to_value(parameter).ok();
    let mut rest = difference(&written(&read(&value)??)?, &written(parameter)?);
    rest.remove("name");
    put(&mut value, PARAMETER, rest);
    (read(&value)?.as_ref() == Some(parameter)).then_some(value)
}

fn read<T>(
    described: &Described<'_>,
    value: &Value,
    read: impl for<'n> FnOnce(
        &mut crate::openapi::import::Reading<'n>,
        &'n crate::document::foreign::Node<'n>,
    ) -> Option<T>,
) -> Option<T> {
    let settings = Import::new(described.group.as_str());
    let (root, node) = (node(Value::Null, 0), node(value.clone(), 0));
    let mut reading = settings.reading(&root, described.group.clone());
    let read = read(&mut reading, &node);
    read.filter(|_| reading.findings.faults.count() == 0)
}

/// What a parameter may be, as far as a schema can say it.
fn schema(parameter: &Parameter) -> Value {
    let mut schema = kind(parameter.kind);
    if parameter.kind == ParameterType::Array {
        put(&mut schema, "items", parameter.items.map_or_else(|| json!({}), kind));
    }
    if parameter.schema.is_some() {
        // It says what the text holds, not what the text is.
        return schema;
    }
    let own = |text: &String| value(parameter.kind, text);
    if let Some(default) = parameter.default.as_ref().and_then(own) {
        put(&mut schema, "default", default);
    }
    let choices: Option<Vec<_>> = parameter.choices.iter().map(own).collect();
    if let Some(choices) = choices.filter(|choices| !choices.is_empty()) {
        put(&mut schema, "enum", choices);
    }
    let number = |bound: &Option<Number>| bound.clone().map(Value::Number);
    let count = |bound: Option<u32>| bound.map(Value::from);
    for (keyword, value) in [
        ("minimum", number(&parameter.min)),
        ("maximum", number(&parameter.max)),
        ("minLength", count(parameter.min_length)),
        ("maxLength", count(parameter.max_length)),
        ("pattern", parameter.pattern.clone().map(Value::String)),
    ] {
        if let Some(value) = value {
            put(&mut schema, keyword, value);
        }
    }
    schema
}

fn kind(kind: ParameterType) -> Value {
    match kind {
        ParameterType::String => json!({ "type": "string" }),
        ParameterType::Int => json!({ "type": "integer", "format": "int32" }),
        ParameterType::Long => json!({ "type": "integer", "format": "int64" }),
        ParameterType::Float => json!({ "type": "number", "format": "float" }),
        ParameterType::Double => json!({ "type": "number", "format": "double" }),
        ParameterType::Boolean => json!({ "type": "boolean" }),
        ParameterType::Array => json!({ "type": "array", "items": {} }),
        ParameterType::File => json!({ "type": "string", "format": "binary" }),
    }
}

/// A value as its type writes it; `None` if it is not of it.
fn value(kind: ParameterType, text: &str) -> Option<Value> {
    match kind {
        ParameterType::String => Some(text.into()),
        ParameterType::Int | ParameterType::Long => text.parse::<i64>().ok().map(Value::from),
        ParameterType::Float | ParameterType::Double => {
            text.parse::<f64>().ok().and_then(Number::from_f64).map(Value::Number)
        }
        ParameterType::Boolean => text.parse::<bool>().ok().map(Value::Bool),
        ParameterType::Array | ParameterType::File => None,
    }
}
