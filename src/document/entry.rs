//! What a document consists of: names and the model's values.

use std::collections::BTreeMap;

use crate::model::{
    Api, ApiName, App, Credential, Declaration, Definition, Environment, Grant, Group, GroupName,
    Kind, ObjectGrant, ResourceName, ServiceName, VpcAccess,
};

/// `[[environment]]`: an environment beside the three that are always there.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct EnvironmentEntry {
    /// Its name.
    pub name: Environment,
    /// What is declared of it.
    pub declaration: Declaration,
}

/// `[[backend_service]]`: a service, and what it means where.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ServiceEntry {
    /// Its name.
    pub name: ServiceName,
    /// The name it had before, if it is to be renamed.
    pub renamed_from: Option<ServiceName>,
    /// Its kind. It never changes.
    pub kind: Kind,
    /// At most 180 characters.
    pub description: String,
    /// What it means in each environment.
    pub definition: BTreeMap<Environment, Definition>,
}

/// `[[vpc_access]]`, `[[object_grant]]` or `[[credential]]`: a named value that definitions refer to.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Named<T> {
    /// Its name.
    pub name: ResourceName,
    /// What it is.
    pub value: T,
}

/// `[[vpc_access]]`: the permission to reach an instance inside a VPC.
pub type VpcAccessEntry = Named<VpcAccess>;
/// `[[object_grant]]`: rights on a bucket.
pub type ObjectGrantEntry = Named<ObjectGrant>;
/// `[[credential]]`: who the gateway is to a cloud service.
pub type CredentialEntry = Named<Credential>;

/// `[[group]]`: a group of APIs.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct GroupEntry {
    /// Its name.
    pub name: GroupName,
    /// The name it had before, if it is to be renamed.
    pub renamed_from: Option<GroupName>,
    /// What it is.
    pub group: Group,
}

/// `[[api]]`: an API, and where it is published.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ApiEntry {
    /// Its group and its name in there; two keys of the table.
    pub name: ApiName,
    /// The name it had in its group before, if it is to be renamed. The group is the one of `name`;
    /// where the group is renamed too, that is its new name.
    pub renamed_from: Option<ApiName>,
    /// Where it is published, each environment once.
    pub publish: Vec<Environment>,
    /// What is published there instead of the draft, where it differs.
    pub version: BTreeMap<Environment, Api>,
    /// The draft.
    pub api: Api,
}

/// `[[app]]`: an application.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct AppEntry {
    /// Its name.
    pub name: ResourceName,
    /// The name it had before, if it is to be renamed.
    pub renamed_from: Option<ResourceName>,
    /// What it is.
    pub app: App,
}

/// `[[grant]]`: that an application may call an API in an environment.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct GrantEntry {
    /// The application.
    pub app: ResourceName,
    /// The API, as `group/name`.
    pub api: ApiName,
    /// The environment.
    pub environment: Environment,
    /// Until when.
    pub grant: Grant,
}

impl EnvironmentEntry {
    /// An environment with a description.
    #[must_use]
    pub fn new(name: Environment, declaration: Declaration) -> Self {
        Self { name, declaration }
    }
}

impl ServiceEntry {
    /// A service that is defined nowhere.
    #[must_use]
    pub fn new(name: ServiceName, kind: Kind) -> Self {
        let definition = BTreeMap::new();
        Self { name, renamed_from: None, kind, description: String::new(), definition }
    }
}

impl<T> Named<T> {
    /// A value under a name.
    #[must_use]
    pub fn new(name: ResourceName, value: T) -> Self {
        Self { name, value }
    }
}

impl GroupEntry {
    /// A group under a name.
    #[must_use]
    pub fn new(name: GroupName, group: Group) -> Self {
        Self { name, renamed_from: None, group }
    }
}

impl ApiEntry {
    /// An API that is published nowhere.
    #[must_use]
    pub fn new(name: ApiName, api: Api) -> Self {
        Self { name, renamed_from: None, publish: Vec::new(), version: BTreeMap::new(), api }
    }
}

impl AppEntry {
    /// An application under a name.
    #[must_use]
    pub fn new(name: ResourceName, app: App) -> Self {
        Self { name, renamed_from: None, app }
    }
}

impl GrantEntry {
    /// That `app` may call `api` in `environment`.
    #[must_use]
    pub fn new(app: ResourceName, api: ApiName, environment: Environment, grant: Grant) -> Self {
        Self { app, api, environment, grant }
    }
}
