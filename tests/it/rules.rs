//! The rules of the registry, each with a test that fails without it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use backhaul::publish::{OutcomeKind, Receipt};
use backhaul::registry::{Reason, Rejected, Status};
use backhaul::time::{Clock, Timestamp};
use backhaul::{Api, Change, CommitError, Environment, Group, Http, Kind, Registry};

mod drafts;
mod environments;
mod expected;
mod groups;
mod limits;
mod plans;
mod publications;
mod receipts;
mod restored;
mod rights;
mod services;
mod traffic;
mod undo;
mod views;

pub(crate) const TEST: Environment = Environment::TEST;
pub(crate) const LIVE: Environment = Environment::PRODUCTION;

pub(crate) fn http(port: u16) -> Http {
    Http::to(format!("http://10.0.0.7:{port}"))
}

/// A service that is defined in RELEASE, and a draft that goes to it.
pub(crate) fn shop() -> Change {
    Change::new()
        .service("orders", Kind::HTTP)
        .define("orders", LIVE, http(1))
        .group("shop", Group::host("shop.example.com"))
        .api("shop/get_order", order("/orders/[id]"))
}

/// An API that goes to the service of [`shop`].
pub(crate) fn order(path: &str) -> Api {
    Api::get(path).service_same_path("orders")
}

pub(crate) async fn registry(change: Change) -> Registry {
    let registry = Registry::in_memory().await.unwrap();
    apply(&registry, change).await;
    registry
}

/// Applies a change that must be accepted.
pub(crate) async fn apply(registry: &Registry, change: Change) -> Receipt {
    let receipt = registry.publisher("test").apply(change).await.unwrap();
    // What a receipt counts is what it lists.
    let count = |kind: &[OutcomeKind]| {
        receipt.outcomes().filter(|outcome| kind.contains(&outcome.result)).count()
    };
    let counts = receipt.counts();
    assert_eq!(count(&[OutcomeKind::Moved]), counts.moved);
    assert_eq!(count(&[OutcomeKind::Unpublished]), counts.unpublished);
    assert_eq!(count(&[OutcomeKind::Published, OutcomeKind::Republished]), counts.published);
    assert_eq!(count(&[OutcomeKind::Displaced]), counts.displaced);
    receipt
}

/// Applies a change that must be refused, checks that it left no trace, and says why it was.
pub(crate) async fn rejected(registry: &Registry, change: Change) -> Rejected {
    let before = (registry.revision(), registry.services());
    let error = registry.publisher("test").apply(change).await.unwrap_err();
    assert_eq!((registry.revision(), registry.services()), before);
    match error {
        CommitError::Rejected(rejected) => rejected,
        other => panic!("{other}"),
    }
}

pub(crate) async fn refused(registry: &Registry, change: Change) -> Reason {
    rejected(registry, change).await.reason
}

pub(crate) fn status(registry: &Registry, api: &str, environment: &Environment) -> Option<Status> {
    registry.publication(api, environment).unwrap().map(|view| view.status)
}

/// A clock that stands still until it is told otherwise.
#[derive(Clone, Debug, Default)]
struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    fn set(&self, millis: u64) {
        self.0.store(millis, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}
