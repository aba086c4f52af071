//! Pingora as its guide sets it up: a balancer over one upstream, one thread.
//!
//! `peer_pingora LISTEN ORIGIN`

use std::error::Error as StdError;
use std::sync::Arc;

use async_trait::async_trait;
use pingora::lb::LoadBalancer;
use pingora::lb::selection::RoundRobin;
use pingora::prelude::{Error, ErrorType, HttpPeer, Result, Server, http_proxy_service};
use pingora::proxy::{ProxyHttp, Session};
use pingora::server::configuration::ServerConf;

struct Proxy(Arc<LoadBalancer<RoundRobin>>);

#[async_trait]
impl ProxyHttp for Proxy {
    type CTX = ();

    fn new_ctx(&self) {}

    async fn upstream_peer(&self, _: &mut Session, _: &mut ()) -> Result<Box<HttpPeer>> {
        let upstream = self.0.select(b"", 256);
        let upstream = upstream.ok_or_else(|| Error::new(ErrorType::InternalError))?;
        Ok(Box::new(HttpPeer::new(upstream, false, String::new())))
    }
}

fn main() -> std::result::Result<(), Box<dyn StdError>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(listen), Some(origin)) = (arguments.next(), arguments.next()) else {
        return Err("peer_pingora LISTEN ORIGIN".into());
    };
    let conf =
        ServerConf { threads: 1, upstream_keepalive_pool_size: 128, ..ServerConf::default() };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    let upstreams = LoadBalancer::try_from_iter([origin])?;
    let mut service = http_proxy_service(&server.configuration, Proxy(Arc::new(upstreams)));
    service.add_tcp(&listen);
    server.add_service(service);
    server.run_forever()
}
