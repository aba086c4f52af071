//! How much of the traffic a change touches.

use std::time::Duration;

use backhaul::registry::{BlastRadius, TooFar};
use backhaul::{Api, Body, Change, CommitError, Gateway, Group, Kind, Mock, Registry};
use http::Request;
use tower_service::Service as _;

use super::{LIVE, apply};

/// Two services behind one gateway, of which one gets three quarters of the requests.
async fn busy(limit: BlastRadius) -> Registry {
    let registry = Registry::builder().blast_radius(limit).in_memory().await.unwrap();
    let mut change = Change::new().group("shop", Group::host("shop.example.com"));
    for service in ["orders", "stock"] {
        change = change
            .service(service, Kind::MOCK)
            .define(service, LIVE, Mock::new())
            .api(
                format!("shop/{service}"),
                Api::get(format!("/{service}")).service_same_path(service),
            )
            .publish(format!("shop/{service}"), LIVE);
    }
    apply(&registry, change).await;
    let mut gateway = Gateway::new(&registry);
    for path in ["/orders", "/orders", "/stock", "/orders"].repeat(10) {
        let request = Request::get(path).header("host", "shop.example.com").body(Body::empty());
        assert_eq!(gateway.call(request.unwrap()).await.unwrap().status(), 200);
    }
    tokio::time::advance(Duration::from_secs(1)).await;
    registry
}

#[tokio::test(start_paused = true)]
async fn a_plan_tells_the_rate_of_what_it_touches() {
    let registry = busy(BlastRadius::default()).await;
    let change = Change::new().define("orders", LIVE, Mock::new().status(204));
    let plan = registry.publisher("test").plan(change).await.unwrap();
    assert_eq!(plan.impact().rate(), 30.0);
    let text = plan.impact().to_string();
    assert_eq!(text, "1 API in RELEASE moves; 0 requests in flight, 30.0 a second");
    let receipt = registry.publisher("test").apply(plan).await.unwrap();
    // What comes is counted for the service, whatever its definition is.
    let back = Change::new().undo(receipt.revision());
    let plan = registry.publisher("test").plan(back).await.unwrap();
    assert_eq!(plan.impact().rate(), 30.0);
}

#[tokio::test(start_paused = true)]
async fn a_change_of_too_much_of_the_traffic_is_refused_unless_forced() {
    let registry = busy(BlastRadius::default().traffic_share(0.5)).await;
    let publisher = registry.publisher("test");
    let moving = |service| Change::new().define(service, LIVE, Mock::new().status(204));
    publisher.apply(moving("stock")).await.unwrap();
    let error = publisher.apply(moving("orders")).await.unwrap_err();
    assert!(matches!(error, CommitError::TooFar(TooFar::Traffic { .. })), "{error}");
    assert_eq!(error.to_string(), "the change touches 75.0% of the traffic, more than 50.0%");
    let unpublish = publisher.apply(Change::new().unpublish("shop/orders", LIVE)).await;
    assert!(unpublish.is_err(), "its only API is all of it");
    let rehost = Change::new().group("shop", Group::host("new.example.com"));
    assert!(publisher.apply(rehost).await.is_err(), "everybody is in that group");
    publisher.forced("announced").apply(moving("orders")).await.unwrap();
}

#[tokio::test]
async fn a_limit_that_is_no_number_lets_nothing_pass() {
    let limit = BlastRadius::default().traffic_share(f64::NAN);
    let registry = Registry::builder().blast_radius(limit).in_memory().await.unwrap();
    let change = Change::new().service("orders", Kind::MOCK);
    assert!(registry.publisher("test").apply(change).await.is_err());
}
