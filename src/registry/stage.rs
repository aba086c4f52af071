//! What is defined and published in one environment.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::routes::RouteTable;
use super::shared::{IdSet, Pages};
use crate::model::id::{ApiId, GroupId, ServiceId};
use crate::model::variable::Variables;
use crate::model::{InvalidDefinition, Revision, Version};
use crate::store::record::{DefinitionRecord, PublicationRecord};

/// The definitions and publications of one environment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stage {
    definitions: Pages<Arc<DefinitionRecord>>,
    publications: Pages<Arc<PublicationRecord>>,
    routes: RouteTable,
    /// By service: the APIs published through it, by the epoch they were published against.
    epochs: Pages<Arc<Vec<Epoch>>>,
    /// The APIs published with a definition of their own.
    inline: IdSet,
    /// What the publications that name stage variables are here.
    substituted: Pages<Arc<Substituted>>,
    defined: usize,
}

/// What a publication is once its stage variables are replaced; the error says what is wrong with them.
#[derive(Debug)]
pub(crate) struct Substituted {
    pub(crate) group: GroupId,
    pub(crate) version: Result<Version, InvalidDefinition>,
}

/// The version that counts of a publication of which this came.
pub(super) fn counting<'a>(
    publication: &'a PublicationRecord,
    substituted: Option<&'a Substituted>,
) -> &'a Version {
    match substituted.map(|it| &it.version) {
        Some(Ok(version)) => version,
        // One that names variables says itself that it cannot be served.
        _ => &publication.version,
    }
}

/// The APIs published through a service against one epoch of its definition.
#[derive(Clone, Debug)]
struct Epoch {
    epoch: Revision,
    apis: IdSet,
}

impl Stage {
    pub(crate) fn definition(&self, service: ServiceId) -> Option<&Arc<DefinitionRecord>> {
        self.definitions.get(service.number())
    }

    pub(crate) fn definitions(&self) -> impl Iterator<Item = (ServiceId, &Arc<DefinitionRecord>)> {
        self.definitions.iter().map(|(id, record)| (ServiceId::new(id), record))
    }

    pub(crate) fn publication(&self, api: ApiId) -> Option<&Arc<PublicationRecord>> {
        self.publications.get(api.number())
    }

    pub(crate) fn routes(&self) -> &RouteTable {
        &self.routes
    }

    /// The APIs published with a definition of their own.
    pub(crate) fn inline(&self) -> &IdSet {
        &self.inline
    }

    /// What a publication is here, its stage variables replaced.
    pub(crate) fn version<'a>(&'a self, publication: &'a PublicationRecord) -> &'a Version {
        counting(publication, self.replaced(publication).map(Arc::as_ref))
    }

    /// What came of a publication's stage variables, if it names any.
    pub(super) fn replaced(&self, publication: &PublicationRecord) -> Option<&Arc<Substituted>> {
        let is_open = publication.version.is_open();
        is_open.then(|| self.substituted(publication.api)).flatten()
    }

    /// What came of an API's stage variables, if it is published here and names any.
    pub(crate) fn substituted(&self, api: ApiId) -> Option<&Arc<Substituted>> {
        self.substituted.get(api.number())
    }

    /// The APIs of a group that are published here and name stage variables.
    pub(crate) fn substituted_in(&self, group: GroupId) -> impl Iterator<Item = ApiId> + '_ {
        let of_group = move |(_, it): &(u32, &Arc<Substituted>)| it.group == group;
        self.substituted.iter().filter(of_group).map(|(api, _)| ApiId::new(api))
    }

    /// The APIs of a group whose own definitions are others here than before.
    pub(crate) fn moved_in<'a>(
        &'a self,
        group: GroupId,
        before: &'a Self,
    ) -> impl Iterator<Item = ApiId> + 'a {
        let definition = |stage: &'a Self, api| {
            stage.publication(api).and_then(|publication| stage.version(publication).inline())
        };
        let is_moved = move |api: &ApiId| definition(self, *api) != definition(before, *api);
        self.substituted_in(group).filter(is_moved)
    }

    /// The APIs whose stage variables make nothing of them that can be served here.
    pub(crate) fn failed(&self) -> impl Iterator<Item = ApiId> + '_ {
        let failed = self.substituted.iter().filter(|(_, it)| it.version.is_err());
        failed.map(|(api, _)| ApiId::new(api))
    }

    /// How many services are defined here.
    pub(crate) fn defined(&self) -> usize {
        self.defined
    }

    /// Every API published here, live or dormant.
    pub(crate) fn publications(&self) -> impl Iterator<Item = ApiId> + '_ {
        self.publications.iter().map(|(id, _)| ApiId::new(id))
    }

    /// Whether requests can reach a publication: by its own definition, or because its service's
    /// definition accepts its epoch.
    pub(crate) fn is_live(&self, publication: &PublicationRecord) -> bool {
        match publication.version.service() {
            None => true,
            Some(service) => self
                .definition(service)
                .is_some_and(|definition| definition.accepts(publication.epoch)),
        }
    }

    /// The APIs that are live through a service, by the epochs its definition accepts.
    pub(crate) fn live_through(&self, service: ServiceId) -> impl Iterator<Item = &IdSet> {
        let found = self.definition(service).zip(self.epochs.get(service.number()));
        found.into_iter().flat_map(|(definition, epochs)| {
            let live = epochs.iter().filter(|known| definition.accepts(Some(known.epoch)));
            live.map(|known| &known.apis)
        })
    }

    /// How many APIs are live through a service.
    pub(crate) fn live_count(&self, service: ServiceId) -> usize {
        self.live_through(service).map(IdSet::len).sum()
    }

    /// How many APIs are live here. Costs what is defined here.
    pub(crate) fn live(&self) -> usize {
        let through = self.definitions().map(|(service, _)| self.live_count(service));
        through.sum::<usize>() + self.inline.len()
    }

    /// The APIs published through a service against one epoch, live or dormant.
    pub(crate) fn of_epoch(&self, service: ServiceId, epoch: Revision) -> Option<&IdSet> {
        let epochs = self.epochs.get(service.number())?;
        epochs.iter().find(|known| known.epoch == epoch).map(|known| &known.apis)
    }

    /// Every epoch that something is published against.
    pub(crate) fn epochs(&self) -> impl Iterator<Item = (ServiceId, Revision)> + '_ {
        self.epochs.iter().flat_map(|(service, epochs)| {
            epochs.iter().map(move |known| (ServiceId::new(service), known.epoch))
        })
    }

    /// Every API published through a service, live or dormant.
    pub(crate) fn all_through(&self, service: ServiceId) -> impl Iterator<Item = ApiId> + '_ {
        let epochs = self.epochs.get(service.number()).map(|epochs| epochs.iter());
        epochs.into_iter().flatten().flat_map(|epoch| epoch.apis.iter().map(ApiId::new))
    }

    pub(super) fn put_definition(
        &mut self,
        service: ServiceId,
        record: Option<Arc<DefinitionRecord>>,
    ) {
        let defined = usize::from(record.is_some());
        let before = match record {
            Some(record) => self.definitions.set(service.number(), record),
            None => self.definitions.take(service.number()),
        };
        self.defined = self.defined + defined - usize::from(before.is_some());
    }

    /// Puts publications in, where there are none yet: given in the order of their APIs, each once.
    /// Hands out those that name stage variables, which are still to be replaced.
    pub(super) fn fill(
        &mut self,
        publications: Vec<(u32, Arc<PublicationRecord>)>,
    ) -> Vec<(ApiId, GroupId)> {
        let mut open = Vec::new();
        let mut epochs: BTreeMap<ServiceId, Vec<(Revision, Vec<u32>)>> = BTreeMap::new();
        let mut inline = Vec::new();
        for (api, publication) in &publications {
            if publication.version.is_open() {
                open.push((ApiId::new(*api), publication.group));
            }
            match publication.version.service().zip(publication.epoch) {
                Some((service, epoch)) => {
                    let known = epochs.entry(service).or_default();
                    match known.iter_mut().find(|(other, _)| *other == epoch) {
                        Some((_, apis)) => apis.push(*api),
                        None => known.push((epoch, vec![*api])),
                    }
                }
                None => inline.push(*api),
            }
        }
        let sets = epochs.into_iter().map(|(service, known)| {
            let sets = known.into_iter();
            let sets = sets.map(|(epoch, apis)| Epoch { epoch, apis: IdSet::filled(apis) });
            (service.number(), Arc::new(sets.collect()))
        });
        self.epochs = Pages::filled(sets);
        self.inline = IdSet::filled(inline);
        self.routes = RouteTable::filled(&publications);
        self.publications = Pages::filled(publications.into_iter());
        open
    }

    /// Puts in what the stage variables of publications make of them.
    pub(super) fn substitute(&mut self, api: ApiId, variables: Option<&Variables>) {
        let Some(publication) = self.publication(api).filter(|it| it.version.is_open()) else {
            self.substituted.take(api.number());
            return;
        };
        let none = Variables::new();
        let version = publication.version.with_variables(variables.unwrap_or(&none));
        let substituted = Substituted { group: publication.group, version };
        self.substituted.set(api.number(), Arc::new(substituted));
    }

    pub(super) fn put_publication(&mut self, api: ApiId, record: Option<Arc<PublicationRecord>>) {
        let before = match &record {
            Some(record) => self.publications.set(api.number(), Arc::clone(record)),
            None => self.publications.take(api.number()),
        };
        if let Some(before) = before {
            self.routes.remove(&before);
            self.index(api, &before, false);
        }
        if let Some(record) = record {
            self.routes.insert(&record);
            self.index(api, &record, true);
        }
    }

    fn index(&mut self, api: ApiId, publication: &PublicationRecord, present: bool) {
        let (Some(service), Some(epoch)) = (publication.version.service(), publication.epoch)
        else {
            if present {
                self.inline.insert(api.number());
            } else {
                self.inline.remove(api.number());
            }
            return;
        };
        if self.epochs.get(service.number()).is_none() {
            self.epochs.set(service.number(), Arc::default());
        }
        let Some(epochs) = self.epochs.get_mut(service.number()).map(Arc::make_mut) else {
            return;
        };
        if !epochs.iter().any(|known| known.epoch == epoch) {
            epochs.push(Epoch { epoch, apis: IdSet::default() });
        }
        if let Some(known) = epochs.iter_mut().find(|known| known.epoch == epoch) {
            if present {
                known.apis.insert(api.number())
            } else {
                known.apis.remove(api.number())
            };
        }
        epochs.retain(|known| !known.apis.is_empty());
    }
}
