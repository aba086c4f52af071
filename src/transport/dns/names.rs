//! Which names are remembered.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::entry::Entry;
use super::{Lifetimes, MAX_NAMES, Resolve, SystemResolver};

/// The names of one transport, each with what is known of it.
pub(in crate::transport) struct Names {
    resolver: Arc<dyn Resolve>,
    lifetimes: Lifetimes,
    known: Mutex<HashMap<Box<str>, Arc<Entry>>>,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            resolver: Arc::new(SystemResolver::default()),
            lifetimes: Lifetimes::default(),
            known: Mutex::default(),
        }
    }
}

impl Names {
    pub(super) fn set_resolver(&mut self, resolver: Arc<dyn Resolve>) {
        self.resolver = resolver;
    }

    pub(super) fn set_lifetimes(&mut self, lifetimes: Lifetimes) {
        self.lifetimes = lifetimes;
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Box<str>, Arc<Entry>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of a name. Never refused: with [`MAX_NAMES`] remembered, the one is forgotten that
    /// nobody uses and nobody asked for the longest; if all are in use, the new one is not remembered
    /// and asked for again with every connection.
    pub(in crate::transport) fn entry(&self, host: &str) -> Arc<Entry> {
        let mut known = self.known();
        if let Some(entry) = known.get(host) {
            return Arc::clone(entry);
        }
        let entry = Arc::new(Entry::new(host, Arc::clone(&self.resolver), self.lifetimes));
        if known.len() < MAX_NAMES || forget_one(&mut known) {
            known.insert(host.into(), Arc::clone(&entry));
        }
        entry
    }

    pub(super) fn all(&self) -> Vec<Arc<Entry>> {
        self.known().values().cloned().collect()
    }
}

/// Says whether one could be forgotten.
fn forget_one(known: &mut HashMap<Box<str>, Arc<Entry>>) -> bool {
    let unused = known.values().filter(|entry| Arc::strong_count(entry) == 1);
    let oldest = unused.min_by_key(|entry| entry.asked()).map(|entry| Box::from(entry.host()));
    oldest.is_some_and(|host: Box<str>| known.remove(&host).is_some())
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names")
            .field("resolver", &self.resolver)
            .field("lifetimes", &self.lifetimes)
            .field("known", &self.known().len())
            .finish()
    }
}
