//! A kind of backend of one's own: its definition has the keys of its own type, and everything else
//! (environments, publishing, cut-over, drain) is as for the kinds that are built in.

#![allow(clippy::print_stdout, reason = "an example says what to try")]

use std::error::Error;

use backhaul::model::InvalidDefinition;
use backhaul::{
    Api, Backend, Body, Call, Change, Custom, Environment, Gateway, Group, Registry, Result,
};
use http::{Request, Response};
use tokio::net::TcpListener;

#[path = "support/demo.rs"]
mod demo;

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Greeter {
    greeting: String,
}

#[async_trait::async_trait]
impl Backend for Greeter {
    async fn send(&self, _: Request<Body>, call: &Call) -> Result<Response<Body>> {
        Ok(Response::new(Body::from(format!("{} from {}", self.greeting, call.environment()))))
    }
}

/// What is refused here refuses the change that defines it.
fn greeter(definition: Greeter) -> Result<Greeter, InvalidDefinition> {
    if definition.greeting.is_empty() {
        return Err(InvalidDefinition::new("greeting", "is empty"));
    }
    Ok(definition)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let registry = Registry::builder().kind("greeter", greeter).in_memory().await?;
    let kind = Custom::new("greeter")?;
    let change = Change::new()
        .service("greetings", kind.kind.clone())
        .define("greetings", Environment::PRODUCTION, kind.set("greeting", "hello"))
        .group("hall", Group::host("127.0.0.1").and_host("localhost"))
        .api("hall/greet", Api::get("/greet").service_same_path("greetings"))
        .publish("hall/greet", Environment::PRODUCTION);
    registry.publisher("custom_backend").apply(change).await?;

    let app = axum::Router::new().fallback_service(Gateway::new(&registry));
    let listener = TcpListener::bind(demo::address()).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    demo::run(address, "/greet", "hello from RELEASE").await
}
