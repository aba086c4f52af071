//! Where APIs live: hosts and a base path.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A group of APIs as an operator writes it down.
///
/// Nothing in it is frozen by publishing: editing it acts at once, on every environment.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Group {
    /// Hosts that serve every environment.
    pub hosts: Vec<String>,
    /// Hosts bound to one environment, by its name.
    pub stage_hosts: BTreeMap<String, String>,
    /// What the paths of the group's APIs are below: `/`, or `/shop`.
    pub base_path: String,
    /// At most 180 characters.
    pub description: String,
    /// Client headers passed on where they otherwise would not be; `host` passes the client's host.
    pub passthrough_headers: Vec<String>,
    /// Whether the backend sees the caller's AppCode.
    pub app_code_to_backend: bool,
    /// The header that holds the AppCode. Absent: `Authorization`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_code_header: Option<String>,
    /// Whether callers may ask how their request was handled.
    #[serde(skip_serializing_if = "is_false")]
    pub debug: bool,
    /// Stage variables: by environment, then by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, BTreeMap<String, String>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_false(truth: &bool) -> bool {
    !truth
}

/// Hosts, hosts bound to an environment, and a base path.
type Address = (Vec<String>, BTreeMap<String, String>, String);

impl Default for Group {
    fn default() -> Self {
        Self {
            hosts: Vec::new(),
            stage_hosts: BTreeMap::new(),
            base_path: "/".to_owned(),
            description: String::new(),
            passthrough_headers: Vec::new(),
            app_code_to_backend: false,
            app_code_header: None,
            debug: false,
            variables: BTreeMap::new(),
        }
    }
}

impl Group {
    /// A group with no hosts: its APIs can be written down but not called.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A group with one host.
    #[must_use]
    pub fn host(host: impl Into<String>) -> Self {
        Self::new().and_host(host)
    }

    /// Where its APIs are reached.
    pub(crate) fn address(&self) -> Address {
        (self.hosts.clone(), self.stage_hosts.clone(), self.base_path.clone())
    }

    /// The same with another host.
    #[must_use]
    pub fn and_host(mut self, host: impl Into<String>) -> Self {
        self.hosts.push(host.into());
        self
    }

    /// The same with a host bound to one environment.
    #[must_use]
    pub fn stage_host(mut self, host: impl Into<String>, environment: impl Into<String>) -> Self {
        self.stage_hosts.insert(host.into(), environment.into());
        self
    }

    /// The same below `path`, such as `/shop`.
    #[must_use]
    pub fn base_path(mut self, path: impl Into<String>) -> Self {
        self.base_path = path.into();
        self
    }

    /// The same with a description of at most 180 characters.
    #[must_use]
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = text.into();
        self
    }

    /// The same, passing on one more of the client's headers.
    #[must_use]
    pub fn passthrough_header(mut self, name: impl Into<String>) -> Self {
        self.passthrough_headers.push(name.into());
        self
    }

    /// The same with a stage variable of an environment.
    #[must_use]
    pub fn variable(
        mut self,
        environment: impl Into<String>,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        self.variables.entry(environment.into()).or_default().insert(name.into(), value.into());
        self
    }

    /// The same, letting callers ask how their requests were handled, by `X-Ca-Request-Mode: debug`.
    #[must_use]
    pub fn debug(mut self, allow: bool) -> Self {
        self.debug = allow;
        self
    }

    /// The same, letting backends see the caller's AppCode.
    #[must_use]
    pub fn app_code_to_backend(mut self, keep: bool) -> Self {
        self.app_code_to_backend = keep;
        self
    }
}
