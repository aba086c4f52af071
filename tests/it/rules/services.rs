//! Services and their definitions.

use backhaul::registry::{Reason, Status};
use backhaul::{Api, BackendService, Change, Custom, Group, Kind, Mock, Oss, Registry};

use super::{LIVE, TEST, apply, http, order, refused, registry, rejected, shop, status};

#[tokio::test]
async fn a_kind_never_changes() {
    let registry = registry(shop()).await;
    let reason = refused(&registry, Change::new().service("orders", Kind::MOCK)).await;
    assert!(matches!(reason, Reason::KindImmutable { .. }), "{reason}");
    apply(&registry, Change::new().service("orders", Kind::HTTP)).await;
    assert_eq!(registry.service("orders").unwrap().unwrap().kind(), &Kind::HTTP);
}

#[tokio::test]
async fn a_description_is_edited_in_two_ways_and_kept_by_a_kind_alone() {
    let registry = registry(shop()).await;
    let description = || registry.service("orders").unwrap().unwrap().description().to_owned();
    let described = BackendService::new(Kind::HTTP).description("the order service");
    apply(&registry, Change::new().service("orders", described)).await;
    assert_eq!(description(), "the order service");
    apply(&registry, Change::new().service("orders", Kind::HTTP)).await;
    assert_eq!(description(), "the order service");
    apply(&registry, Change::new().describe_service("orders", "")).await;
    assert_eq!(description(), "");
    let unknown = Change::new().describe_service("none", "x");
    assert!(matches!(refused(&registry, unknown).await, Reason::UnknownService(_)));
}

#[tokio::test]
async fn a_rename_is_explicit_and_goes_everywhere() {
    let registry = registry(shop().publish("shop/get_order", LIVE)).await;
    apply(&registry, Change::new().rename_service("orders", "purchases")).await;
    assert!(registry.service("orders").unwrap().is_none());
    assert!(registry.service("purchases").unwrap().is_some());
    assert_eq!(status(&registry, "shop/get_order", &LIVE), Some(Status::Online));
    let published = registry.publication("shop/get_order", &LIVE).unwrap().unwrap();
    assert_eq!(published.api.backend.service.as_deref(), Some("purchases"));
    let (draft, _) = registry.api("shop/get_order").unwrap().unwrap();
    assert_eq!(draft.backend.service.as_deref(), Some("purchases"));
    let taken = Change::new().service("other", Kind::HTTP).rename_service("other", "purchases");
    assert!(matches!(refused(&registry, taken).await, Reason::NameTaken(_)));
    // The name that became free is another service's.
    apply(&registry, Change::new().service("orders", Kind::MOCK)).await;
    assert_eq!(registry.service("purchases").unwrap().unwrap().draft_count(), 1);
    assert_eq!(registry.service("orders").unwrap().unwrap().draft_count(), 0);
}

#[tokio::test]
async fn the_name_a_thing_has_is_no_clash_with_another() {
    let registry = registry(shop()).await;
    let same = Change::new()
        .rename_service("orders", "orders")
        .rename_group("shop", "shop")
        .rename_api("shop/get_order", "shop/get_order");
    apply(&registry, same).await;
    assert_eq!(registry.service("orders").unwrap().unwrap().draft_count(), 1);
}

#[tokio::test]
async fn two_services_swap_their_names() {
    let registry = registry(shop().service("stock", Kind::MOCK)).await;
    let swap = Change::new()
        .rename_service("orders", "spare")
        .rename_service("stock", "orders")
        .rename_service("spare", "stock");
    apply(&registry, swap).await;
    assert_eq!(registry.service("orders").unwrap().unwrap().kind(), &Kind::MOCK);
    assert_eq!(registry.service("stock").unwrap().unwrap().draft_count(), 1);
}

#[tokio::test]
async fn a_definition_is_of_its_services_kind() {
    let registry = registry(shop()).await;
    for change in [
        Change::new().define("orders", TEST, Mock::new()),
        Change::new().update("orders", LIVE, Mock::new()),
    ] {
        let reason = refused(&registry, change).await;
        assert!(matches!(reason, Reason::KindMismatch { .. }), "{reason}");
    }
}

#[tokio::test]
async fn only_what_is_defined_is_updated_or_deleted() {
    let registry = registry(shop()).await;
    for change in [
        Change::new().update("orders", TEST, http(2)),
        Change::new().delete_definition("orders", TEST),
    ] {
        let reason = refused(&registry, change).await;
        assert_eq!(reason.to_string(), "service \"orders\" has no definition in TEST");
    }
    let before = registry.service("orders").unwrap().unwrap();
    let receipt = apply(&registry, Change::new().update("orders", LIVE, http(2))).await;
    let after = registry.service("orders").unwrap().unwrap();
    let (before, after) = (before.definition(&LIVE).unwrap(), after.definition(&LIVE).unwrap());
    assert_eq!(before.epoch, after.epoch);
    assert_eq!(after.stamp.revision, receipt.revision());
}

#[tokio::test]
async fn a_service_in_use_is_not_deleted_and_names_ten_users() {
    let mut change = shop();
    for number in 0..11 {
        change = change.api(format!("shop/more_{number:02}"), order(&format!("/more/{number}")));
    }
    let registry = registry(change).await;
    let error = rejected(&registry, Change::new().delete_service("orders")).await;
    let Reason::InUse { users, count } = &error.reason else { panic!("{error}") };
    assert_eq!((users.len(), *count), (10, 12));
    assert!(users.iter().all(|user| user.starts_with("shop/")), "{users:?}");
    let text = error.to_string();
    assert!(text.starts_with("edit 1 (delete service \"orders\"): it is in use by 12: "), "{text}");
    assert!(text.contains("shop/get_order, ") && text.ends_with(", …"), "{text}");
}

#[tokio::test]
async fn a_service_is_in_use_while_it_is_published_whatever_the_draft_says() {
    let registry = registry(shop().publish("shop/get_order", LIVE)).await;
    let own = Api::get("/orders/[id]").inline(Mock::new());
    apply(&registry, Change::new().api("shop/get_order", own)).await;
    let reason = refused(&registry, Change::new().delete_service("orders")).await;
    let users = vec!["shop/get_order".to_owned()];
    assert_eq!(reason, Reason::InUse { users, count: 1 });
    let receipt =
        apply(&registry, Change::new().delete_definition("orders", LIVE).delete_service("orders"))
            .await;
    // What was published through it has nothing left to come back to.
    assert_eq!((receipt.counts().unpublished, receipt.counts().displaced), (1, 0));
    assert_eq!(status(&registry, "shop/get_order", &LIVE), None);
    assert!(registry.service("orders").unwrap().is_none());
}

#[tokio::test]
async fn kinds_that_no_adapter_serves_are_kept_and_say_what_is_missing() {
    let registry = registry(
        Change::new()
            .service("files", Kind::OSS)
            .define("files", LIVE, Oss::bucket("assets", "eu"))
            .group("shop", Group::host("shop.example.com"))
            .api("shop/get_file", Api::get("/files/*").service("files", "/*"))
            .publish("shop/get_file", LIVE),
    )
    .await;
    let view = registry.service("files").unwrap().unwrap();
    let missing = view.definition(&LIVE).unwrap().missing.clone().unwrap();
    assert!(missing.contains("oss"), "{missing}");
    assert_eq!(status(&registry, "shop/get_file", &LIVE), Some(Status::Online));
}

#[tokio::test]
async fn a_kind_nobody_registered_is_refused() {
    let registry = Registry::in_memory().await.unwrap();
    let greeter = Kind::custom("greeter").unwrap();
    let reason = refused(&registry, Change::new().service("hello", greeter)).await;
    assert_eq!(reason.to_string(), "kind: no kind greeter is registered");
    let own = Api::get("/hello").inline(Custom::new("greeter").unwrap());
    let inline = Change::new().group("shop", Group::new()).api("shop/hello", own);
    assert!(matches!(refused(&registry, inline).await, Reason::UnknownKind(_)));
}

#[tokio::test]
async fn several_services_move_in_one_change() {
    let two = shop()
        .service("stock", Kind::HTTP)
        .define("stock", LIVE, http(2))
        .api("shop/get_stock", Api::get("/stock").service_same_path("stock"))
        .publish_all(["shop/get_order", "shop/get_stock"], &LIVE);
    let registry = registry(two).await;
    let before = registry.revision();
    let moved = Change::new().define("orders", LIVE, http(3)).define("stock", LIVE, http(4));
    let receipt = apply(&registry, moved).await;
    assert_eq!(receipt.revision(), before.next());
    assert_eq!(receipt.counts().moved, 2);
    for api in ["shop/get_order", "shop/get_stock"] {
        let view = registry.publication(api, &LIVE).unwrap().unwrap();
        assert_eq!(view.effective.revision, receipt.revision());
    }
}
