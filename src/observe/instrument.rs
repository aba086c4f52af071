//! What metrics are made of, whoever keeps them.

use std::fmt;
use std::time::Duration;

use super::names::Family;

/// The values of a series' labels, in the order of its family's names.
pub(super) type Labels<'a> = &'a [&'a str];

/// Makes what counts. Asked once for every series.
pub(super) trait Instruments: fmt::Debug + Send + Sync + 'static {
    type Counter: Counter;
    type Gauge: Gauge;
    type Histogram: Histogram;

    fn counter(&self, family: &'static Family, labels: Labels<'_>) -> Self::Counter;
    fn gauge(&self, family: &'static Family, labels: Labels<'_>) -> Self::Gauge;
    fn histogram(&self, family: &'static Family, labels: Labels<'_>) -> Self::Histogram;
}

pub(super) trait Counter: fmt::Debug + Send + Sync + 'static {
    fn add(&self, count: u64);
    /// Makes it at least so much.
    fn reach(&self, count: u64);
}

pub(super) trait Gauge: fmt::Debug + Send + Sync + 'static {
    fn add(&self, more: i64);
    fn set(&self, value: u64);
}

pub(super) trait Histogram: fmt::Debug + Send + Sync + 'static {
    fn record(&self, took: Duration);
}
