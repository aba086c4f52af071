//! What a document leads to.

use backhaul::publish::OutcomeKind;
use backhaul::registry::Status;
use backhaul::{Change, Environment, Registry};

use super::{SHOP, applied, copy_of, read, shop};

const TEST: Environment = Environment::TEST;
const LIVE: Environment = Environment::PRODUCTION;

fn status(registry: &Registry, api: &str, environment: &Environment) -> Option<Status> {
    Some(registry.publication(api, environment).unwrap()?.status)
}

#[tokio::test]
async fn everything_it_says_becomes_true_at_once() {
    let registry = shop().await;
    assert_eq!(registry.revision().as_u64(), 1);
    assert_eq!(status(&registry, "shop/get_order", &TEST), Some(Status::Online));
    assert_eq!(status(&registry, "shop/get_order", &LIVE), Some(Status::Online));
    assert_eq!(status(&registry, "shop/create_order", &TEST), Some(Status::Online));
    assert_eq!(status(&registry, "shop/create_order", &LIVE), None);
    assert_eq!(registry.grants("mobile").unwrap().len(), 1);
}

#[tokio::test]
async fn applied_again_it_changes_nothing() {
    let registry = shop().await;
    assert!(applied(&registry, SHOP).await.is_none());
    let plan = registry.publisher("file").plan_document(&read(SHOP)).await.unwrap();
    assert!(plan.is_none());
    assert_eq!(registry.revision().as_u64(), 1);
}

#[tokio::test]
async fn a_definition_that_moves_is_the_only_edit() {
    let registry = shop().await;
    let before = registry.publication("shop/get_order", &LIVE).unwrap().unwrap().published;
    let moved = SHOP.replace("9102", "9103");
    let plan = registry.publisher("file").plan_document(&read(&moved)).await.unwrap().unwrap();
    assert_eq!(plan.deltas().count(), 1);
    let receipt = applied(&registry, &moved).await.unwrap();
    let outcomes: Vec<_> = receipt.outcomes().map(|outcome| outcome.result).collect();
    assert_eq!(outcomes, [OutcomeKind::Moved]);
    let after = registry.publication("shop/get_order", &LIVE).unwrap().unwrap();
    assert_eq!(after.published, before, "it was not published again");
    assert_eq!(after.effective.revision, receipt.revision());
}

#[tokio::test]
async fn an_api_that_did_not_change_is_not_published_again() {
    let registry = shop().await;
    let changed = SHOP.replace("/v1/orders/[id]", "/v2/orders/[id]");
    let receipt = applied(&registry, &changed).await.unwrap();
    let mut outcomes: Vec<_> = receipt.outcomes().map(|o| (o.api.to_string(), o.result)).collect();
    outcomes.dedup();
    assert_eq!(outcomes, [("shop/get_order".to_owned(), OutcomeKind::Republished)]);
}

#[tokio::test]
async fn a_definition_it_loses_takes_all_that_is_published_by_it_along() {
    let registry = shop().await;
    let lost = SHOP
        .replace("[backend_service.definition.RELEASE]", "")
        .replace(
            "url = \"http://10.0.0.1:9102/base\"\ntimeout = \"2s\"\nhost = \"orders.internal\"",
            "",
        )
        .replace("publish = [\"TEST\", \"RELEASE\"]", "publish = [\"TEST\"]");
    let plan = registry.publisher("file").plan_document(&read(&lost)).await.unwrap().unwrap();
    assert_eq!(plan.deltas().count(), 1, "one edit, however much is published by it");
    let receipt = applied(&registry, &lost).await.unwrap();
    assert_eq!(receipt.counts().unpublished, 1);
    assert_eq!(status(&registry, "shop/get_order", &LIVE), Some(Status::Offline));
    assert_eq!(status(&registry, "shop/get_order", &TEST), Some(Status::Online));
    assert!(applied(&registry, &lost).await.is_none());
    // It can be undone like any other change, and the document says what is to be again.
    registry.publisher("operator").undo(receipt.revision()).await.unwrap();
    assert_eq!(status(&registry, "shop/get_order", &LIVE), Some(Status::Online));
    applied(&registry, &lost).await.unwrap();
    // What comes back later is published anew.
    let back = applied(&registry, SHOP).await.unwrap();
    assert_eq!(back.counts().published, 1);
    assert_eq!(status(&registry, "shop/get_order", &LIVE), Some(Status::Online));
}

#[tokio::test]
async fn what_was_changed_by_hand_is_set_back() {
    let registry = shop().await;
    let by_hand = Change::new()
        .describe_service("orders", "somebody was here")
        .unpublish("shop/get_order", LIVE)
        .revoke("mobile", "shop/create_order", TEST);
    registry.publisher("operator").apply(by_hand).await.unwrap();
    applied(&registry, SHOP).await.unwrap();
    assert_eq!(registry.export_document(), shop().await.export_document());
}

#[tokio::test]
async fn two_apis_can_swap_their_routes() {
    let registry = shop().await;
    let swapped = SHOP
        .replace("path = \"/orders/[id]\"", "path = \"SWAP\"")
        .replace("path = \"/orders\"", "path = \"/orders/[id]\"")
        .replace("\"SWAP\"", "\"/orders\"")
        .replace("method = \"POST\"", "method = \"GET\"")
        .replace(", path = \"/v1/orders/[id]\"", "");
    let swapped = swapped.replace("publish = [\"TEST\"]", "publish = [\"TEST\", \"RELEASE\"]");
    applied(&registry, &swapped).await.unwrap();
    let path = |api: &str| registry.publication(api, &LIVE).unwrap().unwrap().api.path;
    assert_eq!(path("shop/get_order"), "/orders");
    assert_eq!(path("shop/create_order"), "/orders/[id]");
}

#[tokio::test]
async fn a_version_that_is_not_the_draft_is_said_and_made_again() {
    let registry = shop().await;
    let (draft, _) = registry.api("shop/get_order").unwrap().unwrap();
    let edit = Change::new().api("shop/get_order", draft.description("edited since"));
    registry.publisher("operator").apply(edit).await.unwrap();
    let document = registry.export_document();
    assert_eq!(document.apis[1].version.len(), 2);
    let copy = copy_of(&registry).await;
    assert_eq!(copy.export_document(), document);
    let live = copy.publication("shop/get_order", &LIVE).unwrap().unwrap();
    assert_eq!(live.api.description, "");
    assert_eq!(copy.api("shop/get_order").unwrap().unwrap().0.description, "edited since");
    let again = copy.publisher("copy").apply_document(&document).await.unwrap();
    assert!(again.is_none());
}

#[tokio::test]
async fn settings_are_kept_and_act() {
    let registry = shop().await;
    let limited = format!("{SHOP}\n[registry]\nblast_radius = 1\nhistory = {{ revisions = 5 }}\n");
    applied(&registry, &limited).await.unwrap();
    let settings = registry.settings().unwrap();
    assert_eq!(settings.history.unwrap().revisions, Some(5));
    let far = limited.replace("publish = [\"TEST\"]", "publish = [\"TEST\", \"RELEASE\"]");
    let far = far.replace("publish = [\"TEST\", \"RELEASE\"]", "publish = []");
    let error = registry.publisher("file").apply_document(&read(&far)).await.unwrap_err();
    assert!(error.to_string().contains("more than 1"), "{error}");
    assert!(applied(&registry, &limited).await.is_none());
}
