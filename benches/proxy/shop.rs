//! What the gateways here serve: a group on the loopback address, and one service that all its APIs share.

use std::error::Error;

use backhaul::model::parameter::System;
use backhaul::model::{
    Access, App, Constant, Grant, Location, Mode, Parameter, ParameterType, SystemParameter,
};
use backhaul::{Api, Change, Environment, Group, Http, Kind, Registry};

const LIVE: Environment = Environment::PRODUCTION;
/// Edits of one change while routes are added.
const BATCH: usize = 50_000;

/// Publishes `/orders/[id]`, `/signed/[id]` and `/mapped/[id]`, which lead to 1 KiB, `/large/[id]`, and
/// so many routes more: `/r00000/*`, `/r00001/*` and so on.
pub(crate) async fn fill(
    registry: &Registry,
    origin: &str,
    routes: usize,
) -> Result<(), Box<dyn Error>> {
    let change = Change::new()
        .service("orders", Kind::HTTP)
        .define("orders", LIVE, to(origin))
        .group("shop", Group::host("127.0.0.1"))
        .api("shop/get_order", Api::get("/orders/[id]").service("orders", "/orders/[id]"))
        .api("shop/large", Api::get("/large/[id]").service("orders", "/large/[id]"))
        .api(
            "shop/signed",
            Api::get("/signed/[id]").service("orders", "/orders/[id]").access(Access::App),
        )
        .api("shop/mapped", mapped())
        .publish("shop/get_order", LIVE)
        .publish("shop/large", LIVE)
        .publish("shop/signed", LIVE)
        .publish("shop/mapped", LIVE)
        .app("mobile", App::new().key("203753385", "sampleSecret1"))
        .grant("mobile", "shop/signed", LIVE, Grant::unlimited());
    let publisher = registry.publisher("benchmark");
    publisher.apply(change).await?;
    let name = |route: usize| format!("shop/r{route:05}");
    for start in (0..routes).step_by(BATCH) {
        let batch = start..(start + BATCH).min(routes);
        let change = batch.clone().fold(Change::new(), |change, route| {
            let api = Api::get(format!("/r{route:05}/*")).service_same_path("orders");
            change.api(name(route), api)
        });
        publisher.apply(change).await?;
        publisher.apply(Change::new().publish_all(batch.map(name), &LIVE)).await?;
    }
    Ok(())
}

/// The service's definition for an origin.
pub(crate) fn to(origin: &str) -> Http {
    Http::to(format!("http://{origin}"))
}

/// Five parameters, two constants and two system parameters.
fn mapped() -> Api {
    let query = |name: &str| Parameter::new(name, Location::Query);
    let mut size = query("size").kind(ParameterType::Int);
    size.max = Some(100.into());
    let mut color = query("color").to("X-Color", Location::Head);
    color.max_length = Some(16);
    Api::get("/mapped/[id]")
        .service("orders", "/orders/[id]")
        .mode(Mode::Mapping)
        .parameter(Parameter::new("id", Location::Path).kind(ParameterType::Long))
        .parameter(query("name").required())
        .parameter(size)
        .parameter(color)
        .parameter(query("page").to("p", Location::Query))
        .constant(Constant::new("source", "gateway", Location::Query))
        .constant(Constant::new("X-Source", "gateway", Location::Head))
        .system(SystemParameter::new(System::CaClientIp, None))
        .system(SystemParameter::new(System::CaRequestId, None))
}
