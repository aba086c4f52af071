//! The API that the design sets as its target, from a crate of its own and on real sockets.

use std::error::Error;
use std::time::Duration;

use backhaul::{
    Api, Backend, Body, Call, Change, CommitError, Custom, Environment, Gateway, Group, Http, Kind,
    Registry, Result,
};
use consumer::{Origin, get, serve};
use http::{Request, Response};

#[tokio::test]
async fn a_service_moves_house() -> Result<(), Box<dyn Error>> {
    let (old, new) = (Origin::start("old").await?, Origin::start("new").await?);

    let folder = tempfile::tempdir()?;
    let file = folder.path().join("shop.redb");
    let registry = Registry::builder().allow_loopback().open(&file).await?;
    let publisher = registry.publisher("deploy-bot").because("orders moves house");
    let live = Environment::PRODUCTION;
    publisher
        .apply(
            Change::new() // one change = one generation
                .service("orders", Kind::HTTP)
                .define("orders", live.clone(), Http::to(old.url()))
                .group("shop", Group::host("shop.example.com"))
                .api(
                    "shop/get_order",
                    Api::get("/orders/[id]").service("orders", "/v1/orders/[id]"),
                )
                .publish("shop/get_order", live.clone()),
        )
        .await?;
    let app =
        axum::Router::new().fallback_service(Gateway::new(&registry).environment(live.clone()));
    let server = serve(app).await?;

    let order = async |id| get(server, "shop.example.com", &format!("/orders/{id}")).await;
    assert_eq!(order(1).await?, (200, "old".to_owned()));
    assert_eq!(old.asked(), [r#"/v1/orders/1 for "127.0.0.1""#]);

    let plan =
        publisher.plan(Change::new().define("orders", live.clone(), Http::to(new.url()))).await?;
    assert_eq!(plan.impact().to_string(), "1 API in RELEASE moves; 0 requests in flight");
    let receipt = publisher.apply(plan).await?;
    assert_eq!(order(2).await?, (200, "new".to_owned()));
    receipt.drained(Duration::from_secs(30)).await?;
    assert_eq!(order(3).await?, (200, "new".to_owned()));

    assert_eq!(old.asked().len(), 1, "asked after it had moved: {:?}", old.asked());
    assert_eq!(new.asked().len(), 2);
    assert_eq!(receipt.counts().moved, 1);
    assert_eq!(receipt.in_flight(), 0);
    assert_eq!(receipt.stamp().who.as_ref(), "deploy-bot");
    assert_eq!(receipt.stamp().why.as_deref(), Some("orders moves house"));

    publisher.undo(receipt.revision()).await?;
    assert_eq!(order(4).await?, (200, "old".to_owned()));

    // All of it is on disk: a plan that was made before is stale, what was done can be told and undone.
    let stale = publisher.plan(Change::new().delete_definition("orders", live.clone())).await?;
    assert_eq!(stale.impact().to_string(), "1 API in RELEASE goes offline; 0 requests in flight");
    let gone = publisher.apply(Change::new().delete_definition("orders", live.clone())).await?;
    assert!(publisher.apply(stale).await.is_err_and(|e| matches!(e, CommitError::Stale { .. })));
    assert_eq!(order(5).await?.0, 404);
    let second = Registry::open(&file).await;
    assert!(second.is_err(), "two have one file open");
    Ok(publisher.undo(gone.revision()).await.map(drop)?)
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("shop.redb");
    let live = Environment::PRODUCTION;
    let moved = {
        let registry = Registry::open(&file).await?;
        let publisher = registry.publisher("deploy-bot");
        let setup = Change::new()
            .service("orders", Kind::HTTP)
            .define("orders", live.clone(), Http::to("http://10.0.0.7:8080"))
            .group("shop", Group::host("shop.example.com"))
            .api("shop/get_order", Api::get("/orders/[id]").service_same_path("orders"))
            .publish("shop/get_order", live.clone());
        publisher.apply(setup).await?;
        publisher
            .because("end of life")
            .apply(Change::new().delete_definition("orders", live))
            .await?
    };
    let registry = Registry::open(&file).await?;
    let found = registry.receipt(moved.revision()).ok_or("the receipt is not found again")?;
    assert_eq!((found.stamp(), found.counts()), (moved.stamp(), moved.counts()));
    assert!(found.outcomes().eq(moved.outcomes()));
    let back = registry.publisher("operator").undo(moved.revision()).await?;
    assert_eq!(back.counts().revived, 1);
    Ok(())
}

#[derive(Debug, serde::Deserialize)]
struct Greeter {
    greeting: String,
} // a custom kind with its own definition keys

#[async_trait::async_trait]
impl Backend for Greeter {
    async fn send(&self, _: Request<Body>, call: &Call) -> Result<Response<Body>> {
        Ok(Response::new(Body::from(format!("{} from {}", self.greeting, call.environment()))))
    }
}

#[tokio::test]
async fn a_custom_kind_answers() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let registry = Registry::builder()
        .kind("greeter", |definition: Greeter| Ok(definition))
        .open(folder.path().join("greeters.redb"))
        .await?;
    let publisher = registry.publisher("deploy-bot");
    let test = Environment::TEST;
    let greeter = Custom::new("greeter")?;
    let change = Change::new()
        .service("greetings", greeter.kind.clone())
        .define("greetings", test.clone(), greeter.clone().set("greeting", "hello"))
        .group("hall", Group::host("hall.example.com"))
        .api("hall/greet", Api::get("/greet").service_same_path("greetings"))
        .publish("hall/greet", test.clone());
    publisher.apply(change).await?;
    let app =
        axum::Router::new().fallback_service(Gateway::new(&registry).environment(test.clone()));
    let server = serve(app).await?;
    let greet = async || get(server, "hall.example.com", "/greet").await;
    assert_eq!(greet().await?, (200, "hello from TEST".to_owned()));

    let change = Change::new().define("greetings", test.clone(), greeter.set("greting", "hi"));
    let refused = publisher.apply(change).await.expect_err("a key is misspelt").to_string();
    assert!(refused.contains("missing field `greeting`"), "{refused}");
    assert_eq!(greet().await?, (200, "hello from TEST".to_owned()));
    Ok(())
}
