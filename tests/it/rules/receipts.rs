//! What a receipt counts and lists.

use backhaul::publish::OutcomeKind;
use backhaul::{Api, Change, Environment, Group, Kind, Mock};

use super::{LIVE, TEST, apply, http, order, registry, shop};

#[tokio::test]
async fn each_outcome_has_its_row() {
    let registry = registry(
        shop()
            .define("orders", TEST, http(2))
            .api("shop/get_stock", order("/stock"))
            .publish_all(["shop/get_order", "shop/get_stock"], &LIVE)
            .publish("shop/get_order", TEST),
    )
    .await;
    let change = Change::new()
        .define("orders", TEST, http(3))
        .unpublish("shop/get_stock", LIVE)
        .api("shop/my_own", Api::get("/own").inline(Mock::new()))
        .publish("shop/my_own", LIVE)
        .publish("shop/get_order", LIVE);
    let receipt = apply(&registry, change).await;
    let rows: Vec<_> = receipt
        .outcomes()
        .map(|row| (row.api.to_string(), row.environment, row.service, row.result))
        .collect();
    let orders = || Some("orders".parse().unwrap());
    assert_eq!(
        rows,
        [
            ("shop/my_own".to_owned(), LIVE, None, OutcomeKind::Published),
            ("shop/get_order".to_owned(), TEST, orders(), OutcomeKind::Moved),
            ("shop/get_order".to_owned(), LIVE, orders(), OutcomeKind::Republished),
            ("shop/get_stock".to_owned(), LIVE, orders(), OutcomeKind::Unpublished),
        ]
    );
}

#[tokio::test]
async fn what_was_deleted_is_listed_by_the_name_it_had() {
    let registry = registry(shop().publish("shop/get_order", LIVE)).await;
    let change = Change::new().unpublish("shop/get_order", LIVE).delete_api("shop/get_order");
    let receipt = apply(&registry, change).await;
    let names: Vec<_> = receipt.outcomes().map(|row| row.api.to_string()).collect();
    assert_eq!(names, ["shop/get_order"]);
}

#[tokio::test]
async fn what_came_and_went_within_one_change_is_neither_counted_nor_listed() {
    let registry = registry(shop()).await;
    let staging: Environment = "STAGING".parse().unwrap();
    let change = Change::new()
        // An API,
        .api("shop/passing", Api::get("/passing").inline(Mock::new()))
        .publish("shop/passing", LIVE)
        .unpublish("shop/passing", LIVE)
        .delete_api("shop/passing")
        // one that was published through a service which was then deleted there,
        .api("shop/through", order("/through"))
        .define("orders", TEST, http(2))
        .publish_all(["shop/through", "shop/get_order"], &TEST)
        .update("orders", TEST, http(3))
        .delete_definition("orders", TEST)
        .delete_api("shop/through")
        // and an environment.
        .environment(staging.clone(), "")
        .service("mocks", Kind::MOCK)
        .define("mocks", staging.clone(), Mock::new())
        .api("shop/mocked", Api::get("/mocked").service_same_path("mocks"))
        .publish("shop/mocked", staging.clone())
        .delete_definition("mocks", staging.clone())
        .retire_environment(staging);
    let receipt = apply(&registry, change).await;
    assert_eq!(receipt.outcomes().count(), 0);
    assert_eq!(receipt.counts(), Default::default());
}

#[tokio::test]
async fn a_receipt_tells_what_was_true_then() {
    let registry = registry(shop().publish("shop/get_order", LIVE)).await;
    let receipt = apply(&registry, Change::new().define("orders", LIVE, http(2))).await;
    let later = Change::new()
        .rename_group("shop", "store")
        .rename_service("orders", "purchases")
        .group("shop", Group::new());
    apply(&registry, later).await;
    let row = receipt.outcomes().next().unwrap();
    assert_eq!(
        (row.api.to_string(), row.service.unwrap().to_string()),
        ("shop/get_order".to_owned(), "orders".to_owned())
    );
}

#[tokio::test]
async fn what_a_change_undoes_itself_is_not_counted() {
    let registry = registry(shop().publish("shop/get_order", LIVE)).await;
    // There and back again.
    let change = Change::new().define("orders", LIVE, http(9)).define("orders", LIVE, http(1));
    assert_eq!(apply(&registry, change).await.counts().moved, 0);
    // Published anew is not moved as well.
    let change = Change::new().publish("shop/get_order", LIVE).define("orders", LIVE, http(2));
    let counts = apply(&registry, change).await.counts();
    assert_eq!((counts.published, counts.moved), (1, 0));
    // What came and went.
    let change = Change::new()
        .api("shop/get_stock", order("/stock"))
        .publish("shop/get_stock", LIVE)
        .unpublish("shop/get_stock", LIVE);
    let counts = apply(&registry, change).await.counts();
    assert_eq!((counts.published, counts.unpublished), (0, 0));
    // Moved and then taken away.
    let change = Change::new().define("orders", LIVE, http(3)).delete_definition("orders", LIVE);
    let counts = apply(&registry, change).await.counts();
    assert_eq!((counts.moved, counts.unpublished), (0, 1));
}
