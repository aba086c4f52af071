//! Metrics for whatever recorder the crate `metrics` has.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ::metrics::{Key, Label, Level, Metadata, Recorder, with_recorder};

use super::event::{
    ChangeRefused, ConnectionOpened, DrainBegun, DrainEnded, RequestBegun, RequestEnded,
    RevisionApplied,
};
use super::instrument::{Counter, Gauge, Histogram, Instruments, Labels};
use super::ledger::Ledger;
use super::names::{FAMILIES, Family, Sort};
use super::observer::Observer;
use super::pool::Pool;

/// The same metrics as [`Metrics`](super::Metrics), by the same names and with the same bounds, told to the
/// global recorder of the crate `metrics`.
///
/// Install the recorder first: handles are taken once for each series, and those taken before do nothing.
/// What is said of connections, but for how many were opened, is told when [`sample`](Self::sample) is called:
/// from a timer, or before the recorder is asked.
///
/// A clone is cheap and the same.
#[derive(Clone)]
pub struct MetricsFacade(Arc<Ledger<Global>>);

impl MetricsFacade {
    /// Tells the recorder that is installed, and describes every metric to it.
    #[must_use]
    pub fn new() -> Self {
        with_recorder(|recorder| FAMILIES.iter().for_each(|family| describe(recorder, family)));
        Self(Arc::new(Ledger::new(Global)))
    }

    /// Tells how many connections are open, idle, reused, and waited for.
    pub fn sample(&self) {
        self.0.sample();
    }
}

impl Default for MetricsFacade {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MetricsFacade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MetricsFacade")
    }
}

fn describe(recorder: &dyn Recorder, family: &Family) {
    let (name, help) = (family.name.into(), family.help.into());
    match family.sort {
        Sort::Counter => recorder.describe_counter(name, None, help),
        Sort::Gauge => recorder.describe_gauge(name, None, help),
        Sort::Histogram => {
            recorder.describe_histogram(name, Some(::metrics::Unit::Seconds), help);
        }
    }
}

/// The global recorder.
#[derive(Debug)]
struct Global;

const METADATA: Metadata<'static> = Metadata::new(super::names::TARGET, Level::INFO, None);

fn key(family: &'static Family, labels: Labels<'_>) -> Key {
    let labels = family.labels.iter().zip(labels);
    let labels = labels.map(|(name, value)| Label::new(*name, (*value).to_owned()));
    Key::from_parts(family.name, labels.collect::<Vec<_>>())
}

impl Instruments for Global {
    type Counter = Handle<::metrics::Counter>;
    type Gauge = Handle<::metrics::Gauge>;
    type Histogram = Handle<::metrics::Histogram>;

    fn counter(&self, family: &'static Family, labels: Labels<'_>) -> Self::Counter {
        let key = key(family, labels);
        Handle(with_recorder(|recorder| recorder.register_counter(&key, &METADATA)))
    }

    fn gauge(&self, family: &'static Family, labels: Labels<'_>) -> Self::Gauge {
        let key = key(family, labels);
        Handle(with_recorder(|recorder| recorder.register_gauge(&key, &METADATA)))
    }

    fn histogram(&self, family: &'static Family, labels: Labels<'_>) -> Self::Histogram {
        let key = key(family, labels);
        Handle(with_recorder(|recorder| recorder.register_histogram(&key, &METADATA)))
    }
}

/// A handle of the recorder's.
struct Handle<T>(T);

impl<T> fmt::Debug for Handle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handle")
    }
}

impl Counter for Handle<::metrics::Counter> {
    fn add(&self, count: u64) {
        self.0.increment(count);
    }

    fn reach(&self, count: u64) {
        self.0.absolute(count);
    }
}

impl Gauge for Handle<::metrics::Gauge> {
    fn add(&self, more: i64) {
        #[expect(clippy::cast_precision_loss, reason = "recorders count in floating point")]
        self.0.increment(more as f64);
    }

    fn set(&self, value: u64) {
        #[expect(clippy::cast_precision_loss, reason = "recorders count in floating point")]
        self.0.set(value as f64);
    }
}

impl Histogram for Handle<::metrics::Histogram> {
    fn record(&self, took: Duration) {
        self.0.record(took);
    }
}

impl Observer for MetricsFacade {
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
