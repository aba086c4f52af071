//! Environments beside the three that are always there.

use backhaul::registry::{Reason, Status};
use backhaul::{Api, Change, Environment, Group, Mock};

use super::{LIVE, TEST, apply, http, refused, registry, shop, status};

fn staging() -> Environment {
    "STAGING".parse().unwrap()
}

#[tokio::test]
async fn an_environment_is_declared_used_and_retired() {
    let registry = registry(shop().environment(staging(), "before it is live")).await;
    let used =
        Change::new().define("orders", staging(), http(2)).publish("shop/get_order", staging());
    apply(&registry, used).await;
    assert_eq!(status(&registry, "shop/get_order", &staging()), Some(Status::Online));
    let reason = refused(&registry, Change::new().retire_environment(staging())).await;
    assert_eq!(reason.to_string(), "it is in use by 1: service orders");

    apply(&registry, Change::new().delete_definition("orders", staging())).await;
    assert_eq!(status(&registry, "shop/get_order", &staging()), Some(Status::Offline));
    let receipt = apply(&registry, Change::new().retire_environment(staging())).await;
    assert_eq!(receipt.counts().displaced, 1);
    assert_eq!(status(&registry, "shop/get_order", &staging()), None);
    let gone = Change::new().define("orders", staging(), http(2));
    assert!(matches!(refused(&registry, gone).await, Reason::UnknownEnvironment(_)));
    // Declared again it is empty.
    apply(&registry, Change::new().environment(staging(), "again")).await;
    assert_eq!(status(&registry, "shop/get_order", &staging()), None);
    assert!(registry.service("orders").unwrap().unwrap().definition(&staging()).is_none());
}

#[tokio::test]
async fn an_inline_publication_and_a_bound_host_keep_an_environment() {
    let own = Api::get("/own").inline(Mock::new());
    let registry = registry(
        shop().environment(staging(), "").api("shop/my_own", own).publish("shop/my_own", staging()),
    )
    .await;
    let retire = || Change::new().retire_environment(staging());
    assert_eq!(
        refused(&registry, retire()).await.to_string(),
        "it is in use by 1: API shop/my_own"
    );
    let bound = Group::host("shop.example.com").stage_host("staging.example.com", "STAGING");
    let change = Change::new().unpublish("shop/my_own", staging()).group("shop", bound);
    apply(&registry, change).await;
    assert_eq!(refused(&registry, retire()).await.to_string(), "it is in use by 1: group shop");
    let free = Change::new().group("shop", Group::host("shop.example.com"));
    apply(&registry, free.retire_environment(staging())).await;
}

#[tokio::test]
async fn the_three_are_always_there() {
    let registry = registry(Change::new()).await;
    for name in Environment::BUILT_IN {
        for change in [
            Change::new().environment(name.clone(), "mine"),
            Change::new().retire_environment(name.clone()),
        ] {
            let reason = refused(&registry, change).await;
            assert_eq!(reason, Reason::BuiltInEnvironment(name.clone()));
        }
    }
    let unknown = refused(&registry, Change::new().retire_environment(staging())).await;
    assert!(matches!(unknown, Reason::UnknownEnvironment(_)));
}

#[tokio::test]
async fn environments_know_nothing_of_each_other() {
    let registry = registry(
        shop()
            .define("orders", TEST, http(2))
            .publish("shop/get_order", TEST)
            .publish("shop/get_order", LIVE),
    )
    .await;
    let receipt = apply(&registry, Change::new().delete_definition("orders", LIVE)).await;
    assert_eq!(receipt.counts().unpublished, 1);
    assert_eq!(status(&registry, "shop/get_order", &TEST), Some(Status::Online));
}
