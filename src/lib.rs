//! Embeddable, environment-aware, transactional backend services for API gateways.

pub mod backend;
pub mod error;
#[cfg(fuzzing)]
pub mod fuzzing;
pub mod model;
pub mod sync;
pub mod time;
pub mod transport;

pub use crate::backend::{Backend, Body, Call};
pub use crate::error::{Error, ErrorKind, Place, Result, Retry};
pub use crate::model::definition::{
    Custom, Discovery, EventBridge, FunctionCompute, Http, Mixed, Mock, Oss, Vpc,
};
pub use crate::model::{
    Api, ApiName, BackendService, Definition, Environment, Group, GroupName, Kind, Revision,
    ServiceName,
};
