//! The least a proxy can do: passes every request on as it came, through the pool the gateway uses, and
//! the answer back.

use std::convert::Infallible;
use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use backhaul::model::definition::Url;
use backhaul::sync::lease;
use backhaul::transport::{Egress, Pool, Transport};
use backhaul::{Body, Error, ErrorKind, Retry};
use http::header::HOST;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use hyper::service::service_fn;

mod server;

/// As the gateway's.
const WAIT: Duration = Duration::from_secs(10);

fn main() -> Result<(), Box<dyn StdError>> {
    let origin = std::env::args().nth(1).ok_or("which origin?")?;
    server::serve(async move {
        let host = HeaderValue::from_str(&origin)?;
        let url: Url = format!("http://{origin}").parse()?;
        let transport = Transport::builder().egress(Egress::default().allow_loopback()).build()?;
        let (lease, _drained) = lease();
        let pool = Arc::new(Pool::new(&transport, &url, Arc::new(lease))?);
        Ok(move |_| {
            let (pool, host) = (Arc::clone(&pool), host.clone());
            service_fn(move |request| pass_on(Arc::clone(&pool), host.clone(), request))
        })
    })
}

async fn pass_on(
    pool: Arc<Pool>,
    host: HeaderValue,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    request.headers_mut().insert(HOST, host);
    let request = request.map(|body| match body.is_end_stream() {
        true => Body::empty(),
        false => Body::new(body.map_err(|error| {
            Error::new(ErrorKind::InvalidBody, Retry::Never, "the body broke off").caused_by(error)
        })),
    });
    Ok(pool.send(request, WAIT).await.unwrap_or_else(|_| {
        let mut failed = Response::new(Body::empty());
        *failed.status_mut() = StatusCode::BAD_GATEWAY;
        failed
    }))
}
