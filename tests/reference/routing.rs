//! Holds the gateway's look-up against the reference router.

use backhaul::{Api, Change, Environment, ErrorKind, Gateway, Group, Http, Kind, Mock, Registry};
use http::Method;

use super::router::{NoRoute, Route, same_paths};

const HOST: &str = "shop.example.com";
const METHODS: [&str; 4] = ["GET", "POST", "HEAD", "ANY"];
const SEGMENTS: [&str; 6] = ["a", "b", "%61", "[", "[", ""];
const ASKED: [&str; 8] = ["a", "b", "%61", "A", "", "x", "%2e%2e", "%3a"];

/// Any bytes are routes: no two of them for the same method and paths. The bits of the last of four say
/// what ends the pattern and whether it is live, unpublished or dormant.
pub(crate) fn routes(bytes: &[[u8; 4]]) -> Vec<Route> {
    let mut routes: Vec<Route> = Vec::new();
    for [method, one, two, rest] in bytes {
        let mut pattern = String::new();
        for (place, by) in [one, two].into_iter().take(usize::from(rest % 3)).enumerate() {
            match SEGMENTS[usize::from(*by) % SEGMENTS.len()] {
                "[" => pattern += &format!("/[p{place}]"),
                literal => pattern += &format!("/{literal}"),
            }
        }
        if pattern.is_empty() || rest & 8 != 0 {
            pattern += "/*";
        }
        let method = METHODS[usize::from(*method) % METHODS.len()].to_owned();
        let taken = |other: &Route| other.method == method && same_paths(&other.pattern, &pattern);
        if !routes.iter().any(taken) {
            routes.push(Route { method, pattern, live: rest & 48 != 0 });
        }
    }
    routes
}

/// Any bytes are a request: a method and a path.
pub(crate) fn request(bytes: &[u8]) -> (Method, String) {
    let (method, segments) = bytes.split_first().unwrap_or((&0, &[]));
    let method =
        [Method::GET, Method::POST, Method::HEAD, Method::PUT][usize::from(method % 4)].clone();
    let mut path = String::new();
    for by in segments.iter().take(4) {
        path += "/";
        path += ASKED[usize::from(*by) % ASKED.len()];
    }
    (method, if path.is_empty() { "/".to_owned() } else { path })
}

/// A gateway with these routes. Of those that are not live every other one is dormant, the rest was
/// never published. Each route is an API named by its place.
pub(crate) async fn gateway(routes: &[Route]) -> Gateway {
    let registry = Registry::in_memory().await.expect("a registry without TLS");
    let live = Environment::PRODUCTION;
    let mut change = Change::new()
        .service("here", Kind::MOCK)
        .define("here", live.clone(), Mock::new())
        .service("gone", Kind::HTTP)
        .define("gone", live.clone(), Http::to("http://10.0.0.1"))
        .group("shop", Group::host(HOST));
    for (place, route) in routes.iter().enumerate() {
        let name = format!("shop/api{place}");
        let service = if route.live { "here" } else { "gone" };
        let api = Api::new(&route.method, &route.pattern).service_same_path(service);
        change = change.api(&name, api);
        if route.live || place % 2 == 0 {
            change = change.publish(&name, live.clone());
        }
    }
    let publisher = registry.publisher("routing");
    publisher.apply(change).await.expect("good routes");
    let gone = Change::new().delete_definition("gone", live.clone());
    publisher.apply(gone).await.expect("a definition to delete");
    Gateway::new(&registry).environment(live)
}

/// What the gateway finds, in the words of the reference router.
pub(crate) fn found(gateway: &Gateway, method: &Method, path: &str) -> Result<usize, NoRoute> {
    match gateway.resolve(method, HOST, path, None) {
        Ok(resolved) => {
            let name = resolved.api().expect("nothing was deleted").to_string();
            let place = name.trim_start_matches("shop/api").parse();
            Ok(place.expect("APIs are named by their place"))
        }
        Err(error) => Err(match error.kind() {
            ErrorKind::NotFound => NoRoute::NotFound,
            ErrorKind::InvalidPath => NoRoute::Path,
            other => panic!("{other} for {method} {path}"),
        }),
    }
}
