//! What looks like a mistake, and is not refused.

use std::fmt;

use super::outcome::Outcomes;
use crate::model::definition::{Settings, Url};
use crate::model::id::{ApiId, EnvironmentId, ServiceId};
use crate::model::{ApiName, Definition, Environment, GroupName, ServiceName};
use crate::registry::state::State;
use crate::store::Key;

/// What looks like a mistake in a planned change.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// Requests that went by HTTPS would go by plain HTTP.
    PlainHttp {
        /// The service.
        service: ServiceName,
        /// Where.
        environment: Environment,
    },
    /// The endpoint's base path changes.
    BasePath {
        /// The service.
        service: ServiceName,
        /// Where.
        environment: Environment,
        /// The path before.
        from: String,
        /// The path after.
        to: String,
    },
    /// The group's base path changes: clients that call its APIs no longer reach them.
    GroupBasePath {
        /// The group.
        group: GroupName,
        /// The path before.
        from: String,
        /// The path after.
        to: String,
    },
    /// Two environments lead to the same endpoint.
    SameEndpoint {
        /// The service.
        service: ServiceName,
        /// Where it is about to be defined.
        environment: Environment,
        /// Where it leads to the same endpoint already.
        other: Environment,
    },
    /// The environment before it in promotion order has no definition of the service.
    NotDefinedBefore {
        /// The service.
        service: ServiceName,
        /// Where it is about to be defined.
        environment: Environment,
        /// Where it should be defined first.
        before: Environment,
    },
    /// The same version of the API is not published in the environment before it in promotion order.
    NotPublishedBefore {
        /// The API.
        api: ApiName,
        /// Where it is about to be published.
        environment: Environment,
        /// Where it should be published first.
        before: Environment,
    },
}

/// Warnings about APIs that a change publishes one by one, at most.
const PUBLISHED: usize = 100;

/// What looks like a mistake in a change. Costs what it edits.
pub(super) fn warnings(outcomes: &Outcomes) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut published = 0;
    for (key, _) in outcomes.entry.written() {
        match key {
            Key::Definition(service, at) => {
                warnings.extend(about_definition(outcomes, service, at));
            }
            Key::Group(group) => warnings.extend(about_group(outcomes, group)),
            Key::Publication(api, at) if published < PUBLISHED => {
                let found = about_publication(&outcomes.after, api, at);
                published += usize::from(found.is_some());
                warnings.extend(found);
            }
            _ => {}
        }
    }
    warnings
}

fn about_definition(outcomes: &Outcomes, service: ServiceId, at: EnvironmentId) -> Vec<Warning> {
    let after = &*outcomes.after;
    let definition = |state: &State, at| {
        let record = state.stage(at)?.definition(service)?;
        Some(record.definition.clone())
    };
    let (Some(now), Some(name)) = (definition(after, at), after.service(service)) else {
        return Vec::new();
    };
    let Some(environment) = outcomes.environment(at) else { return Vec::new() };
    let (name, environment) = (|| name.name.clone(), || environment.clone());
    let mut warnings = Vec::new();
    let before = definition(&outcomes.before, at);
    let (were, are) = (before.as_ref().map(endpoints).unwrap_or_default(), endpoints(&now));
    if let Some((was, is)) = were.first().zip(are.first()) {
        if were.iter().all(Url::is_https) && !are.iter().all(Url::is_https) {
            warnings.push(Warning::PlainHttp { service: name(), environment: environment() });
        }
        let (from, to) = (base_path(was), base_path(is));
        if from != to {
            let (service, environment) = (name(), environment());
            warnings.push(Warning::BasePath { service, environment, from, to });
        }
    }
    for (other, record) in after.environments().filter(|(id, _)| *id != at) {
        let there = definition(after, other);
        if there.is_some_and(|there| same_endpoint(&there, &now)) {
            let (service, environment, other) = (name(), environment(), record.name.clone());
            warnings.push(Warning::SameEndpoint { service, environment, other });
        }
    }
    if before.is_none()
        && let Some(before) = earlier(at)
        && definition(after, before).is_none()
        && let Some(before) = outcomes.environment(before)
    {
        let (service, environment) = (name(), environment());
        warnings.push(Warning::NotDefinedBefore { service, environment, before });
    }
    warnings
}

fn about_group(outcomes: &Outcomes, group: crate::model::id::GroupId) -> Option<Warning> {
    let path = |state: &State| Some(state.group(group)?.record.group.base_path.clone());
    let (from, to) = (path(&outcomes.before)?, path(&outcomes.after)?);
    let group = outcomes.after.group(group)?.record.name.clone();
    (from != to).then_some(Warning::GroupBasePath { group, from, to })
}

fn about_publication(after: &State, api: ApiId, at: EnvironmentId) -> Option<Warning> {
    let now = after.stage(at)?.publication(api)?;
    let before = earlier(at)?;
    let live = |at, publication| after.stage(at).is_some_and(|stage| stage.is_live(publication));
    let there = after.stage(before).and_then(|stage| stage.publication(api));
    let tried = there.is_some_and(|there| there.version == now.version && live(before, there));
    if tried || !live(at, now) {
        return None;
    }
    Some(Warning::NotPublishedBefore {
        api: after.api_name(api)?,
        environment: after.environment(at)?.name.clone(),
        before: after.environment(before)?.name.clone(),
    })
}

/// The environment before one in promotion order. What is declared has no place in it.
fn earlier(at: EnvironmentId) -> Option<EnvironmentId> {
    let place = usize::from(at.number());
    let ordered = place < Environment::BUILT_IN.len() && place > 0;
    ordered.then(|| EnvironmentId::new(at.number() - 1))
}

/// Where an HTTP definition leads.
fn endpoints(definition: &Definition) -> Vec<Url> {
    let Settings::Http(http) = &definition.settings else { return Vec::new() };
    let several = http.endpoints.iter().map(|endpoint| endpoint.url.as_str());
    http.url.as_deref().into_iter().chain(several).filter_map(|url| url.parse().ok()).collect()
}

fn base_path(url: &Url) -> String {
    let path = url.base_path();
    if path.is_empty() { "/".to_owned() } else { path.to_owned() }
}

fn same_endpoint(one: &Definition, other: &Definition) -> bool {
    match (&one.settings, &other.settings) {
        // A canned answer is nobody's endpoint.
        (Settings::Mock(_), _) | (_, Settings::Mock(_)) => false,
        (Settings::Http(_), Settings::Http(_)) => {
            let others = endpoints(other);
            let shared =
                |url: &Url| others.iter().any(|other| other.authority() == url.authority());
            endpoints(one).iter().any(shared)
        }
        (one, other) => one == other,
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PlainHttp { service, environment } => {
                write!(f, "{service} in {environment}: plain HTTP replaces HTTPS")
            }
            Self::BasePath { service, environment, from, to } => {
                write!(
                    f,
                    "{service} in {environment}: the endpoint's base path changes from {from} to {to}"
                )
            }
            Self::GroupBasePath { group, from, to } => {
                write!(f, "group {group}: the base path changes from {from} to {to}")
            }
            Self::SameEndpoint { service, environment, other } => {
                write!(f, "{service} in {environment}: the same endpoint as in {other}")
            }
            Self::NotDefinedBefore { service, environment, before } => {
                write!(f, "{service} in {environment}: not defined in {before}")
            }
            Self::NotPublishedBefore { api, environment, before } => {
                write!(f, "{api} in {environment}: this version is not published in {before}")
            }
        }
    }
}
