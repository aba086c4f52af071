//! Looking before leaping.

use backhaul::backend::Probe;
use backhaul::model::Difference;
use backhaul::publish::{Counts, How, Warning};
use backhaul::registry::{BlastRadius, History, Reason, TooFar};
use backhaul::{
    Api, Change, CommitError, Definition, Environment, Group, Http, Kind, Mock, Plan, Registry,
    Undo,
};

use super::{LIVE, TEST, apply, http, order, registry, rejected, shop, status};

async fn plan(registry: &Registry, change: Change) -> Plan {
    let before = registry.revision();
    let plan = registry.publisher("planner").plan(change).await.unwrap();
    assert_eq!((registry.revision(), plan.revision()), (before, before), "planning does nothing");
    plan
}

async fn stale(registry: &Registry, plan: &Plan) -> Vec<String> {
    let before = registry.revision();
    let error = registry.publisher("planner").apply(plan).await.unwrap_err();
    assert_eq!(registry.revision(), before);
    let CommitError::Stale { planned, now, moved } = error else { panic!("{error}") };
    assert_eq!((planned, now), (plan.revision(), before));
    moved
}

fn counts(fill: impl FnOnce(&mut Counts)) -> Counts {
    let mut counts = Counts::default();
    fill(&mut counts);
    counts
}

/// Two APIs live in RELEASE, one of them in TEST too, and a service nobody uses.
async fn planned_on() -> Registry {
    registry(
        shop()
            .define("orders", TEST, http(7))
            .service("sales", Kind::HTTP)
            .define("sales", LIVE, http(8))
            .api("shop/get_stock", order("/stock"))
            .publish_all(["shop/get_order", "shop/get_stock"], &LIVE)
            .publish("shop/get_order", TEST),
    )
    .await
}

#[tokio::test]
async fn a_plan_says_what_a_change_would_do() {
    let registry = planned_on().await;
    let moving = Change::new().define("orders", LIVE, http(2)).delete_definition("orders", TEST);
    let moving = plan(&registry, moving).await;
    let impact = moving.impact();
    assert_eq!(impact.counts(), counts(|c| (c.moved, c.unpublished) = (2, 1)));
    assert_eq!(impact.in_environment(&LIVE), counts(|c| c.moved = 2));
    assert_eq!(impact.in_environment(&TEST), counts(|c| c.unpublished = 1));
    assert_eq!(impact.in_environment(&Environment::PRE), Counts::default());
    assert_eq!(
        impact.to_string(),
        "1 API in TEST goes offline; 2 APIs in RELEASE move; 0 requests in flight"
    );
    let outcomes: Vec<_> =
        moving.outcomes().map(|o| format!("{} in {} {}", o.api, o.environment, o.result)).collect();
    assert_eq!(
        outcomes,
        [
            "shop/get_order in TEST unpublished",
            "shop/get_order in RELEASE moved",
            "shop/get_stock in RELEASE moved"
        ]
    );
    let receipt = registry.publisher("planner").apply(moving).await.unwrap();
    assert_eq!(receipt.counts(), counts(|c| (c.moved, c.unpublished) = (2, 1)));
    let nothing = plan(&registry, Change::new().service("stock", Kind::MOCK)).await;
    assert_eq!(nothing.impact().to_string(), "no API is touched");
}

#[tokio::test]
async fn a_plan_is_stale_when_what_it_depends_on_moved() {
    for (moves, what) in [
        (
            Change::new().define("orders", LIVE, http(9)),
            "the definition of service \"orders\" in RELEASE (revision 2)",
        ),
        (
            Change::new().unpublish("shop/get_stock", LIVE),
            "what is published by the definition of service \"orders\" in RELEASE",
        ),
        (
            Change::new().api("shop/newer", order("/new")).publish("shop/newer", LIVE),
            "what is published by the definition of service \"orders\" in RELEASE",
        ),
        (Change::new().rename_service("orders", "purchases"), "service \"orders\""),
    ] {
        let registry = planned_on().await;
        let moving = plan(&registry, Change::new().define("orders", LIVE, http(2))).await;
        apply(&registry, moves).await;
        assert_eq!(stale(&registry, &moving).await, [what]);
    }
}

#[tokio::test]
async fn a_plan_is_for_its_own_registry() {
    let (one, other) = (planned_on().await, planned_on().await);
    let moving = plan(&one, Change::new().define("orders", LIVE, http(2))).await;
    assert_eq!(stale(&other, &moving).await, ["it was planned on another registry"]);
}

#[tokio::test]
async fn a_plan_is_not_stale_because_something_was_forgotten() {
    let history = History::default().revisions(2);
    let registry = Registry::builder().history(history).in_memory().await.unwrap();
    apply(&registry, shop()).await;
    apply(&registry, Change::new().delete_definition("orders", LIVE)).await;
    let anew = plan(&registry, Change::new().define("orders", LIVE, http(2))).await;
    for description in ["one", "two", "three"] {
        apply(&registry, Change::new().group("other", Group::new().description(description))).await;
    }
    registry.publisher("planner").apply(&anew).await.unwrap();
    // Somebody who defined and deleted it again in between is in the way.
    apply(&registry, Change::new().delete_definition("orders", LIVE)).await;
    let anew = plan(&registry, Change::new().define("orders", LIVE, http(2))).await;
    apply(&registry, Change::new().define("orders", LIVE, http(3))).await;
    apply(&registry, Change::new().delete_definition("orders", LIVE)).await;
    assert_eq!(stale(&registry, &anew).await.len(), 1);
}

#[tokio::test]
async fn a_group_that_moves_house_is_planned_with_all_that_is_published_in_it() {
    let registry = planned_on().await;
    let rehost = Change::new().group("shop", Group::host("new.example.com"));
    let rehost = plan(&registry, rehost).await;
    let describe = Group::host("shop.example.com").description("a shop");
    let describe = plan(&registry, Change::new().group("shop", describe)).await;
    let more = Change::new().api("shop/newer", order("/new")).publish("shop/newer", LIVE);
    apply(&registry, more).await;
    assert_eq!(stale(&registry, &rehost).await, ["what is published in group \"shop\""]);
    registry.publisher("planner").apply(describe).await.unwrap();
}

#[tokio::test]
async fn a_plan_is_not_stale_because_something_else_moved() {
    let registry = planned_on().await;
    let moving = plan(&registry, Change::new().define("orders", LIVE, http(2))).await;
    for other in [
        Change::new().define("orders", TEST, http(3)),
        Change::new().define("sales", LIVE, http(4)),
        Change::new().describe_service("orders", "orders of the shop"),
        Change::new().api("shop/get_order", order("/drafts/only")),
        Change::new()
            .api("shop/my_own", Api::get("/own").inline(Mock::new()))
            .publish("shop/my_own", LIVE),
        Change::new().group("shop", Group::host("other.example.com")),
    ] {
        apply(&registry, other).await;
    }
    let receipt = registry.publisher("planner").apply(&moving).await.unwrap();
    assert_eq!(receipt.counts(), moving.impact().counts());
    assert_eq!(stale(&registry, &moving).await.len(), 1, "it is applied once");
}

#[tokio::test]
async fn what_was_possible_when_it_was_planned_is_stale_when_it_no_longer_is() {
    let registry = planned_on().await;
    let add = Change::new().api("shop/find", order("/find"));
    let add = plan(&registry, add).await;
    apply(&registry, Change::new().api("shop/seek", order("/find"))).await;
    let moved = stale(&registry, &add).await;
    assert!(moved[0].contains("is taken by API shop/seek"), "{moved:?}");
}

#[tokio::test]
async fn an_undo_is_planned_limited_and_stale_like_any_other_change() {
    let limit = BlastRadius::default().apis(1);
    let registry = Registry::builder().blast_radius(limit).in_memory().await.unwrap();
    let setup = shop().api("shop/get_stock", order("/stock"));
    apply(&registry, setup.publish("shop/get_order", LIVE)).await;
    apply(&registry, Change::new().publish("shop/get_stock", LIVE)).await;
    let delete = Change::new().delete_definition("orders", LIVE);
    let error = registry.publisher("test").apply(delete.clone()).await.unwrap_err();
    assert!(
        matches!(error, CommitError::TooFar(TooFar::Apis { touched: 2, limit: 1, .. })),
        "{error}"
    );
    assert_eq!(error.to_string(), "the change touches 2 APIs, more than 1");
    let nothing = registry.publisher("test").forced("  ").apply(delete.clone()).await;
    assert!(matches!(nothing, Err(CommitError::TooFar(_))), "forced without a reason");
    let forced = registry.publisher("test").because("end of life").forced("ticket 12");
    let gone = forced.apply(delete).await.unwrap();
    assert_eq!(gone.forced(), Some("ticket 12"));
    let entry = registry.history().next().unwrap();
    assert_eq!(entry.forced.as_deref(), Some("ticket 12"));
    assert_eq!(entry.stamp.why.as_deref(), Some("end of life"));

    let undo = plan(&registry, Change::new().undo(gone.revision())).await;
    assert_eq!(undo.impact().to_string(), "2 APIs in RELEASE come back; 0 requests in flight");
    let error = registry.publisher("test").apply(&undo).await.unwrap_err();
    assert!(matches!(error, CommitError::TooFar(_)), "{error}");
    apply(&registry, Change::new().unpublish("shop/get_stock", LIVE)).await;
    assert_eq!(stale(&registry, &undo).await.len(), 1);
    let undo = plan(&registry, Change::new().undo(Undo::of(gone.revision()))).await;
    assert_eq!(undo.left_out().len(), 1);
    registry.publisher("test").apply(undo).await.unwrap();
    assert!(status(&registry, "shop/get_order", &LIVE).is_some());
}

#[tokio::test]
async fn what_looks_like_a_mistake_is_warned_of() {
    let registry = Registry::in_memory().await.unwrap();
    let shop = |url| {
        Change::new()
            .service("orders", Kind::HTTP)
            .define("orders", LIVE, Http::to(url))
            .group("shop", Group::host("shop.example.com"))
            .api("shop/get_order", order("/orders/[id]"))
    };
    let first = shop("https://orders.example.com/v1").publish("shop/get_order", LIVE);
    let warned = plan(&registry, first.clone()).await;
    let texts = |plan: &Plan| plan.warnings().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        texts(&warned),
        [
            "orders in RELEASE: not defined in PRE",
            "shop/get_order in RELEASE: this version is not published in PRE",
        ]
    );
    apply(&registry, first).await;
    let warned = Change::new()
        .define("orders", TEST, Http::to("http://orders.example.com"))
        .define("orders", LIVE, Http::to("http://orders.example.com"))
        .group("shop", Group::host("shop.example.com").base_path("/shop"));
    let warned = plan(&registry, warned).await;
    assert_eq!(
        texts(&warned),
        [
            "orders in TEST: the same endpoint as in RELEASE",
            "orders in RELEASE: plain HTTP replaces HTTPS",
            "orders in RELEASE: the endpoint's base path changes from /v1 to /",
            "orders in RELEASE: the same endpoint as in TEST",
            "group shop: the base path changes from / to /shop",
        ]
    );
    assert_eq!(warned.impact().counts().readdressed, 1);
    let fine = Change::new().define("orders", LIVE, Http::to("https://orders.example.net/v1"));
    assert_eq!(plan(&registry, fine).await.warnings(), &[] as &[Warning]);
}

#[tokio::test]
async fn deltas_name_the_fields_and_hide_secrets() {
    let registry = registry(shop()).await;
    let change = Change::new()
        .define("orders", LIVE, http(2).host("orders.internal"))
        .rename_service("orders", "sales")
        .service("mocked", Kind::MOCK)
        .delete_api("shop/get_order");
    let shown: Vec<_> = plan(&registry, change).await.deltas().map(|d| d.to_string()).collect();
    assert_eq!(
        shown,
        [
            r#"service "mocked": created"#,
            r#"service "sales": name: "orders" -> "sales""#,
            r#"the definition of service "sales" in RELEASE: host: absent -> "orders.internal", url: "http://10.0.0.7:1" -> "http://10.0.0.7:2""#,
            "API shop/get_order: deleted",
        ]
    );
    let discovery = |password: &str| {
        let keys = serde_json::json!({ "kind": "discovery", "registry": "nacos", "server": "http://10.0.0.9",
            "service": "orders", "password": password });
        serde_json::from_value::<Definition>(keys).unwrap()
    };
    let found =
        Change::new().service("found", Kind::DISCOVERY).define("found", LIVE, discovery("hunter2"));
    apply(&registry, found).await;
    let receipt = apply(&registry, Change::new().define("found", LIVE, discovery("hunter3"))).await;
    let delta = receipt.deltas().next().unwrap();
    let How::Edited(fields) = &delta.how else { panic!("{delta}") };
    let Difference { field, .. } = &fields[0];
    assert_eq!((fields.len(), field.as_str()), (1, "password"));
    assert!(!format!("{delta} {delta:?} {receipt:?}").contains("hunter"), "{delta}");
}

#[tokio::test]
async fn environments_drift_apart_and_are_brought_together() {
    let registry = planned_on().await;
    let drift = |registry: &Registry| {
        let drift = registry.drift(&TEST, &LIVE).unwrap();
        drift.map(|delta| delta.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(
        drift(&registry),
        [
            r#"the definition of service "orders" in RELEASE: url: "http://10.0.0.7:7" -> "http://10.0.0.7:1""#,
            r#"the definition of service "sales" in RELEASE: created"#,
            "API shop/get_stock in RELEASE: created",
        ]
    );
    let together = Change::new()
        .promote("orders", TEST, LIVE)
        .delete_definition("sales", LIVE)
        .unpublish("shop/get_stock", LIVE);
    apply(&registry, together).await;
    assert_eq!(drift(&registry), [] as [&str; 0]);
    assert!(registry.drift(&TEST, &"NOWHERE".parse().unwrap()).is_none());
}

#[tokio::test]
async fn a_plan_tries_its_endpoints_from_here() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let builder = Registry::builder().allow_loopback();
    let registry = builder.in_memory().await.unwrap();
    apply(&registry, shop()).await;
    let change = Change::new()
        .define("orders", LIVE, Http::to(&url))
        .define("orders", TEST, Http::to("http://127.0.0.1:1"))
        .service("bus", Kind::EVENT_BRIDGE)
        .api("shop/my_own", Api::get("/own").inline(Http::to(url)));
    let tried =
        plan(&registry, change.publish("shop/my_own", LIVE)).await.probe(&Probe::new()).await;
    let shown: Vec<_> = tried
        .iter()
        .map(|one| {
            let reached = one.probed.as_ref().is_ok_and(|probed| probed.is_reached());
            (one.service.as_ref().map(ToString::to_string), one.environment.clone(), reached)
        })
        .collect();
    let orders = || Some("orders".to_owned());
    assert_eq!(shown, [(orders(), TEST, false), (None, LIVE, true), (orders(), LIVE, true)]);
}

#[tokio::test]
async fn receipts_are_found_again() {
    let registry = planned_on().await;
    let mut receipts = Vec::new();
    for change in [
        Change::new().define("orders", LIVE, http(2)),
        Change::new().delete_definition("orders", TEST),
        Change::new().unpublish("shop/get_stock", LIVE).rename_api("shop/get_stock", "shop/stock"),
        Change::new().delete_api("shop/stock"),
        Change::new().rename_service("orders", "sells"),
    ] {
        receipts.push(apply(&registry, change).await);
    }
    receipts.push(apply(&registry, Change::new().undo(receipts[1].revision())).await);
    for made in &receipts {
        let found = registry.receipt(made.revision()).unwrap();
        assert_eq!((found.stamp(), found.counts()), (made.stamp(), made.counts()));
        assert!(found.outcomes().eq(made.outcomes()));
        assert!(found.deltas().eq(made.deltas()));
    }
    assert!(registry.receipt(registry.revision().next()).is_none());
}

#[tokio::test]
async fn services_are_created_by_the_rules_of_the_region() {
    let registry = Registry::builder().region("cn-hongkong").in_memory().await.unwrap();
    let refuses = async |change| {
        let rejected = rejected(&registry, change).await;
        assert!(matches!(rejected.reason, Reason::NotCreatable(_)), "{rejected}");
        rejected.to_string()
    };
    assert_eq!(
        refuses(Change::new().service("a", Kind::MOCK).service("orders", Kind::HTTP)).await,
        "edit 2 (service \"orders\"): kind: http cannot be created in region cn-hongkong: not in Hong Kong"
    );
    refuses(Change::new().service("files", Kind::OSS)).await;
    let mixed = backhaul::model::definition::Mixed::concrete(http(1));
    refuses(Change::new().service("any", Kind::MIXED).define("any", LIVE, mixed)).await;
    apply(&registry, Change::new().service("canned", Kind::MOCK).service("private", Kind::VPC))
        .await;
    // What is there stays and can be defined anew.
    let store = backhaul::store::MemoryStore::new();
    let free = Registry::builder().store(std::sync::Arc::new(store.clone())).await.unwrap();
    let mixed = |port| backhaul::model::definition::Mixed::concrete(http(port));
    apply(&free, Change::new().service("any", Kind::MIXED).define("any", LIVE, mixed(1))).await;
    let bound =
        Registry::builder().region("cn-hongkong").store(std::sync::Arc::new(store)).await.unwrap();
    apply(&bound, Change::new().update("any", LIVE, mixed(2))).await;
    let opened = Registry::builder().region("Nowhere!").in_memory().await;
    assert!(opened.unwrap_err().to_string().contains("region"));
}

#[tokio::test]
async fn everything_in_a_changes_way_is_told_at_once() {
    let registry = registry(shop()).await;
    let publisher = registry.publisher("test");
    let change = || {
        Change::new()
            .service("orders", Kind::MOCK)
            .define("orders", TEST, Http::to("http://169.254.169.254/"))
            .group("rival", Group::host("shop.example.com"))
            .api("shop/put_order", order("/orders/[other]"))
            .publish("shop/get_order", TEST)
            .publish("shop/get_order", Environment::PRE)
    };
    let told = publisher.refusals(change()).await.unwrap();
    let told: Vec<_> = told.iter().map(|refusal| (refusal.index, &refusal.reason)).collect();
    assert!(matches!(told[0], (0, Reason::KindImmutable { .. })), "{told:?}");
    assert!(matches!(told[1], (5, Reason::NoDefinition { .. })), "{told:?}");
    assert!(matches!(told[2], (2, Reason::HostTaken { .. })), "{told:?}");
    assert!(matches!(told[3], (_, Reason::RouteTaken { .. })), "{told:?}");
    // What the adapter refuses, comes last.
    assert_eq!((told[4].0, told.len()), (1, 5), "{told:?}");
    let bad = |host: &str| Http::to(format!("http://{host}/"));
    let change = Change::new().define("orders", TEST, bad("169.254.169.254")).define(
        "orders",
        Environment::PRE,
        bad("0.0.0.0"),
    );
    let told = publisher.refusals(change.clone()).await.unwrap();
    assert_eq!(told.iter().map(|refusal| refusal.index).collect::<Vec<_>>(), [0, 1]);
    let first = publisher.apply(change).await.unwrap_err();
    assert_eq!(first.to_string(), told[0].to_string());
    assert!(publisher.refusals(shop()).await.unwrap().is_empty());
}
