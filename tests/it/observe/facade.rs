//! The same metrics, by the crate `metrics`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use backhaul::observe::{MetricsFacade, names};
use backhaul::{Body, Registry};
use http::{Request, Response};
use http_body_util::BodyExt;
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};

use crate::gateway::harness::{answered_with, call};

/// Keeps what it is told.
#[derive(Clone, Debug, Default)]
struct Kept {
    described: Arc<Mutex<Vec<String>>>,
    values: Arc<Mutex<BTreeMap<String, Arc<Cell>>>>,
}

#[derive(Debug, Default)]
struct Cell(AtomicI64);

#[expect(clippy::cast_possible_truncation, reason = "these are small whole numbers")]
fn whole(value: f64) -> i64 {
    value as i64
}

impl CounterFn for Cell {
    fn increment(&self, value: u64) {
        self.0.fetch_add(i64::try_from(value).unwrap(), Ordering::SeqCst);
    }

    fn absolute(&self, value: u64) {
        self.0.fetch_max(i64::try_from(value).unwrap(), Ordering::SeqCst);
    }
}

impl GaugeFn for Cell {
    fn increment(&self, value: f64) {
        self.0.fetch_add(whole(value), Ordering::SeqCst);
    }

    fn decrement(&self, value: f64) {
        self.0.fetch_sub(whole(value), Ordering::SeqCst);
    }

    fn set(&self, value: f64) {
        self.0.store(whole(value), Ordering::SeqCst);
    }
}

impl HistogramFn for Cell {
    fn record(&self, _: f64) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Kept {
    fn cell(&self, key: &Key) -> Arc<Cell> {
        let labels = key.labels().map(|label| format!("{}={}", label.key(), label.value()));
        let name = format!("{}{{{}}}", key.name(), labels.collect::<Vec<_>>().join(","));
        Arc::clone(self.values.lock().unwrap().entry(name).or_default())
    }

    fn value(&self, name: &str) -> Option<i64> {
        let values = self.values.lock().unwrap();
        values.get(name).map(|cell| cell.0.load(Ordering::SeqCst))
    }
}

impl Recorder for Kept {
    fn describe_counter(&self, key: KeyName, _: Option<Unit>, _: SharedString) {
        self.described.lock().unwrap().push(key.as_str().to_owned());
    }

    fn describe_gauge(&self, key: KeyName, _: Option<Unit>, _: SharedString) {
        self.described.lock().unwrap().push(key.as_str().to_owned());
    }

    fn describe_histogram(&self, key: KeyName, _: Option<Unit>, _: SharedString) {
        self.described.lock().unwrap().push(key.as_str().to_owned());
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.cell(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.cell(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.cell(key))
    }
}

#[tokio::test]
async fn a_recorder_is_told_the_same() {
    let kept = Kept::default();
    metrics::set_global_recorder(kept.clone()).unwrap();
    let facade = MetricsFacade::new();
    assert_eq!(kept.described.lock().unwrap().len(), names::FAMILIES.len());
    let builder = Registry::builder().observer(facade.clone());
    let (_registry, gateway) =
        answered_with(builder, |_| async { Ok(Response::new(Body::from("hello"))) }).await;
    let ask = || Request::get("/").header("host", "a").body(Body::empty()).unwrap();
    let answer = call(&gateway, ask()).await;
    let at = "service=inside,environment=RELEASE";
    let in_flight = format!("backhaul_requests_in_flight{{{at}}}");
    assert_eq!(kept.value(&in_flight), Some(1));
    answer.into_body().collect().await.unwrap();
    drop(call(&gateway, ask()).await);
    facade.sample();
    for (name, value) in [
        (in_flight, 0),
        (format!("backhaul_requests_total{{{at},status=2xx}}"), 2),
        (format!("backhaul_request_duration_seconds{{{at}}}"), 2),
        (format!("backhaul_response_body_bytes_total{{{at}}}"), 5),
        (format!("backhaul_aborted_requests_total{{{at},stage=response}}"), 1),
        ("backhaul_revisions_applied_total{by=self}".to_owned(), 1),
    ] {
        assert_eq!(kept.value(&name), Some(value), "{name}");
    }
}
