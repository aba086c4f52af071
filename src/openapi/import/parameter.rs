//! Parameters in the path, in the query and in headers.

use std::collections::HashSet;

use crate::document::foreign::{self, Node, Path, Value};
use crate::model::limits::MAX_PARAMETERS;
use crate::model::{Location, Parameter};
use crate::openapi::extension::{PARAMETER, POSITION};
use crate::openapi::reference::{entries, key, place as line};

use super::operation::{self, Operation};
use super::reading::Reading;
use super::schema;

/// How the parameters of a path are called in the template and in the API's path.
pub(in crate::openapi) type Names = [(String, String)];

/// What was read of a parameter.
#[derive(Debug)]
pub(in crate::openapi) enum Read {
    /// This.
    Kept(Box<Parameter>),
    /// It is any text in the path, which says so itself.
    Plain,
    /// It cannot be kept, which was told.
    Lost,
}

/// By which a parameter is known: its name and its place.
type Key<'n> = (&'n str, &'n str);

/// The parameters of an operation, those of its path first, unless it has its own instead.
pub(super) fn all<'n>(
    reading: &mut Reading<'n>,
    operation: &Operation<'n>,
    path: &Path<'_>,
    names: &Names,
) -> Vec<Parameter> {
    let own = list(reading, operation.node, path, names);
    // The operation stands in its path's table.
    let around = match path {
        Path::Key(around, _) | Path::Index(around, _) => **around,
        Path::Root => Path::Root,
    };
    let mut all = list(reading, operation.item, &around, names);
    let keys: HashSet<_> = own.iter().map(|(key, _)| *key).collect();
    all.retain(|(key, _)| !keys.contains(key));
    all.extend(own);
    for (name, _) in names {
        if !all.iter().any(|(key, _)| *key == (name.as_str(), "path")) {
            let reason = format!("does not describe the parameter {name:?} of its path");
            reading.warn(operation.node.at, path, reason);
        }
    }
    all.into_iter()
        .filter_map(|(_, read)| match read {
            Read::Kept(parameter) => Some(*parameter),
            Read::Plain | Read::Lost => None,
        })
        .collect()
}

fn list<'n>(
    reading: &mut Reading<'n>,
    of: &'n Node<'n>,
    path: &Path<'_>,
    names: &Names,
) -> Vec<(Key<'n>, Read)> {
    let list = reading.list(of, path, "parameters");
    let path = Path::Key(path, "parameters");
    if list.len() > MAX_PARAMETERS {
        reading.fault(of.at, path, format!("are more than {MAX_PARAMETERS}"));
        return Vec::new();
    }
    let (mut all, mut keys) = (Vec::new(), HashSet::new());
    for (index, node) in list.iter().enumerate() {
        let path = Path::Index(&path, index);
        let read = reading.referred(node, &path, "parameters", |reading, node, path| {
            of_list(reading, node, path, names)
        });
        let Some((key, read)) = read else {
            continue;
        };
        if keys.insert(key) {
            all.push((key, read));
        } else {
            reading.fault(node.at, path, format!("stands there twice: {:?} in {}", key.0, key.1));
        }
    }
    all
}

/// Reads a parameter of a list.
pub(in crate::openapi) fn of_list<'n>(
    reading: &mut Reading<'n>,
    node: &'n Node<'n>,
    path: &Path<'_>,
    names: &Names,
) -> Option<(Key<'n>, Read)> {
    let name = required(reading, node, path, "name")?;
    let place = required(reading, node, path, "in")?;
    let lost = Some(((name, place), Read::Lost));
    let location = match place {
        "query" => Location::Query,
        "header" if is_reserved(name) => {
            reading.warn(node.at, path, "is not read: OpenAPI gives it no meaning");
            return lost;
        }
        "header" => Location::Head,
        "path" => Location::Path,
        "cookie" => {
            reading.warn(node.at, path, "is a cookie, which is not kept");
            return lost;
        }
        _ => {
            let reason = "is none of path, query, header, cookie";
            reading.fault(line(node, "in"), Path::Key(path, "in"), reason);
            return None;
        }
    };
    let mut parameter = Parameter::new(name, location);
    if location == Location::Path {
        let Some((_, own)) = names.iter().find(|(there, _)| there == name) else {
            reading.fault(line(node, "name"), Path::Key(path, "name"), "is not in the path");
            return None;
        };
        parameter.name.clone_from(own);
        parameter.required = true;
    }
    parameter.required |= reading.flag(node, path, "required").unwrap_or(false);
    if let Some(text) = reading.text(node, path, "description") {
        text.clone_into(&mut parameter.description);
    }
    if described(reading, node, path, &mut parameter).is_none() {
        return lost;
    }
    let plain = location == Location::Path
        && parameter.is_plain()
        && parameter.description.is_empty()
        && key(node, PARAMETER).is_none();
    if plain {
        return Some(((name, place), Read::Plain));
    }
    let parameter = overlaid(reading, node, path, parameter)?;
    Some(((name, place), Read::Kept(Box::new(parameter))))
}

/// Reads what a parameter of a list may be.
fn described<'n>(
    reading: &mut Reading<'n>,
    node: &'n Node<'n>,
    path: &Path<'_>,
    parameter: &mut Parameter,
) -> Option<()> {
    if let Some(style) = key(node, "style")
        && !matches!(&style.value, Value::Text(text) if matches!(text.as_ref(), "form" | "simple"))
    {
        reading.warn(style.at, Path::Key(path, "style"), "is not kept");
    }
    if let Some(content) = key(node, "content") {
        let reason = "is not kept: the parameter is any text";
        reading.warn(content.at, Path::Key(path, "content"), reason);
    }
    let Some(schema) = key(node, "schema") else {
        return Some(());
    };
    let path = &Path::Key(path, "schema");
    reading.referred(schema, path, "schemas", |reading, node, path| {
        schema::read(reading, node, path, parameter)
    })
}

/// Reads a parameter that is a property of a form, and its place among them.
pub(in crate::openapi) fn of_body<'n>(
    reading: &mut Reading<'n>,
    name: &str,
    node: &'n Node<'n>,
    path: &Path<'_>,
    required: bool,
) -> Option<(u64, Parameter)> {
    let mut parameter = Parameter::new(name, Location::Body);
    parameter.required = required;
    reading.referred(node, path, "schemas", |reading, node, path| {
        if let Some(text) = reading.text(node, path, "description") {
            text.clone_into(&mut parameter.description);
        }
        schema::read(reading, node, path, &mut parameter)?;
        let position = key(node, PARAMETER).and_then(|own| key(own, POSITION));
        let position = position.and_then(|node| match &node.value {
            Value::Number(number) => number.as_u64(),
            _ => None,
        });
        let parameter = overlaid(reading, node, path, parameter)?;
        Some((position.unwrap_or(u64::MAX), parameter))
    })
}

/// The parameter with what our extension says in place of the rest.
fn overlaid<'n>(
    reading: &mut Reading<'n>,
    node: &'n Node<'n>,
    path: &Path<'_>,
    parameter: Parameter,
) -> Option<Parameter> {
    if key(node, PARAMETER).is_none() {
        return Some(parameter);
    }
    let own = reading.table(node, path, PARAMETER)?;
    let path = &Path::Key(path, PARAMETER);
    let mut table = operation::written(&parameter, own.at, Some(own));
    for (name, value) in entries(Some(own)) {
        match name {
            POSITION => {}
            "name" | "in" => {
                reading.fault(value.at, Path::Key(path, name), "is said outside of the extension");
                return None;
            }
            _ if matches!(value.value, Value::Null) => {}
            _ => table.push((name.into(), value.clone())),
        }
    }
    foreign::element(Node::new(own.at, Value::Table(table)), path, &mut reading.findings.faults)
}

/// The text under a key that must be there, and not empty.
fn required<'n>(
    reading: &mut Reading<'n>,
    node: &'n Node<'n>,
    path: &Path<'_>,
    name: &str,
) -> Option<&'n str> {
    let text = match key(node, name) {
        Some(_) => reading.text(node, path, name)?,
        None => "",
    };
    if text.is_empty() {
        reading.fault(node.at, Path::Key(path, name), "is required");
        return None;
    }
    Some(text)
}

/// Headers that OpenAPI describes elsewhere, and nowhere as parameters (3.0.3, Parameter Object).
fn is_reserved(name: &str) -> bool {
    ["accept", "content-type", "authorization"].iter().any(|known| name.eq_ignore_ascii_case(known))
}
