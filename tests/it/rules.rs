//! The rules of the registry, each with a test that fails without it.

use backhaul::model::definition::{Settings, Url};
use backhaul::registry::{Reason, Status};
use backhaul::{
    Api, BackendService, Change, CommitError, Definition, Environment, Group, Http, Kind, Mock,
    Registry,
};

const TEST: Environment = Environment::TEST;
const LIVE: Environment = Environment::PRODUCTION;

fn http(port: u16) -> Http {
    Http::to(format!("http://10.0.0.7:{port}"))
}

fn shop() -> Change {
    Change::new()
        .service("orders", Kind::HTTP)
        .define("orders", LIVE, http(1))
        .group("shop", Group::host("shop.example.com"))
        .api("shop/get_order", Api::get("/orders/[id]").service("orders", "/v1/orders/[id]"))
}

async fn registry(change: Change) -> Registry {
    let registry = Registry::in_memory().await.unwrap();
    apply(&registry, change).await.unwrap();
    registry
}

async fn apply(registry: &Registry, change: Change) -> Result<backhaul::Receipt, CommitError> {
    registry.publisher("test").apply(change).await
}

/// Applies a change that must be refused, checks that it left no trace, and says why it was.
async fn refused(registry: &Registry, change: Change) -> Reason {
    let before = format!("{:?}", registry.services());
    let revision = registry.revision();
    let error = apply(registry, change).await.unwrap_err();
    assert_eq!(registry.revision(), revision);
    assert_eq!(format!("{:?}", registry.services()), before);
    match error {
        CommitError::Rejected(rejected) => rejected.reason,
        other => panic!("{other}"),
    }
}

fn status(registry: &Registry, api: &str, environment: &Environment) -> Option<Status> {
    registry.publication(api, environment).unwrap().map(|view| view.status)
}

#[tokio::test]
async fn a_kind_never_changes() {
    let registry = registry(shop()).await;
    let reason = refused(&registry, Change::new().service("orders", Kind::MOCK)).await;
    assert!(matches!(reason, Reason::KindImmutable { .. }), "{reason}");
    apply(&registry, Change::new().service("orders", Kind::HTTP)).await.unwrap();
}

#[tokio::test]
async fn a_description_is_edited_and_a_rename_is_explicit() {
    let registry = registry(shop().publish("shop/get_order", LIVE)).await;
    let described = BackendService::new(Kind::HTTP).description("the order service");
    apply(&registry, Change::new().service("orders", described)).await.unwrap();
    apply(&registry, Change::new().rename_service("orders", "purchases")).await.unwrap();
    assert!(registry.service("orders").unwrap().is_none());
    let view = registry.service("purchases").unwrap().unwrap();
    assert_eq!(view.description(), "the order service");
    assert_eq!(status(&registry, "shop/get_order", &LIVE), Some(Status::Online));
    let published = registry.publication("shop/get_order", &LIVE).unwrap().unwrap();
    assert_eq!(published.api.backend.service.as_deref(), Some("purchases"));
    let taken = Change::new().service("other", Kind::HTTP).rename_service("other", "purchases");
    assert!(matches!(refused(&registry, taken).await, Reason::NameTaken(_)));
}

#[tokio::test]
async fn a_publication_needs_a_definition_there() {
    let registry = registry(shop()).await;
    let reason = refused(&registry, Change::new().publish("shop/get_order", TEST)).await;
    assert_eq!(reason.to_string(), "service \"orders\" has no definition in TEST");
}

#[tokio::test]
async fn kinds_match() {
    let registry = registry(shop()).await;
    let reason = refused(&registry, Change::new().define("orders", TEST, Mock::new())).await;
    assert!(matches!(reason, Reason::KindMismatch { .. }), "{reason}");
}

#[tokio::test]
async fn an_update_moves_and_a_delete_unpublishes_and_a_new_definition_revives_nothing() {
    let registry = registry(shop().publish("shop/get_order", LIVE)).await;
    let moved = apply(&registry, Change::new().define("orders", LIVE, http(2))).await.unwrap();
    assert_eq!(moved.counts().moved, 1);
    let view = registry.publication("shop/get_order", &LIVE).unwrap().unwrap();
    assert_eq!(view.effective.revision, moved.revision());

    let deleted = apply(&registry, Change::new().delete_definition("orders", LIVE)).await.unwrap();
    assert_eq!(deleted.counts().unpublished, 1);
    assert_eq!(status(&registry, "shop/get_order", &LIVE), Some(Status::Offline));

    apply(&registry, Change::new().define("orders", LIVE, http(3))).await.unwrap();
    assert_eq!(status(&registry, "shop/get_order", &LIVE), Some(Status::Offline));
    let again = apply(&registry, Change::new().publish("shop/get_order", LIVE)).await.unwrap();
    assert_eq!((again.counts().published, again.counts().displaced), (1, 1));
    assert_eq!(status(&registry, "shop/get_order", &LIVE), Some(Status::Online));
}

#[tokio::test]
async fn addresses_are_resolved() {
    let registry = registry(shop().publish("shop/get_order", LIVE)).await;
    let view = registry.service("orders").unwrap().unwrap();
    let addresses: Vec<_> = view.addresses(&LIVE).map(|row| row.address).collect();
    assert_eq!(addresses, ["http://10.0.0.7:1/v1/orders/[id]"]);
    assert_eq!(view.draft_count(), 1);
    let definition = &view.definition(&LIVE).unwrap().definition;
    let Settings::Http(http) = &definition.settings else { panic!() };
    assert_eq!(http.url.as_ref().unwrap().parse::<Url>().unwrap().port(), 1);
    let _: &Definition = definition;
}
