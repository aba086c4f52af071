//! Reads APIs.

use serde::Deserialize;

use super::fault::Faults;
use super::read::Element;
use super::reader::{Reader, Wrong};
use super::row::Row;
use super::tree::{Node, Path, Value};
use super::{ApiEntry, definition, element};
use crate::model::id::ServiceId;
use crate::model::{Api, ApiName, Definition, GroupName, InvalidDefinition, ServiceName, Version};

/// Reads an element of `[[api]]`, and where its name stands.
pub(super) fn entry(mut row: Row<'_, '_>, faults: &mut Faults<'_>) -> Element<ApiName, ApiEntry> {
    let group: Option<GroupName> = row.required("group", faults).map(|(_, group)| group);
    let name = row.required_text("name", faults);
    let name = name.and_then(|(at, text)| named(&row, "name", at, &text, group.as_ref(), faults));
    let old = row.text("renamed_from", faults);
    let old =
        old.and_then(|(at, text)| named(&row, "renamed_from", at, &text, group.as_ref(), faults));
    let publish = row.environments("publish", faults);
    let version = row.by_environment("version", faults, |node, path, faults| {
        read(Row::of(node, path, faults)?, faults)
    });
    let api = read(row, faults);
    let key = group.and(name);
    let renamed_from = old.map(|(_, name)| name);
    let entry = key.clone().zip(api).map(|((_, name), api)| ApiEntry {
        name,
        renamed_from,
        publish,
        version,
        api,
    });
    (key, entry)
}

/// The name of an API in a group.
fn named(
    row: &Row<'_, '_>,
    key: &str,
    at: u32,
    text: &str,
    group: Option<&GroupName>,
    faults: &mut Faults<'_>,
) -> Option<(u32, ApiName)> {
    // What a name may be does not depend on the group.
    let group = group.cloned().or_else(|| "any".parse().ok())?;
    match ApiName::new(group, text) {
        Ok(name) => Some((at, name)),
        Err(error) => {
            faults.tell(at, Path::Key(row.path, key), error.to_string());
            None
        }
    }
}

/// Reads an API from the keys that are its own.
pub(super) fn read(mut row: Row<'_, '_>, faults: &mut Faults<'_>) -> Option<Api> {
    let before = faults.count();
    let inline = row.take("backend").and_then(|node| {
        let (node, inline) = backend(node, row.path, faults);
        row.put("backend", node);
        inline
    });
    let path = row.path;
    let api = element::read(&mut row.node(), path, faults, |node| {
        let mut api = Api::deserialize(Reader(node))?;
        if was_told(node, "path") {
            "/".clone_into(&mut api.path);
            // What is wrong with it may come from the request's path.
            api.backend.path = None;
            (api.parameters, api.constants, api.system) = Default::default();
        }
        if was_told(node, "method") {
            "ANY".clone_into(&mut api.method);
        }
        check(&api).map_err(|error| Wrong::checked(node, error))?;
        Ok(api)
    });
    let mut api = api?;
    api.backend.inline = inline.map(Box::new);
    (faults.count() == before).then_some(api)
}

/// Whether a key is there only because it was told to be wrong or missing.
fn was_told(node: &Node<'_>, key: &str) -> bool {
    let found = node.step(key);
    found.is_some_and(|(_, inner, _)| matches!(inner.value, Value::Any))
}

/// Whether all but its own definition can be accepted.
fn check(api: &Api) -> Result<(), InvalidDefinition> {
    // Which service it is, only the registry knows.
    Version::accept(api, Some(ServiceId::new(0))).map(drop)
}

/// Keys of a backend that are the API's, where the keys of a definition stand beside them.
fn is_own(key: &str, node: &Node<'_>) -> bool {
    match key {
        "path" | "method" | "timeout" | "content_type" | "oss" | "event" => true,
        // A table says what of the function is called, text names it.
        "function" => matches!(node.value, Value::Table(_)),
        _ => false,
    }
}

/// Separates a definition from the backend it stands in, and reads it.
fn backend<'t>(
    node: Node<'t>,
    path: &Path<'_>,
    faults: &mut Faults<'_>,
) -> (Node<'t>, Option<Definition>) {
    let path = Path::Key(path, "backend");
    if !matches!(node.value, Value::Table(_)) {
        return (node, None);
    }
    let at = node.at;
    let Some(mut row) = Row::of(node, &path, faults) else {
        return (Node::new(at, Value::Gone), None);
    };
    if row.has("kind") {
        let inline = row.split(|key, node| !is_own(key, node));
        let inline = definition::read(inline, None, &path, faults);
        return (row.node(), inline);
    }
    let Some(inline) = row.take("inline") else {
        if !row.has("service") {
            faults.tell(at, path, "has neither a service nor a kind");
        }
        check_service(&mut row, faults);
        return (row.node(), None);
    };
    if row.has("service") {
        faults.tell(at, path, "has both a service and a definition");
    }
    let inline = definition::read(inline, None, &Path::Key(&path, "inline"), faults);
    (row.node(), inline)
}

/// Whether a service can have the name.
fn check_service(row: &mut Row<'_, '_>, faults: &mut Faults<'_>) {
    let Some(node) = row.take("service") else {
        return;
    };
    if let Value::Text(name) = &node.value
        && let Err(error) = name.parse::<ServiceName>()
    {
        faults.tell(node.at, Path::Key(row.path, "service"), error.to_string());
        return;
    }
    row.put("service", node);
}
