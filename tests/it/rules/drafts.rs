//! Drafts: unique among each other, and nothing to what is published.

use backhaul::model::Protocol;
use backhaul::registry::{Reason, Status};
use backhaul::{Api, Change, Custom, FunctionCompute, Group, Kind, Mock};

use super::{LIVE, TEST, apply, http, order, refused, registry, rejected, shop, status};

/// Who holds the method and path, and where, if a change is refused for that.
async fn holder(
    registry: &backhaul::Registry,
    change: Change,
) -> Option<(String, Option<backhaul::Environment>)> {
    match refused(registry, change).await {
        Reason::RouteTaken { holder, environment, .. } => Some((holder.to_string(), environment)),
        _ => None,
    }
}

#[tokio::test]
async fn a_method_and_path_belong_to_one_draft_of_a_group() {
    let registry = registry(shop().group("other", Group::host("other.example.com"))).await;
    for path in ["/orders/[id]", "/orders/[number]", "/%6frders/[id]"] {
        let change = Change::new().api("shop/find_order", order(path));
        let found = holder(&registry, change).await;
        assert_eq!(found, Some(("shop/get_order".to_owned(), None)), "{path}");
    }
    // Another method, another shape, another group: all of them are somebody else's.
    let change = Change::new()
        .api("shop/any_order", Api::any("/orders/[id]").service_same_path("orders"))
        .api("shop/put_order", Api::put("/orders/[id]").service_same_path("orders"))
        .api("shop/literal", order("/orders/id"))
        .api("shop/the_tail", order("/orders/*"))
        .api("shop/brackets", order("/orders/[id]").escape_path_param(true))
        .api("other/get_order", order("/orders/[id]"));
    apply(&registry, change).await;
    let again =
        Change::new().api("shop/any_twice", Api::any("/orders/[x]").service_same_path("orders"));
    assert_eq!(holder(&registry, again).await, Some(("shop/any_order".to_owned(), None)));
}

#[tokio::test]
async fn the_refusal_names_the_edit_that_made_the_clash() {
    let registry = registry(shop()).await;
    let change = Change::new()
        .service("stock", Kind::HTTP)
        .api("shop/find_order", order("/orders/[x]"))
        .service("more", Kind::HTTP);
    let error = rejected(&registry, change).await;
    assert_eq!(error.index, 1);
    assert_eq!(
        error.to_string(),
        "edit 2 (API \"shop/find_order\"): GET /orders/[x] is taken by API shop/get_order"
    );
}

#[tokio::test]
async fn two_apis_swap_their_paths_in_one_change() {
    let two = shop()
        .api("shop/get_stock", order("/stock"))
        .publish_all(["shop/get_order", "shop/get_stock"], &LIVE);
    let registry = registry(two).await;
    let swap = Change::new()
        .api("shop/get_order", order("/stock"))
        .api("shop/get_stock", order("/orders/[id]"));
    apply(&registry, swap).await;
    // One of them alone meets the other, which is published as it was.
    let alone = Change::new().publish("shop/get_order", LIVE);
    assert_eq!(holder(&registry, alone).await, Some(("shop/get_stock".to_owned(), Some(LIVE))));
    let both = Change::new().publish_all(["shop/get_order", "shop/get_stock"], &LIVE);
    apply(&registry, both).await;
    let path = |api: &str| registry.publication(api, &LIVE).unwrap().unwrap().api.path;
    assert_eq!(path("shop/get_order"), "/stock");
    assert_eq!(path("shop/get_stock"), "/orders/[id]");
}

#[tokio::test]
async fn editing_a_draft_changes_nothing_published() {
    let registry = registry(shop().publish("shop/get_order", LIVE)).await;
    let edited = Api::post("/elsewhere").inline(Mock::new());
    let receipt = apply(&registry, Change::new().api("shop/get_order", edited)).await;
    assert_eq!(receipt.counts(), Default::default());
    let view = registry.publication("shop/get_order", &LIVE).unwrap().unwrap();
    assert_eq!((view.api.method.as_str(), view.api.path.as_str()), ("GET", "/orders/[id]"));
    assert_eq!(view.service.unwrap().as_str(), "orders");
    assert_eq!(view.status, Status::Online);
    // And it still goes with its definition.
    let moved = apply(&registry, Change::new().define("orders", LIVE, http(2))).await;
    assert_eq!(moved.counts().moved, 1);
}

#[tokio::test]
async fn an_api_with_its_own_definition_is_attached_to_a_service_later() {
    let own = Api::get("/orders/[id]").inline(Mock::new().body("own"));
    let registry = registry(shop().api("shop/get_order", own)).await;
    // It needs no definition of a service: TEST has none.
    apply(&registry, Change::new().publish("shop/get_order", TEST)).await;
    apply(&registry, Change::new().publish("shop/get_order", LIVE)).await;
    apply(&registry, Change::new().delete_definition("orders", LIVE)).await;
    assert_eq!(status(&registry, "shop/get_order", &LIVE), Some(Status::Online));

    let attached =
        Change::new().define("orders", LIVE, http(2)).api("shop/get_order", order("/orders/[id]"));
    apply(&registry, attached).await;
    let view = registry.publication("shop/get_order", &LIVE).unwrap().unwrap();
    assert!(view.service.is_none() && view.api.backend.inline.is_some());
    apply(&registry, Change::new().publish("shop/get_order", LIVE)).await;
    let view = registry.publication("shop/get_order", &LIVE).unwrap().unwrap();
    assert_eq!(view.service.unwrap().as_str(), "orders");
    apply(&registry, Change::new().delete_definition("orders", LIVE)).await;
    assert_eq!(status(&registry, "shop/get_order", &LIVE), Some(Status::Offline));
    assert_eq!(status(&registry, "shop/get_order", &TEST), Some(Status::Online));
}

#[tokio::test]
async fn a_draft_that_is_published_is_not_deleted() {
    let registry =
        registry(shop().define("orders", TEST, http(2)).publish("shop/get_order", LIVE)).await;
    apply(&registry, Change::new().publish("shop/get_order", TEST)).await;
    let reason = refused(&registry, Change::new().delete_api("shop/get_order")).await;
    assert_eq!(reason.to_string(), "it is in use by 2: environment TEST, environment RELEASE");
    let both = Change::new()
        .unpublish("shop/get_order", LIVE)
        .unpublish("shop/get_order", TEST)
        .delete_api("shop/get_order");
    apply(&registry, both).await;
    assert!(registry.api("shop/get_order").unwrap().is_none());
}

#[tokio::test]
async fn an_api_is_renamed_within_its_group() {
    let registry = registry(shop().publish("shop/get_order", LIVE)).await;
    let elsewhere =
        Change::new().group("other", Group::new()).rename_api("shop/get_order", "other/get_order");
    assert!(matches!(refused(&registry, elsewhere).await, Reason::OtherGroup { .. }));
    let taken = Change::new()
        .api("shop/find_order", order("/find"))
        .rename_api("shop/find_order", "shop/get_order");
    assert!(matches!(refused(&registry, taken).await, Reason::NameTaken(_)));
    apply(&registry, Change::new().rename_api("shop/get_order", "shop/read_order")).await;
    assert_eq!(status(&registry, "shop/read_order", &LIVE), Some(Status::Online));
    assert_eq!(status(&registry, "shop/get_order", &LIVE), None);
}

#[tokio::test]
async fn an_api_for_websocket_goes_to_a_backend_that_can_pass_it_on() {
    let registry = crate::gateway::harness::registry().await;
    let websocket = |api: Api| api.protocol([Protocol::Http, Protocol::Websocket]);
    let change = Change::new()
        .service("orders", Kind::HTTP)
        .service("canned", Kind::MOCK)
        .service("greetings", Kind::custom("wire").unwrap())
        .service("functions", Kind::FUNCTION_COMPUTE)
        .group("shop", Group::new());
    apply(&registry, change).await;
    let inline = Custom::new("wire").unwrap();
    for (api, backend) in [
        (Api::get("/a").service_same_path("canned"), "service \"canned\", which is of kind mock"),
        (
            Api::get("/a").service_same_path("greetings"),
            "service \"greetings\", which is of kind wire",
        ),
        (Api::get("/a").inline(Mock::new()), "a backend of kind mock"),
        (Api::get("/a").inline(inline), "a backend of kind wire"),
    ] {
        let change = Change::new().describe_service("orders", "x").api("shop/talk", websocket(api));
        let rejected = rejected(&registry, change).await;
        let expected = "edit 2 (API \"shop/talk\"): protocol: websocket is not passed on by ";
        assert_eq!(rejected.to_string(), format!("{expected}{backend}"));
        assert!(matches!(rejected.reason, Reason::NotUpgradable { .. }));
    }
    // An adapter that is not there may be able to: its requests are answered that it is missing.
    let function = FunctionCompute::event("cn-hangzhou", "f");
    for api in [
        Api::get("/a").service_same_path("orders"),
        Api::get("/a").service_same_path("functions"),
        Api::get("/a").inline(function),
    ] {
        apply(&registry, Change::new().api("shop/talk", websocket(api))).await;
    }
    let moved = websocket(Api::get("/a").service_same_path("canned"));
    let reason = refused(&registry, Change::new().api("shop/talk", moved)).await;
    assert!(matches!(reason, Reason::NotUpgradable { .. }), "{reason}");
    let without = Api::get("/a").service_same_path("canned");
    apply(&registry, Change::new().api("shop/talk", without)).await;
}
