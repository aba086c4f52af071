//! Metrics kept in this process, and written down as Prometheus text.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::instrument::{Counter, Gauge, Histogram, Instruments, Labels};
use super::names::{BOUNDS, FAMILIES, Family, Sort};

/// Every series there is, by family.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<Vec<Series>>);

#[derive(Debug)]
struct Series {
    family: &'static str,
    /// As they are written: `service="orders",environment="TEST"`.
    labels: String,
    value: Value,
}

#[derive(Clone, Debug)]
enum Value {
    Count(Arc<AtomicU64>),
    Level(Arc<AtomicI64>),
    Times(Arc<Times>),
}

/// How often which length of time was there.
#[derive(Debug)]
pub(super) struct Times {
    /// By bucket, without those below it; the last is for what is above all bounds.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    /// Microseconds: nanoseconds of ten thousand requests at once are too many after three weeks.
    sum: AtomicU64,
}

impl Memory {
    fn keep(&self, family: &'static Family, labels: Labels<'_>, value: Value) {
        let series = Series { family: family.name, labels: written(family, labels), value };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(series);
    }

    /// How many series there are; a histogram is one.
    pub(super) fn series(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Everything, as Prometheus' text format 0.0.4 has it.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let series = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for family in FAMILIES {
            let sort = match family.sort {
                Sort::Counter => "counter",
                Sort::Gauge => "gauge",
                Sort::Histogram => "histogram",
            };
            let Family { name, help, .. } = family;
            // Writing to a string cannot fail, here and below.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {sort}");
            let mut of_it: Vec<_> = series.iter().filter(|it| it.family == *name).collect();
            of_it.sort_unstable_by(|one, other| one.labels.cmp(&other.labels));
            for series in of_it {
                series.write(&mut text);
            }
        }
        text
    }
}

impl Series {
    fn write(&self, text: &mut String) {
        let Self { family, labels, value } = self;
        let braced = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        let _ = match value {
            Value::Count(count) => {
                writeln!(text, "{family}{braced} {}", count.load(Ordering::Relaxed))
            }
            Value::Level(level) => {
                writeln!(text, "{family}{braced} {}", level.load(Ordering::Relaxed))
            }
            Value::Times(times) => times.write(text, family, labels, &braced),
        };
    }
}

impl Times {
    fn new() -> Self {
        Self { buckets: [const { AtomicU64::new(0) }; BOUNDS.len() + 1], sum: AtomicU64::new(0) }
    }

    fn write(&self, text: &mut String, name: &str, labels: &str, braced: &str) -> std::fmt::Result {
        let comma = if labels.is_empty() { "" } else { "," };
        let bounds = BOUNDS.iter().map(|bound| seconds(*bound));
        let bounds = bounds.chain(["+Inf".to_owned()]);
        // The count is that of the last bucket, also while others are counting.
        let mut count = 0;
        for (bucket, bound) in self.buckets.iter().zip(bounds) {
            count += bucket.load(Ordering::Relaxed);
            writeln!(text, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {count}")?;
        }
        let sum = seconds(self.sum.load(Ordering::Relaxed));
        writeln!(text, "{name}_sum{braced} {sum}\n{name}_count{braced} {count}")
    }
}

/// Microseconds as seconds, without zeros at the end.
fn seconds(micros: u64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Labels as they are written: a backslash, a quote and the end of a line are escaped.
fn written(family: &Family, values: Labels<'_>) -> String {
    let mut text = String::new();
    for (name, value) in family.labels.iter().zip(values) {
        let comma = if text.is_empty() { "" } else { "," };
        let _ = write!(text, "{comma}{name}=\"");
        for character in value.chars() {
            match character {
                '\\' => text.push_str("\\\\"),
                '"' => text.push_str("\\\""),
                '\n' => text.push_str("\\n"),
                other => text.push(other),
            }
        }
        text.push('"');
    }
    text
}

impl Instruments for Memory {
    type Counter = Arc<AtomicU64>;
    type Gauge = Arc<AtomicI64>;
    type Histogram = Arc<Times>;

    fn counter(&self, family: &'static Family, labels: Labels<'_>) -> Self::Counter {
        let count = Arc::new(AtomicU64::new(0));
        self.keep(family, labels, Value::Count(Arc::clone(&count)));
        count
    }

    fn gauge(&self, family: &'static Family, labels: Labels<'_>) -> Self::Gauge {
        let level = Arc::new(AtomicI64::new(0));
        self.keep(family, labels, Value::Level(Arc::clone(&level)));
        level
    }

    fn histogram(&self, family: &'static Family, labels: Labels<'_>) -> Self::Histogram {
        let times = Arc::new(Times::new());
        self.keep(family, labels, Value::Times(Arc::clone(&times)));
        times
    }
}

impl Counter for Arc<AtomicU64> {
    fn add(&self, count: u64) {
        self.fetch_add(count, Ordering::Relaxed);
    }

    fn reach(&self, count: u64) {
        self.fetch_max(count, Ordering::Relaxed);
    }
}

impl Gauge for Arc<AtomicI64> {
    fn add(&self, more: i64) {
        self.fetch_add(more, Ordering::Relaxed);
    }

    fn set(&self, value: u64) {
        self.store(i64::try_from(value).unwrap_or(i64::MAX), Ordering::Relaxed);
    }
}

impl Histogram for Arc<Times> {
    fn record(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let at = BOUNDS.iter().position(|bound| micros <= *bound).unwrap_or(BOUNDS.len());
        if let Some(bucket) = self.buckets.get(at) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(micros, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::names;

    #[test]
    fn lengths_of_time_are_counted_at_their_bounds() {
        let memory = Memory::default();
        let times = memory.histogram(&names::DRAINS, &[]);
        for micros in [0, 500, 501, 60_000_000, 60_000_001] {
            times.record(Duration::from_micros(micros));
        }
        let text = memory.text();
        let has = |line: &str| text.lines().any(|it| it == line);
        assert!(has("backhaul_drain_duration_seconds_bucket{le=\"0.0005\"} 2"), "{text}");
        assert!(has("backhaul_drain_duration_seconds_bucket{le=\"0.001\"} 3"), "{text}");
        assert!(has("backhaul_drain_duration_seconds_bucket{le=\"60\"} 4"), "{text}");
        assert!(has("backhaul_drain_duration_seconds_bucket{le=\"+Inf\"} 5"), "{text}");
        assert!(has("backhaul_drain_duration_seconds_sum 120.001002"), "{text}");
        assert!(has("backhaul_drain_duration_seconds_count 5"), "{text}");
    }

    #[test]
    fn labels_are_escaped() {
        let labels = written(&names::API_REQUESTS, &["a\"b\\c\nd", "TEST", "2xx"]);
        assert_eq!(labels, r#"api="a\"b\\c\nd",environment="TEST",status="2xx""#);
    }

    #[test]
    fn seconds_are_written_without_zeros() {
        for (micros, text) in [(0, "0"), (500, "0.0005"), (1_000_000, "1"), (2_500_000, "2.5")] {
            assert_eq!(seconds(micros), text);
        }
    }
}
