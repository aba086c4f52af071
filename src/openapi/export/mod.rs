//! A description of drafts.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value, json};

use super::extension;
use super::path::{blank, template};
use crate::model::id::ApiId;
use crate::model::path::PathPattern;
use crate::model::{Access, Api, ApiName, Group, GroupName, InvalidName, Protocol, ServiceName};
use crate::registry::Registry;

mod operation;
mod parameter;
mod response;

use self::operation::Described;

/// The version of OpenAPI that is written.
const VERSION: &str = "3.0.3";

/// Writes descriptions of OpenAPI 3.0.3.
///
/// What is written is [read](super::Import) as the same drafts, and equal drafts are written as equal
/// values. It is for operators: our extensions name backend services, and definitions of APIs' own.
/// [`without_extensions`](Self::without_extensions) is for callers.
///
/// ```
/// use backhaul::openapi::Export;
/// use backhaul::{Api, Group};
/// let group = "shop".parse()?;
/// let api = Api::get("/orders/[id]").service("orders", "/v1/orders/[id]");
/// let drafts = [("shop/get_order".parse()?, api)];
/// let written = Export::new().apis(&group, &Group::host("shop.example.com"), &drafts)?;
/// assert_eq!(written["servers"][0]["url"], "https://shop.example.com/");
/// let operation = &written["paths"]["/orders/{id}"]["get"];
/// assert_eq!(operation["operationId"], "get_order");
/// assert_eq!(operation["x-backhaul-api"]["backend"]["service"], "orders");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Export {
    extensions: bool,
    secrets: bool,
}

impl Default for Export {
    fn default() -> Self {
        Self::new()
    }
}

/// An API cannot be described, and why.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{api}: {reason}")]
#[non_exhaustive]
pub struct Unexportable {
    /// The API.
    pub api: ApiName,
    /// Why it cannot.
    pub reason: String,
}

/// A group cannot be described.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// No group can be called so.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// There is no such group.
    #[error("there is no group {0}")]
    NoGroup(GroupName),
    /// One of its APIs cannot be described.
    #[error(transparent)]
    Api(#[from] Unexportable),
}

impl Export {
    /// Writes everything but secrets: an API whose own definition has one is refused.
    pub fn new() -> Self {
        Self { extensions: true, secrets: false }
    }

    /// The same without our extensions, for callers. What OpenAPI has no words for is left out: APIs
    /// for any method, those for everything below a path, and everything about backends.
    pub fn without_extensions(mut self) -> Self {
        self.extensions = false;
        self
    }

    /// The same with the secrets that are in definitions of APIs' own, for whoever keeps the
    /// description as a secret.
    pub fn with_secrets(mut self) -> Self {
        self.secrets = true;
        self
    }

    /// Describes all drafts of a group of a registry, of one revision.
    ///
    /// # Errors
    ///
    /// See [`ExportError`].
    pub fn group(&self, registry: &Registry, name: &str) -> Result<Value, ExportError> {
        let name: GroupName = name.parse()?;
        let state = registry.state();
        let found = state.group_id(&name).and_then(|id| Some((id, state.group(id)?)));
        let Some((id, entry)) = found else {
            return Err(ExportError::NoGroup(name));
        };
        let ids = state.drafts_in(id).into_iter().flat_map(|drafts| drafts.iter());
        let drafts = ids.filter_map(|id| {
            let id = ApiId::new(id);
            let version = &state.api(id)?.version;
            let service = state.service_name(version);
            Some((state.api_name(id)?, version.api(service.as_ref().map(ServiceName::as_str))))
        });
        let drafts: Vec<_> = drafts.collect();
        Ok(self.apis(&name, &entry.record.group, &drafts)?)
    }

    /// Describes drafts of a group, in any order.
    ///
    /// # Errors
    ///
    /// The first draft, by name, that is not of the group, stands there twice, has a path no API can
    /// have or one that OpenAPI cannot tell from another's, or whose own definition has a secret.
    pub fn apis(
        &self,
        name: &GroupName,
        group: &Group,
        drafts: &[(ApiName, Api)],
    ) -> Result<Value, Unexportable> {
        let mut sorted: Vec<_> = drafts.iter().collect();
        sorted.sort_by_key(|(name, _)| name);
        let (mut templates, mut names) = (BTreeMap::new(), HashSet::new());
        let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
        for (draft, api) in sorted {
            let refused = |reason: &str| Unexportable { api: draft.clone(), reason: reason.into() };
            if draft.group() != name {
                return Err(refused("is not of the group"));
            }
            if !names.insert(draft) {
                return Err(refused("stands there twice"));
            }
            if let Err(error) = PathPattern::parse(&api.path, api.escape_path_param) {
                return Err(refused(&format!("its path {error}")));
            }
            if !self.secrets && self.extensions && has_secret(api) {
                return Err(refused("its own definition has a secret"));
            }
            if !self.extensions && (api.method == "ANY" || api.path.ends_with("/*")) {
                continue;
            }
            let own = template(&api.path, api.escape_path_param);
            // Templates that differ in names alone are the same to OpenAPI.
            let template: &String = templates.entry(blank(&own)).or_insert(own);
            let described = Described { group: name, name: draft, api, template };
            let operation = operation::describe(&described, self.extensions)
                .map_err(|reason| refused(&reason))?;
            let method = match api.method.as_str() {
                "ANY" => extension::ANY_METHOD.to_owned(),
                method => method.to_ascii_lowercase(),
            };
            let item = paths.entry(template.clone()).or_default();
            if item.insert(method, operation).is_some() {
                return Err(refused("has the method and path of another, as OpenAPI writes them"));
            }
        }
        Ok(whole(name, group, drafts, &json!(paths)))
    }
}

fn whole(name: &GroupName, group: &Group, drafts: &[(ApiName, Api)], paths: &Value) -> Value {
    let mut info = json!({ "title": name.as_str(), "version": "1" });
    if !group.description.is_empty() {
        put(&mut info, "description", group.description.as_str());
    }
    let mut whole = json!({
        "openapi": VERSION,
        "info": info,
        "servers": servers(group, drafts),
        "paths": paths,
    });
    if drafts.iter().any(|(_, api)| api.access == Access::App) {
        put(&mut whole, "components", operation::components());
    }
    whole
}

fn servers(group: &Group, drafts: &[(ApiName, Api)]) -> Vec<Value> {
    let secure = drafts.iter().all(|(_, api)| api.protocol.contains(&Protocol::Https));
    let scheme = if secure { "https" } else { "http" };
    if group.hosts.is_empty() {
        return vec![json!({ "url": group.base_path })];
    }
    let url = |host: &String| json!({ "url": format!("{scheme}://{host}{}", group.base_path) });
    group.hosts.iter().map(url).collect()
}

/// Whether something in it is written otherwise where secrets must not be seen.
fn has_secret(api: &Api) -> bool {
    let Some(inline) = &api.backend.inline else {
        return false;
    };
    let veiled = crate::model::definition::veiled(|| serde_json::to_value(inline));
    veiled.ok() != serde_json::to_value(inline).ok()
}

/// Sets a key of an object.
fn put(object: &mut Value, key: &str, value: impl Into<Value>) {
    if let Value::Object(map) = object {
        map.insert(key.to_owned(), value.into());
    }
}

/// What `wanted` has that `read` does not, with null for what is only in `read`.
fn difference(read: &Value, wanted: &Value) -> Map<String, Value> {
    let (Value::Object(read), Value::Object(wanted)) = (read, wanted) else {
        return Map::new();
    };
    let gone = read.keys().filter(|key| !wanted.contains_key(*key));
    let gone = gone.map(|key| (key.clone(), Value::Null));
    let new = wanted.iter().filter(|(key, value)| read.get(*key) != Some(value));
    new.map(|(key, value)| (key.clone(), value.clone())).chain(gone).collect()
}
