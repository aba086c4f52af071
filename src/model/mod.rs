//! WHAT exists: plain values, no I/O, no clock, no lock.
//!
//! | file | question |
//! |---|---|
//! | `name` | what may things be called? |
//! | `environment`, `kind` | where can a service be defined, and what kinds are there? |
//! | `definition/` | what does a service mean in one environment? |
//! | `service`, `group`, `api`, `parameter` | what do operators write down? |
//! | `app`, `authorization`, `settings`, `resource` | who calls, by which rights, and how is it all set? |
//! | `path` | how is a path matched, and how is one made? |
//! | `mapping` | what is done to the parameters of requests? |
//! | `variable` | what of an API differs by environment? |
//! | `fingerprint`, `diff` | are two values the same, and what differs? |
//! | `revision`, `limits` | how is a state counted, and how large may things be? |
//!
//! Read next: [`registry`](crate::registry) for what is true now.

pub mod api;
pub mod app;
pub mod authorization;
pub mod definition;
pub mod diff;
pub mod duration;
pub mod environment;
pub mod fingerprint;
pub mod group;
pub mod id;
pub mod kind;
pub mod limits;
pub(crate) mod mapping;
pub mod name;
pub mod parameter;
pub mod path;
pub mod resource;
pub mod revision;
pub mod service;
pub mod settings;
pub mod size;
pub(crate) mod variable;
pub mod verb;
pub mod version;

pub use self::api::{
    Access, Api, ApiBackend, AppCode, Mode, Protocol, ResponseDefinition, SignatureMethod,
    Visibility,
};
pub use self::app::{App, AppKey, Grant};
pub use self::authorization::{Connector, Credential, ObjectGrant, VpcAccess, Way};
pub use self::definition::{Definition, InvalidDefinition, Settings};
pub use self::diff::{Difference, diff};
pub use self::environment::{Declaration, Environment};
pub use self::fingerprint::{Fingerprint, Noun};
pub use self::group::Group;
pub use self::kind::Kind;
pub use self::name::{ApiName, GroupName, Host, InvalidName, ResourceName, ServiceName};
pub use self::parameter::{Constant, Location, Parameter, ParameterType, SystemParameter};
pub use self::resource::{Resource, Sort};
pub use self::revision::{ChangeId, Revision, Stamp};
pub use self::service::BackendService;
pub use self::settings::RegistrySettings;
pub use self::verb::Verb;
pub use self::version::Version;
