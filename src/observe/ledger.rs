//! Makes metrics of what happens, whoever keeps them.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock};

use super::cache::Cache;
use super::connections::Connections;
use super::event::{
    ChangeRefused, ConnectionOpened, DrainEnded, Reason, RequestBegun, RequestEnded,
    RevisionApplied,
};
use super::instrument::{Counter, Gauge, Histogram, Instruments};
use super::limits::{MAX_APIS, MAX_TARGETS};
use super::names;
use super::pool::Pool;
use super::series::{ApiSeries, TargetSeries};
use crate::error::Place;
use crate::model::{ApiName, Environment, ServiceName};

/// The metrics of everything that stands on a registry, or on several.
#[derive(Debug)]
pub(super) struct Ledger<I: Instruments> {
    pub(super) instruments: I,
    targets: Known<(Option<ServiceName>, Environment), TargetSeries<I>>,
    by_place: Cache<(Arc<Place>, Arc<TargetSeries<I>>)>,
    apis: Known<(ApiName, Environment), ApiSeries<I>>,
    by_api: Cache<(ApiName, Environment, Arc<ApiSeries<I>>)>,
    unrouted: TargetSeries<I>,
    connections: Connections<I>,
    revision: I::Gauge,
    applied: [I::Counter; 2],
    refused: [I::Counter; Reason::ALL.len()],
    draining: I::Gauge,
    drains: I::Histogram,
}

impl<I: Instruments> Ledger<I> {
    pub(super) fn new(instruments: I) -> Self {
        let revisions = |by| instruments.counter(&names::REVISIONS, &[by]);
        let refused = |reason: Reason| instruments.counter(&names::REFUSED, &[reason.as_str()]);
        Self {
            targets: Known::new(MAX_TARGETS),
            by_place: Cache::new(),
            apis: Known::new(MAX_APIS),
            by_api: Cache::new(),
            unrouted: TargetSeries::new(&instruments, names::NONE, names::NONE),
            connections: Connections::new(),
            revision: instruments.gauge(&names::REVISION, &[]),
            applied: ["self", "others"].map(revisions),
            refused: Reason::ALL.map(refused),
            draining: instruments.gauge(&names::DRAINING, &[]),
            drains: instruments.histogram(&names::DRAINS, &[]),
            instruments,
        }
    }

    /// Does something with the metrics of a place.
    fn target<T>(&self, place: Option<&Arc<Place>>, act: impl FnOnce(&TargetSeries<I>) -> T) -> T {
        let Some(place) = place else {
            return act(&self.unrouted);
        };
        let address = Arc::as_ptr(place).addr();
        if let Some(found) = self.by_place.find(address, |(it, _)| Arc::ptr_eq(it, place))
            && let Some(entry) = &*found
        {
            return act(&entry.1);
        }
        let key = (place.service.clone(), place.environment.clone());
        let (series, own) = self.targets.find(&key, |own| {
            let service = match &place.service {
                _ if !own => names::OTHER,
                Some(service) => service.as_str(),
                None => names::INLINE,
            };
            TargetSeries::new(&self.instruments, service, place.environment.as_str())
        });
        if own {
            self.by_place.keep(address, (Arc::clone(place), Arc::clone(&series)));
        }
        act(&series)
    }

    fn count_api(&self, api: &ApiName, environment: &Environment, request: &RequestEnded<'_>) {
        let address = api.name().as_ptr().addr() ^ environment.as_str().as_ptr().addr();
        let same = |one: &str, other: &str| std::ptr::eq(one, other);
        let is = |(name, at, _): &(ApiName, Environment, _)| {
            // By address: what is renamed has another one.
            same(name.name(), api.name())
                && same(name.group().as_str(), api.group().as_str())
                && same(at.as_str(), environment.as_str())
        };
        if let Some(found) = self.by_api.find(address, is)
            && let Some(entry) = &*found
        {
            return entry.2.ended(&self.instruments, request);
        }
        let key = (api.clone(), environment.clone());
        let (series, own) = self.apis.find(&key, |own| {
            let name = if own { api.to_string() } else { names::OTHER.to_owned() };
            ApiSeries::new(&name, environment.as_str())
        });
        if own {
            self.by_api.keep(address, (key.0, key.1, Arc::clone(&series)));
        }
        series.ended(&self.instruments, request);
    }

    pub(super) fn begun(&self, request: &RequestBegun<'_>) {
        self.target(request.place, TargetSeries::begun);
    }

    pub(super) fn ended(&self, request: &RequestEnded<'_>) {
        self.target(request.place, |series| series.ended(&self.instruments, request));
        if let (Some(api), Some(place)) = (request.api, request.place) {
            self.count_api(api, &place.environment, request);
        }
    }

    pub(super) fn pool_opened(&self, pool: &Arc<Pool>) {
        self.connections.pool_opened(pool);
    }

    pub(super) fn connected(&self, connection: &ConnectionOpened<'_>) {
        self.connections.opened(&self.instruments, connection);
    }

    /// Makes the metrics of connections what they are now.
    pub(super) fn sample(&self) {
        self.connections.sample(&self.instruments);
    }

    pub(super) fn applied(&self, applied: &RevisionApplied) {
        let [own, others] = &self.applied;
        if applied.own { own } else { others }.add(1);
        self.revision.set(applied.revision.as_u64());
    }

    pub(super) fn refused(&self, change: &ChangeRefused<'_>) {
        let reasons = Reason::ALL.iter().zip(&self.refused);
        for (_, counter) in reasons.filter(|(reason, _)| **reason == change.reason) {
            counter.add(1);
        }
    }

    pub(super) fn drain_begun(&self) {
        self.draining.add(1);
    }

    pub(super) fn drain_ended(&self, drain: &DrainEnded<'_>) {
        self.draining.add(-1);
        self.drains.record(drain.took);
    }
}

/// What was made for each of so many keys. The next share one for each environment.
#[derive(Debug)]
pub(super) struct Known<K, V> {
    most: usize,
    map: RwLock<Map<K, V>>,
}

#[derive(Debug)]
struct Map<K, V> {
    own: HashMap<K, Arc<V>>,
    shared: HashMap<Environment, Arc<V>>,
}

/// A key of which there can be too many in each environment.
pub(super) trait Located: Clone + Eq + Hash {
    fn environment(&self) -> &Environment;
}

impl<T: Clone + Eq + Hash> Located for (T, Environment) {
    fn environment(&self) -> &Environment {
        &self.1
    }
}

impl<K: Located, V> Known<K, V> {
    pub(super) fn new(most: usize) -> Self {
        let map = Map { own: HashMap::new(), shared: HashMap::new() };
        Self { most, map: RwLock::new(map) }
    }

    /// What was made for a key, and whether it is its own. `make` is told whether it makes one of its own.
    pub(super) fn find(&self, key: &K, make: impl FnOnce(bool) -> V) -> (Arc<V>, bool) {
        let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
        let full = map.own.len() >= self.most;
        if let Some(found) = map.own.get(key) {
            return (Arc::clone(found), true);
        }
        if let Some(found) = map.shared.get(key.environment()).filter(|_| full) {
            return (Arc::clone(found), false);
        }
        drop(map);
        let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
        if map.own.len() < self.most || map.own.contains_key(key) {
            let made = map.own.entry(key.clone()).or_insert_with(|| Arc::new(make(true)));
            return (Arc::clone(made), true);
        }
        let shared = map.shared.entry(key.environment().clone());
        (Arc::clone(shared.or_insert_with(|| Arc::new(make(false)))), false)
    }

    pub(super) fn each(&self, act: impl FnMut(&Arc<V>)) {
        let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
        map.own.values().chain(map.shared.values()).for_each(act);
    }
}
