//! Metrics, ready to be read by Prometheus.

use std::fmt;
use std::sync::Arc;

use super::event::{
    ChangeRefused, ConnectionOpened, DrainBegun, DrainEnded, RequestBegun, RequestEnded,
    RevisionApplied,
};
use super::ledger::Ledger;
use super::memory::Memory;
use super::observer::Observer;
use super::pool::Pool;

/// Counts, kept in this process: requests by service, environment and status class, failures by whose side
/// they were, durations, what is in flight, connections, revisions and drains. [`names`](super::names) has
/// all of them.
///
/// A clone is cheap and has the same counts: one is given to the registry, the other is asked for its
/// [text](Self::text). One may be given to several registries. A request costs neither a lock nor an
/// allocation.
///
/// What a label can say is bounded: services, environments and APIs are what operators wrote, at most
/// [`MAX_TARGETS`](super::limits::MAX_TARGETS) and [`MAX_APIS`](super::limits::MAX_APIS) of them are told
/// apart, and nothing of a request becomes a label.
///
/// ```
/// use backhaul::Registry;
/// use backhaul::observe::Metrics;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let metrics = Metrics::new();
/// let registry = Registry::builder().observer(metrics.clone()).in_memory().await?;
/// # let _ = registry;
/// assert!(metrics.text().contains("backhaul_changes_refused_total{reason=\"stale\"} 0"));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Metrics(Arc<Ledger<Memory>>);

impl Metrics {
    /// The `Content-Type` of [`text`](Self::text).
    pub const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// Counts that begin at nothing.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Ledger::new(Memory::default())))
    }

    /// Everything, in Prometheus' text format. It takes as long as there are series, some forty thousand
    /// lines at most for each thousand targets; requests are not held up by it.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.sample();
        self.0.instruments.text()
    }

    /// How many series there are; a histogram is one.
    #[must_use]
    pub fn series(&self) -> usize {
        self.0.instruments.series()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").field("series", &self.series()).finish_non_exhaustive()
    }
}

impl Observer for Metrics {
    fn request_begun(&self, request: &RequestBegun<'_>) {
        self.0.begun(request);
    }

    fn request_ended(&self, request: &RequestEnded<'_>) {
        self.0.ended(request);
    }

    fn pool_opened(&self, pool: &Arc<Pool>) {
        self.0.pool_opened(pool);
    }

    fn connection_opened(&self, connection: &ConnectionOpened<'_>) {
        self.0.connected(connection);
    }

    fn revision_applied(&self, revision: &RevisionApplied) {
        self.0.applied(revision);
    }

    fn change_refused(&self, change: &ChangeRefused<'_>) {
        self.0.refused(change);
    }

    fn drain_begun(&self, _: &DrainBegun<'_>) {
        self.0.drain_begun();
    }

    fn drain_ended(&self, drain: &DrainEnded<'_>) {
        self.0.drain_ended(drain);
    }
}
