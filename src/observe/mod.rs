//! WHAT is told: who watches, and by which names.
//!
//! | file | question |
//! |---|---|
//! | `names`, `limits` | by which names is everything told, and how much of it? |
//! | `observer`, `event` | who is told, and what? |
//! | `pool` | what is told of connections? |
//! | `metrics`, `memory` | how is it counted here, and read by Prometheus? |
//! | `ledger`, `series`, `connections`, `instrument` | which event counts for what, whoever keeps the counts? |
//! | `facade` | the same by the crate `metrics` |
//! | `span`, `tracing` | the same by the crate `tracing` |
//! | `access_log/` | how is a line for each request written, without holding one up? |
//! | `cache` | how are a target's counts found without looking for its name? |
//!
//! Read next: the manual's chapter on [observing](crate::manual::observing).

mod access_log;
mod cache;
mod connections;
mod event;
#[cfg(feature = "metrics")]
mod facade;
mod instrument;
mod ledger;
pub mod limits;
mod memory;
mod metrics;
pub mod names;
mod observer;
mod pool;
mod series;
mod span;
#[cfg(feature = "tracing")]
mod tracing;

pub use self::access_log::AccessLog;
pub use self::event::{
    ChangeRefused, ConnectionClosed, ConnectionOpened, DrainBegun, DrainEnded, Outcome, Protocol,
    Reason, RequestBegun, RequestEnded, RequestText, RequestWaited, RevisionApplied,
};
#[cfg(feature = "metrics")]
pub use self::facade::MetricsFacade;
pub use self::metrics::Metrics;
pub use self::observer::Observer;
pub(crate) use self::observer::Observers;
pub use self::pool::Pool;
pub(crate) use self::pool::{ConnectionTold, Idle, PoolObservers, PoolTold};
pub(crate) use self::span::RequestSpan;
#[cfg(feature = "tracing")]
pub use self::tracing::Tracing;
