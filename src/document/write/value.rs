//! A document as a value, with the keys that documents have.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::Unwritable;
use crate::document::{
    ApiEntry, AppEntry, Document, EnvironmentEntry, GrantEntry, GroupEntry, Named, ServiceEntry,
};
use crate::model::definition::RESILIENCE;
use crate::model::{Api, Definition, Environment, Group, Kind};

type Written<T> = Result<T, Unwritable>;

pub(super) fn unwritable(path: impl Into<String>, reason: &dyn fmt::Display) -> Unwritable {
    Unwritable { path: path.into(), reason: reason.to_string() }
}

/// The whole document. Tables with nothing in them are left out.
pub(super) fn of(document: &Document) -> Written<Value> {
    // By field, so that one more does not compile until it is written.
    let Document {
        registry,
        environments,
        credentials,
        vpc_accesses,
        object_grants,
        services,
        groups,
        apps,
        apis,
        grants,
        source: _,
        read: _,
    } = document;
    let mut root = Map::new();
    if let Some(settings) = registry {
        root.insert("registry".to_owned(), Value::Object(table("registry", settings)?));
    }
    let mut list = |key: &str, list: Vec<Value>| {
        if !list.is_empty() {
            root.insert(key.to_owned(), Value::Array(list));
        }
    };
    list("environment", all(environments, "environment", environment)?);
    list("credential", all(credentials, "credential", named)?);
    list("vpc_access", all(vpc_accesses, "vpc_access", named)?);
    list("object_grant", all(object_grants, "object_grant", named)?);
    list("backend_service", all(services, "backend_service", service)?);
    list("group", all(groups, "group", group)?);
    list("app", all(apps, "app", app)?);
    list("api", all(apis, "api", api)?);
    list("grant", all(grants, "grant", grant)?);
    Ok(Value::Object(root))
}

fn all<T>(
    elements: &[T],
    name: &str,
    write: impl Fn(&str, &T) -> Written<Map<String, Value>>,
) -> Written<Vec<Value>> {
    let written = elements
        .iter()
        .enumerate()
        .map(|(index, element)| write(&format!("{name}[{index}]"), element).map(Value::Object));
    written.collect()
}

/// The table that a value of the model is.
fn table(path: &str, value: &impl Serialize) -> Written<Map<String, Value>> {
    match serde_json::to_value(value) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(unwritable(path, &"is not a table")),
        Err(error) => Err(unwritable(path, &error)),
    }
}

fn put(map: &mut Map<String, Value>, key: &str, text: &(impl fmt::Display + ?Sized)) {
    map.insert(key.to_owned(), Value::String(text.to_string()));
}

fn put_old(map: &mut Map<String, Value>, old: Option<&(impl fmt::Display + ?Sized)>) {
    if let Some(old) = old {
        put(map, "renamed_from", old);
    }
}

fn environment(path: &str, entry: &EnvironmentEntry) -> Written<Map<String, Value>> {
    let mut map = table(path, &entry.declaration)?;
    put(&mut map, "name", &entry.name);
    Ok(map)
}

fn named<T: Serialize>(path: &str, entry: &Named<T>) -> Written<Map<String, Value>> {
    let mut map = table(path, &entry.value)?;
    put(&mut map, "name", &entry.name);
    Ok(map)
}

fn service(path: &str, entry: &ServiceEntry) -> Written<Map<String, Value>> {
    let mut map = Map::new();
    put(&mut map, "name", &entry.name);
    put_old(&mut map, entry.renamed_from.as_ref());
    put(&mut map, "kind", &entry.kind);
    if !entry.description.is_empty() {
        put(&mut map, "description", &entry.description);
    }
    let mut definitions = Map::new();
    for (environment, definition) in &entry.definition {
        let path = format!("{path}.definition.{environment}");
        let written = self::definition(&path, definition, &entry.kind)?;
        definitions.insert(environment.to_string(), Value::Object(written));
    }
    if !definitions.is_empty() {
        map.insert("definition".to_owned(), Value::Object(definitions));
    }
    Ok(map)
}

/// A definition of a service, which knows its kind.
fn definition(path: &str, definition: &Definition, kind: &Kind) -> Written<Map<String, Value>> {
    let mut map = table(path, definition)?;
    if definition.kind() != *kind {
        return Err(unwritable(path, &format!("is not of the service's kind, {kind}")));
    }
    map.remove("kind");
    // What a mixed service is here stands flat, unless it has keys of its own beside the whole's.
    if let Some(Value::Object(concrete)) = map.get("concrete").filter(|_| *kind == Kind::MIXED)
        && !concrete.contains_key("timeout")
        && !RESILIENCE.iter().any(|key| concrete.contains_key(*key))
    {
        let mut flat = concrete.clone();
        for key in RESILIENCE.into_iter().chain(["timeout"]) {
            flat.extend(map.remove_entry(key));
        }
        return Ok(flat);
    }
    Ok(map)
}

fn group(path: &str, entry: &GroupEntry) -> Written<Map<String, Value>> {
    let mut map = table(path, &entry.group)?;
    let usual = table(path, &Group::default())?;
    map.retain(|key, value| usual.get(key) != Some(value));
    put(&mut map, "name", &entry.name);
    put_old(&mut map, entry.renamed_from.as_ref());
    Ok(map)
}

fn app(path: &str, entry: &AppEntry) -> Written<Map<String, Value>> {
    let mut map = table(path, &entry.app)?;
    if let [key] = entry.app.keys.as_slice() {
        map.remove("keys");
        put(&mut map, "key", &key.key);
        put(&mut map, "secret", key.secret.expose());
    }
    if let [code] = entry.app.codes.as_slice() {
        map.remove("codes");
        put(&mut map, "code", code.expose());
    }
    put(&mut map, "name", &entry.name);
    put_old(&mut map, entry.renamed_from.as_ref());
    Ok(map)
}

fn api(path: &str, entry: &ApiEntry) -> Written<Map<String, Value>> {
    let mut map = one_api(path, &entry.api)?;
    put(&mut map, "name", entry.name.name());
    put(&mut map, "group", entry.name.group());
    put_old(&mut map, entry.renamed_from.as_ref().map(|old| old.name()));
    if !entry.publish.is_empty() {
        let names = entry.publish.iter().map(|name| Value::String(name.to_string()));
        map.insert("publish".to_owned(), names.collect());
    }
    let version = |(environment, api): (&Environment, &Api)| {
        let path = format!("{path}.version.{environment}");
        Ok((environment.to_string(), Value::Object(one_api(&path, api)?)))
    };
    let versions = entry.version.iter().map(version).collect::<Written<Map<_, _>>>()?;
    if !versions.is_empty() {
        map.insert("version".to_owned(), Value::Object(versions));
    }
    Ok(map)
}

/// An API with its own keys alone.
fn one_api(path: &str, api: &Api) -> Written<Map<String, Value>> {
    let mut map = table(path, api)?;
    if let Some(Value::Object(backend)) = map.get_mut("backend")
        && let Some(Value::Object(inline)) = backend.remove("inline")
    {
        let stands = |key: &str| backend.contains_key(key);
        if inline.iter().any(|(key, value)| stands(key) || is_ambiguous(key, value)) {
            backend.insert("inline".to_owned(), Value::Object(inline));
        } else {
            backend.extend(inline);
        }
    }
    if let Some(Value::Object(response)) = map.get_mut("response") {
        without_empty(response);
        if let Some(Value::Array(errors)) = response.get_mut("errors") {
            errors.iter_mut().filter_map(Value::as_object_mut).for_each(without_empty);
        }
    }
    Ok(map)
}

/// Whether a key of a definition would be taken for one of the backend it stands in.
fn is_ambiguous(key: &str, value: &Value) -> bool {
    match key {
        "path" | "method" | "timeout" | "content_type" | "oss" | "event" => true,
        "function" => value.is_object(),
        _ => false,
    }
}

fn without_empty(map: &mut Map<String, Value>) {
    map.retain(|_, value| {
        !(value.as_str() == Some("") || value.as_array().is_some_and(Vec::is_empty))
    });
}

fn grant(path: &str, entry: &GrantEntry) -> Written<Map<String, Value>> {
    let mut map = table(path, &entry.grant)?;
    put(&mut map, "app", &entry.app);
    put(&mut map, "api", &entry.api);
    put(&mut map, "environment", &entry.environment);
    Ok(map)
}
