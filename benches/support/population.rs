//! Registries of any size for benchmarks: many groups, five shapes of path in each.

use backhaul::{Api, Change, Environment, Group, Http, Kind, Registry};

/// Edits of one change while a registry is being filled.
const BATCH: usize = 50_000;

/// How a registry is filled.
pub struct Population {
    /// APIs, all attached to the service `shared`.
    pub apis: usize,
    /// Groups they are spread over evenly.
    pub groups: usize,
}

impl Population {
    /// The group of the API at `index`.
    pub fn group(&self, index: usize) -> usize {
        index % self.groups
    }

    /// The name of the API at `index`.
    pub fn name(&self, index: usize) -> String {
        format!("group{}/api{}", self.group(index), index)
    }

    /// The path of the API at `index`: literal in five shapes that take turns.
    pub fn pattern(&self, index: usize) -> String {
        match index / self.groups % 5 {
            0 => format!("/items/i{index}/parts"),
            1 => format!("/items/i{index}/[part]"),
            2 => format!("/[kind]/i{index}/parts"),
            3 => format!("/[kind]/i{index}/[part]"),
            _ => format!("/items/i{index}/*"),
        }
    }

    /// A path that the API at `index` matches, below its host.
    pub fn path(&self, index: usize) -> String {
        match index / self.groups % 5 {
            0 => format!("/items/i{index}/parts"),
            1 => format!("/items/i{index}/p7"),
            2 => format!("/books/i{index}/parts"),
            3 => format!("/books/i{index}/p7"),
            _ => format!("/items/i{index}/a/b"),
        }
    }

    /// The host of the API at `index`.
    pub fn host(&self, index: usize) -> String {
        format!("h{}.example.com", self.group(index))
    }

    /// A registry with the service, the groups and all drafts, nothing published.
    pub async fn drafts(&self, pattern: impl Fn(usize) -> String) -> Registry {
        let registry = Registry::in_memory().await.unwrap();
        let mut change = Change::new().service("shared", Kind::HTTP);
        for environment in Environment::BUILT_IN {
            change = change.define("shared", environment, Http::to("http://10.0.0.7:8080"));
        }
        for group in 0..self.groups {
            change =
                change.group(format!("group{group}"), Group::host(format!("h{group}.example.com")));
        }
        let publisher = registry.publisher("bench");
        publisher.apply(change).await.unwrap();
        for start in (0..self.apis).step_by(BATCH) {
            let end = (start + BATCH).min(self.apis);
            let change = (start..end).fold(Change::new(), |change, index| {
                let api = Api::get(pattern(index)).service_same_path("shared");
                change.api(self.name(index), api)
            });
            publisher.apply(change).await.unwrap();
        }
        registry
    }

    /// Publishes all drafts.
    pub async fn publish(&self, registry: &Registry, environment: &Environment) {
        for start in (0..self.apis).step_by(BATCH) {
            let end = (start + BATCH).min(self.apis);
            let names = (start..end).map(|index| self.name(index));
            let change = Change::new().publish_all(names, environment);
            registry.publisher("bench").apply(change).await.unwrap();
        }
    }
}
