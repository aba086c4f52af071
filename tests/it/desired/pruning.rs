//! Only what a document created is taken away, and only if nothing else needs it.

use backhaul::registry::Status;
use backhaul::{Api, App, Change, Environment, Grant, Group, Http, Kind, Registry};

use super::{SHOP, applied, refused, shop};

const TEST: Environment = Environment::TEST;
const PRE: Environment = Environment::PRE;
const LIVE: Environment = Environment::PRODUCTION;

/// Only a service of another name.
const OTHER: &str = "[[backend_service]]\nname = \"other\"\nkind = \"mock\"\n";

async fn by_hand(registry: &Registry, change: Change) {
    registry.publisher("operator").apply(change).await.unwrap();
}

#[tokio::test]
async fn what_a_document_created_goes_with_it() {
    let registry = shop().await;
    let more = "[[environment]]\nname = \"STAGING\"\n[[credential]]\nname = \"cloud\"\n\
                access_key = \"id\"\nsecret_key = \"secret\"\n[registry]\nregion = \"cn-hangzhou\"\n";
    applied(&registry, &format!("{SHOP}{more}")).await.unwrap();
    assert!(registry.settings().is_some());
    applied(&registry, OTHER).await.unwrap();
    let fresh = Registry::in_memory().await.unwrap();
    applied(&fresh, OTHER).await.unwrap();
    assert_eq!(registry.export_document(), fresh.export_document());
    applied(&registry, "").await.unwrap();
    assert_eq!(registry.export_document(), backhaul::document::Document::new());
    assert!(applied(&registry, "").await.is_none());
}

#[tokio::test]
async fn what_somebody_made_by_hand_stays() {
    let registry = shop().await;
    let own = Change::new()
        .service("own", Kind::HTTP)
        .define("own", LIVE, Http::to("http://10.0.0.9"))
        .define("orders", PRE, Http::to("http://10.0.0.8"))
        .group("own", Group::host("own.example.com"))
        .api("own/own_api", Api::get("/own").service_same_path("own"))
        .publish("own/own_api", LIVE)
        .publish("shop/create_order", PRE)
        .app("own", App::new())
        .grant("own", "own/own_api", LIVE, Grant::unlimited())
        .grant("mobile", "own/own_api", LIVE, Grant::unlimited())
        .environment("STAGING".parse().unwrap(), "");
    by_hand(&registry, own).await;
    assert!(applied(&registry, SHOP).await.is_none(), "nothing of it is the document's");
    applied(&registry, OTHER).await.unwrap();
    let left = registry.export_document();
    let names: Vec<_> = left.apis.iter().map(|entry| entry.name.to_string()).collect();
    // An API that somebody published stays, with what it needs.
    assert_eq!(names, ["own/own_api", "shop/create_order"]);
    assert_eq!(
        left.services.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(),
        ["orders", "other", "own"]
    );
    assert_eq!(left.apis[1].publish, [PRE]);
    assert_eq!(left.environments.len(), 1);
    assert_eq!(registry.grants("own").unwrap().len(), 1);
    assert!(applied(&registry, OTHER).await.is_none());
}

#[tokio::test]
async fn a_service_that_the_documents_own_apis_still_use_is_told() {
    let registry = shop().await;
    let (_, without) = SHOP.split_once("[[group]]").unwrap();
    let faults = refused(&registry, &format!("[[group]]{without}")).await;
    assert!(faults.iter().any(|f| f.contains("backend_service \"orders\"")), "{faults:?}");
}

#[tokio::test]
async fn a_publication_made_by_hand_is_not_taken_back() {
    let registry = shop().await;
    let define = Change::new().define("orders", PRE, Http::to("http://10.0.0.8"));
    by_hand(&registry, define.publish("shop/get_order", PRE)).await;
    assert!(applied(&registry, SHOP).await.is_none());
    let status = |at: &Environment| {
        registry.publication("shop/get_order", at).unwrap().map(|publication| publication.status)
    };
    assert_eq!(status(&PRE), Some(Status::Online));
    let offline = SHOP.replace("publish = [\"TEST\", \"RELEASE\"]", "publish = []");
    applied(&registry, &offline).await.unwrap();
    assert_eq!([status(&TEST), status(&PRE), status(&LIVE)], [None, Some(Status::Online), None]);
}

#[tokio::test]
async fn taking_over_what_was_there_does_not_make_it_the_documents() {
    let registry = Registry::in_memory().await.unwrap();
    by_hand(&registry, Change::new().service("orders", Kind::HTTP)).await;
    applied(&registry, SHOP).await.unwrap();
    applied(&registry, "").await.unwrap();
    assert_eq!(registry.services().len(), 1, "the service was there before");
}
