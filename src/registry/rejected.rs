//! Why a change was refused.

use super::creation::NotCreatable;
use crate::model::{
    ApiName, Environment, GroupName, InvalidDefinition, InvalidName, Kind, ResourceName, Revision,
    ServiceName, Sort,
};

/// A change was refused. Nothing of it was done.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("edit {} ({operation}): {reason}", index + 1)]
#[non_exhaustive]
pub struct Rejected {
    /// Which edit, counted from 0.
    pub index: usize,
    /// What the edit would have done.
    pub operation: Box<str>,
    /// Why it cannot be.
    pub reason: Reason,
}

/// Why an edit cannot be.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// A name breaks its rules.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// A field has a value that cannot be accepted.
    #[error("{field}: {reason}")]
    Invalid {
        /// The key, with dots between levels.
        field: String,
        /// What is wrong with its value.
        reason: String,
    },
    /// No service has this name.
    #[error("there is no service {0:?}")]
    UnknownService(ServiceName),
    /// No group has this name.
    #[error("there is no group {0:?}")]
    UnknownGroup(GroupName),
    /// No API has this name.
    #[error("there is no API {0}")]
    UnknownApi(ApiName),
    /// No resource of the sort has this name.
    #[error("there is no {sort} {name:?}")]
    UnknownResource {
        /// The sort.
        sort: Sort,
        /// The name.
        name: ResourceName,
    },
    /// Another application has a key or a code of this one.
    #[error("app {0:?} has a key or a code of it")]
    CredentialTaken(ResourceName),
    /// The application may not call the API in the environment anyway.
    #[error("app {app:?} was not granted API {api} in {environment}")]
    NotGranted {
        /// The application.
        app: ResourceName,
        /// The API.
        api: ApiName,
        /// The environment.
        environment: Environment,
    },
    /// The environment is neither built in nor declared.
    #[error("there is no environment {0}")]
    UnknownEnvironment(Environment),
    /// Only declared environments can be edited.
    #[error("environment {0} is always there")]
    BuiltInEnvironment(Environment),
    /// Another thing has the name already.
    #[error("the name {0:?} is taken")]
    NameTaken(String),
    /// A rename would move an API to another group.
    #[error("the API would move from group {from:?} to group {to:?}")]
    OtherGroup {
        /// The group it is in.
        from: GroupName,
        /// The group its new name is in.
        to: GroupName,
    },
    /// A service's kind never changes.
    #[error("kind: service {service:?} is of kind {is} and stays so; {given} was given")]
    KindImmutable {
        /// The service.
        service: ServiceName,
        /// Its kind.
        is: Kind,
        /// The kind that was given.
        given: Kind,
    },
    /// A definition is of another kind than its service.
    #[error("kind: service {service:?} is of kind {is}, the definition of kind {given}")]
    KindMismatch {
        /// The service.
        service: ServiceName,
        /// Its kind.
        is: Kind,
        /// The definition's kind.
        given: Kind,
    },
    /// Nobody registered this kind.
    #[error("kind: no kind {0} is registered")]
    UnknownKind(Kind),
    /// The API is for WebSocket, and connections to its backend cannot be upgraded.
    #[error("protocol: websocket is not passed on by {}", backend(service.as_ref(), kind))]
    NotUpgradable {
        /// The service; absent for the API's own definition.
        service: Option<ServiceName>,
        /// The kind that cannot.
        kind: Kind,
    },
    /// The registry's policy forbids to create this kind.
    #[error(transparent)]
    NotCreatable(#[from] NotCreatable),
    /// The service means nothing in the environment.
    #[error("service {service:?} has no definition in {environment}")]
    NoDefinition {
        /// The service.
        service: ServiceName,
        /// The environment.
        environment: Environment,
    },
    /// The API is not published in the environment.
    #[error("API {api} is not published in {environment}")]
    NotPublished {
        /// The API.
        api: ApiName,
        /// The environment.
        environment: Environment,
    },
    /// The API was never published there at this revision, as far as the history goes back.
    #[error("API {api} has no version {version} in {environment}")]
    NoVersion {
        /// The API.
        api: ApiName,
        /// The environment.
        environment: Environment,
        /// The revision that published it.
        version: Revision,
    },
    /// The history does not reach back to this revision, or not yet up to it.
    #[error("revision {0} is not in the history")]
    NotInHistory(Revision),
    /// Later changes touched what would be taken back.
    #[error("{} later touched by revisions {}", touched(things, *count), revisions(by))]
    Touched {
        /// The first ten things that were touched.
        things: Vec<String>,
        /// How many there are.
        count: usize,
        /// The changes that touched them, the oldest first.
        by: Vec<Revision>,
    },
    /// What would be brought back needs something that is not there any more.
    #[error("{0} is not there any more")]
    Missing(String),
    /// It is in use.
    #[error("it is in use by {count}: {}{}", users.join(", "), if users.len() < *count { ", …" } else { "" })]
    InUse {
        /// The first ten users.
        users: Vec<String>,
        /// How many there are.
        count: usize,
    },
    /// Another API has the method and path.
    #[error("{method} {path} is taken by API {holder}{}", match environment { Some(environment) => format!(" in {environment}"), None => String::new() })]
    RouteTaken {
        /// The method.
        method: &'static str,
        /// The path.
        path: String,
        /// Who has it.
        holder: ApiName,
        /// Where it is published; absent among drafts.
        environment: Option<Environment>,
    },
    /// Another group has the host and base path.
    #[error("host {host:?} with base path {base_path:?} is taken by group {holder:?}")]
    HostTaken {
        /// The host.
        host: String,
        /// The base path.
        base_path: String,
        /// Who has it.
        holder: GroupName,
    },
    /// What is edited is not at the revision that was expected.
    #[error("it is {}, not {}", at(*actual), at(*expected))]
    Stale {
        /// The revision it was expected at; absent: that it does not exist.
        expected: Option<Revision>,
        /// The revision it is at; absent: it does not exist.
        actual: Option<Revision>,
    },
    /// Something would exceed a limit.
    #[error("{what} would be more than {limit}")]
    Limit {
        /// What.
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
}

fn backend(service: Option<&ServiceName>, kind: &Kind) -> String {
    match service {
        Some(service) => format!("service {service:?}, which is of kind {kind}"),
        None => format!("a backend of kind {kind}"),
    }
}

fn at(revision: Option<Revision>) -> String {
    revision.map_or_else(|| "absent".to_owned(), |revision| format!("at revision {revision}"))
}

fn touched(things: &[String], count: usize) -> String {
    let more = if things.len() < count { ", …" } else { "" };
    format!("{}{more} {}", things.join(", "), if count == 1 { "was" } else { "were" })
}

fn revisions(by: &[Revision]) -> String {
    by.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl From<InvalidDefinition> for Reason {
    fn from(error: InvalidDefinition) -> Self {
        Self::Invalid { field: error.field, reason: error.reason }
    }
}
