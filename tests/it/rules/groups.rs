//! Groups: hosts and base paths, which act at once.

use backhaul::registry::Reason;
use backhaul::{Change, Environment, ErrorKind, Gateway, Group, Registry};
use http::Method;

use super::{LIVE, TEST, apply, http, order, refused, registry, shop};

/// What a GET would be answered by.
fn answers(registry: &Registry, host: &str, path: &str) -> Result<String, ErrorKind> {
    let gateway = Gateway::new(registry);
    match gateway.resolve(&Method::GET, host, path, None) {
        Ok(resolved) => Ok(resolved.api().unwrap().to_string()),
        Err(error) => Err(error.kind()),
    }
}

#[tokio::test]
async fn an_edit_acts_at_once_on_what_is_published() {
    let registry = registry(shop().publish("shop/get_order", LIVE)).await;
    let order = Ok("shop/get_order".to_owned());
    assert_eq!(answers(&registry, "shop.example.com", "/orders/1"), order);
    let moved = Group::host("new.example.com").base_path("/shop");
    apply(&registry, Change::new().group("shop", moved)).await;
    assert_eq!(answers(&registry, "shop.example.com", "/orders/1"), Err(ErrorKind::UnknownHost));
    assert_eq!(answers(&registry, "new.example.com", "/orders/1"), Err(ErrorKind::NotFound));
    assert_eq!(answers(&registry, "new.example.com", "/shop/orders/1"), order);
    assert_eq!(
        answers(&registry, "new.example.com", "/shopping/orders/1"),
        Err(ErrorKind::NotFound)
    );
}

#[tokio::test]
async fn the_longest_base_path_wins() {
    let registry = registry(
        shop()
            .publish("shop/get_order", LIVE)
            .group("deep", Group::host("shop.example.com").base_path("/orders"))
            .api("deep/by_number", order("/[id]"))
            .publish("deep/by_number", LIVE),
    )
    .await;
    let found = answers(&registry, "shop.example.com", "/orders/1");
    assert_eq!(found, Ok("deep/by_number".to_owned()));
    apply(&registry, Change::new().unpublish("deep/by_number", LIVE)).await;
    // The group still answers for what is below it.
    assert_eq!(answers(&registry, "shop.example.com", "/orders/1"), Err(ErrorKind::NotFound));
}

#[tokio::test]
async fn a_host_and_base_path_belong_to_one_group() {
    let registry = registry(shop()).await;
    for overlap in [
        Group::host("shop.example.com"),
        Group::host("SHOP.example.com"),
        Group::new().stage_host("shop.example.com", "TEST"),
        Group::host("a.example.com").and_host("shop.example.com").base_path("/"),
    ] {
        let reason = refused(&registry, Change::new().group("other", overlap)).await;
        assert_eq!(
            reason.to_string(),
            "host \"shop.example.com\" with base path \"/\" is taken by group \"shop\""
        );
    }
    let beside = Group::host("shop.example.com").base_path("/other");
    apply(&registry, Change::new().group("other", beside)).await;
    for spelled in ["/other", "/other/", "/%6fther"] {
        let third = Group::host("shop.example.com").base_path(spelled);
        let reason = refused(&registry, Change::new().group("third", third)).await;
        assert!(matches!(reason, Reason::HostTaken { .. }), "{spelled}: {reason}");
    }
    // An edit of what is there is held to it as well.
    let reason =
        refused(&registry, Change::new().group("other", Group::host("shop.example.com"))).await;
    assert!(matches!(reason, Reason::HostTaken { .. }), "{reason}");
}

#[tokio::test]
async fn two_groups_swap_their_hosts_in_one_change() {
    let registry = registry(shop().group("other", Group::host("other.example.com"))).await;
    let swap = Change::new()
        .group("shop", Group::host("other.example.com"))
        .group("other", Group::host("shop.example.com"));
    apply(&registry, swap).await;
    assert_eq!(registry.group("shop").unwrap().unwrap().0.hosts, ["other.example.com"]);
}

#[tokio::test]
async fn a_host_stands_in_a_group_once() {
    let registry = registry(Change::new()).await;
    for twice in [
        Group::host("a.example.com").and_host("a.example.com"),
        Group::host("a.example.com").and_host("A.example.com"),
        Group::host("a.example.com").stage_host("a.example.com", "TEST"),
        Group::new().stage_host("a.example.com", "TEST").stage_host("A.example.com", "PRE"),
    ] {
        let reason = refused(&registry, Change::new().group("shop", twice)).await;
        assert_eq!(reason.to_string(), "hosts: \"a.example.com\" stands there twice");
    }
}

#[tokio::test]
async fn a_host_can_be_bound_to_an_environment() {
    let staging: Environment = "STAGING".parse().unwrap();
    let group = || Group::host("shop.example.com").stage_host("test.example.com", "STAGING");
    let registry = registry(shop()).await;
    let reason = refused(&registry, Change::new().group("shop", group())).await;
    assert!(matches!(reason, Reason::UnknownEnvironment(_)), "{reason}");
    let change = Change::new()
        .environment(staging.clone(), "before it is live")
        .group("shop", group())
        .define("orders", staging.clone(), http(2))
        .publish("shop/get_order", staging.clone());
    apply(&registry, change).await;
    let gateway = Gateway::new(&registry);
    let resolved = gateway.resolve(&Method::GET, "test.example.com", "/orders/1", None).unwrap();
    assert_eq!(resolved.environment(), &staging);
    let everywhere = gateway.resolve(&Method::GET, "shop.example.com", "/orders/1", None);
    assert_eq!(everywhere.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_group_with_apis_is_not_deleted() {
    let registry = registry(shop()).await;
    let reason = refused(&registry, Change::new().delete_group("shop")).await;
    assert_eq!(reason, Reason::InUse { users: vec!["shop/get_order".to_owned()], count: 1 });
    apply(&registry, Change::new().delete_api("shop/get_order").delete_group("shop")).await;
    assert!(registry.group("shop").unwrap().is_none());
    // Its host is free.
    apply(&registry, Change::new().group("other", Group::host("shop.example.com"))).await;
}

#[tokio::test]
async fn a_group_is_renamed_with_its_apis() {
    let registry = registry(shop().publish("shop/get_order", LIVE)).await;
    let taken = Change::new().group("other", Group::new()).rename_group("other", "shop");
    assert!(matches!(refused(&registry, taken).await, Reason::NameTaken(_)));
    apply(&registry, Change::new().rename_group("shop", "store")).await;
    let found = answers(&registry, "shop.example.com", "/orders/1");
    assert_eq!(found, Ok("store/get_order".to_owned()));
    assert!(registry.api("shop/get_order").unwrap().is_none());
    assert!(registry.publication("store/get_order", &TEST).unwrap().is_none());
}
