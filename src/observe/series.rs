//! The metrics of one target, and of one API.

use std::sync::OnceLock;

use http::StatusCode;

use super::event::{Outcome, RequestEnded};
use super::instrument::{Counter, Gauge, Histogram, Instruments};
use super::names::{self, Family};
use crate::error::{ErrorKind, Stage};

/// Classes of status, and none at all.
const CLASSES: [&str; 6] = [names::NONE, "1xx", "2xx", "3xx", "4xx", "5xx"];
const STAGES: [Stage; 8] = [
    Stage::Receive,
    Stage::Route,
    Stage::Admit,
    Stage::Map,
    Stage::Call,
    Stage::Connect,
    Stage::Request,
    Stage::Response,
];

/// Counters of one family that differ in the status class; each is made when it is needed.
#[derive(Debug)]
struct ByStatus<I: Instruments> {
    family: &'static Family,
    counters: [OnceLock<I::Counter>; CLASSES.len()],
}

/// What is counted of the requests to one service in one environment.
#[derive(Debug)]
pub(super) struct TargetSeries<I: Instruments> {
    service: Box<str>,
    environment: Box<str>,
    requests: ByStatus<I>,
    in_flight: I::Gauge,
    took: I::Histogram,
    backend: OnceLock<I::Histogram>,
    superseded: OnceLock<I::Counter>,
    received: OnceLock<I::Counter>,
    sent: OnceLock<I::Counter>,
    aborted: [OnceLock<I::Counter>; STAGES.len()],
    /// By kind, then by stage. Most targets never fail.
    failures: OnceLock<Box<[OnceLock<I::Counter>]>>,
}

/// What is counted of the requests for one API in one environment.
#[derive(Debug)]
pub(super) struct ApiSeries<I: Instruments> {
    api: Box<str>,
    environment: Box<str>,
    requests: ByStatus<I>,
}

impl<I: Instruments> ByStatus<I> {
    fn new(family: &'static Family) -> Self {
        Self { family, counters: [const { OnceLock::new() }; CLASSES.len()] }
    }

    fn count(&self, instruments: &I, status: Option<StatusCode>, one: &str, environment: &str) {
        let class = usize::from(status.map_or(0, |status| status.as_u16() / 100));
        // What is no class is none: gateways answer nothing else.
        let class = if class < CLASSES.len() { class } else { 0 };
        if let (Some(counter), Some(name)) = (self.counters.get(class), CLASSES.get(class)) {
            let made = || instruments.counter(self.family, &[one, environment, name]);
            counter.get_or_init(made).add(1);
        }
    }
}

impl<I: Instruments> TargetSeries<I> {
    pub(super) fn new(instruments: &I, service: &str, environment: &str) -> Self {
        let labels = [service, environment];
        Self {
            requests: ByStatus::new(&names::REQUESTS),
            in_flight: instruments.gauge(&names::IN_FLIGHT, &labels),
            took: instruments.histogram(&names::REQUEST_DURATION, &labels),
            backend: OnceLock::new(),
            superseded: OnceLock::new(),
            received: OnceLock::new(),
            sent: OnceLock::new(),
            aborted: [const { OnceLock::new() }; STAGES.len()],
            failures: OnceLock::new(),
            service: service.into(),
            environment: environment.into(),
        }
    }

    pub(super) fn begun(&self) {
        self.in_flight.add(1);
    }

    pub(super) fn ended(&self, instruments: &I, request: &RequestEnded<'_>) {
        self.in_flight.add(-1);
        self.requests.count(instruments, request.status, &self.service, &self.environment);
        self.took.record(request.took);
        let labels = [&*self.service, &*self.environment];
        if let Some(took) = request.backend {
            let made = || instruments.histogram(&names::BACKEND_DURATION, &labels);
            self.backend.get_or_init(made).record(took);
        }
        let count = |cell: &OnceLock<I::Counter>, family, more| {
            if more > 0 {
                cell.get_or_init(|| instruments.counter(family, &labels)).add(more);
            }
        };
        count(&self.received, &names::REQUEST_BYTES, request.received);
        count(&self.sent, &names::RESPONSE_BYTES, request.sent);
        count(&self.superseded, &names::SUPERSEDED_REQUESTS, request.superseded.into());
        match request.outcome {
            Outcome::Answered => {}
            Outcome::Failed { kind, stage, .. } => self.failed(instruments, kind, stage),
            Outcome::Aborted { stage } => self.aborted(instruments, stage),
        }
    }

    fn failed(&self, instruments: &I, kind: ErrorKind, stage: Stage) {
        let all = || {
            let cells = ErrorKind::ALL.len() * STAGES.len();
            (0..cells).map(|_| OnceLock::new()).collect()
        };
        let kind_at = ErrorKind::ALL.iter().position(|it| *it == kind).unwrap_or(0);
        let at = kind_at * STAGES.len() + index(stage);
        if let Some(cell) = self.failures.get_or_init(all).get(at) {
            let (party, stage) = (names::party(kind.party()), names::stage(stage));
            let labels = [&*self.service, &*self.environment, party, stage, kind.answer().code];
            cell.get_or_init(|| instruments.counter(&names::FAILURES, &labels)).add(1);
        }
    }

    fn aborted(&self, instruments: &I, stage: Stage) {
        if let Some(cell) = self.aborted.get(index(stage)) {
            let labels = [&*self.service, &*self.environment, names::stage(stage)];
            cell.get_or_init(|| instruments.counter(&names::ABORTED_REQUESTS, &labels)).add(1);
        }
    }
}

impl<I: Instruments> ApiSeries<I> {
    pub(super) fn new(api: &str, environment: &str) -> Self {
        let requests = ByStatus::new(&names::API_REQUESTS);
        Self { api: api.into(), environment: environment.into(), requests }
    }

    pub(super) fn ended(&self, instruments: &I, request: &RequestEnded<'_>) {
        self.requests.count(instruments, request.status, &self.api, &self.environment);
    }
}

fn index(stage: Stage) -> usize {
    STAGES.iter().position(|it| *it == stage).unwrap_or(0)
}
