//! Reads a document from its tree.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::element;
use super::fault::Faults;
use super::reader::{Reader, UNKNOWN_KEY, Wrong};
use super::rest;
use super::row::Row;
use super::tree::{Node, Path, Tree, Value};
use super::{
    AppEntry, CredentialEntry, Document, EnvironmentEntry, GrantEntry, GroupEntry, InvalidDocument,
    Named, ObjectGrantEntry, ServiceEntry, Source, VpcAccessEntry, api, definition,
};
use crate::model::id::GroupId;
use crate::model::limits::MAX_ENVIRONMENT_DESCRIPTION;
use crate::model::{
    ApiName, App, Credential, Declaration, Environment, Grant, Group, GroupName, InvalidDefinition,
    Kind, ObjectGrant, RegistrySettings, ResourceName, ServiceName, VpcAccess,
};
use crate::registry::site::AcceptedGroup;

/// Reads a document, or tells everything that is wrong with it.
pub(super) fn document(tree: Tree<'_>, source: Source) -> Result<Document, InvalidDocument> {
    let mut faults = Faults::new(tree.places);
    let mut document = Document { source, ..Document::default() };
    let mut root = tree.root;
    root.refuse_repeated(&Path::Root, &mut faults);
    match root.value {
        // An empty text is an empty document.
        Value::Null => {}
        Value::Table(tables) => {
            for (key, node) in tables {
                table(&mut document, &key, node, &mut faults);
            }
        }
        other => faults.tell(root.at, Path::Root, other.instead_of("a table")),
    }
    let read = std::mem::take(&mut faults.read);
    match faults.or(()) {
        Ok(()) => Ok(document),
        Err(invalid) => Err(invalid.with_rest(document, read)),
    }
}

fn table(document: &mut Document, key: &str, node: Node<'_>, faults: &mut Faults<'_>) {
    let path = &Path::Key(&Path::Root, key);
    match key {
        "environment" => document.environments = unique(key, node, path, faults, environment),
        "backend_service" => document.services = unique(key, node, path, faults, service),
        "vpc_access" => document.vpc_accesses = unique(key, node, path, faults, vpc_access),
        "object_grant" => document.object_grants = unique(key, node, path, faults, object_grant),
        "credential" => document.credentials = unique(key, node, path, faults, credential),
        "group" => document.groups = unique(key, node, path, faults, group),
        "api" => document.apis = unique(key, node, path, faults, api::entry),
        "app" => document.apps = unique(key, node, path, faults, app),
        "grant" => document.grants = unique(key, node, path, faults, grant),
        "registry" => {
            document.registry = Row::of(node, path, faults)
                .and_then(|row| row.rest(faults, RegistrySettings::check));
        }
        _ => faults.tell(node.at, path, UNKNOWN_KEY),
    }
}

/// What was read of an element: by what it is unique in its table and where that stands, and itself.
pub(super) type Element<K, T> = (Option<(u32, K)>, Option<T>);

/// Reads the elements of a table.
fn unique<'t, K: Eq + Hash, T>(
    table: &str,
    node: Node<'t>,
    path: &Path<'_>,
    faults: &mut Faults<'_>,
    read: impl Fn(Row<'t, '_>, &mut Faults<'_>) -> Element<K, T>,
) -> Vec<T> {
    let list = match node.value {
        Value::List(list) => list,
        other => {
            faults.tell(node.at, path, other.instead_of("a list of tables"));
            return Vec::new();
        }
    };
    let mut all = Vec::with_capacity(list.len());
    let mut places = HashMap::with_capacity(list.len());
    for (index, node) in list.into_iter().enumerate() {
        let path = &Path::Index(path, index);
        let label = rest::label(&node);
        let Some(row) = Row::of(node, path, faults) else {
            faults.read.note(table, label, false);
            continue;
        };
        let named = row.has("name");
        let (key, value) = read(row, faults);
        faults.read.note(table, label, value.is_some());
        all.extend(value);
        let Some((at, key)) = key else {
            continue;
        };
        match places.entry(key) {
            Entry::Vacant(place) => {
                place.insert(at);
            }
            Entry::Occupied(first) => {
                let reason = format!("stands there twice{}", faults.place(*first.get()));
                if named {
                    faults.tell(at, Path::Key(path, "name"), reason);
                } else {
                    faults.tell(at, path, reason);
                }
            }
        }
    }
    all
}

fn environment(
    mut row: Row<'_, '_>,
    faults: &mut Faults<'_>,
) -> Element<Environment, EnvironmentEntry> {
    let name = row.required::<Environment>("name", faults);
    let declaration = row.rest(faults, |declaration: &Declaration| {
        if declaration.description.chars().count() > MAX_ENVIRONMENT_DESCRIPTION {
            let reason = format!("is longer than {MAX_ENVIRONMENT_DESCRIPTION} characters");
            return Err(InvalidDefinition::new("description", reason));
        }
        Ok(())
    });
    entry(name, declaration, EnvironmentEntry::new)
}

/// An element that consists of a name and a value.
fn entry<K: Clone, V, T>(
    name: Option<(u32, K)>,
    value: Option<V>,
    make: impl FnOnce(K, V) -> T,
) -> Element<K, T> {
    let made = name.as_ref().zip(value).map(|((_, name), value)| make(name.clone(), value));
    (name, made)
}

fn service(mut row: Row<'_, '_>, faults: &mut Faults<'_>) -> Element<ServiceName, ServiceEntry> {
    let name = row.required::<ServiceName>("name", faults);
    let renamed_from = row.parsed("renamed_from", faults);
    let kind = row.required::<Kind>("kind", faults).map(|(_, kind)| kind);
    let description = row.description(faults);
    let definition = row.by_environment("definition", faults, |node, path, faults| {
        // Without the service's kind nothing can be said of its definitions.
        definition::read(node, Some(kind.as_ref()?), path, faults)
    });
    row.end(faults);
    entry(name, kind.zip(description), |name, (kind, description)| ServiceEntry {
        renamed_from,
        description,
        definition,
        ..ServiceEntry::new(name, kind)
    })
}

fn vpc_access(row: Row<'_, '_>, faults: &mut Faults<'_>) -> Element<ResourceName, VpcAccessEntry> {
    named(row, faults, VpcAccess::check)
}

fn object_grant(
    row: Row<'_, '_>,
    faults: &mut Faults<'_>,
) -> Element<ResourceName, ObjectGrantEntry> {
    named(row, faults, ObjectGrant::check)
}

fn credential(row: Row<'_, '_>, faults: &mut Faults<'_>) -> Element<ResourceName, CredentialEntry> {
    named(row, faults, Credential::check)
}

fn named<T: DeserializeOwned>(
    mut row: Row<'_, '_>,
    faults: &mut Faults<'_>,
    check: impl Fn(&T) -> Result<(), InvalidDefinition>,
) -> Element<ResourceName, Named<T>> {
    let name = row.required("name", faults);
    let value = row.rest(faults, check);
    entry(name, value, Named::new)
}

fn group(mut row: Row<'_, '_>, faults: &mut Faults<'_>) -> Element<GroupName, GroupEntry> {
    let name = row.required("name", faults);
    let renamed_from = row.parsed("renamed_from", faults);
    let group =
        row.rest(faults, |group: &Group| AcceptedGroup::accept(GroupId::new(0), group).map(drop));
    entry(name, group, |name, group| GroupEntry { renamed_from, ..GroupEntry::new(name, group) })
}

fn app(mut row: Row<'_, '_>, faults: &mut Faults<'_>) -> Element<ResourceName, AppEntry> {
    let name = row.required("name", faults);
    let renamed_from = row.parsed("renamed_from", faults);
    let path = row.path;
    let app = element::read(&mut row.node(), path, faults, |node| {
        let app = App::deserialize(Reader(node))?;
        app.check().map_err(|error| {
            let InvalidDefinition { field, reason, .. } = error;
            Wrong::checked(node, InvalidDefinition::new(as_written(&field, node), reason))
        })?;
        Ok(app)
    });
    entry(name, app, |name, app| AppEntry { renamed_from, ..AppEntry::new(name, app) })
}

/// The key that a field of an application was written as: `key`, `secret` and `code` stand before
/// the lists `keys` and `codes`.
fn as_written(field: &str, node: &Node<'_>) -> String {
    let stands =
        |key: &str| node.step(key).is_some_and(|(_, inner, _)| !matches!(inner.value, Value::Gone));

    let shifted = |list: &str| {
        let (index, rest) = field.strip_prefix(list)?.strip_prefix('[')?.split_once(']')?;
        match index.parse::<usize>().ok()? {
            0 if list == "codes" => Some("code".to_owned()),
            0 => Some(rest.trim_start_matches('.').to_owned()),
            index => Some(format!("{list}[{}]{rest}", index - 1)),
        }
    };
    let keys = if stands("key") { shifted("keys") } else { None };
    let codes = if stands("code") { shifted("codes") } else { None };
    keys.or(codes).unwrap_or_else(|| field.to_owned())
}

type GrantKey = (ResourceName, ApiName, Environment);

fn grant(mut row: Row<'_, '_>, faults: &mut Faults<'_>) -> Element<GrantKey, GrantEntry> {
    let at = row.at;
    let app = row.required::<ResourceName>("app", faults);
    let api = row.required::<ApiName>("api", faults);
    let environment = row.required::<Environment>("environment", faults);
    let grant = row.rest(faults, |_: &Grant| Ok(()));
    let key = app.zip(api).zip(environment);
    let key = key.map(|(((_, app), (_, api)), (_, environment))| (at, (app, api, environment)));
    entry(key, grant, |(app, api, environment), grant| {
        GrantEntry::new(app, api, environment, grant)
    })
}
