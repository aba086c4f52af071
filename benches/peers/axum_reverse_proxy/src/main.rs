//! `axum-reverse-proxy` as its documentation sets it up, on one thread.
//!
//! `peer_axum_reverse_proxy LISTEN ORIGIN`

use std::error::Error;

use axum::Router;
use axum::serve::ListenerExt as _;
use axum_reverse_proxy::ReverseProxy;
use tokio::net::TcpListener;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(listen), Some(origin)) = (arguments.next(), arguments.next()) else {
        return Err("peer_axum_reverse_proxy LISTEN ORIGIN".into());
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let app: Router = ReverseProxy::new("/", &format!("http://{origin}")).into();
        let listener = TcpListener::bind(listen).await?.tap_io(|stream| {
            // Who cannot be answered at once is answered all the same.
            stream.set_nodelay(true).ok();
        });
        Ok(axum::serve(listener, app).await?)
    })
}
