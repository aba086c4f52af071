//! Endpoints found through a service registry.

use serde::{Deserialize, Serialize};

use super::{InvalidDefinition, Secret, check_required_token};

/// A service known to a service registry.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Discovery {
    /// Which registry is asked.
    pub registry: RegistryKind,
    /// Where it is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The namespace the service is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The group the service is in. Absent: `DEFAULT_GROUP`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The service's name there.
    pub service: String,
    /// Only endpoints of these clusters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clusters: Vec<String>,
    /// Who asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// By which password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// Or by which key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key: Option<String>,
    /// And its secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_key: Option<Secret>,
    /// `http` or `https`. Absent: `http`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    /// The base path at every endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// With fewer endpoints than this the last good set stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_endpoints: Option<u32>,
    /// Largest share of endpoints that may vanish at once, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_shrink: Option<u8>,
}

/// A kind of service registry.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum RegistryKind {
    /// Nacos.
    #[default]
    Nacos,
    /// DNS.
    Dns,
    /// ZooKeeper.
    Zookeeper,
    /// Kubernetes.
    Kubernetes,
    /// Consul.
    Consul,
    /// A file.
    File,
    /// A list that never changes.
    Fixed,
}

impl Discovery {
    /// The service `service` of a registry.
    #[must_use]
    pub fn of(registry: RegistryKind, service: impl Into<String>) -> Self {
        Self { registry, service: service.into(), ..Self::default() }
    }

    pub(super) fn check(&self) -> Result<(), InvalidDefinition> {
        check_required_token("service", &self.service)?;
        match self.scheme.as_deref() {
            None | Some("http" | "https") => {}
            Some(_) => {
                return Err(InvalidDefinition::new("scheme", "is neither http nor https"));
            }
        }
        if self.max_shrink.is_some_and(|percent| percent > 100) {
            return Err(InvalidDefinition::new("max_shrink", "is more than 100 percent"));
        }
        Ok(())
    }
}
