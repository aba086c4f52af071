//! Embeddable, environment-aware, transactional backend services for API gateways.

use std::sync::Arc;

pub mod backend;
pub mod body;
pub mod error;
#[cfg(fuzzing)]
pub mod fuzzing;
pub mod gateway;
pub mod model;
pub mod publish;
pub mod registry;
pub mod store;
pub mod sync;
#[cfg(feature = "testing")]
pub mod testing;
pub mod time;
pub mod transport;

pub use crate::backend::{Backend, Call};
pub use crate::body::Body;
pub use crate::error::{Error, ErrorKind, Place, Result, Retry};
pub use crate::gateway::Gateway;
pub use crate::model::definition::{
    Custom, Discovery, EventBridge, FunctionCompute, Http, Mixed, Mock, Oss, Vpc,
};
pub use crate::model::{
    Api, ApiName, BackendService, Definition, Environment, Group, GroupName, InvalidDefinition,
    Kind, Revision, ServiceName,
};
pub use crate::publish::{Publisher, Receipt};
pub use crate::registry::{Change, CommitError, Registry, Rejected};

/// The adapters of the kinds that are built in.
fn built_in_kinds() -> Vec<Arc<dyn backend::Factory>> {
    vec![Arc::new(backend::http::HttpFactory), Arc::new(backend::mock::MockFactory)]
}
