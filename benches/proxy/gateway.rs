//! The same server in front of a gateway with one API on one service, which goes to the same origin
//! through the same pool. With `metrics` as second argument its requests are counted.

use std::error::Error;

use backhaul::gateway::{Peer, Scheme};
use backhaul::model::parameter::System;
use backhaul::model::{
    Access, App, Constant, Grant, Location, Mode, Parameter, ParameterType, SystemParameter,
};
use backhaul::observe::Metrics;
use backhaul::{Api, Change, Environment, Gateway, Group, Http, Kind, Registry};
use hyper_util::service::TowerToHyperService;

mod server;

fn main() -> Result<(), Box<dyn Error>> {
    let origin = std::env::args().nth(1).ok_or("which origin?")?;
    server::serve(async move {
        let mut builder = Registry::builder().allow_loopback();
        if std::env::args().nth(2).is_some_and(|argument| argument == "metrics") {
            builder = builder.observer(Metrics::new());
        }
        let registry = builder.in_memory().await?;
        let live = Environment::PRODUCTION;
        let change = Change::new()
            .service("orders", Kind::HTTP)
            .define("orders", live.clone(), Http::to(format!("http://{origin}")))
            .group("shop", Group::host("127.0.0.1"))
            .api("shop/get_order", Api::get("/orders/[id]").service("orders", "/orders/[id]"))
            .api(
                "shop/signed",
                Api::get("/signed/[id]").service("orders", "/orders/[id]").access(Access::App),
            )
            .publish("shop/get_order", live.clone())
            .publish("shop/signed", live.clone())
            .api("shop/mapped", mapped())
            .publish("shop/mapped", live.clone())
            .app("mobile", App::new().key("203753385", "sampleSecret1"))
            .grant("mobile", "shop/signed", live.clone(), Grant::unlimited());
        registry.publisher("benchmark").apply(change).await?;
        let gateway = Gateway::new(&registry).environment(live);
        Ok(move |peer| TowerToHyperService::new(gateway.peer(Peer::new(peer, Scheme::Http))))
    })
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
