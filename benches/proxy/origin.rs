//! Answers every request with 1 KiB from memory, and those below `/large/` with 64 KiB.

use std::convert::Infallible;
use std::error::Error;

use backhaul::Body;
use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;

mod server;

static ANSWER: [u8; 1024] = [b'x'; 1024];
static LARGE: [u8; 64 * 1024] = [b'x'; 64 * 1024];

fn main() -> Result<(), Box<dyn Error>> {
    server::serve(async {
        Ok(|_| {
            service_fn(|request: Request<Incoming>| async move {
                let large = request.uri().path().starts_with("/large/");
                let answer = if large { &LARGE[..] } else { &ANSWER[..] };
                Ok::<_, Infallible>(Response::new(Body::from(Bytes::from_static(answer))))
            })
        })
    })
}
