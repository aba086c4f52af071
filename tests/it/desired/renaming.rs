//! `renamed_from`, and what a missing name is without it.

use backhaul::registry::Status;
use backhaul::{Change, Environment, Kind, Registry};

use super::{SHOP, applied, refused, shop};

const LIVE: Environment = Environment::PRODUCTION;

fn published(registry: &Registry, api: &str) -> Option<u64> {
    let publication = registry.publication(api, &LIVE).unwrap()?;
    (publication.status == Status::Online).then(|| publication.published.revision.as_u64())
}

#[tokio::test]
async fn what_is_renamed_stays_what_it_is() {
    let registry = shop().await;
    let renamed = SHOP
        .replace("name = \"orders\"", "name = \"purchases\"\nrenamed_from = \"orders\"")
        .replace("service = \"orders\"", "service = \"purchases\"")
        .replace("name = \"shop\"", "name = \"store\"\nrenamed_from = \"shop\"")
        .replace("group = \"shop\"", "group = \"store\"")
        .replace("shop/create_order", "store/make_order")
        .replace(
            "name = \"create_order\"",
            "name = \"make_order\"\nrenamed_from = \"create_order\"",
        )
        .replace("name = \"mobile\"", "name = \"phone\"\nrenamed_from = \"mobile\"")
        .replace("app = \"mobile\"", "app = \"phone\"");
    let receipt = applied(&registry, &renamed).await.unwrap();
    assert_eq!(receipt.counts(), backhaul::publish::Counts::default(), "nothing moved");
    assert_eq!(published(&registry, "store/get_order"), Some(1));
    assert_eq!(registry.grants("phone").unwrap().len(), 1);
    assert!(applied(&registry, &renamed).await.is_none(), "renamed once is enough");
    // In an empty registry there is nothing to rename.
    let fresh = Registry::in_memory().await.unwrap();
    applied(&fresh, &renamed).await.unwrap();
    assert_eq!(fresh.export_document(), registry.export_document());
}

#[tokio::test]
async fn without_it_a_new_name_is_another_thing() {
    let registry = shop().await;
    let other = SHOP.replace("get_order", "read_order");
    let receipt = applied(&registry, &other).await.unwrap();
    assert_eq!(receipt.counts().unpublished, 2);
    assert_eq!(receipt.counts().published, 2);
    assert_eq!(published(&registry, "shop/get_order"), None);
    assert_eq!(published(&registry, "shop/read_order"), Some(2));
}

fn services(names: &[(&str, &str)]) -> String {
    let table = |(name, from): &(&str, &str)| {
        let from =
            if from.is_empty() { String::new() } else { format!("renamed_from = \"{from}\"\n") };
        format!(
            "[[backend_service]]\nname = \"{name}\"\nkind = \"mock\"\ndescription = \"{name}\"\n{from}"
        )
    };
    names.iter().map(table).collect()
}

#[tokio::test]
async fn names_can_move_on_in_a_row() {
    let registry = Registry::in_memory().await.unwrap();
    applied(&registry, &services(&[("a", ""), ("b", "")])).await.unwrap();
    let first = |name: &str| registry.service(name).unwrap().unwrap().definitions().len();
    assert_eq!(first("a"), 0);
    let define = Change::new().define("b", LIVE, backhaul::Mock::new());
    registry.publisher("operator").apply(define).await.unwrap();
    applied(&registry, &services(&[("b", "a"), ("c", "b")])).await.unwrap();
    let defined = |name: &str| registry.service(name).unwrap().unwrap().definitions().len();
    assert_eq!((defined("b"), defined("c")), (0, 1));
    assert!(registry.service("a").unwrap().is_none());
}

#[tokio::test]
async fn a_name_that_does_not_get_free_is_told() {
    let registry = Registry::in_memory().await.unwrap();
    applied(&registry, &services(&[("a", ""), ("b", "")])).await.unwrap();
    let faults = refused(&registry, &services(&[("b", "a")])).await;
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].contains("backend_service[0].renamed_from"), "{faults:?}");
    assert!(faults[0].starts_with("line 5: "), "{faults:?}");
    // Made by hand since, it is nothing of the document's.
    let registry = Registry::in_memory().await.unwrap();
    applied(&registry, &services(&[("a", "")])).await.unwrap();
    applied(&registry, &services(&[("b", "a")])).await.unwrap();
    let again = Change::new().service("a", Kind::MOCK);
    registry.publisher("operator").apply(again).await.unwrap();
    assert!(applied(&registry, &services(&[("b", "a")])).await.is_none());
}
