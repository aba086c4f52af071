//! What operators see.

use std::time::Duration;

use backhaul::model::Stamp;
use backhaul::registry::Status;
use backhaul::{
    Api, Change, Discovery, Environment, Group, Http, Kind, Mock, Oss, Registry, Revision,
};

use super::{LIVE, ManualClock, TEST, apply, http, order, registry, shop};

#[tokio::test]
async fn a_publication_says_when_it_became_what_it_is() {
    let clock = ManualClock::default();
    let registry = Registry::builder().clock(clock.clone()).in_memory().await.unwrap();
    let publisher = registry.publisher("deploy-bot").because("orders moves house");
    let at = |millis: u64, change: Change| {
        clock.set(millis);
        publisher.apply(change)
    };
    at(1000, shop()).await.unwrap();
    at(2000, Change::new().publish("shop/get_order", LIVE)).await.unwrap();
    let stamps = || {
        let view = registry.publication("shop/get_order", &LIVE).unwrap().unwrap();
        let plain = |stamp: &Stamp| (stamp.revision.as_u64(), stamp.when.as_millis());
        (view.status, plain(&view.effective), plain(&view.published))
    };
    assert_eq!(stamps(), (Status::Online, (2, 2000), (2, 2000)));
    at(3000, Change::new().define("orders", LIVE, http(2))).await.unwrap();
    assert_eq!(stamps(), (Status::Online, (3, 3000), (2, 2000)));
    // A draft changes nothing about it, neither does the other environment.
    at(4000, Change::new().api("shop/get_order", order("/new"))).await.unwrap();
    at(5000, Change::new().define("orders", TEST, http(2))).await.unwrap();
    assert_eq!(stamps(), (Status::Online, (3, 3000), (2, 2000)));
    at(6000, Change::new().publish("shop/get_order", LIVE)).await.unwrap();
    assert_eq!(stamps(), (Status::Online, (6, 6000), (6, 6000)));
    let view = registry.publication("shop/get_order", &LIVE).unwrap().unwrap();
    assert_eq!(&*view.effective.who, "deploy-bot");
    assert_eq!(view.effective.why.as_deref(), Some("orders moves house"));
    assert_eq!(view.effective.when.to_string(), "1970-01-01T00:00:06.000Z");
    assert!(registry.publication("shop/get_order", &TEST).unwrap().is_none());
    assert!(registry.publication("shop/none", &LIVE).unwrap().is_none());
    assert!(registry.publication("none", &LIVE).is_err());
}

#[tokio::test]
async fn a_service_shows_its_draft_its_definitions_and_every_address() {
    let registry = registry(
        shop()
            .define(
                "orders",
                TEST,
                Http::to("https://test.internal/base/").timeout(Duration::from_secs(3)),
            )
            .api("shop/get_stock", Api::get("/stock/*").service("orders", "/v1/stock/*"))
            .publish_all(["shop/get_order", "shop/get_stock"], &TEST)
            .publish("shop/get_order", LIVE),
    )
    .await;
    let view = registry.service("orders").unwrap().unwrap();
    assert_eq!((view.name().as_str(), view.kind()), ("orders", &Kind::HTTP));
    assert_eq!(view.stamp().revision, Revision::new(1));
    let drafts: Vec<_> = view.drafts().map(|name| name.to_string()).collect();
    assert_eq!(drafts, ["shop/get_order", "shop/get_stock"]);
    let names: Vec<_> = view.definitions().iter().map(|at| at.environment.clone()).collect();
    assert_eq!(names, [TEST, LIVE]);
    let addresses = |environment: &Environment| {
        let rows = view.addresses(environment).map(|row| format!("{} {}", row.api, row.address));
        rows.collect::<Vec<_>>()
    };
    assert_eq!(
        addresses(&TEST),
        [
            "shop/get_order https://test.internal/base/orders/[id]",
            "shop/get_stock https://test.internal/base/v1/stock/*"
        ]
    );
    assert_eq!(addresses(&LIVE), ["shop/get_order http://10.0.0.7:1/orders/[id]"]);
    assert_eq!(addresses(&Environment::PRE), Vec::<String>::new());
    assert_eq!(view.definition(&TEST).unwrap().published, 2);
    assert_eq!(view.definition(&TEST).unwrap().definition.timeout, Some(Duration::from_secs(3)));
    // A view is of one revision, whatever comes after.
    apply(&registry, Change::new().delete_definition("orders", TEST)).await;
    assert_eq!(addresses(&TEST).len(), 2);
}

#[tokio::test]
async fn every_kind_has_an_address() {
    let registry = registry(Change::new().group("shop", Group::new())).await;
    let kinds = [
        (Kind::MOCK, Mock::new().status(203).into(), "mock 203"),
        (Kind::OSS, Oss::bucket("assets", "eu").into(), "oss assets"),
        (
            Kind::DISCOVERY,
            backhaul::Definition::from(Discovery::of(Default::default(), "orders.v1")),
            "service orders.v1/x",
        ),
    ];
    for (place, (kind, definition, address)) in kinds.into_iter().enumerate() {
        let name = kind.as_str().to_owned();
        let api = format!("shop/api_{name}");
        let change = Change::new()
            .service(&name, kind)
            .define(&name, LIVE, definition)
            .api(&api, Api::get(format!("/{place}")).service(&name, "/x"))
            .publish(&api, LIVE);
        apply(&registry, change).await;
        let view = registry.service(&name).unwrap().unwrap();
        let row = view.addresses(&LIVE).next().unwrap();
        assert_eq!(row.address, address);
    }
}
