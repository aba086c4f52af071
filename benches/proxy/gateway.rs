//! The same server in front of a gateway, which goes to the same origin through the same pool.
//!
//! `gateway_proxy ORIGIN [ROUTES [metrics]]`: with so many more published APIs on the same service, and with
//! its requests counted.

use std::error::Error;

use backhaul::gateway::{Peer, Scheme};
use backhaul::observe::Metrics;
use backhaul::{Environment, Gateway, Registry};
use hyper_util::service::TowerToHyperService;

mod server;
mod shop;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let origin = arguments.next().ok_or("which origin?")?;
    let routes = arguments.next().map_or(Ok(0), |count| count.parse())?;
    let metrics = arguments.next().is_some_and(|argument| argument == "metrics");
    server::serve(async move {
        let mut builder = Registry::builder().allow_loopback();
        if metrics {
            builder = builder.observer(Metrics::new());
        }
        let registry = builder.in_memory().await?;
        shop::fill(&registry, &origin, routes).await?;
        let gateway = Gateway::new(&registry).environment(Environment::PRODUCTION);
        Ok(move |peer| TowerToHyperService::new(gateway.peer(Peer::new(peer, Scheme::Http))))
    })
}
