//! One operation.

use crate::document::foreign::{self, Node, Path, Value};
use crate::model::limits::MAX_DESCRIPTION;
use crate::model::{Api, ApiName, Verb};
use crate::openapi::reference::{entries, key, place};
use crate::openapi::{extension, name, path as paths};

use super::reading::Reading;
use super::{access, backend, form, parameter, response, root};

/// An operation of a description, and what it stands in.
#[derive(Clone, Copy, Debug)]
pub(in crate::openapi) struct Operation<'n> {
    pub(in crate::openapi) item: &'n Node<'n>,
    pub(in crate::openapi) node: &'n Node<'n>,
    pub(in crate::openapi) verb: Verb,
    pub(in crate::openapi) template: &'n str,
}

/// A draft, and what is the same for all that have the same requests.
pub(super) type Draft = (ApiName, Api, (Verb, String));

pub(super) fn read<'n>(
    reading: &mut Reading<'n>,
    operation: &Operation<'n>,
    path: &Path<'_>,
) -> Option<Draft> {
    root::vendor_keys(reading, operation.node, path);
    for (key, reason) in [
        ("callbacks", "are requests to others, which are not kept"),
        ("servers", "are not kept: the group's are"),
    ] {
        if let Some(node) = self::key(operation.node, key) {
            reading.warn(node.at, Path::Key(path, key), reason);
        }
    }
    let (api, skeleton) = native(reading, operation, path)?;
    let name = named(reading, operation, path, &api.path);
    let api = extended(reading, operation, path, &api)?;
    Some((name?, api, (operation.verb, skeleton)))
}

/// What an operation says in the words of OpenAPI and the modelled system; of our extension, only what
/// its path and its parameters depend on.
pub(in crate::openapi) fn native<'n>(
    reading: &mut Reading<'n>,
    operation: &Operation<'n>,
    path: &Path<'_>,
) -> Option<(Api, String)> {
    let Operation { node, verb, template, .. } = *operation;
    let own = match key(node, extension::API) {
        Some(_) => Some(reading.table(node, path, extension::API)?),
        None => None,
    };
    let own_path = &Path::Key(path, extension::API);
    let written = own.and_then(|own| reading.text(own, own_path, "path"));
    let escape = own.and_then(|own| reading.flag(own, own_path, "escape_path_param"));
    let route = match paths::route(template, written, escape) {
        Ok(route) => route,
        Err(reason) if written.is_some() => {
            reading.fault(
                own.map_or(node.at, |own| place(own, "path")),
                Path::Key(own_path, "path"),
                reason,
            );
            return None;
        }
        Err(reason) => {
            reading.fault(node.at, path, format!("its path {reason}"));
            return None;
        }
    };
    let mut api = Api::new(verb.as_str(), route.path);
    api.escape_path_param = route.escape;
    api.description = description(reading, operation, path);
    api.mode = reading.settings.mode;
    backend::read(reading, operation, path, &mut api);
    api.access = access::access(reading, operation, path);
    if own.is_none_or(|own| key(own, "parameter").is_none()) {
        api.parameters = parameter::all(reading, operation, path, &route.names);
        api.parameters.extend(form::parameters(reading, operation, path));
    }
    api.response = response::read(reading, operation, path).map(Box::new);
    Some((api, route.skeleton))
}

/// The draft with what our extension says in place of the rest.
fn extended<'n>(
    reading: &mut Reading<'n>,
    operation: &Operation<'n>,
    path: &Path<'_>,
    api: &Api,
) -> Option<Api> {
    let node = operation.node;
    let own = key(node, extension::API);
    let mut api = api.clone();
    if own.is_none_or(|own| key(own, "backend").is_none()) {
        let backend = &mut api.backend;
        if backend.service.is_none() && backend.inline.is_none() {
            backend.service.clone_from(&reading.settings.service);
        }
        if backend.service.is_none() && backend.inline.is_none() {
            let reason = "says no backend, and none was given for those that do not";
            reading.fault(node.at, path, reason);
            return None;
        }
    }
    let mut table = written(&api, node.at, own);
    let Some(own) = own else {
        let whole = Node::new(node.at, Value::Table(table));
        return foreign::api(whole, path, &mut reading.findings.faults);
    };
    let path = &Path::Key(path, extension::API);
    for (name, value) in entries(Some(own)).filter(|(_, node)| !matches!(node.value, Value::Null)) {
        if name == "method" {
            reading.fault(value.at, Path::Key(path, name), "is said by where the operation stands");
        } else {
            table.push((name.into(), value.clone()));
        }
    }
    foreign::api(Node::new(own.at, Value::Table(table)), path, &mut reading.findings.faults)
}

/// The entries of a value of the model that `instead` does not say.
pub(super) fn written<'n>(
    value: &impl serde::Serialize,
    at: u32,
    instead: Option<&'n Node<'n>>,
) -> foreign::Table<'n> {
    let Ok(serde_json::Value::Object(map)) = serde_json::to_value(value) else {
        return Vec::new();
    };
    let said = |name: &String| entries(instead).any(|(key, _)| key == name);
    let left = map.into_iter().filter(|(name, _)| name == "method" || !said(name));
    left.map(|(name, value)| (name.into(), foreign::node(value, at))).collect()
}

fn description<'n>(
    reading: &mut Reading<'n>,
    operation: &Operation<'n>,
    path: &Path<'_>,
) -> String {
    let whole = reading.text(operation.node, path, "description");
    let (key, text) = match (whole, reading.text(operation.node, path, "summary")) {
        (Some(text), _) => ("description", text),
        (None, Some(text)) => ("summary", text),
        (None, None) => return String::new(),
    };
    let kept: String = text.chars().take(MAX_DESCRIPTION).collect();
    if kept.len() < text.len() {
        let reason = format!("is longer than {MAX_DESCRIPTION} characters: the rest is not kept");
        reading.warn(place(operation.node, key), Path::Key(path, key), reason);
    }
    kept
}

fn named<'n>(
    reading: &mut Reading<'n>,
    operation: &Operation<'n>,
    path: &Path<'_>,
    route: &str,
) -> Option<ApiName> {
    let at = place(operation.node, "operationId");
    let id = match key(operation.node, "operationId") {
        Some(_) => Some(reading.text(operation.node, path, "operationId")?),
        None => None,
    };
    let name = match id {
        Some(id) => name::of_id(&reading.group, id),
        None => name::of_route(&reading.group, operation.verb.as_str(), route),
    };
    let Some(name) = name else {
        reading.fault(at, Path::Key(path, "operationId"), "cannot be made the name of an API");
        return None;
    };
    if id.is_some_and(|id| id != name.name()) {
        let reason = format!("cannot be the name of an API, which is {:?} instead", name.name());
        reading.warn(at, Path::Key(path, "operationId"), reason);
    }
    Some(name)
}
