//! What has a name besides environments, services, groups and APIs.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::app::App;
use super::authorization::{Credential, ObjectGrant, VpcAccess};
use super::definition::InvalidDefinition;
use super::settings::RegistrySettings;

/// A named thing that is kept whole: who calls, what definitions refer to, and how the registry is set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Resource {
    /// An application.
    App(App),
    /// The permission to reach an instance inside a VPC.
    VpcAccess(VpcAccess),
    /// Rights on a bucket.
    ObjectGrant(ObjectGrant),
    /// Who the gateway is to a cloud service.
    Credential(Credential),
    /// How the registry is set. There is one.
    Registry(RegistrySettings),
}

/// The sorts of resources. Each has its own names.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Sort {
    /// Applications.
    App,
    /// Permissions to reach an instance inside a VPC.
    VpcAccess,
    /// Rights on a bucket.
    ObjectGrant,
    /// Who the gateway is to cloud services.
    Credential,
    /// The registry's settings.
    Registry,
}

impl Sort {
    /// The sort in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::VpcAccess => "VPC access",
            Self::ObjectGrant => "object grant",
            Self::Credential => "credential",
            Self::Registry => "settings of the",
        }
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Resource {
    /// Its sort.
    #[must_use]
    pub const fn sort(&self) -> Sort {
        match self {
            Self::App(_) => Sort::App,
            Self::VpcAccess(_) => Sort::VpcAccess,
            Self::ObjectGrant(_) => Sort::ObjectGrant,
            Self::Credential(_) => Sort::Credential,
            Self::Registry(_) => Sort::Registry,
        }
    }

    /// It, if it is an application.
    pub(crate) const fn app(&self) -> Option<&App> {
        match self {
            Self::App(app) => Some(app),
            _ => None,
        }
    }

    /// Whether it can be accepted as it stands, without asking anybody.
    ///
    /// # Errors
    ///
    /// The first field that cannot, and why.
    pub fn check(&self) -> Result<(), InvalidDefinition> {
        match self {
            Self::App(app) => app.check(),
            Self::VpcAccess(access) => access.check(),
            Self::ObjectGrant(grant) => grant.check(),
            Self::Credential(credential) => credential.check(),
            Self::Registry(settings) => settings.check(),
        }
    }
}

macro_rules! into_resource {
    ($($kind:ident => $variant:ident),* $(,)?) => { $(
        impl From<$kind> for Resource {
            fn from(value: $kind) -> Self {
                Self::$variant(value)
            }
        }
    )* };
}

into_resource! {
    App => App,
    VpcAccess => VpcAccess,
    ObjectGrant => ObjectGrant,
    Credential => Credential,
    RegistrySettings => Registry,
}
