//! The revision an edit expects.

use backhaul::registry::Reason;
use backhaul::{Api, Change, Environment, Group, Kind, Mock, Registry, Revision};

use super::{LIVE, apply, http, order, refused, registry, rejected, shop};

fn staging() -> Environment {
    "STAGING".parse().unwrap()
}

/// Everything that can be edited, each made by a change of its own, in this order from revision 1 on:
/// the environment, the service, the definition, the group, the API, the publication.
async fn one_of_each() -> Registry {
    let registry = registry(Change::new().environment(staging(), "")).await;
    for change in [
        Change::new().service("orders", Kind::HTTP),
        Change::new().define("orders", staging(), http(1)),
        Change::new().group("shop", Group::host("shop.example.com")),
        Change::new().api("shop/get_order", order("/orders/[id]")),
        Change::new().publish("shop/get_order", staging()),
    ] {
        apply(&registry, change).await;
    }
    registry
}

/// Every kind of edit, and the revision of what it edits.
fn edits() -> Vec<(u64, Change)> {
    let new = Change::new;
    vec![
        (1, new().environment(staging(), "x")),
        (2, new().service("orders", Kind::HTTP)),
        (2, new().describe_service("orders", "x")),
        (2, new().rename_service("orders", "purchases")),
        (3, new().define("orders", staging(), http(2))),
        (3, new().update("orders", staging(), http(3))),
        (4, new().group("shop", Group::host("shop.example.com").description("x"))),
        (4, new().rename_group("shop", "store")),
        (5, new().api("shop/get_order", Api::get("/x").inline(Mock::new()))),
        (5, new().rename_api("shop/get_order", "shop/read_order")),
        (6, new().publish("shop/get_order", staging())),
        (6, new().unpublish("shop/get_order", staging())),
        (3, new().delete_definition("orders", staging())),
    ]
}

#[tokio::test]
async fn every_edit_is_refused_when_it_is_stale() {
    for (at, change) in edits() {
        let registry = one_of_each().await;
        let (stale, actual) = (Revision::new(at + 1), Some(Revision::new(at)));
        let text = format!("{change:?}");
        let reason = refused(&registry, change.clone().if_revision(stale)).await;
        assert_eq!(reason, Reason::Stale { expected: Some(stale), actual }, "{text}");
        assert_eq!(reason.to_string(), format!("it is at revision {at}, not at revision {stale}"));
        let reason = refused(&registry, change.clone().if_absent()).await;
        assert_eq!(reason, Reason::Stale { expected: None, actual }, "{text}");
        assert_eq!(reason.to_string(), format!("it is at revision {at}, not absent"));
        apply(&registry, change.if_revision(Revision::new(at))).await;
    }
}

#[tokio::test]
async fn deletes_are_refused_when_they_are_stale() {
    let registry = one_of_each().await;
    let free = Change::new().unpublish("shop/get_order", staging());
    apply(&registry, free.delete_definition("orders", staging())).await;
    for (at, change) in [
        (5, Change::new().delete_api("shop/get_order")),
        (4, Change::new().delete_group("shop")),
        (2, Change::new().delete_service("orders")),
        (1, Change::new().retire_environment(staging())),
    ] {
        let (at, stale) = (Revision::new(at), Revision::new(at + 1));
        let reason = refused(&registry, change.clone().if_revision(stale)).await;
        assert_eq!(reason, Reason::Stale { expected: Some(stale), actual: Some(at) });
        apply(&registry, change.if_revision(at)).await;
    }
}

#[tokio::test]
async fn what_must_be_absent_is_made_once() {
    let registry = registry(Change::new()).await;
    let all = || {
        Change::new()
            .environment(staging(), "")
            .if_absent()
            .service("orders", Kind::HTTP)
            .if_absent()
            .define("orders", staging(), http(1))
            .if_absent()
            .group("shop", Group::host("shop.example.com"))
            .if_absent()
            .api("shop/get_order", order("/orders/[id]"))
            .if_absent()
            .publish("shop/get_order", staging())
            .if_absent()
    };
    apply(&registry, all()).await;
    let error = rejected(&registry, all()).await;
    assert_eq!(
        error.to_string(),
        "edit 1 (declare environment STAGING): it is at revision 2, not absent"
    );
}

#[tokio::test]
async fn what_is_not_there_is_at_no_revision() {
    let registry = registry(shop()).await;
    let one = Revision::new(1);
    for change in [
        Change::new().environment(staging(), ""),
        Change::new().service("stock", Kind::HTTP),
        Change::new().define("orders", Environment::TEST, http(2)),
        Change::new().group("other", Group::new()),
        Change::new().api("shop/get_stock", order("/stock")),
        Change::new().publish("shop/get_order", LIVE),
    ] {
        let reason = refused(&registry, change.if_revision(one)).await;
        assert_eq!(reason.to_string(), "it is absent, not at revision 1");
    }
}

#[tokio::test]
async fn the_expectation_is_about_the_thing_and_not_about_its_name() {
    let registry = registry(shop()).await;
    apply(&registry, Change::new().service("stock", Kind::HTTP)).await;
    let (first, second) = (Revision::new(1), Revision::new(2));
    // After the renames `orders` is what was `stock`, made by revision 2.
    let renamed = || {
        Change::new()
            .rename_service("orders", "spare")
            .rename_service("stock", "orders")
            .describe_service("orders", "the other one")
    };
    let reason = refused(&registry, renamed().if_revision(first)).await;
    assert_eq!(reason, Reason::Stale { expected: Some(first), actual: Some(second) });
    apply(&registry, renamed().if_revision(second)).await;

    let api = || {
        Change::new()
            .rename_group("shop", "store")
            .rename_api("store/get_order", "store/read_order")
            .api("store/read_order", order("/read"))
    };
    let reason = refused(&registry, api().if_absent()).await;
    assert_eq!(reason, Reason::Stale { expected: None, actual: Some(first) });
    apply(&registry, api().if_revision(first)).await;
}

#[tokio::test]
async fn what_counts_is_the_state_before_the_change() {
    let registry = registry(shop()).await;
    let one = Revision::new(1);
    // Edits before it in the same change do not make an edit stale.
    let twice = Change::new()
        .define("orders", LIVE, http(2))
        .if_revision(one)
        .update("orders", LIVE, http(3))
        .if_revision(one);
    apply(&registry, twice).await;
    // What the change itself deleted was there before it.
    let anew =
        Change::new().delete_definition("orders", LIVE).define("orders", LIVE, http(4)).if_absent();
    assert!(matches!(refused(&registry, anew).await, Reason::Stale { .. }));
}
