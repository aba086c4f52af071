//! Stage variables: `#name#` in what an API's backend is, replaced by what its group says in each
//! environment (domain §3.2).
//!
//! They stand in the path at the backend, in what of a function, object or event an API means, and in
//! every text of a definition of its own. A shared service's definition has none: it would mean as many
//! endpoints as there are groups.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use super::api::{Api, ApiBackend};
use super::definition::{Definition, InvalidDefinition, Mixed, Mock, Settings};
use super::limits::MAX_VARIABLE_NAME;

/// The variables of a group in an environment, by name.
pub(crate) type Variables = BTreeMap<String, String>;

/// Looks at a text under its key, and may change it.
type Visit<'v> = dyn FnMut(&str, &mut String) -> Result<(), InvalidDefinition> + 'v;

/// Whether a text is the name of a variable: letters, digits and `_`, in the case it is written in.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=MAX_VARIABLE_NAME).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The first variable in a text: what stands before it, its name, and what stands behind it. A `#` that
/// begins none is itself.
fn first(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let start = from + text.get(from..)?.find('#')?;
        let rest = text.get(start + 1..)?;
        let length = rest.find('#')?;
        let name = rest.get(..length)?;
        if is_name(name) {
            return Some((text.get(..start)?, name, rest.get(length + 1..)?));
        }
        from = start + 1;
    }
}

/// The text with every variable replaced; what replaces one is not looked at again. The error is the
/// name of the first that `value` knows nothing for.
fn replaced<'t>(
    text: &'t str,
    value: impl Fn(&str) -> Option<&'t str>,
) -> Result<Cow<'t, str>, &'t str> {
    let Some(mut found) = first(text) else {
        return Ok(Cow::Borrowed(text));
    };
    let mut whole = String::with_capacity(text.len());
    loop {
        let (before, name, after) = found;
        whole.push_str(before);
        whole.push_str(value(name).ok_or(name)?);
        match first(after) {
            Some(next) => found = next,
            None => {
                whole.push_str(after);
                return Ok(Cow::Owned(whole));
            }
        }
    }
}

/// Whether a text names a variable.
pub(crate) fn is_in(text: &str) -> bool {
    first(text).is_some()
}

/// Whether an API's backend names a variable.
pub(crate) fn are_in(backend: &ApiBackend) -> bool {
    let ApiBackend { path, inline, oss, function, event, .. } = backend;
    // Most have nothing but a path, and need not be copied.
    if oss.is_none() && function.is_none() && event.is_none() && inline.is_none() {
        return path.as_deref().is_some_and(is_in);
    }
    let mut backend = backend.clone();
    named(|visit| texts_of_backend(&mut backend, visit)).is_some()
}

/// The key under which a definition names a variable, if it does.
pub(crate) fn key_in(definition: &Definition) -> Option<String> {
    named(|visit| texts_of_definition(&mut definition.clone(), "", visit))
}

fn named(texts: impl FnOnce(&mut Visit<'_>) -> Result<(), InvalidDefinition>) -> Option<String> {
    let found = texts(&mut |key, text| match first(text) {
        Some(_) => Err(InvalidDefinition::new(key, "")),
        None => Ok(()),
    });
    found.err().map(|found| found.field)
}

/// Puts in what the variables stand for.
///
/// # Errors
///
/// The key that names a variable which is not there.
pub(crate) fn replace(
    backend: &mut ApiBackend,
    variables: &Variables,
) -> Result<(), InvalidDefinition> {
    texts_of_backend(backend, &mut |key, text| {
        let whole = replaced(text, |name| variables.get(name).map(String::as_str));
        match whole {
            Ok(Cow::Borrowed(_)) => Ok(()),
            Ok(Cow::Owned(whole)) => {
                *text = whole;
                Ok(())
            }
            Err(name) => {
                let reason = format!("names the stage variable `{name}`, which is not defined");
                Err(InvalidDefinition::new(key, reason))
            }
        }
    })
}

/// An API that has something in the place of every variable, so that the rest of it can be looked at.
pub(crate) fn sketch(api: &Api) -> Api {
    let mut api = api.clone();
    let backend = &mut api.backend;
    if backend.inline.as_ref().is_some_and(|definition| key_in(definition).is_some()) {
        // What it means cannot be said yet.
        backend.inline = Some(Box::new(Mock::default().into()));
    }
    if let Some(path) = &mut backend.path {
        // The slash that every path begins with may be the variable's.
        let slash = if path.starts_with('#') { "/" } else { "" };
        let whole = replaced(path, |_| Some(STAND_IN)).unwrap_or_default();
        *path = format!("{slash}{whole}");
    }
    api
}

/// What fits everywhere in a path.
const STAND_IN: &str = "1";

fn texts_of_backend(
    backend: &mut ApiBackend,
    visit: &mut Visit<'_>,
) -> Result<(), InvalidDefinition> {
    // By field, so that one more does not compile until it is thought of.
    let ApiBackend {
        service: _,
        inline,
        path,
        method: _,
        timeout: _,
        content_type: _,
        oss,
        function,
        event,
    } = backend;
    optional("backend.path", path, visit)?;
    if let Some(oss) = oss {
        optional("backend.oss.key", &mut oss.key, visit)?;
    }
    if let Some(function) = function {
        optional("backend.function.path", &mut function.path, visit)?;
    }
    if let Some(event) = event {
        optional("backend.event.type", &mut event.event_type, visit)?;
        optional("backend.event.subject", &mut event.subject, visit)?;
    }
    inline.as_mut().map_or(Ok(()), |inline| texts_of_definition(inline, "backend.", visit))
}

/// Every text of a definition but secrets, under its key behind `prefix`.
fn texts_of_definition(
    definition: &mut Definition,
    prefix: &str,
    visit: &mut Visit<'_>,
) -> Result<(), InvalidDefinition> {
    let mut visit = |key: &str, text: &mut String| visit(&format!("{prefix}{key}"), text);
    let visit: &mut Visit<'_> = &mut visit;
    match &mut definition.settings {
        Settings::Http(http) => {
            optional("url", &mut http.url, visit)?;
            optional("host", &mut http.host, visit)?;
            for (index, endpoint) in http.endpoints.iter_mut().enumerate() {
                visit(&format!("endpoints[{index}].url"), &mut endpoint.url)?;
            }
            let name = http.tls.as_mut().map(|tls| &mut tls.server_name);
            name.map_or(Ok(()), |name| optional("tls.server_name", name, visit))
        }
        Settings::Vpc(vpc) => {
            visit("access", &mut vpc.access)?;
            optional("host", &mut vpc.host, visit)
        }
        Settings::FunctionCompute(function) => {
            visit("function", &mut function.function)?;
            optional("region", &mut function.region, visit)?;
            optional("account", &mut function.account, visit)?;
            optional("service", &mut function.service, visit)?;
            optional("qualifier", &mut function.qualifier, visit)?;
            optional("endpoint", &mut function.endpoint, visit)?;
            optional("trigger_url", &mut function.trigger_url, visit)?;
            optional("path", &mut function.path, visit)
        }
        Settings::Oss(oss) => {
            visit("bucket", &mut oss.bucket)?;
            visit("region", &mut oss.region)?;
            optional("endpoint", &mut oss.endpoint, visit)
        }
        Settings::EventBridge(bus) => {
            visit("bus", &mut bus.bus)?;
            visit("source", &mut bus.source)?;
            optional("endpoint", &mut bus.endpoint, visit)?;
            optional("region", &mut bus.region, visit)?;
            optional("account", &mut bus.account, visit)?;
            optional("type", &mut bus.event_type, visit)?;
            optional("subject", &mut bus.subject, visit)
        }
        Settings::Discovery(discovery) => {
            visit("service", &mut discovery.service)?;
            optional("server", &mut discovery.server, visit)?;
            optional("namespace", &mut discovery.namespace, visit)?;
            optional("group", &mut discovery.group, visit)?;
            optional("path", &mut discovery.path, visit)?;
            discovery.clusters.iter_mut().try_for_each(|cluster| visit("clusters", cluster))
        }
        Settings::Mixed(Mixed::Concrete(inner)) => texts_of_definition(inner, "", visit),
        Settings::Mixed(Mixed::Legs { legs, .. }) => {
            legs.iter_mut().enumerate().try_for_each(|(index, leg)| {
                values(&format!("legs[{index}]"), leg.settings.values_mut(), visit)
            })
        }
        Settings::Mock(mock) => {
            visit("body", &mut mock.body)?;
            mock.headers.values_mut().try_for_each(|value| visit("headers", value))
        }
        Settings::Custom(custom) => values("definition", custom.settings.values_mut(), visit),
    }
}

fn optional(
    key: &str,
    text: &mut Option<String>,
    visit: &mut Visit<'_>,
) -> Result<(), InvalidDefinition> {
    text.as_mut().map_or(Ok(()), |text| visit(key, text))
}

/// Texts in the settings of kinds whose keys are not known here.
fn values<'v>(
    key: &str,
    values: impl Iterator<Item = &'v mut Value>,
    visit: &mut Visit<'_>,
) -> Result<(), InvalidDefinition> {
    for value in values {
        match value {
            Value::String(text) => visit(key, text)?,
            Value::Array(items) => self::values(key, items.iter_mut(), visit)?,
            Value::Object(table) => self::values(key, table.values_mut(), visit)?,
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
