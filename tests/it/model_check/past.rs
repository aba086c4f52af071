//! What the registry shows of the past, and what the model and old receipts say it was.

use backhaul::publish::Counts;
use backhaul::registry::Status;
use backhaul::{Receipt, Registry, Revision};

use super::observe::{api_names, full};
use super::operations::{APIS, ENVIRONMENTS, GROUPS, SERVICES, leads_to};
use crate::reference::against::outcomes;
use crate::reference::edit::ApiName;
use crate::reference::history::Version;
use crate::reference::model::Model;
use crate::reference::world::place;

/// What every revision's receipt said when the change was made.
#[derive(Debug, Default)]
pub(super) struct Past(Vec<(Counts, Vec<String>)>);

impl Past {
    pub(super) fn keep(&mut self, receipt: &Receipt) {
        self.0.push((receipt.counts(), outcomes(receipt.outcomes())));
        assert_eq!(receipt.revision().as_u64(), self.newest());
    }

    fn newest(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap()
    }

    /// Looks at one thing of each sort, at others in every step.
    pub(super) fn agrees_somewhere(&self, registry: &Registry, model: &Model, step: u64) {
        let one_of = |count: usize, by: u64| usize::try_from(by).unwrap() % count;
        let at = one_of(2, step);
        let group = GROUPS[one_of(GROUPS.len(), step / 2)];
        let api = APIS[one_of(APIS.len(), step / 6)];
        versions(registry, model, &(group.to_owned(), api.to_owned()), at);
        definitions(registry, model, SERVICES[one_of(SERVICES.len(), step / 2)], at);
        // Finding one costs what was changed since.
        if step.is_multiple_of(4) {
            self.receipt(registry, model, self.newest() - step / 4 % self.newest());
        }
    }

    /// Looks at everything.
    pub(super) fn agrees(&self, registry: &Registry, model: &Model) {
        for at in 0..ENVIRONMENTS.len() {
            for name in api_names() {
                versions(registry, model, &name, at);
            }
            for name in SERVICES {
                definitions(registry, model, name, at);
            }
        }
        for revision in [0, self.newest() / 2, self.newest(), self.newest() + 1] {
            self.receipt(registry, model, revision);
        }
        let kept: Vec<_> = registry.history().map(|entry| entry.stamp.revision.as_u64()).collect();
        let expected = (1..=model.revision()).rev().filter(|revision| model.remembers(*revision));
        assert_eq!(kept, expected.collect::<Vec<_>>());
    }

    fn receipt(&self, registry: &Registry, model: &Model, revision: u64) {
        let found = registry.receipt(Revision::new(revision));
        assert_eq!(found.is_some(), model.remembers(revision), "revision {revision}");
        let Some(found) = found else { return };
        let (counts, rows) = &self.0[usize::try_from(revision).unwrap() - 1];
        assert_eq!(found.revision().as_u64(), revision);
        assert_eq!(found.counts(), *counts, "revision {revision}");
        assert_eq!(&outcomes(found.outcomes()), rows, "revision {revision}");
    }
}

fn versions(registry: &Registry, model: &Model, name: &ApiName, at: usize) {
    let is = registry.versions(&full(name), &ENVIRONMENTS[at]).unwrap().into_iter();
    let is = is.map(|version| Version {
        by: version.stamp.revision.as_u64(),
        online: version.status == Status::Online,
        ended: version.ended.map(|stamp| stamp.revision.as_u64()),
        service: version.service.map(|service| service.to_string()),
        method: version.api.method,
        path: version.api.path,
    });
    let expected = model.versions(name, place(ENVIRONMENTS[at].as_str()));
    assert_eq!(is.collect::<Vec<_>>(), expected, "{name:?} in {}", ENVIRONMENTS[at]);
}

fn definitions(registry: &Registry, model: &Model, name: &str, at: usize) {
    let is = registry.definitions(name, &ENVIRONMENTS[at]).unwrap().into_iter();
    let is = is.map(|version| {
        let led = version.definition.as_ref().map(leads_to);
        (version.stamp.revision.as_u64(), led.zip(version.epoch.map(Revision::as_u64)))
    });
    let expected = model.definitions(name, place(ENVIRONMENTS[at].as_str()));
    assert_eq!(is.collect::<Vec<_>>(), expected, "{name} in {}", ENVIRONMENTS[at]);
}
