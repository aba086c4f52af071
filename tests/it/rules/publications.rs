//! Publications: live, dormant, displaced.

use backhaul::publish::OutcomeKind;
use backhaul::registry::{Reason, Status};
use backhaul::{Api, Change, Environment, Kind, Mock, Receipt, Registry};

use super::{LIVE, TEST, apply, http, order, refused, registry, shop, status};

/// `shop/get_order` is dormant in RELEASE: its definition was deleted, and there is a new one.
async fn dormant() -> Registry {
    let registry = registry(shop().publish("shop/get_order", LIVE)).await;
    apply(&registry, Change::new().delete_definition("orders", LIVE)).await;
    apply(&registry, Change::new().define("orders", LIVE, http(2))).await;
    registry
}

fn displaced(receipt: &Receipt) -> Vec<String> {
    let rows = receipt.outcomes().filter(|outcome| outcome.result == OutcomeKind::Displaced);
    rows.map(|outcome| format!("{} in {}", outcome.api, outcome.environment)).collect()
}

#[tokio::test]
async fn a_publication_needs_a_definition_there() {
    let registry = registry(shop()).await;
    let reason = refused(&registry, Change::new().publish("shop/get_order", TEST)).await;
    assert_eq!(reason.to_string(), "service \"orders\" has no definition in TEST");
    apply(&registry, Change::new().define("orders", TEST, http(2)).publish("shop/get_order", TEST))
        .await;
    assert_eq!(status(&registry, "shop/get_order", &TEST), Some(Status::Online));
    assert_eq!(status(&registry, "shop/get_order", &LIVE), None);
}

#[tokio::test]
async fn an_update_moves_and_a_delete_unpublishes_and_a_new_definition_revives_nothing() {
    let registry = registry(shop().publish("shop/get_order", LIVE)).await;
    let moved = apply(&registry, Change::new().define("orders", LIVE, http(2))).await;
    assert_eq!(moved.counts().moved, 1);
    let deleted = apply(&registry, Change::new().delete_definition("orders", LIVE)).await;
    assert_eq!(deleted.counts().unpublished, 1);
    assert_eq!(status(&registry, "shop/get_order", &LIVE), Some(Status::Offline));
    apply(&registry, Change::new().define("orders", LIVE, http(3))).await;
    assert_eq!(status(&registry, "shop/get_order", &LIVE), Some(Status::Offline));
    assert_eq!(registry.service("orders").unwrap().unwrap().addresses(&LIVE).count(), 0);
}

#[tokio::test]
async fn a_delete_and_a_definition_in_one_change_revive_nothing_either() {
    let registry = registry(shop().publish("shop/get_order", LIVE)).await;
    let anew = Change::new().delete_definition("orders", LIVE).define("orders", LIVE, http(2));
    let receipt = apply(&registry, anew).await;
    assert_eq!(receipt.counts().unpublished, 1);
    assert_eq!(status(&registry, "shop/get_order", &LIVE), Some(Status::Offline));
}

#[tokio::test]
async fn what_a_change_published_against_a_definition_it_deletes_again_stays_offline() {
    let registry = registry(shop()).await;
    let change = Change::new()
        .define("orders", TEST, http(2))
        .publish("shop/get_order", TEST)
        .delete_definition("orders", TEST)
        .define("orders", TEST, http(3));
    apply(&registry, change).await;
    assert_ne!(status(&registry, "shop/get_order", &TEST), Some(Status::Online));
    let view = registry.service("orders").unwrap().unwrap();
    assert_eq!(view.definition(&TEST).unwrap().published, 0);
}

#[tokio::test]
async fn publishing_an_api_gives_its_own_dormant_publication_up() {
    let registry = dormant().await;
    let receipt = apply(&registry, Change::new().publish("shop/get_order", LIVE)).await;
    assert_eq!(displaced(&receipt), ["shop/get_order in RELEASE"]);
    assert_eq!(receipt.counts().published, 1);
    let results: Vec<_> = receipt.outcomes().map(|outcome| outcome.result).collect();
    assert_eq!(results, [OutcomeKind::Displaced, OutcomeKind::Published]);
    assert_eq!(status(&registry, "shop/get_order", &LIVE), Some(Status::Online));
}

#[tokio::test]
async fn unpublishing_an_api_gives_its_dormant_publication_up() {
    let registry = dormant().await;
    let receipt = apply(&registry, Change::new().unpublish("shop/get_order", LIVE)).await;
    assert_eq!(displaced(&receipt), ["shop/get_order in RELEASE"]);
    assert_eq!(receipt.counts().unpublished, 0);
    assert_eq!(status(&registry, "shop/get_order", &LIVE), None);
    let again = Change::new().unpublish("shop/get_order", LIVE);
    assert!(matches!(refused(&registry, again).await, Reason::NotPublished { .. }));
}

#[tokio::test]
async fn deleting_a_draft_gives_its_dormant_publications_up() {
    let registry = dormant().await;
    let receipt = apply(&registry, Change::new().delete_api("shop/get_order")).await;
    assert_eq!(displaced(&receipt), ["shop/get_order in RELEASE"]);
    // The name is free for another API, which is not published.
    apply(&registry, Change::new().api("shop/get_order", order("/orders/[id]"))).await;
    assert_eq!(status(&registry, "shop/get_order", &LIVE), None);
}

#[tokio::test]
async fn publishing_another_api_onto_the_route_gives_the_dormant_one_up() {
    let registry = dormant().await;
    let change = Change::new()
        .api("shop/get_order", order("/old/[id]"))
        .api("shop/find_order", order("/orders/[x]"))
        .publish("shop/find_order", LIVE);
    let receipt = apply(&registry, change).await;
    assert_eq!(displaced(&receipt), ["shop/get_order in RELEASE"]);
    assert_eq!(status(&registry, "shop/get_order", &LIVE), None);
    assert_eq!(status(&registry, "shop/find_order", &LIVE), Some(Status::Online));
}

#[tokio::test]
async fn a_dormant_publication_elsewhere_stays() {
    let registry = dormant().await;
    let change = Change::new()
        .api("shop/get_stock", order("/stock"))
        .publish("shop/get_stock", LIVE)
        .api("shop/put_order", Api::put("/orders/[id]").service_same_path("orders"))
        .publish("shop/put_order", LIVE);
    assert_eq!(displaced(&apply(&registry, change).await), Vec::<String>::new());
    assert_eq!(status(&registry, "shop/get_order", &LIVE), Some(Status::Offline));
}

#[tokio::test]
async fn what_becomes_dormant_in_the_same_change_gives_way_too() {
    let registry = registry(
        shop()
            .service("stock", Kind::HTTP)
            .define("stock", LIVE, http(2))
            .publish("shop/get_order", LIVE),
    )
    .await;
    let change = Change::new()
        .api("shop/get_order", order("/old"))
        .api("shop/get_stock", Api::get("/orders/[x]").service_same_path("stock"))
        .publish("shop/get_stock", LIVE)
        .delete_definition("orders", LIVE);
    let receipt = apply(&registry, change).await;
    assert_eq!((receipt.counts().unpublished, receipt.counts().displaced), (1, 0));
    assert_eq!(status(&registry, "shop/get_order", &LIVE), None);
}

#[tokio::test]
async fn of_two_that_are_published_on_one_route_and_fall_dormant_the_later_stays() {
    let registry =
        registry(shop().service("stock", Kind::HTTP).define("stock", LIVE, http(2))).await;
    for (first, second) in [("aaaa", "bbbb"), ("dddd", "cccc")] {
        let (first, second) = (format!("shop/{first}"), format!("shop/{second}"));
        // Ids follow the order in which drafts appear.
        let drafts = Change::new()
            .api("shop/aaaa", Api::get("/1").service_same_path("stock"))
            .api("shop/bbbb", Api::get("/2").service_same_path("stock"))
            .api("shop/cccc", Api::get("/3").service_same_path("stock"))
            .api("shop/dddd", Api::get("/4").service_same_path("stock"));
        apply(&registry, drafts).await;
        let change = Change::new()
            .api(&first, Api::get("/same").service_same_path("stock"))
            .publish(&first, LIVE)
            .api(&first, Api::get("/other").service_same_path("stock"))
            .api(&second, Api::get("/same").service_same_path("stock"))
            .publish(&second, LIVE)
            .delete_definition("stock", LIVE);
        let receipt = apply(&registry, change).await;
        // It came and went within the change: nobody could reach it before or after.
        assert_eq!(displaced(&receipt), Vec::<String>::new());
        assert_eq!(status(&registry, &first, &LIVE), None);
        assert_eq!(status(&registry, &second, &LIVE), Some(Status::Offline));
        apply(&registry, Change::new().unpublish(&second, LIVE).define("stock", LIVE, http(2)))
            .await;
    }
}

#[tokio::test]
async fn a_route_that_is_live_names_its_holder_and_where() {
    let registry = registry(shop().publish("shop/get_order", LIVE)).await;
    let moved = Change::new()
        .api("shop/get_order", order("/old/[id]"))
        .api("shop/find_order", order("/orders/[x]"))
        .define("orders", TEST, http(2));
    apply(&registry, moved).await;
    let reason = refused(&registry, Change::new().publish("shop/find_order", LIVE)).await;
    assert_eq!(reason.to_string(), "GET /orders/[x] is taken by API shop/get_order in RELEASE");
    // Elsewhere nobody has it.
    apply(&registry, Change::new().publish("shop/find_order", TEST)).await;
    // And ANY is another method.
    let any = Change::new()
        .api("shop/any_order", Api::any("/orders/[z]").service_same_path("orders"))
        .publish("shop/any_order", LIVE);
    apply(&registry, any).await;
}

#[tokio::test]
async fn an_inline_definition_holds_its_route_until_it_is_unpublished() {
    let own = Api::get("/orders/[id]").inline(Mock::new());
    let registry =
        registry(shop().api("shop/get_order", own).publish("shop/get_order", LIVE)).await;
    let other = || {
        Change::new()
            .api("shop/get_order", order("/old"))
            .api("shop/find_order", order("/orders/[x]"))
            .publish("shop/find_order", LIVE)
    };
    assert!(matches!(refused(&registry, other()).await, Reason::RouteTaken { .. }));
    let receipt = apply(&registry, other().unpublish("shop/get_order", LIVE)).await;
    assert_eq!((receipt.counts().unpublished, receipt.counts().published), (1, 1));
}

#[tokio::test]
async fn a_batch_is_of_any_size() {
    let mut drafts = shop();
    let name = |number: usize| format!("shop/api_{number}");
    for number in 0..10_000 {
        drafts = drafts.api(name(number), order(&format!("/batch/{number}/[id]")));
    }
    let registry = registry(drafts).await;
    let all = || (0..10_000).map(name);
    let published = apply(&registry, Change::new().publish_all(all(), &LIVE)).await;
    assert_eq!(published.counts().published, 10_000);
    assert_eq!(registry.service("orders").unwrap().unwrap().addresses(&LIVE).count(), 10_000);
    let moved = apply(&registry, Change::new().define("orders", LIVE, http(2))).await;
    assert_eq!(moved.counts().moved, 10_000);
    let unpublished = apply(&registry, Change::new().unpublish_all(all(), &LIVE)).await;
    assert_eq!(unpublished.counts().unpublished, 10_000);
    // All or nothing: the last one of them is refused, and so are the others.
    let reason =
        refused(&registry, Change::new().publish_all(all().chain(["shop/none".to_owned()]), &LIVE))
            .await;
    assert!(matches!(reason, Reason::UnknownApi(_)));
    assert_eq!(status(&registry, &name(0), &LIVE), None);
}

#[tokio::test]
async fn publishing_again_freezes_the_draft_again() {
    let registry = registry(shop().publish("shop/get_order", LIVE)).await;
    let change = Change::new()
        .api("shop/get_order", order("/v2/orders/[id]"))
        .publish("shop/get_order", LIVE);
    let receipt = apply(&registry, change).await;
    let results: Vec<_> = receipt.outcomes().map(|outcome| outcome.result).collect();
    assert_eq!(results, [OutcomeKind::Republished]);
    let view = registry.publication("shop/get_order", &LIVE).unwrap().unwrap();
    assert_eq!(view.api.path, "/v2/orders/[id]");
}

#[tokio::test]
async fn an_environment_nobody_declared_is_nowhere_to_publish_to() {
    let registry = registry(shop()).await;
    let staging: Environment = "STAGING".parse().unwrap();
    for change in [
        Change::new().define("orders", staging.clone(), http(2)),
        Change::new().publish("shop/get_order", staging.clone()),
        Change::new().unpublish("shop/get_order", staging.clone()),
    ] {
        let reason = refused(&registry, change).await;
        assert_eq!(reason.to_string(), "there is no environment STAGING");
    }
}
