//! Registries of any size for benchmarks: many groups, five shapes of path in each.

#![allow(dead_code, reason = "each benchmark uses a part of it")]

use std::sync::Arc;

use backhaul::registry::Builder;
use backhaul::store::MemoryStore;
use backhaul::{Api, Change, Environment, Group, Http, Kind, Registry};

/// Edits of one change while a registry is being filled.
const BATCH: usize = 50_000;

/// How a registry is filled: APIs of one service, spread evenly over groups.
#[derive(Clone, Copy)]
pub(crate) struct Population {
    pub(crate) apis: usize,
    pub(crate) groups: usize,
}

/// The service all APIs go to.
pub(crate) const SERVICE: &str = "shared";

impl Population {
    pub(crate) fn name(self, index: usize) -> String {
        format!("group{}/api{index}", index % self.groups)
    }

    pub(crate) fn host(self, index: usize) -> String {
        format!("h{}.example.com", index % self.groups)
    }

    /// The path of an API: literal and in four other shapes, which take turns.
    pub(crate) fn pattern(self, index: usize) -> String {
        match index / self.groups % 5 {
            0 => format!("/items/i{index}/parts"),
            1 => format!("/items/i{index}/[part]"),
            2 => format!("/[kind]/i{index}/parts"),
            3 => format!("/[kind]/i{index}/[part]"),
            _ => format!("/items/i{index}/*"),
        }
    }

    /// A path that the API matches.
    pub(crate) fn path(self, index: usize) -> String {
        match index / self.groups % 5 {
            0 => format!("/items/i{index}/parts"),
            1 => format!("/items/i{index}/p7"),
            2 => format!("/books/i{index}/parts"),
            3 => format!("/books/i{index}/p7"),
            _ => format!("/items/i{index}/a/b"),
        }
    }

    /// A registry on `store` with the service, the groups and all drafts; nothing is published.
    pub(crate) async fn drafts(
        self,
        store: &MemoryStore,
        pattern: impl Fn(usize) -> String,
    ) -> Registry {
        let builder = Registry::builder();
        let registry = builder.store(Arc::new(store.clone())).await.expect("it opens");
        self.draft(&registry, pattern).await;
        registry
    }

    /// A registry in memory with everything, published in RELEASE.
    pub(crate) async fn filled(self, builder: Builder) -> Registry {
        let registry = builder.in_memory().await.expect("it opens");
        self.draft(&registry, |index| self.pattern(index)).await;
        self.publish(&registry, &Environment::PRODUCTION).await;
        registry
    }

    /// Writes the service, the groups and all drafts down.
    pub(crate) async fn draft(self, registry: &Registry, pattern: impl Fn(usize) -> String) {
        let mut change = Change::new().service(SERVICE, Kind::HTTP);
        for environment in Environment::BUILT_IN {
            change = change.define(SERVICE, environment, to(1));
        }
        for group in 0..self.groups {
            let hosted = Group::host(format!("h{group}.example.com"));
            change = change.group(format!("group{group}"), hosted);
        }
        apply(registry, change).await;
        for start in (0..self.apis).step_by(BATCH) {
            let batch = start..(start + BATCH).min(self.apis);
            let change = batch.fold(Change::new(), |change, index| {
                change.api(self.name(index), Api::get(pattern(index)).service_same_path(SERVICE))
            });
            apply(registry, change).await;
        }
    }

    /// Publishes all drafts.
    pub(crate) async fn publish(self, registry: &Registry, environment: &Environment) {
        for start in (0..self.apis).step_by(BATCH) {
            let batch = start..(start + BATCH).min(self.apis);
            let names = batch.map(|index| self.name(index));
            apply(registry, Change::new().publish_all(names, environment)).await;
        }
    }
}

/// A definition that differs by its port.
pub(crate) fn to(port: usize) -> Http {
    Http::to(format!("http://10.0.0.7:{port}"))
}

/// Makes a change that is accepted.
pub(crate) async fn apply(registry: &Registry, change: Change) -> backhaul::Receipt {
    registry.publisher("benchmark").apply(change).await.expect("the change is accepted")
}
