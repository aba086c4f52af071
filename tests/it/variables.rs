//! Stage variables: one API, published in several environments, that means something else in each.

use std::sync::Arc;

use backhaul::model::Mode;
use backhaul::publish::OutcomeKind;
use backhaul::registry::{Reason, Rejected};
use backhaul::store::MemoryStore;
use backhaul::{Api, Body, Change, CommitError, Custom, Gateway, Group, Http, Mock, Registry};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty};

use tokio::sync::Notify;

use super::gateway::harness::{LIVE, TEST, answered_by, apply, call, code};

const NONE: [(&str, &str, &str); 0] = [];

fn group(variables: &[(&str, &str, &str)]) -> Group {
    variables.iter().fold(Group::host("a"), |group, (environment, name, value)| {
        group.variable(*environment, *name, *value)
    })
}

/// A service that says which path it was called by.
async fn echo(variables: &[(&str, &str, &str)]) -> (Registry, Gateway) {
    let (registry, gateway) = answered_by(async |request: Request<Body>| {
        Ok(Response::new(Body::from(request.uri().to_string())))
    })
    .await;
    let change = Change::new()
        .define("inside", TEST, Custom::new("inside").unwrap())
        .group("group", group(variables));
    apply(&registry, change).await;
    (registry, gateway)
}

async fn text(gateway: &Gateway, path: &str, stage: &str) -> String {
    let request = Request::get(path).header("host", "a").header("x-ca-stage", stage);
    let response = call(gateway, request.body(Empty::<Bytes>::new()).unwrap()).await;
    if !code(&response).is_empty() {
        return code(&response).to_owned();
    }
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().into()).unwrap()
}

async fn refused(registry: &Registry, change: Change) -> Rejected {
    match registry.publisher("test").apply(change).await.unwrap_err() {
        CommitError::Rejected(rejected) => rejected,
        other => panic!("{other}"),
    }
}

async fn invalid(registry: &Registry, change: Change) -> (String, String) {
    match refused(registry, change).await.reason {
        Reason::Invalid { field, reason } => (field, reason),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_path_means_something_else_in_each_environment() {
    let (registry, gateway) =
        echo(&[("TEST", "v", "v2-beta"), ("RELEASE", "v", "v1"), ("RELEASE", "V", "other")]).await;
    let api = Api::get("/orders/[id]").service("inside", "/#v#/orders/[id]");
    let change = Change::new().api("group/orders", api.clone());
    apply(&registry, change.publish("group/orders", LIVE).publish("group/orders", TEST)).await;
    assert_eq!(text(&gateway, "/orders/7?x=1", "TEST").await, "/v2-beta/orders/7?x=1");
    assert_eq!(text(&gateway, "/orders/7", "RELEASE").await, "/v1/orders/7");
    // It acts at once, without publishing anything again, and can be taken back.
    let moved = group(&[("TEST", "v", "v2/rc"), ("RELEASE", "v", "v1")]);
    let receipt = apply(&registry, Change::new().group("group", moved)).await;
    let outcomes: Vec<_> = receipt.outcomes().map(|it| (it.environment, it.result)).collect();
    assert_eq!(outcomes, [(TEST, OutcomeKind::Moved)]);
    assert_eq!(text(&gateway, "/orders/7", "TEST").await, "/v2/rc/orders/7");
    assert_eq!(text(&gateway, "/orders/7", "RELEASE").await, "/v1/orders/7");
    apply(&registry, Change::new().undo(receipt.revision())).await;
    assert_eq!(text(&gateway, "/orders/7", "TEST").await, "/v2-beta/orders/7");
    // What was written is what is read.
    let view = registry.publication("group/orders", &TEST).unwrap().unwrap();
    assert_eq!(view.api.backend.path.as_deref(), Some("/#v#/orders/[id]"));
}

#[tokio::test]
async fn a_definition_of_its_own_moves_with_its_variables() {
    let (registry, gateway) =
        echo(&[("TEST", "place", "test"), ("RELEASE", "place", "live")]).await;
    let banner = Api::get("/banner").inline(Mock::new().body("hello from #place#"));
    let change = Change::new().api("group/banner", banner);
    apply(&registry, change.publish("group/banner", LIVE).publish("group/banner", TEST)).await;
    assert_eq!(text(&gateway, "/banner", "TEST").await, "hello from test");
    assert_eq!(text(&gateway, "/banner", "RELEASE").await, "hello from live");
    let before = registry.revision();
    let moved = group(&[("TEST", "place", "there"), ("RELEASE", "place", "live")]);
    apply(&registry, Change::new().group("group", moved)).await;
    assert_eq!(text(&gateway, "/banner", "TEST").await, "hello from there");
    assert_eq!(text(&gateway, "/banner", "RELEASE").await, "hello from live");
    apply(&registry, Change::new().undo(before.next())).await;
    assert_eq!(text(&gateway, "/banner", "TEST").await, "hello from test");
}

/// Who changes a variable can wait for the requests that entered before.
#[tokio::test]
async fn what_moved_by_a_variable_is_awaited() {
    let (arrived, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let told = (Arc::clone(&arrived), Arc::clone(&go));
    let (registry, gateway) = answered_by(move |_| {
        let (arrived, go) = told.clone();
        async move {
            arrived.notify_one();
            go.notified().await;
            Ok(Response::new(Body::empty()))
        }
    })
    .await;
    let own = Custom::new("inside").unwrap().set("place", "#place#");
    let change = Change::new()
        .group("group", group(&[("RELEASE", "place", "here")]))
        .api("group/mine", Api::get("/own").inline(own))
        .publish("group/mine", LIVE);
    apply(&registry, change).await;
    let asked = tokio::spawn(async move { text(&gateway, "/own", "RELEASE").await });
    arrived.notified().await;
    let moved = Change::new().group("group", group(&[("RELEASE", "place", "there")]));
    let receipt = apply(&registry, moved).await;
    assert_eq!(receipt.in_flight(), 1);
    go.notify_one();
    assert_eq!(asked.await.unwrap(), "");
    assert_eq!(receipt.in_flight(), 0);
}

#[tokio::test]
async fn parameters_are_mapped_into_paths_that_name_variables() {
    let (registry, gateway) = echo(&[("RELEASE", "v", "v1")]).await;
    let id = backhaul::model::Parameter::new("id", backhaul::model::Location::Query);
    let id = id.required().to("id", backhaul::model::Location::Path);
    let api = Api::get("/orders").service("inside", "/#v#/orders/[id]").mode(Mode::Mapping);
    let change = Change::new().api("group/orders", api.parameter(id));
    apply(&registry, change.publish("group/orders", LIVE)).await;
    assert_eq!(text(&gateway, "/orders?id=a%2Fb", "RELEASE").await, "/v1/orders/a%2Fb");
    assert_eq!(text(&gateway, "/orders", "RELEASE").await, "I400MP");
}

#[tokio::test]
async fn nothing_is_published_that_names_what_is_not_there() {
    let (registry, gateway) = echo(&[("RELEASE", "v", "v1")]).await;
    let api = Api::get("/orders").service("inside", "/#v#/orders");
    apply(&registry, Change::new().api("group/orders", api)).await;
    let revision = registry.revision();
    let publish = Change::new().publish("group/orders", TEST);
    let (field, reason) = invalid(&registry, publish.clone()).await;
    assert_eq!(field, "backend.path");
    assert!(reason.contains("`v`") && reason.contains("TEST"), "{reason}");
    // What all edits of a change leave counts, in whatever order they come.
    let both = group(&[("TEST", "v", "v2"), ("RELEASE", "v", "v1")]);
    assert_eq!(registry.revision(), revision);
    apply(&registry, publish.publish("group/orders", LIVE).group("group", both)).await;
    // Nor is it taken away from what is published.
    let rejected = refused(&registry, Change::new().group("group", group(&NONE))).await;
    let told = rejected.to_string();
    assert!(told.contains("variables.TEST") && told.contains("group/orders"), "{told}");
    assert!(told.contains("`v`"), "{told}");
    assert_eq!(text(&gateway, "/orders", "TEST").await, "/v2/orders");
    let change = Change::new().unpublish("group/orders", TEST).unpublish("group/orders", LIVE);
    apply(&registry, change.group("group", group(&NONE))).await;
    assert_eq!(text(&gateway, "/orders", "TEST").await, "I404NF");
}

#[tokio::test]
async fn what_a_variable_makes_of_an_api_has_to_be_acceptable() {
    let (registry, gateway) = echo(&[("RELEASE", "v", "..")]).await;
    let bad = Api::get("/orders").service("inside", "/#v#/orders");
    let (field, reason) = invalid(&registry, Change::new().api("group/orders", bad.clone())).await;
    assert_eq!(field, "backend.path");
    assert!(reason.contains("RELEASE"), "{reason}");
    let fine = Change::new().group("group", group(&[("RELEASE", "v", "v1")]));
    apply(&registry, fine.api("group/orders", bad).publish("group/orders", LIVE)).await;
    let (field, reason) =
        invalid(&registry, Change::new().group("group", group(&[("RELEASE", "v", "a b")]))).await;
    assert_eq!(field, "variables.RELEASE");
    assert!(reason.contains("group/orders") && reason.contains("backend.path"), "{reason}");
    assert_eq!(text(&gateway, "/orders", "RELEASE").await, "/v1/orders");
    // What a kind refuses of it is told of the group that gave the value, not of any other edit.
    let hidden = Api::get("/hidden").inline(Http::to("http://#host#/"));
    let named = |host| group(&[("RELEASE", "v", "v1"), ("RELEASE", "host", host)]);
    let change = Change::new().group("group", named("10.0.0.7")).api("group/hidden", hidden);
    apply(&registry, change.publish("group/hidden", LIVE)).await;
    let change =
        Change::new().group("other", Group::new()).group("group", named("169.254.169.254"));
    let rejected = refused(&registry, change).await;
    assert_eq!(rejected.index, 1, "{rejected}");
}

#[tokio::test]
async fn a_shared_definition_names_none() {
    let (registry, _) = echo(&[("RELEASE", "v", "v1")]).await;
    let change = Change::new().service("orders", backhaul::Kind::HTTP).define(
        "orders",
        LIVE,
        Http::to("http://#v#.internal/"),
    );
    let (field, reason) = invalid(&registry, change).await;
    assert_eq!(field, "url");
    assert!(reason.contains("stage variable") && reason.contains("shared"), "{reason}");
}

#[tokio::test]
async fn names_and_values_have_limits() {
    let (registry, _) = echo(&[]).await;
    let long = "x".repeat(1025);
    for (name, value, fields) in [
        ("", "1", "variables.TEST"),
        ("a-b", "1", "variables.TEST"),
        (&long[..65], "1", "variables.TEST"),
        ("a", &long, "variables.TEST.a"),
    ] {
        let change = Change::new().group("group", group(&[("TEST", name, value)]));
        assert_eq!(invalid(&registry, change).await.0, fields);
    }
    let many = (0..51).map(|index| format!("v{index}"));
    let many = many.fold(Group::host("a"), |group, name| group.variable("TEST", name, "1"));
    assert_eq!(invalid(&registry, Change::new().group("group", many)).await.0, "variables.TEST");
}

#[tokio::test]
async fn whoever_opens_or_follows_a_store_serves_the_same() {
    let store = MemoryStore::new();
    let open = async || Registry::builder().store(Arc::new(store.clone())).await.unwrap();
    let (writer, follower) = (open().await, open().await);
    let banner = Api::get("/banner").inline(Mock::new().body("from #place#"));
    let change = Change::new()
        .group("group", group(&[("RELEASE", "place", "here")]))
        .api("group/banner", banner)
        .publish("group/banner", LIVE);
    apply(&writer, change).await;
    let change = Change::new().group("group", group(&[("RELEASE", "place", "there")]));
    let revision = apply(&writer, change).await.revision();
    while follower.revision() < revision {
        tokio::task::yield_now().await;
    }
    for registry in [follower, open().await] {
        assert_eq!(text(&Gateway::new(&registry), "/banner", "RELEASE").await, "from there");
    }
}

/// A definition that goes leaves its publications dormant: they stand in the way of no variable.
#[tokio::test]
async fn what_is_dormant_needs_no_variables() {
    let (registry, gateway) = echo(&[("TEST", "v", "v2"), ("RELEASE", "v", "v1")]).await;
    let api = Api::get("/orders").service("inside", "/#v#/orders");
    let change = Change::new().api("group/orders", api);
    apply(&registry, change.publish("group/orders", LIVE).publish("group/orders", TEST)).await;
    let test = group(&[("TEST", "v", "v2")]);
    let change = Change::new().unpublish("group/everything", LIVE);
    let gone = change.delete_definition("inside", LIVE).group("group", test.clone());
    let gone = apply(&registry, gone).await.revision();
    assert_eq!(text(&gateway, "/orders", "RELEASE").await, "I404NF");
    assert_eq!(text(&gateway, "/orders", "TEST").await, "/v2/orders");
    apply(&registry, Change::new().undo(gone)).await;
    assert_eq!(text(&gateway, "/orders", "RELEASE").await, "/v1/orders");
    // Nor does it come back without what it needs.
    let deleted = Change::new().delete_definition("inside", LIVE);
    let deleted = apply(&registry, deleted).await.revision();
    apply(&registry, Change::new().group("group", test)).await;
    let (field, reason) = invalid(&registry, Change::new().undo(deleted)).await;
    assert!(field == "backend.path" && reason.contains("`v`"), "{field} {reason}");
    apply(
        &registry,
        Change::new().group("group", group(&[("RELEASE", "v", "v3"), ("TEST", "v", "v2")])),
    )
    .await;
    apply(&registry, Change::new().undo(deleted)).await;
    assert_eq!(text(&gateway, "/orders", "RELEASE").await, "/v3/orders");
}

/// What a plan says would happen depends on what variables stand for, and on who names them.
#[tokio::test]
async fn a_plan_goes_stale_with_what_variables_it_looked_at() {
    let (registry, _) = echo(&[("RELEASE", "v", "v1")]).await;
    let publisher = registry.publisher("test");
    let api = |path: &str| Api::get(path).service("inside", format!("/#v#{path}"));
    apply(
        &registry,
        Change::new().api("group/orders", api("/orders")).api("group/items", api("/items")),
    )
    .await;
    let publish = publisher.plan(Change::new().publish("group/orders", LIVE)).await.unwrap();
    apply(&registry, Change::new().group("group", group(&[("RELEASE", "v", "v2")]))).await;
    assert!(matches!(publisher.apply(publish).await, Err(CommitError::Stale { .. })));
    apply(&registry, Change::new().publish("group/orders", LIVE)).await;
    let revalue = Change::new().group("group", group(&[("RELEASE", "v", "v3")]));
    let revalue = publisher.plan(revalue).await.unwrap();
    apply(&registry, Change::new().publish("group/items", LIVE)).await;
    assert!(matches!(publisher.apply(revalue).await, Err(CommitError::Stale { .. })));
    // What has nothing to do with them makes nothing stale.
    let revalue = Change::new().group("group", group(&[("RELEASE", "v", "v3")]));
    let revalue = publisher.plan(revalue).await.unwrap();
    apply(&registry, Change::new().group("other", Group::new())).await;
    publisher.apply(revalue).await.unwrap();
}

#[tokio::test]
async fn what_a_variable_moves_is_probed() {
    let registry = Registry::builder().allow_loopback().in_memory().await.unwrap();
    let closed = "http://127.0.0.1:#port#/";
    let change = Change::new()
        .group("group", group(&[("RELEASE", "port", "9")]))
        .api("group/mine", Api::get("/mine").inline(Http::to(closed)))
        .publish("group/mine", LIVE);
    let first = apply(&registry, change).await.revision();
    let moved = Change::new().group("group", group(&[("RELEASE", "port", "10")]));
    let plan = registry.publisher("test").plan(moved).await.unwrap();
    let found = plan.probe(&backhaul::backend::Probe::new()).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0].environment, &found[0].service), (&LIVE, &None));
    let gateway = Gateway::new(&registry);
    let generation =
        || gateway.resolve(&http::Method::GET, "a", "/mine", None).unwrap().generation();
    assert_eq!(generation(), first);
    let moved = registry.publisher("test").apply(plan).await.unwrap().revision();
    assert_eq!(generation(), moved);
}
