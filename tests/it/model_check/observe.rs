//! What a registry shows, and what the model says it should.

use std::collections::BTreeMap;

use backhaul::registry::Status;
use backhaul::{Registry, Revision, model};

use super::operations::{APIS, ENVIRONMENTS, GROUPS, SERVICES, leads_to};
use crate::reference::edit::{Api, ApiName, Backend};
use crate::reference::model::{Definition, Model};
use crate::reference::router::canonical;

/// Everything both can say.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Seen {
    revision: u64,
    services: BTreeMap<String, String>,
    definitions: BTreeMap<(String, String), Definition>,
    groups: BTreeMap<String, (String, String)>,
    drafts: BTreeMap<ApiName, Api>,
    /// The frozen API, and whether requests reach it.
    publications: BTreeMap<(ApiName, String), (Api, bool)>,
    /// How many drafts refer to a service.
    uses: BTreeMap<String, usize>,
    /// How many APIs are live through a definition.
    live: BTreeMap<(String, String), usize>,
}

fn api_names() -> impl Iterator<Item = ApiName> {
    GROUPS.iter().flat_map(|group| APIS.iter().map(|api| ((*group).to_owned(), (*api).to_owned())))
}

fn full((group, name): &ApiName) -> String {
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
            let definition = Definition { epoch: at.epoch.as_u64(), to: leads_to(&at.definition) };
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

/// What the model says it should.
pub(super) fn wanted(model: &Model) -> Seen {
    let spelled = |api: &Api| Api { path: canonical(&api.path).unwrap_or_default(), ..api.clone() };
    let online = |(api, environment): &(ApiName, String)| model.target(api, environment).is_some();
    let live = |(service, environment): &(String, String)| {
        let through = Backend::Service(service.clone());
        let here = model.publications.iter().filter(|(key, publication)| {
            key.1 == *environment && publication.api.backend == through && online(key)
        });
        here.count()
    };
    let uses = |service: &String| {
        let through = Backend::Service(service.clone());
        model.drafts.values().filter(|draft| draft.backend == through).count()
    };
    let publications = model
        .publications
        .iter()
        .map(|(key, publication)| (key.clone(), (spelled(&publication.api), online(key))));
    Seen {
        revision: model.revision,
        services: model.services.clone(),
        definitions: model.definitions.clone(),
        groups: model.groups.clone(),
        drafts: model.drafts.iter().map(|(name, api)| (name.clone(), spelled(api))).collect(),
        publications: publications.collect(),
        uses: model.services.keys().map(|name| (name.clone(), uses(name))).collect(),
        live: model.definitions.keys().map(|key| (key.clone(), live(key))).collect(),
    }
}
