//! What a registry shows, and what the model says it should.

use std::collections::BTreeMap;

use backhaul::registry::Status;
use backhaul::{Registry, Revision, model};

use super::operations::{APIS, ENVIRONMENTS, GROUPS, SERVICES, leads_to};
use crate::reference::edit::{Api, ApiName, Backend};
use crate::reference::model::Model;

/// Everything both can say.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Seen {
    revision: u64,
    services: BTreeMap<String, String>,
    /// Since when, and where they lead.
    definitions: BTreeMap<(String, String), (u64, String)>,
    groups: BTreeMap<String, (String, String)>,
    drafts: BTreeMap<ApiName, Api>,
    /// The frozen API, and whether requests reach it.
    publications: BTreeMap<(ApiName, String), (Api, bool)>,
    /// How many drafts refer to a service.
    uses: BTreeMap<String, usize>,
    /// How many APIs are live through a definition.
    live: BTreeMap<(String, String), usize>,
}

pub(super) fn api_names() -> impl Iterator<Item = ApiName> {
    GROUPS.iter().flat_map(|group| APIS.iter().map(|api| ((*group).to_owned(), (*api).to_owned())))
}

pub(super) fn full((group, name): &ApiName) -> String {
    format!("{group}/{name}")
}

/// By which revision each thing was made what it is.
pub(super) type Made = Vec<Revision>;

/// What the registry shows.
pub(super) fn seen(registry: &Registry) -> (Seen, Made) {
    let mut seen = Seen { revision: registry.revision().as_u64(), ..Seen::default() };
    let mut made = Vec::new();
    services(registry, &mut seen, &mut made);
    for name in GROUPS {
        if let Some((group, revision)) = registry.group(name).unwrap() {
            seen.groups.insert(name.to_owned(), (group.hosts[0].clone(), group.base_path));
            made.push(revision);
        }
    }
    for name in api_names() {
        if let Some((draft, revision)) = registry.api(&full(&name)).unwrap() {
            seen.drafts.insert(name.clone(), plain(draft));
            made.push(revision);
        }
        for environment in &ENVIRONMENTS {
            if let Some(view) = registry.publication(&full(&name), environment).unwrap() {
                made.extend([view.published.revision, view.effective.revision]);
                let online = view.status == Status::Online;
                seen.publications
                    .insert((name.clone(), environment.to_string()), (plain(view.api), online));
            }
        }
    }
    (seen, made)
}

fn services(registry: &Registry, seen: &mut Seen, made: &mut Made) {
    for view in SERVICES.iter().filter_map(|name| registry.service(name).unwrap()) {
        let name = view.name().to_string();
        made.push(view.stamp().revision);
        for at in view.definitions() {
            made.push(at.stamp.revision);
            let key = (name.clone(), at.environment.to_string());
            let definition = (at.epoch.as_u64(), leads_to(&at.definition));
            assert_eq!(view.addresses(&at.environment).count(), at.published);
            seen.live.insert(key.clone(), at.published);
            seen.definitions.insert(key, definition);
        }
        assert_eq!(view.drafts().count(), view.draft_count());
        seen.uses.insert(name.clone(), view.draft_count());
        seen.services.insert(name, view.kind().to_string());
    }
    assert_eq!(registry.services().len(), seen.services.len());
}

fn plain(api: model::Api) -> Api {
    let backend = match (api.backend.service, api.backend.inline) {
        (Some(service), None) => Backend::Service(service),
        (None, Some(definition)) => Backend::Inline(leads_to(&definition)),
        other => panic!("{other:?}"),
    };
    Api { method: api.method, path: api.path, backend }
}

/// What requests reach, and where they go.
pub(super) fn reachable(registry: &Registry) -> BTreeMap<(ApiName, String), String> {
    let mut reached = BTreeMap::new();
    for (name, environment) in
        api_names().flat_map(|name| ENVIRONMENTS.iter().map(move |at| (name.clone(), at)))
    {
        let view = registry.publication(&full(&name), environment).unwrap();
        let Some(view) = view.filter(|view| view.status == Status::Online) else { continue };
        let target = match (&view.service, &view.api.backend.inline) {
            (Some(service), _) => {
                let service = registry.service(service.as_str()).unwrap().unwrap();
                leads_to(&service.definition(environment).unwrap().definition)
            }
            (None, inline) => leads_to(inline.as_ref().unwrap()),
        };
        reached.insert((name, environment.to_string()), target);
    }
    reached
}

/// What the model says it should.
pub(super) fn wanted(model: &Model) -> Seen {
    let (services, drafts, published) = (model.services(), model.drafts(), model.publications());
    let definitions = model.meanings();
    let live = |(service, environment): &(String, String)| {
        let through = Backend::Service(service.clone());
        let here = published.iter().filter(|(key, published)| {
            key.1 == *environment && published.api.backend == through && published.target.is_some()
        });
        here.count()
    };
    let uses = |service: &String| {
        let through = Backend::Service(service.clone());
        drafts.values().filter(|draft| draft.backend == through).count()
    };
    Seen {
        revision: model.revision(),
        uses: services.keys().map(|name| (name.clone(), uses(name))).collect(),
        live: definitions.keys().map(|key| (key.clone(), live(key))).collect(),
        definitions: definitions
            .into_iter()
            .map(|(key, definition)| (key, (definition.epoch, definition.to)))
            .collect(),
        groups: model.groups(),
        publications: published
            .into_iter()
            .map(|(key, published)| (key, (published.api, published.target.is_some())))
            .collect(),
        services,
        drafts,
    }
}
