//! WHAT is told: who watches, and by which names.
//!
//! | file | question |
//! |---|---|
//! | `names`, `limits` | by which names is everything told, and how much of it? |
//! | `observer`, `event` | who is told, and what? |
//! | `pool` | what is told of connections? |
//! | `metrics`, `memory` | how is it counted here, and read by Prometheus? |
//! | `ledger`, `series`, `connections`, `instrument` | which event counts for what, whoever keeps the counts? |
//! | `access_log/` | how is a line for each request written, without holding one up? |
//! | `cache` | how are a target's counts found without looking for its name? |
//!
//! Read next: the manual's chapter on [observing](crate::manual::observing).

mod access_log;
mod cache;
mod connections;
mod event;
mod instrument;
mod ledger;
pub mod limits;
mod memory;
mod metrics;
pub mod names;
mod observer;
mod pool;
mod series;

pub use self::access_log::AccessLog;
pub use self::event::{
    ChangeRefused, ConnectionClosed, ConnectionOpened, DrainBegun, DrainEnded, Outcome, Protocol,
    Reason, RequestBegun, RequestEnded, RequestText, RequestWaited, RevisionApplied,
};
pub use self::metrics::Metrics;
pub use self::observer::Observer;
pub(crate) use self::observer::Observers;
pub use self::pool::Pool;
pub(crate) use self::pool::{ConnectionTold, Idle, PoolObservers, PoolTold};
