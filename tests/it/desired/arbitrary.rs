//! Documents and changes drawn from so few names that they meet.

use std::collections::BTreeMap;

use backhaul::document::{
    ApiEntry, AppEntry, Document, EnvironmentEntry, GrantEntry, GroupEntry, Named, ServiceEntry,
};
use backhaul::model::environment::Declaration;
use backhaul::time::Timestamp;
use backhaul::{
    Api, App, Change, Credential, Definition, Environment, Grant, Group, Http, Kind, Mock,
    ObjectGrant, VpcAccess,
};
use proptest::collection::vec;
use proptest::prelude::*;

const SERVICES: [&str; 3] = ["a", "b", "c"];
const GROUPS: [&str; 2] = ["g", "h"];
const APIS: [&str; 3] = ["one1", "two2", "three"];
const APPS: [&str; 2] = ["mobile", "web"];
const PATHS: [&str; 4] = ["/a", "/a/[x]", "/[y]", "/*"];

fn environments() -> [Environment; 3] {
    [Environment::TEST, Environment::PRODUCTION, "STAGING".parse().unwrap()]
}

/// What a document is decoded from: plain numbers are made smaller far faster than texts.
pub(super) type Drawn = Vec<[u8; 6]>;

pub(super) fn drawn() -> impl Strategy<Value = Drawn> {
    vec(any::<[u8; 6]>(), 0..24)
}

fn pick<T: Clone>(from: &[T], number: u8) -> T {
    from[usize::from(number) % from.len()].clone()
}

fn definition(kind: &Kind, number: u8) -> Definition {
    if *kind == Kind::MOCK {
        Mock::new().status(200 + u16::from(number % 3)).into()
    } else {
        Http::to(format!("http://10.0.0.{}:8080", number % 3)).into()
    }
}

/// A document: whatever refers to something has it, so that most of them can be applied.
pub(super) fn document(drawn: &[[u8; 6]]) -> Document {
    let mut document = Document::new();
    let staging = environments()[2].clone();
    let mut defined: BTreeMap<&str, Vec<Environment>> = BTreeMap::new();
    document.environments.push(EnvironmentEntry::new(staging, Declaration::new("before")));
    for [what, a, b, c, d, e] in drawn.iter().copied() {
        match what % 6 {
            0 | 1 => {
                let name = pick(&SERVICES, a);
                // The kind goes with the name, since it never changes.
                let kind = if name == "a" { Kind::MOCK } else { Kind::HTTP };
                let environment = pick(&environments(), c);
                let at = environment.clone();
                let known = document.services.iter().position(|s| s.name.as_str() == name);
                let index = known.unwrap_or_else(|| {
                    let mut entry = ServiceEntry::new(name.parse().unwrap(), kind.clone());
                    entry.description = pick(&["", "what", "why"], b).to_owned();
                    document.services.push(entry);
                    document.services.len() - 1
                });
                document.services[index].definition.insert(at, definition(&kind, d));
                defined.entry(name).or_default().push(environment);
            }
            2 => group(&mut document, pick(&GROUPS, a), b),
            3 => api(&mut document, &defined, [a, b, c, d, e]),
            4 => grant(&mut document, [a, b, c, d]),
            _ => resource(&mut document, [a, b, c]),
        }
    }
    document
}

fn group(document: &mut Document, name: &str, number: u8) {
    if document.groups.iter().all(|entry| entry.name.as_str() != name) {
        let base = pick(&["/", "/base"], number);
        let group = Group::host(format!("{name}.example.com")).base_path(base);
        document.groups.push(GroupEntry::new(name.parse().unwrap(), group));
    }
}

fn api(document: &mut Document, defined: &BTreeMap<&str, Vec<Environment>>, drawn: [u8; 5]) {
    let [a, b, c, d, e] = drawn;
    let (group_name, own) = (pick(&GROUPS, a), pick(&APIS, b));
    group(document, group_name, e);
    let name = format!("{group_name}/{own}").parse().unwrap();
    if document.apis.iter().any(|entry| entry.name == name) {
        return;
    }
    // A path of its own, but for one that several want.
    let path = format!("{}/{own}", pick(&PATHS, c).trim_end_matches('*').trim_end_matches('/'));
    let path = if e == 0 { "/same".to_owned() } else { path };
    let service = defined.iter().nth(usize::from(d) % defined.len().max(1));
    let Some((service, environments)) = service else {
        let inline = Api::get(path).inline(definition(&Kind::HTTP, e));
        document.apis.push(ApiEntry::new(name, inline));
        return;
    };
    let mut entry = ApiEntry::new(name, Api::get(path).service_same_path(*service));
    let mut places = environments.clone();
    places.sort();
    places.dedup();
    entry.publish = places.into_iter().filter(|_| c % 3 > 0).collect();
    if let Some(first) = entry.publish.first().filter(|_| e % 5 == 1) {
        let other = entry.api.clone().description("as it was");
        entry.version.insert(first.clone(), other);
    }
    document.apis.push(entry);
}

fn grant(document: &mut Document, [a, b, c, d]: [u8; 4]) {
    let app = pick(&APPS, a);
    if document.apps.iter().all(|entry| entry.name.as_str() != app) {
        let made = App::new().key(format!("{app}-{app}-key"), format!("{}-secret", d % 3));
        document.apps.push(AppEntry::new(app.parse().unwrap(), made));
    }
    let count = document.apis.len();
    let Some(api) = document.apis.get(usize::from(b) % count.max(1)).map(|e| e.name.clone()) else {
        return;
    };
    let environment = pick(&environments(), c);
    let expires = (d % 2 == 0).then(|| Timestamp::from_millis(1_893_456_000_000));
    let entry = GrantEntry::new(
        app.parse().unwrap(),
        api,
        environment,
        expires.map_or_else(Grant::unlimited, Grant::until),
    );
    let same = |other: &GrantEntry| {
        (&other.app, &other.api, &other.environment) == (&entry.app, &entry.api, &entry.environment)
    };
    if !document.grants.iter().any(same) {
        document.grants.push(entry);
    }
}

fn resource(document: &mut Document, [a, b, c]: [u8; 3]) {
    let name = pick(&["first", "second"], a);
    match b % 4 {
        0 if document.credentials.iter().all(|entry| entry.name.as_str() != name) => {
            let value = Credential::new("id", format!("secret{}", c % 2));
            document.credentials.push(Named::new(name.parse().unwrap(), value));
        }
        1 if document.vpc_accesses.iter().all(|entry| entry.name.as_str() != name) => {
            let value = VpcAccess::new("vpc", "10.0.0.7", 80 + u16::from(c % 2));
            document.vpc_accesses.push(Named::new(name.parse().unwrap(), value));
        }
        2 if document.object_grants.iter().all(|entry| entry.name.as_str() != name) => {
            let value =
                if c % 2 == 0 { ObjectGrant::read("x") } else { ObjectGrant::read_write("x") };
            document.object_grants.push(Named::new(name.parse().unwrap(), value));
        }
        _ => {
            let mut settings = backhaul::model::RegistrySettings::new();
            settings.region = (c % 2 == 0).then(|| "cn-hangzhou".to_owned());
            document.registry = Some(settings);
        }
    }
}

/// Changes of what documents have beside services and APIs.
pub(super) fn right([what, a, b, c, d, _]: [u8; 6]) -> Change {
    let (app, api) = (pick(&APPS, a), pick(&["g/gone", "g/back", "h/gone"], b));
    let environment = pick(&environments()[..2], c);
    let change = Change::new();
    match what % 6 {
        0 => {
            change.app(app, App::new().key(format!("{app}-{app}-key"), format!("{}-secret", d % 3)))
        }
        1 => change.app(app, App::new()).grant(app, api, environment, Grant::unlimited()),
        2 => change.revoke(app, api, environment),
        3 => change.delete_app(app),
        4 => change.credential("cloud", Credential::new("id", format!("secret{}", d % 2))),
        _ => change.vpc_access("way", VpcAccess::new("vpc", "10.0.0.7", 80 + u16::from(d % 2))),
    }
}
