//! The same server in front of a gateway, which goes to the same origin through the same pool.
//!
//! `gateway_proxy ORIGIN [ROUTES]`: with so many more published APIs on the same service.

use std::error::Error;

use backhaul::gateway::{Peer, Scheme};
use backhaul::{Environment, Gateway, Registry};
use hyper_util::service::TowerToHyperService;

mod server;
mod shop;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let origin = arguments.next().ok_or("which origin?")?;
    let routes = arguments.next().map_or(Ok(0), |count| count.parse())?;
    server::serve(async move {
        let registry = Registry::builder().allow_loopback().in_memory().await?;
        shop::fill(&registry, &origin, routes).await?;
        let gateway = Gateway::new(&registry).environment(Environment::PRODUCTION);
        Ok(move |peer| TowerToHyperService::new(gateway.peer(Peer::new(peer, Scheme::Http))))
    })
}
