//! Holds the crate against the model: the same edits for both, then the same answers from both.

use std::collections::BTreeMap;

use backhaul::model::definition::Settings;
use backhaul::publish::{Outcome, OutcomeKind};
use backhaul::registry::{Reason, Status};
use backhaul::{
    Api, Change, CommitError, Definition, Environment, Group, Http, Kind, Mock, Registry, Revision,
};

use super::edit::{self, ApiName, Backend, Edit, Refusal};
use super::model::Model;
use super::named::Published;
use super::plan::Plan;

const ENVIRONMENTS: [&str; 2] = ["TEST", "RELEASE"];
const SERVICES: [&str; 3] = ["orders", "stock", "users"];
const GROUPS: [&str; 2] = ["shop", "mall"];
const APIS: [&str; 4] = ["read", "write", "list", "find"];
const PATHS: [&str; 5] = ["/a", "/[x]", "/[y]", "/a/*", "/%61"];

/// Any five bytes are an edit, so that whoever makes them up need not know what an edit is. Undos and
/// switches say how far they go back.
pub(crate) fn edit([what, a, b, c, d]: [u8; 5]) -> Edit {
    fn one_of(of: &[&str], by: u8) -> String {
        of[usize::from(by) % of.len()].to_owned()
    }
    let service = |by| one_of(&SERVICES, by);
    let environment = one_of(&ENVIRONMENTS, b);
    let api = (one_of(&GROUPS, c), one_of(&APIS, a));
    // Mostly the kind that the service has, so that most definitions are accepted.
    let kind = one_of(&["http", "http", "http", "http", "http", "http", "mock"], c);
    let to = format!("http://10.0.0.{}", d % 4 + 1);
    let undo = || edit::Undo { revision: u64::from(a % 8), values: b % 4 == 0, partly: c % 4 == 0 };
    match what % 40 {
        0 | 1 => Edit::Service { name: service(a), kind },
        2 => Edit::RenameService { from: service(a), to: service(b) },
        3 => Edit::DeleteService { name: service(a) },
        4..=8 => Edit::Define { service: service(a), environment, kind, to },
        9 => Edit::Update { service: service(a), environment, kind, to },
        10 | 11 => Edit::DeleteDefinition { service: service(a), environment },
        12 | 13 => {
            let (host, base_path) = (one_of(&["one", "two"], b), one_of(&["/", "/b"], d));
            Edit::Group { name: one_of(&GROUPS, c), host, base_path }
        }
        14 => Edit::DeleteGroup { name: one_of(&GROUPS, c) },
        15..=19 => {
            let backend =
                if d % 5 == 0 { Backend::Inline(to) } else { Backend::Service(service(d)) };
            let (method, path) = (one_of(&["GET", "ANY"], b / 16), one_of(&PATHS, b));
            Edit::Api { name: api, api: edit::Api { method, path, backend } }
        }
        20 => Edit::DeleteApi { name: api },
        21..=29 => Edit::Publish { api, environment },
        30 | 31 => Edit::Unpublish { api, environment },
        32 => {
            Edit::Promote { service: service(a), from: environment, to: one_of(&ENVIRONMENTS, c) }
        }
        33 | 34 => Edit::Switch { api, environment, version: u64::from(d % 4) },
        _ => Edit::Undo(undo()),
    }
}

/// Something to begin with, so that most edits find what they are about: everything there can be but
/// publications.
pub(crate) fn beginning() -> Vec<Edit> {
    let owned = str::to_owned;
    let mut edits = Vec::new();
    for (group, host) in GROUPS.iter().zip(["one", "two"]) {
        edits.push(Edit::Group { name: owned(group), host: owned(host), base_path: owned("/") });
    }
    for service in SERVICES {
        edits.push(Edit::Service { name: owned(service), kind: owned("http") });
        for environment in ENVIRONMENTS {
            edits.push(Edit::Define {
                service: owned(service),
                environment: owned(environment),
                kind: owned("http"),
                to: owned("http://10.0.0.1"),
            });
        }
    }
    for (place, (name, path)) in APIS.iter().zip(["/a", "/[x]", "/a/*", "/b"]).enumerate() {
        let backend = Backend::Service(owned(SERVICES[place % SERVICES.len()]));
        let api = edit::Api { method: owned("GET"), path: owned(path), backend };
        edits.extend(GROUPS.map(|group| {
            let name = (owned(group), owned(name));
            Edit::Api { name, api: api.clone() }
        }));
    }
    edits
}

/// The same change for the crate.
pub(crate) fn change(edits: &[Edit]) -> Change {
    let full = |(group, name): &ApiName| format!("{group}/{name}");
    let at = |name: &str| name.parse::<Environment>().expect("a known environment");
    edits.iter().fold(Change::new(), |change, edit| match edit {
        Edit::Service { name, kind } => change.service(name, kind.parse::<Kind>().expect("a kind")),
        Edit::RenameService { from, to } => change.rename_service(from, to),
        Edit::DeleteService { name } => change.delete_service(name),
        Edit::Define { service, environment, kind, to } => {
            change.define(service, at(environment), definition(kind, to))
        }
        Edit::Update { service, environment, kind, to } => {
            change.update(service, at(environment), definition(kind, to))
        }
        Edit::DeleteDefinition { service, environment } => {
            change.delete_definition(service, at(environment))
        }
        Edit::Group { name, host, base_path } => {
            change.group(name, Group::host(host).base_path(base_path))
        }
        Edit::DeleteGroup { name } => change.delete_group(name),
        Edit::Api { name, api } => {
            let made = Api::new(&api.method, &api.path);
            change.api(
                full(name),
                match &api.backend {
                    Backend::Service(service) => made.service_same_path(service),
                    Backend::Inline(to) => made.inline(Http::to(to)),
                },
            )
        }
        Edit::DeleteApi { name } => change.delete_api(full(name)),
        Edit::Publish { api, environment } => change.publish(full(api), at(environment)),
        Edit::Unpublish { api, environment } => change.unpublish(full(api), at(environment)),
        Edit::Promote { service, from, to } => change.promote(service, at(from), at(to)),
        Edit::Switch { api, environment, version } => {
            change.switch(full(api), at(environment), Revision::new(*version))
        }
        Edit::Undo(what) => change.undo(undo(*what)),
    })
}

/// The same for the crate.
pub(crate) fn undo(undo: edit::Undo) -> backhaul::Undo {
    let mut same = backhaul::Undo::of(Revision::new(undo.revision));
    if undo.values {
        same = same.restore_values();
    }
    if undo.partly {
        same = same.partly();
    }
    same
}

fn definition(kind: &str, to: &str) -> Definition {
    match kind {
        "mock" => Mock::new().body(to).into(),
        _ => Http::to(to).into(),
    }
}

/// Makes a change in both, and insists that both accept it or refuse the same edit for the same
/// reason, and are then the same.
pub(crate) async fn both(model: &mut Model, registry: &Registry, edits: &[Edit]) {
    let edits: Vec<_> = edits.iter().map(|edit| model.resolve(edit)).collect();
    let made = registry.publisher("both").apply(change(&edits)).await;
    let wanted = model.apply(&edits);
    insist(wanted, made.map(drop), &edits);
    same(model, registry);
}

/// Plans a change in both, and insists that both can or cannot for the same reason.
pub(crate) async fn plan_both(
    model: &Model,
    registry: &Registry,
    edits: &[Edit],
) -> Option<(Plan, backhaul::Plan)> {
    let edits: Vec<_> = edits.iter().map(|edit| model.resolve(edit)).collect();
    let wanted = model.plan(&edits);
    let made = registry.publisher("both").plan(change(&edits)).await;
    match (wanted, made) {
        (Ok(wanted), Ok(made)) => Some((wanted, made)),
        (wanted, made) => {
            insist(wanted.map(drop), made.map(drop), &edits);
            None
        }
    }
}

/// Makes what was planned in both, and insists that both make it or find that it is stale.
pub(crate) async fn apply_both(
    model: &mut Model,
    registry: &Registry,
    (plan, planned): (Plan, backhaul::Plan),
) {
    let fresh = model.apply_plan(&plan);
    match registry.publisher("both").apply(&planned).await {
        Ok(receipt) => {
            assert!(fresh, "the model says it is stale: {plan:?}");
            assert_eq!(results(receipt.outcomes()), results(planned.outcomes()), "{plan:?}");
        }
        Err(CommitError::Stale { moved, .. }) => assert!(!fresh, "{moved:?} {plan:?}"),
        Err(other) => panic!("{other} {plan:?}"),
    }
    same(model, registry);
}

/// What is done to which API, in no order, as far as a plan promises it. A service that was renamed is
/// the same. What is published in a group whose address changes, and what fell dormant since and gives
/// way, is no part of what the change depends on.
pub(crate) fn results(outcomes: impl Iterator<Item = Outcome>) -> Vec<String> {
    let depended_on = outcomes.filter(|outcome| {
        !matches!(outcome.result, OutcomeKind::Readdressed | OutcomeKind::Displaced)
    });
    let results = depended_on
        .map(|outcome| format!("{} in {} {}", outcome.api, outcome.environment, outcome.result));
    let mut results: Vec<_> = results.collect();
    results.sort_unstable();
    results
}

/// The same with everything there is to say.
pub(crate) fn outcomes(outcomes: impl Iterator<Item = Outcome>) -> Vec<String> {
    let mut outcomes: Vec<_> = outcomes.map(|outcome| format!("{outcome:?}")).collect();
    outcomes.sort_unstable();
    outcomes
}

fn insist(
    wanted: Result<(), (Option<usize>, Refusal)>,
    made: Result<(), CommitError>,
    edits: &[Edit],
) {
    match (wanted, made) {
        (Ok(()), Ok(())) => {}
        (Err((place, refusal)), Err(CommitError::Rejected(rejected))) => {
            assert_eq!(reason(&rejected.reason), Some(refusal), "{rejected} {edits:?}");
            assert!(place.is_none_or(|place| place == rejected.index), "{rejected} {edits:?}");
        }
        (wanted, made) => panic!("{wanted:?} {made:?} {edits:?}"),
    }
}

/// What the registry answered, in the model's words.
pub(crate) fn reason(reason: &Reason) -> Option<Refusal> {
    Some(match reason {
        Reason::UnknownService(_) => Refusal::UnknownService,
        Reason::UnknownGroup(_) => Refusal::UnknownGroup,
        Reason::UnknownApi(_) => Refusal::UnknownApi,
        Reason::NameTaken(_) => Refusal::NameTaken,
        Reason::KindImmutable { .. } => Refusal::KindImmutable,
        Reason::KindMismatch { .. } => Refusal::KindMismatch,
        Reason::NoDefinition { .. } => Refusal::NoDefinition,
        Reason::NotPublished { .. } => Refusal::NotPublished,
        Reason::NoVersion { .. } => Refusal::NoVersion,
        Reason::InUse { .. } => Refusal::InUse,
        Reason::RouteTaken { .. } => Refusal::RouteTaken,
        Reason::HostTaken { .. } => Refusal::HostTaken,
        Reason::NotInHistory(_) => Refusal::NotInHistory,
        Reason::Touched { by, .. } => {
            Refusal::Touched(by.iter().map(|revision| revision.as_u64()).collect())
        }
        Reason::Missing(_) => Refusal::Missing,
        Reason::Limit { .. } => Refusal::Limit,
        _ => return None,
    })
}

fn same(model: &Model, registry: &Registry) {
    assert_eq!(registry.revision().as_u64(), model.revision());
    let (services, meanings, groups) = (model.services(), model.meanings(), model.groups());
    let (drafts, publications) = (model.drafts(), model.publications());
    for name in SERVICES {
        let view = registry.service(name).expect("a valid name");
        let kind = view.as_ref().map(|view| view.kind().to_string());
        assert_eq!(kind.as_ref(), services.get(name), "{name}");
        for environment in ENVIRONMENTS {
            let at = environment.parse().expect("a known environment");
            let is = view.as_ref().and_then(|view| view.definition(&at));
            let is = is.map(|is| (is.epoch.as_u64(), address(&is.definition)));
            let expected = meanings.get(&(name.to_owned(), environment.to_owned()));
            let expected = expected.map(|is| (is.epoch, is.to.clone()));
            assert_eq!(is, expected, "{name} in {environment}");
        }
    }
    for group in GROUPS {
        let is = registry.group(group).expect("a valid name");
        let is = is.map(|(group, _)| (group.hosts.concat(), group.base_path));
        assert_eq!(is.as_ref(), groups.get(group), "{group}");
        for api in APIS {
            same_api(registry, &(group.to_owned(), api.to_owned()), &drafts, &publications);
        }
    }
}

fn same_api(
    registry: &Registry,
    name: &ApiName,
    drafts: &BTreeMap<ApiName, edit::Api>,
    publications: &BTreeMap<(ApiName, String), Published>,
) {
    let full = format!("{}/{}", name.0, name.1);
    let draft = registry.api(&full).expect("a valid name").map(|(api, _)| plain(&api));
    assert_eq!(draft.as_ref(), drafts.get(name), "{full}");
    for environment in ENVIRONMENTS {
        let at = environment.parse().expect("a known environment");
        let view = registry.publication(&full, &at).expect("a valid name");
        let live = view.as_ref().map(|view| view.status == Status::Online);
        let frozen = view.map(|view| plain(&view.api));
        let expected = publications.get(&(name.clone(), environment.to_owned()));
        let reached = expected.map(|published| published.target.is_some());
        assert_eq!(live, reached, "{full} in {environment}");
        assert_eq!(
            frozen.as_ref(),
            expected.map(|published| &published.api),
            "{full} in {environment}"
        );
    }
}

fn plain(api: &Api) -> edit::Api {
    let service = api.backend.service.clone().map(Backend::Service);
    let inline = || api.backend.inline.as_deref().map(|own| Backend::Inline(address(own)));
    edit::Api {
        method: api.method.clone(),
        path: api.path.clone(),
        backend: service.or_else(inline).expect("a backend"),
    }
}

pub(crate) fn address(definition: &Definition) -> String {
    match &definition.settings {
        Settings::Http(http) => http.url.clone().unwrap_or_default(),
        Settings::Mock(mock) => mock.body.clone(),
        other => panic!("{other:?} was never defined"),
    }
}
