//! What was decided about a request, in words. Nothing of it is secret, or says where a backend is.

use http::HeaderMap;

use crate::gateway::admit::Admitted;
use crate::gateway::hop;
use crate::gateway::mapping::Mapping;
use crate::gateway::route::{Question, Selected};
use crate::model::Environment;
use crate::model::api::Access;
use crate::registry::snapshot::Snapshot;

/// Whether a client asks how its request is handled, and may.
pub(in crate::gateway) fn asks(selected: &Selected<'_, '_>, headers: &HeaderMap) -> bool {
    let is_debug = |mode: &http::HeaderValue| mode.as_bytes().eq_ignore_ascii_case(b"debug");
    selected.group.terms.debug && headers.get(&hop::REQUEST_MODE).is_some_and(is_debug)
}

/// Where a request that is not answered here would be.
pub(in crate::gateway) fn elsewhere(question: &Question<'_, '_>, snapshot: &Snapshot) -> String {
    let names: Vec<_> = question.elsewhere(snapshot).into_iter().map(Environment::as_str).collect();
    if names.is_empty() {
        "no environment has an API for it".to_owned()
    } else {
        format!("an API for it is published in {} only", names.join(", "))
    }
}

/// Which API was chosen, and what answers for it.
pub(in crate::gateway) fn routed(selected: &Selected<'_, '_>, snapshot: &Snapshot) -> String {
    let route = &selected.route;
    let api = snapshot.state().api_name(route.publication.api);
    let api = api.map_or_else(|| "an API that is gone".to_owned(), |name| name.to_string());
    let place = route.target.place();
    let by = match &place.service {
        Some(service) => format!("service {service}"),
        None => "its own definition".to_owned(),
    };
    let (revision, environment) = (route.publication.stamp.revision, &place.environment);
    let generation = place.generation;
    format!(
        "{api} as published by revision {revision} in {environment}; {by} of revision {generation}"
    )
}

/// Who may call.
pub(in crate::gateway) fn admitted(selected: &Selected<'_, '_>, admitted: &Admitted) -> String {
    match (&admitted.app, selected.route.version().access()) {
        (Some(app), _) if admitted.signed.is_some() => {
            format!("app {app}, unless nonce, body or form say otherwise")
        }
        (Some(app), _) => format!("app {app}"),
        (None, Access::Anonymous) => "everybody".to_owned(),
        (None, _) => "nobody in particular".to_owned(),
    }
}

/// What is done to parameters.
pub(in crate::gateway) fn mapped(mapping: Option<&Mapping>) -> String {
    match mapping.map(|mapping| mapping.mapped.is_some()) {
        None => "passed through".to_owned(),
        Some(true) => "accepted and mapped".to_owned(),
        Some(false) => "waiting for the body".to_owned(),
    }
}
