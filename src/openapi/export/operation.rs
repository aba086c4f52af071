//! One operation. Whether it says everything is found out by reading it again.

use serde_json::{Map, Value, json};

use super::{difference, parameter, put, response};
use crate::document::foreign::{Node, Path, node};
use crate::model::{Access, Api, ApiName, AppCode, GroupName, Location, Verb};
use crate::openapi::extension;
use crate::openapi::import::{Import, Operation, native};
use crate::openapi::path::route;

/// Schemes under which callers are known, by the names they have in descriptions.
const SIGNATURE: &str = "signature";
const APP_CODE: &str = "app_code";

/// A draft, and the template it is described under.
#[derive(Clone, Copy, Debug)]
pub(super) struct Described<'a> {
    pub(super) group: &'a GroupName,
    pub(super) name: &'a ApiName,
    pub(super) api: &'a Api,
    pub(super) template: &'a str,
}

/// The schemes that operations for known callers refer to.
pub(super) fn components() -> Value {
    let scheme = |header: &str, description: &str| {
        json!({
            "type": "apiKey", "in": "header", "name": header, "description": description,
            extension::SCHEME: "app",
        })
    };
    json!({ "securitySchemes": {
        SIGNATURE: scheme("X-Ca-Signature", "The request, signed with the application's secret."),
        APP_CODE: scheme("Authorization", "APPCODE, a space, and the application's code."),
    }})
}

/// Describes a draft.
pub(super) fn describe(described: &Described<'_>, extensions: bool) -> Result<Value, String> {
    let Described { name, api, template, .. } = *described;
    let verb: Verb = api.method.parse()?;
    let own = own_path(api, template);
    let read = route(
        template,
        own.get("path").and_then(Value::as_str),
        own.get("escape_path_param").and_then(Value::as_bool),
    );
    let names = read?.names;
    let mut operation = json!({ "operationId": name.name(), "responses": response::describe(api) });
    if !api.description.is_empty() {
        put(&mut operation, "description", api.description.as_str());
    }
    if api.access == Access::App {
        put(&mut operation, "security", security(api));
    }
    let list = parameter::list(described, &names, extensions);
    if !list.is_empty() {
        put(&mut operation, "parameters", list);
    }
    if let Some(body) = parameter::form(described, extensions) {
        put(&mut operation, "requestBody", body);
    }
    if extensions {
        let rest = rest(described, verb, &operation, own)?;
        put(&mut operation, extension::API, rest);
    }
    Ok(operation)
}

/// The path, where the template does not say it.
fn own_path(api: &Api, template: &str) -> Map<String, Value> {
    let mut own = Map::new();
    if route(template, None, None).is_ok_and(|route| route.path == api.path) {
        return own;
    }
    own.insert("path".to_owned(), api.path.as_str().into());
    if api.escape_path_param {
        own.insert("escape_path_param".to_owned(), true.into());
    }
    own
}

/// Any of these will do.
fn security(api: &Api) -> Value {
    match api.app_code {
        AppCode::Disable => json!([{ SIGNATURE: [] }]),
        _ => json!([{ SIGNATURE: [] }, { APP_CODE: [] }]),
    }
}

/// What the operation does not say yet.
fn rest(
    described: &Described<'_>,
    verb: Verb,
    operation: &Value,
    own: Map<String, Value>,
) -> Result<Map<String, Value>, String> {
    let api = described.api;
    let mut written = operation.clone();
    put(&mut written, extension::API, own.clone());
    let mut read = read_again(described, verb, written.clone());
    // The order of parameters, or one that OpenAPI cannot have: all of them once more.
    let list = serde_json::to_value(&api.parameters).map_err(|error| error.to_string())?;
    let mut rest = own;
    if read.as_ref().is_none_or(|read| read.parameters != api.parameters) {
        rest.insert("parameter".to_owned(), list);
        put(&mut written, extension::API, rest.clone());
        read = read_again(described, verb, written);
    }
    let read = read.ok_or("cannot be said in OpenAPI")?;
    let value = |api: &Api| serde_json::to_value(api).map_err(|error| error.to_string());
    let mut different = difference(&value(&read)?, &value(api)?);
    if rest.contains_key("parameter") || read.parameters == api.parameters {
        different.remove("parameter");
    }
    different.extend(rest);
    // Always, whatever an import takes for granted.
    for (key, value) in [("mode", json!(api.mode)), ("auth", json!(api.access))] {
        different.insert(key.to_owned(), value);
    }
    Ok(different)
}

/// What an import would read of it, without our extension where it can be. `None` if it were wrong.
fn read_again(described: &Described<'_>, verb: Verb, operation: Value) -> Option<Api> {
    let settings = Import::new(described.group.as_str());
    let item = node(Value::Null, 0);
    let root = node(json!({ "components": components() }), 0);
    let operation = node(operation, 0);
    let mut reading = settings.reading(&root, described.group.clone());
    let (item, operation): (&Node<'_>, &Node<'_>) = (&item, &operation);
    let operation = Operation { item, node: operation, verb, template: described.template };
    let read = native(&mut reading, &operation, &Path::Root);
    read.filter(|_| reading.findings.faults.count() == 0).map(|(api, _)| api)
}

/// The parameters of a form.
pub(super) fn in_form(api: &Api) -> impl Iterator<Item = &crate::model::Parameter> {
    api.parameters.iter().filter(|parameter| parameter.location == Location::Body)
}
