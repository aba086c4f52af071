//! What definitions refer to by name: ways into a VPC, rights on a bucket, credentials.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::definition::{
    InvalidDefinition, REDACTED, Secret, check_required_token, check_token, is_veiling, veil,
};

/// The permission to reach one instance inside a VPC.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct VpcAccess {
    /// The VPC.
    pub vpc_id: String,
    /// The instance: its private address, or its id.
    pub instance: String,
    /// The port, from 1.
    pub port: u16,
    /// The Host sent to the instance, unless the definition says another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The way into the VPC's network. Absent: the address is reached as any other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connector: Option<Connector>,
}

impl VpcAccess {
    /// The permission to reach a port of an instance.
    #[must_use]
    pub fn new(vpc_id: impl Into<String>, instance: impl Into<String>, port: u16) -> Self {
        Self { vpc_id: vpc_id.into(), instance: instance.into(), port, ..Self::default() }
    }

    /// The same by this way.
    #[must_use]
    pub fn connector(mut self, connector: Connector) -> Self {
        self.connector = Some(connector);
        self
    }

    pub(crate) fn check(&self) -> Result<(), InvalidDefinition> {
        check_required_token("vpc_id", &self.vpc_id)?;
        check_required_token("instance", &self.instance)?;
        if self.port == 0 {
            return Err(InvalidDefinition::new("port", "is not 1 to 65535"));
        }
        self.host.as_deref().map_or(Ok(()), |host| check_token("host", host))
    }
}

/// A way into the network of a VPC, and what it needs.
///
/// Written as one key and what it needs, `{ namespace = "vpc-a" }`, or as the way alone, `"routed"`.
#[derive(Clone, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
#[non_exhaustive]
pub struct Connector {
    /// Which way.
    pub way: Way,
    /// What it needs; null if nothing.
    pub settings: Value,
}

/// A sort of way into the network of a VPC.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Way {
    /// By routes, perhaps from a certain source address.
    Routed,
    /// Through a network device.
    Device,
    /// Through a network namespace.
    Namespace,
    /// Through a SOCKS5 proxy.
    Socks5,
    /// Through a proxy by HTTP CONNECT.
    HttpConnect,
}

impl Way {
    const ALL: [Self; 5] =
        [Self::Routed, Self::Device, Self::Namespace, Self::Socks5, Self::HttpConnect];

    /// Its name in documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Routed => "routed",
            Self::Device => "device",
            Self::Namespace => "namespace",
            Self::Socks5 => "socks5",
            Self::HttpConnect => "http_connect",
        }
    }
}

impl Connector {
    /// A way and what it needs.
    #[must_use]
    pub fn new(way: Way, settings: impl Into<Value>) -> Self {
        Self { way, settings: settings.into() }
    }
}

/// Without what the way needs: the address of a proxy may hold a password.
impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({REDACTED})", self.way.as_str())
    }
}

impl TryFrom<Value> for Connector {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let named = |name: &str| Way::ALL.into_iter().find(|way| way.as_str() == name);
        let written = match value {
            Value::String(name) => named(&name).map(|way| Self { way, settings: Value::Null }),
            Value::Object(map) if map.len() == 1 => map
                .into_iter()
                .next()
                .and_then(|(name, of)| Some(Self { way: named(&name)?, settings: of })),
            _ => None,
        };
        let ways = Way::ALL.map(Way::as_str).join(", ");
        written.ok_or_else(|| format!("is not one of {ways}, with what it needs"))
    }
}

impl From<Connector> for Value {
    fn from(connector: Connector) -> Self {
        let name = connector.way.as_str().to_owned();
        match connector.settings {
            Self::Null => Self::String(name),
            // The address of a proxy may hold a password.
            settings if is_veiling() => {
                Self::Object(Map::from_iter([(name, veil(&settings.to_string()).into())]))
            }
            settings => Self::Object(Map::from_iter([(name, settings)])),
        }
    }
}

/// Rights on a bucket of an object store.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ObjectGrant {
    /// The bucket.
    pub bucket: String,
    /// Whether objects may be read.
    #[serde(default = "yes")]
    pub read: bool,
    /// Whether objects may be written and deleted.
    #[serde(default)]
    pub write: bool,
}

fn yes() -> bool {
    true
}

impl ObjectGrant {
    /// The right to read a bucket's objects.
    #[must_use]
    pub fn read(bucket: impl Into<String>) -> Self {
        Self { bucket: bucket.into(), read: true, write: false }
    }

    /// The right to read, write and delete a bucket's objects.
    #[must_use]
    pub fn read_write(bucket: impl Into<String>) -> Self {
        Self { bucket: bucket.into(), read: true, write: true }
    }

    pub(crate) fn check(&self) -> Result<(), InvalidDefinition> {
        check_required_token("bucket", &self.bucket)
    }
}

/// Who the gateway is to a cloud service.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Credential {
    /// The key's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key: Option<String>,
    /// Its secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_key: Option<Secret>,
    /// The token of a key that was lent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
    /// Where they come from instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
}

/// Where a credential comes from.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Provider {
    /// The process's environment.
    Env,
}

impl Credential {
    /// A key and its secret.
    #[must_use]
    pub fn new(access_key: impl Into<String>, secret_key: impl Into<String>) -> Self {
        Self {
            access_key: Some(access_key.into()),
            secret_key: Some(Secret::new(secret_key)),
            ..Self::default()
        }
    }

    /// What the process's environment says.
    #[must_use]
    pub fn from_environment() -> Self {
        Self { provider: Some(Provider::Env), ..Self::default() }
    }

    pub(crate) fn check(&self) -> Result<(), InvalidDefinition> {
        let given = self.access_key.is_some() || self.secret_key.is_some() || self.token.is_some();
        match (self.provider, given) {
            (Some(_), true) => {
                Err(InvalidDefinition::new("provider", "stands beside a key of its own"))
            }
            (Some(_), false) => Ok(()),
            (None, _) => {
                check_required_token("access_key", self.access_key.as_deref().unwrap_or_default())?;
                let secret = self.secret_key.as_ref().map(Secret::expose).unwrap_or_default();
                // What it contains is not told.
                if secret.is_empty() || check_token("secret_key", secret).is_err() {
                    return Err(InvalidDefinition::new("secret_key", "is required, in one line"));
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connector_is_a_way_and_what_it_needs() {
        for (text, way) in [
            (r#""routed""#, Way::Routed),
            (r#"{"routed":"10.0.0.1"}"#, Way::Routed),
            (r#"{"device":"vrf-a"}"#, Way::Device),
            (r#"{"namespace":"vpc-a"}"#, Way::Namespace),
            (r#"{"socks5":{"address":"10.0.0.1:1080"}}"#, Way::Socks5),
            (r#"{"http_connect":"10.0.0.1:3128"}"#, Way::HttpConnect),
        ] {
            let connector: Connector = serde_json::from_str(text).unwrap();
            assert_eq!(connector.way, way);
            assert_eq!(serde_json::to_string(&connector).unwrap(), text);
            assert!(!format!("{connector:?}").contains("10.0.0.1"));
        }
        for bad in [r#""tunnel""#, r#"{"tunnel":1}"#, r#"{"routed":1,"device":2}"#, "1", "{}"] {
            assert!(serde_json::from_str::<Connector>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let field = |result: Result<(), InvalidDefinition>| result.unwrap_err().field;
        assert_eq!(field(VpcAccess::new("", "i", 1).check()), "vpc_id");
        assert_eq!(field(VpcAccess::new("v", "", 1).check()), "instance");
        assert_eq!(field(VpcAccess::new("v", "i", 0).check()), "port");
        assert_eq!(field(ObjectGrant::read("").check()), "bucket");
        assert_eq!(field(Credential::default().check()), "access_key");
        assert_eq!(field(Credential::new("a", "").check()), "secret_key");
        assert_eq!(Credential::from_environment().check(), Ok(()));
        let both = Credential { provider: Some(Provider::Env), ..Credential::new("a", "b") };
        assert_eq!(field(both.check()), "provider");
    }
}
