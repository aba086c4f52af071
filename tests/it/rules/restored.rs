//! What taking changes back must keep true.

use backhaul::registry::{History, Reason, Status};
use backhaul::{Change, CommitError, Registry, Undo};

use super::{LIVE, apply, http, order, refused, registry, shop};

const API: &str = "shop/get_order";

fn undefine() -> Change {
    Change::new().delete_definition("orders", LIVE)
}

/// The revisions that ended the versions of the API, the newest first.
fn ended(registry: &Registry) -> Vec<Option<u64>> {
    let versions = registry.versions(API, &LIVE).unwrap().into_iter();
    versions.map(|version| version.ended.map(|stamp| stamp.revision.as_u64())).collect()
}

#[tokio::test]
async fn a_version_is_ended_by_who_took_it_offline_the_last_time() {
    let registry = registry(shop().publish(API, LIVE)).await;
    let gone = apply(&registry, undefine()).await.revision();
    assert_eq!(ended(&registry), [Some(gone.as_u64())]);
    apply(&registry, Change::new().undo(gone)).await;
    assert_eq!(ended(&registry), [None]);
    let replaced = apply(&registry, Change::new().publish(API, LIVE)).await.revision();
    assert_eq!(ended(&registry), [None, Some(replaced.as_u64())]);
}

#[tokio::test]
async fn a_version_that_came_back_dormant_was_ended_by_nobody() {
    let registry = registry(shop().publish(API, LIVE)).await;
    apply(&registry, undefine()).await;
    let removed = apply(&registry, Change::new().unpublish(API, LIVE)).await.revision();
    apply(&registry, Change::new().undo(removed)).await;
    apply(&registry, Change::new().define("orders", LIVE, http(2))).await;
    let versions = registry.versions(API, &LIVE).unwrap();
    assert_eq!(versions[0].status, Status::Offline);
    assert_eq!(versions[0].ended, None);
}

#[tokio::test]
async fn a_version_can_be_switched_to_behind_another_edit() {
    let registry = registry(shop().publish(API, LIVE)).await;
    let first = registry.revision();
    let other = Change::new().api(API, order("/other")).publish(API, LIVE);
    apply(&registry, other).await;
    let back = Change::new().unpublish(API, LIVE).switch(API, LIVE, first);
    apply(&registry, back).await;
    let view = registry.publication(API, &LIVE).unwrap().unwrap();
    assert_eq!(view.api.path, "/orders/[id]");
}

#[tokio::test]
async fn what_comes_back_finds_its_name_free_whoever_is_found_by_it() {
    let registry = registry(shop()).await;
    let gone = apply(&registry, Change::new().delete_api(API)).await.revision();
    apply(&registry, Change::new().api(API, order("/other"))).await;
    // The edit behind the undo writes the name of the newer one again.
    let change = Change::new().undo(Undo::of(gone).partly()).api(API, order("/another"));
    let reason = refused(&registry, change).await;
    assert!(matches!(reason, Reason::NameTaken(_)), "{reason}");
    assert!(registry.api(API).unwrap().is_some());
}

#[tokio::test]
async fn what_an_undo_left_out_can_be_undone_later() {
    let registry = registry(shop()).await;
    let first = apply(&registry, Change::new().define("orders", LIVE, http(2))).await.revision();
    let second = apply(&registry, Change::new().define("orders", LIVE, http(3))).await.revision();
    let both = Change::new().undo(Undo::of(first).partly()).undo(second);
    apply(&registry, both).await;
    apply(&registry, Change::new().undo(first)).await;
    let definitions = registry.definitions("orders", &LIVE).unwrap();
    assert_eq!(definitions[0].definition, Some(http(1).into()));
}

#[tokio::test]
async fn nothing_stays_published_through_a_service_that_was_taken_back() {
    let registry = Registry::in_memory().await.unwrap();
    let rest = Change::new()
        .service("users", backhaul::Kind::HTTP)
        .define("users", LIVE, http(2))
        .group("shop", backhaul::Group::host("shop.example.com"));
    apply(&registry, rest).await;
    let service =
        Change::new().service("orders", backhaul::Kind::HTTP).define("orders", LIVE, http(1));
    let made = apply(&registry, service).await.revision();
    let moves = backhaul::Api::get("/moves");
    let published = Change::new().api(API, order("/moves")).publish(API, LIVE);
    apply(&registry, published).await;
    apply(&registry, Change::new().api(API, moves.service_same_path("users"))).await;
    let reason = refused(&registry, Change::new().undo(made)).await;
    assert!(matches!(reason, Reason::InUse { count: 1, .. }), "{reason}");
    // Dormant, it is nobody's any more.
    apply(&registry, undefine()).await;
    apply(&registry, Change::new().define("orders", LIVE, http(1))).await;
    let own = Change::new().delete_definition("orders", LIVE).delete_service("orders");
    apply(&registry, own).await;
    assert!(registry.publication(API, &LIVE).unwrap().is_none());
}

#[tokio::test]
async fn a_planned_undo_is_stale_once_less_would_come_back() {
    let registry = registry(shop().publish(API, LIVE)).await;
    let gone = apply(&registry, undefine()).await.revision();
    let other = Change::new()
        .define("orders", LIVE, http(2))
        .api("shop/other", order("/other"))
        .publish("shop/other", LIVE);
    apply(&registry, other).await;
    let publisher = registry.publisher("test");
    let plan = publisher.plan(Change::new().undo(gone)).await.unwrap();
    assert_eq!(plan.impact().counts().revived, 1);
    apply(&registry, Change::new().unpublish(API, LIVE)).await;
    let stale = publisher.apply(plan).await.unwrap_err();
    assert!(matches!(stale, CommitError::Stale { .. }), "{stale}");
}

#[tokio::test]
async fn what_would_be_unpublished_is_stale_once_it_is_offline() {
    let registry = registry(shop()).await;
    let published = apply(&registry, Change::new().publish(API, LIVE)).await.revision();
    let publisher = registry.publisher("test");
    let plan = publisher.plan(Change::new().undo(published)).await.unwrap();
    assert_eq!(plan.impact().counts().unpublished, 1);
    apply(&registry, undefine()).await;
    let stale = publisher.apply(plan).await.unwrap_err();
    assert!(matches!(stale, CommitError::Stale { .. }), "{stale}");
}

#[tokio::test]
async fn what_came_back_after_its_definition_was_forgotten_is_given_up() {
    let history = History::default().revisions(2);
    let registry = Registry::builder().history(history).in_memory().await.unwrap();
    apply(&registry, shop().publish(API, LIVE)).await;
    apply(&registry, undefine()).await;
    let removed = apply(&registry, Change::new().unpublish(API, LIVE)).await.revision();
    apply(&registry, Change::new()).await;
    let undone = apply(&registry, Change::new().undo(removed)).await.revision();
    assert!(registry.publication(API, &LIVE).unwrap().is_none());
    apply(&registry, Change::new().undo(undone)).await;
}
