//! Where requests go, by the gateway and by the reference router.

use backhaul::{ErrorKind, Gateway, Registry};
use http::Method;

use super::operations::{ENVIRONMENTS, HOSTS};
use crate::reference::edit::ApiName;
use crate::reference::model::Model;
use crate::reference::router::{NoRoute, Route, find};

const METHODS: [Method; 3] = [Method::GET, Method::POST, Method::PUT];
const PATHS: [&str; 8] = ["/a", "/a/q", "/a/b", "/q/b", "/a/", "/x/a", "/x/a/q", "/x/q/q/q"];
/// Requests that are tried after one change.
const TRIED: u64 = 4;

/// Tries some requests, other ones in every step.
pub(super) fn compare(registry: &Registry, model: &Model, step: u64) {
    let gateway = Gateway::new(registry);
    for request in 0..TRIED {
        let mut choice = step.wrapping_mul(TRIED).wrapping_add(request);
        let mut of = |count: usize| {
            let count = u64::try_from(count).unwrap();
            let chosen = choice % count;
            choice /= count;
            usize::try_from(chosen).unwrap()
        };
        let path = PATHS[of(PATHS.len())];
        let environment = &ENVIRONMENTS[of(2)];
        let host = HOSTS[of(HOSTS.len())];
        let method = &METHODS[of(METHODS.len())];
        let answer = gateway.resolve(method, host, path, Some(environment.as_str()));
        let answer = match &answer {
            Ok(resolved) => Ok(resolved.api().unwrap().to_string()),
            Err(error) => Err(error.kind()),
        };
        let wanted = wanted(model, environment.as_str(), host, method, path);
        assert_eq!(answer, wanted, "{} {}{} in {}", method, host, path, environment);
    }
}

fn wanted(
    model: &Model,
    environment: &str,
    host: &str,
    method: &Method,
    path: &str,
) -> Result<String, ErrorKind> {
    let groups = model.groups();
    let there: Vec<_> = groups.iter().filter(|(_, (name, _))| name == host).collect();
    if there.is_empty() {
        return Err(ErrorKind::UnknownHost);
    }
    let below = |base: &str| {
        let rest = path.strip_prefix(base.trim_end_matches('/'))?;
        rest.starts_with('/').then_some(rest)
    };
    let (group, rest) = there
        .iter()
        .filter_map(|(name, (_, base))| Some((base.len(), *name, below(base)?)))
        .max()
        .map(|(_, name, rest)| (name, rest))
        .ok_or(ErrorKind::NotFound)?;
    let (names, routes): (Vec<ApiName>, Vec<_>) = model
        .publications()
        .into_iter()
        .filter(|((api, place), _)| api.0 == *group && place == environment)
        .map(|((api, _), publication)| {
            let route = Route {
                method: publication.api.method,
                pattern: publication.api.path,
                live: publication.target.is_some(),
            };
            (api, route)
        })
        .unzip();
    match find(&routes, method.as_str(), rest) {
        Ok(place) => Ok(format!("{}/{}", names[place].0, names[place].1)),
        Err(NoRoute::NotFound) => Err(ErrorKind::NotFound),
        Err(NoRoute::Path) => Err(ErrorKind::InvalidPath),
        Err(NoRoute::Method) => Err(ErrorKind::UnsupportedMethod),
    }
}
