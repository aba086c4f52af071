//! What is kept, under which key.
//!
//! Records hold ids instead of names, so that a rename writes one record. Their contents are shared
//! with the registry's state: a store in memory costs little more than its keys.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::id::{ApiId, EnvironmentId, GroupId, ResourceId, ServiceId};
use crate::model::{
    BackendService, ChangeId, Definition, Environment, Grant, Group, GroupName, Resource,
    ResourceName, Revision, ServiceName, Stamp, Version,
};

/// Under which key a record is kept.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Key {
    /// The next ids.
    Next,
    /// A declared environment.
    Environment(EnvironmentId),
    /// A backend service.
    Service(ServiceId),
    /// What a service means in an environment.
    Definition(ServiceId, EnvironmentId),
    /// A group.
    Group(GroupId),
    /// An application, an authorization, or the registry's settings.
    Resource(ResourceId),
    /// An API's draft.
    Api(ApiId),
    /// An API in an environment.
    Publication(ApiId, EnvironmentId),
    /// That an application may call an API in an environment.
    Grant(ApiId, EnvironmentId, ResourceId),
    /// What a change did.
    Revision(Revision),
}

/// What is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Record {
    /// The next ids.
    Next(Next),
    /// A declared environment.
    Environment(Arc<EnvironmentRecord>),
    /// A backend service.
    Service(Arc<ServiceRecord>),
    /// What a service means in an environment.
    Definition(Arc<DefinitionRecord>),
    /// A group.
    Group(Arc<GroupRecord>),
    /// An application, an authorization, or the registry's settings.
    Resource(Arc<ResourceRecord>),
    /// An API's draft.
    Api(Arc<ApiRecord>),
    /// An API in an environment.
    Publication(Arc<PublicationRecord>),
    /// That an application may call an API in an environment.
    Grant(Arc<GrantRecord>),
    /// What a change did.
    Revision(Arc<RevisionRecord>),
}

#[cfg(feature = "store-redb")]
impl Record {
    /// Whether it is of a key's sort.
    pub(crate) fn fits(&self, key: Key) -> bool {
        matches!(
            (key, self),
            (Key::Next, Self::Next(_))
                | (Key::Environment(_), Self::Environment(_))
                | (Key::Service(_), Self::Service(_))
                | (Key::Definition(..), Self::Definition(_))
                | (Key::Group(_), Self::Group(_))
                | (Key::Resource(_), Self::Resource(_))
                | (Key::Api(_), Self::Api(_))
                | (Key::Publication(..), Self::Publication(_))
                | (Key::Grant(..), Self::Grant(_))
                | (Key::Revision(_), Self::Revision(_))
        )
    }
}

/// The ids that come next.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Next {
    /// Of an environment, beside the three that are always there.
    pub environment: u16,
    /// Of a service.
    pub service: u32,
    /// Of a group.
    pub group: u32,
    /// Of an API.
    pub api: u32,
    /// Of a resource.
    #[serde(default)]
    pub resource: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_false(truth: &bool) -> bool {
    !truth
}

/// A declared environment.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a record is what a store keeps, no more")]
pub struct EnvironmentRecord {
    /// Its name.
    pub name: Environment,
    /// What it is for.
    pub description: Box<str>,
    /// Whether a document made it, so that a document may take it away.
    #[serde(default, skip_serializing_if = "is_false")]
    pub by_document: bool,
    /// Who made it so.
    pub stamp: Arc<Stamp>,
}

/// A backend service.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a record is what a store keeps, no more")]
pub struct ServiceRecord {
    /// Its name.
    pub name: ServiceName,
    /// Its kind and description.
    pub service: BackendService,
    /// Whether a document made it, so that a document may take it away.
    #[serde(default, skip_serializing_if = "is_false")]
    pub by_document: bool,
    /// Who made it so.
    pub stamp: Arc<Stamp>,
}

/// What a service means in an environment.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a record is what a store keeps, no more")]
pub struct DefinitionRecord {
    /// The definition.
    pub definition: Definition,
    /// The revision that first defined it; publications carry it.
    pub epoch: Revision,
    /// Epochs of definitions that were deleted, whose publications an undo made live again.
    #[serde(default, skip_serializing_if = "<[Revision]>::is_empty")]
    pub accepted: Box<[Revision]>,
    /// Whether a document made it, so that a document may take it away.
    #[serde(default, skip_serializing_if = "is_false")]
    pub by_document: bool,
    /// Who made it so.
    pub stamp: Arc<Stamp>,
}

/// A group.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a record is what a store keeps, no more")]
pub struct GroupRecord {
    /// Its name.
    pub name: GroupName,
    /// Its hosts, base path and options.
    pub group: Group,
    /// Whether a document made it, so that a document may take it away.
    #[serde(default, skip_serializing_if = "is_false")]
    pub by_document: bool,
    /// Who made it so.
    pub stamp: Arc<Stamp>,
}

/// An application, an authorization, or the registry's settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a record is what a store keeps, no more")]
pub struct ResourceRecord {
    /// Its name.
    pub name: ResourceName,
    /// What it is.
    pub resource: Resource,
    /// Whether a document made it, so that a document may take it away.
    #[serde(default, skip_serializing_if = "is_false")]
    pub by_document: bool,
    /// Who made it so.
    pub stamp: Arc<Stamp>,
}

/// That an application may call an API in an environment.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a record is what a store keeps, no more")]
pub struct GrantRecord {
    /// The API.
    pub api: ApiId,
    /// Where.
    pub environment: EnvironmentId,
    /// The application.
    pub app: ResourceId,
    /// Until when.
    pub grant: Grant,
    /// Whether a document made it, so that a document may take it away.
    #[serde(default, skip_serializing_if = "is_false")]
    pub by_document: bool,
    /// Who made it so.
    pub stamp: Arc<Stamp>,
}

/// An API's draft.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a record is what a store keeps, no more")]
pub struct ApiRecord {
    /// The group it belongs to.
    pub group: GroupId,
    /// Its name in the group.
    pub name: Arc<str>,
    /// What is written down.
    pub version: Arc<Version>,
    /// Whether a document made it, so that a document may take it away.
    #[serde(default, skip_serializing_if = "is_false")]
    pub by_document: bool,
    /// Who made it so.
    pub stamp: Arc<Stamp>,
}

/// An API in an environment: a frozen version, and the epoch it was published against.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a record is what a store keeps, no more")]
pub struct PublicationRecord {
    /// The API.
    pub api: ApiId,
    /// The group it belongs to.
    pub group: GroupId,
    /// The frozen version.
    pub version: Arc<Version>,
    /// The epoch of its service's definition; absent for an API with a definition of its own.
    pub epoch: Option<Revision>,
    /// Whether a document made it, so that a document may take it away.
    #[serde(default, skip_serializing_if = "is_false")]
    pub by_document: bool,
    /// Who published it.
    pub stamp: Arc<Stamp>,
}

/// What a change did: who made it, and what was there before at every key it wrote.
///
/// The newest of them are the history. What a thing was is found by going from one to the one before:
/// a record's stamp names the change that made it so, and that change holds what was there before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a record is what a store keeps, no more")]
pub struct RevisionRecord {
    /// Which change it was.
    pub change: ChangeId,
    /// Who made it.
    pub stamp: Arc<Stamp>,
    /// Why a limit on its reach was overridden, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forced: Option<Arc<str>>,
    /// The changes it took back.
    #[serde(default, skip_serializing_if = "<[Revision]>::is_empty")]
    pub undoes: Box<[Revision]>,
    /// The keys it wrote where nothing had ever been, in order.
    #[serde(default, skip_serializing_if = "<[Key]>::is_empty")]
    pub created: Box<[Key]>,
    /// The other keys it wrote, in order, each with what was there before.
    #[serde(default, skip_serializing_if = "<[(Key, Past)]>::is_empty")]
    pub touched: Box<[(Key, Past)]>,
}

/// What was under a key before a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "a record is what a store keeps, no more")]
pub enum Past {
    /// Nothing any more: this change had deleted it.
    Gone(Revision),
    /// This.
    Was(Record),
}
