//! The least a proxy can do: passes every request on as it came, through the pool the gateway uses, and
//! the answer back.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use backhaul::Body;
use backhaul::model::definition::Url;
use backhaul::sync::lease;
use backhaul::transport::{Egress, Pool, Transport};
use http::header::HOST;
use http::{HeaderValue, Response, StatusCode};

mod server;

/// As the gateway's.
const WAIT: Duration = Duration::from_secs(10);

fn main() -> Result<(), Box<dyn Error>> {
    let origin = std::env::args().nth(1).ok_or("which origin?")?;
    let host = HeaderValue::from_str(&origin)?;
    let url: Url = format!("http://{origin}").parse()?;
    let transport = Transport::builder().egress(Egress::default().allow_loopback()).build()?;
    let (lease, _drained) = lease();
    let pool = Arc::new(Pool::new(&transport, &url, Arc::new(lease))?);
    let answer = async {
        move |request: http::Request<hyper::body::Incoming>, _| {
            let (pool, host) = (Arc::clone(&pool), host.clone());
            async move {
                let mut request = request.map(Body::new);
                request.headers_mut().insert(HOST, host);
                pool.send(request, WAIT).await.unwrap_or_else(|_| {
                    let mut failed = Response::new(Body::empty());
                    *failed.status_mut() = StatusCode::BAD_GATEWAY;
                    failed
                })
            }
        }
    };
    Ok(server::serve(answer)?)
}
