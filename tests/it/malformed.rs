//! Changes that cannot be: each is refused by an error that names what is wrong, and nothing changes.

use backhaul::model::Definition;
use backhaul::registry::Status;
use backhaul::{Api, Change, CommitError, Environment, Gateway, Group, Kind, Mock, Registry};
use http::Method;

use super::rules::{LIVE, TEST, http, registry, shop};

mod apis;
mod arbitrary;
mod definitions;
mod groups;
mod names;

/// A change that cannot be, and what its refusal says.
type Case = (Change, String);

/// A service of every kind, one of them published.
fn everything() -> Change {
    let kinds = Kind::BUILT_IN.into_iter().map(|kind| {
        let name = kind.as_str().to_owned();
        Change::new().service(name, kind)
    });
    let mut change = shop().publish("shop/get_order", LIVE);
    change.extend(kinds);
    change
}

/// Everything that can be seen of it.
fn seen(registry: &Registry) -> String {
    let services = registry.services();
    let views = services.iter().map(|name| registry.service(name.as_str()).unwrap().unwrap());
    let views: Vec<_> = views
        .map(|view| format!("{:?}{:?}{}", view.stamp(), view.definitions(), view.draft_count()))
        .collect();
    let api = registry.api("shop/get_order").unwrap();
    let published = registry.publication("shop/get_order", &LIVE).unwrap();
    let group = registry.group("shop").unwrap();
    format!("{} {services:?} {views:?} {api:?} {published:?} {group:?}", registry.revision())
}

/// Whether requests are routed as [`everything`] says.
fn serves(registry: &Registry) -> bool {
    let gateway = Gateway::new(registry);
    let found = gateway.resolve(&Method::GET, "shop.example.com", "/orders/1", None);
    found.is_ok_and(|resolved| resolved.environment() == &LIVE)
}

/// An API at a path that is free.
fn api(api: Api) -> Change {
    Change::new().api("shop/new_api", api)
}

fn define(service: &str, definition: impl Into<Definition>) -> Change {
    Change::new().define(service, TEST, definition)
}

#[tokio::test]
async fn malformed_changes_are_refused_by_name_and_change_nothing() {
    let cases: Vec<Case> =
        [names::cases(), apis::cases(), groups::cases(), definitions::cases(), references()]
            .concat();
    assert!(cases.len() >= 200, "{}", cases.len());
    let registry = registry(everything()).await;
    let before = seen(&registry);
    let mut wrong = Vec::new();
    for (change, wanted) in cases {
        let text = format!("{change:?}").chars().take(300).collect::<String>();
        if let Err(why) = refused(&registry, change, &wanted).await {
            wrong.push(format!("{why} instead of {wanted:?}: {text}"));
        }
        assert_eq!(seen(&registry), before, "{text}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(serves(&registry));
    let good = Change::new().define("orders", LIVE, http(2)).publish("shop/get_order", LIVE);
    registry.publisher("test").apply(good).await.unwrap();
    let view = registry.publication("shop/get_order", &LIVE).unwrap().unwrap();
    assert_eq!((view.status, view.effective.revision.as_u64()), (Status::Online, 2));
}

/// Applies a change that must be refused, for a reason that begins with `wanted`.
async fn refused(registry: &Registry, change: Change, wanted: &str) -> Result<(), String> {
    let edits = change.len();
    // What is good around it does not help it.
    let good = Change::new().service("good", Kind::MOCK).define("good", TEST, Mock::new());
    let change = [good, change, Change::new().describe_service("good", "good")];
    let rejected =
        match registry.publisher("test").apply(change.into_iter().collect::<Change>()).await {
            Err(CommitError::Rejected(rejected)) => rejected,
            other => return Err(format!("{other:?}")),
        };
    let reason = rejected.reason.to_string();
    let named = (2..2 + edits).contains(&rejected.index) && reason.starts_with(wanted);
    // A refusal is shown on one line.
    match rejected.to_string() {
        text if named && !text.contains(char::is_control) => Ok(()),
        text => Err(text),
    }
}

/// Edits of what is not there.
fn references() -> Vec<Case> {
    let staging: Environment = "STAGING".parse().unwrap();
    let service = "there is no service \"none\"";
    let group = "there is no group \"none\"";
    let unknown = "there is no API shop/none";
    let environment = "there is no environment STAGING";
    let new = Change::new;
    let cases = [
        (new().describe_service("none", ""), service),
        (new().rename_service("none", "other"), service),
        (new().delete_service("none"), service),
        (new().define("none", LIVE, http(1)), service),
        (new().update("none", LIVE, http(1)), service),
        (new().delete_definition("none", LIVE), service),
        (api(Api::get("/x").service("none", "/x")), service),
        (new().api("none/get_order", Api::get("/x").inline(Mock::new())), group),
        (new().rename_group("none", "other"), group),
        (new().delete_group("none"), group),
        (new().rename_api("shop/none", "shop/other"), unknown),
        (new().delete_api("shop/none"), unknown),
        (new().publish("shop/none", LIVE), unknown),
        (new().unpublish("shop/none", LIVE), unknown),
        (new().publish("none/get_order", LIVE), "there is no API none/get_order"),
        (new().define("orders", staging.clone(), http(1)), environment),
        (new().delete_definition("orders", staging.clone()), environment),
        (new().publish("shop/get_order", staging.clone()), environment),
        (new().unpublish("shop/get_order", staging.clone()), environment),
        (new().retire_environment(staging), environment),
        (new().group("new", Group::new().stage_host("a.example.com", "STAGING")), environment),
        (new().unpublish("shop/get_order", TEST), "API shop/get_order is not published in TEST"),
        (new().publish("shop/get_order", TEST), "service \"orders\" has no definition in TEST"),
        (new().update("orders", TEST, http(1)), "service \"orders\" has no definition in TEST"),
    ];
    cases.into_iter().map(|(change, wanted)| (change, wanted.to_owned())).collect()
}
