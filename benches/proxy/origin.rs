//! Answers every request with 1 KiB from memory.

use std::convert::Infallible;
use std::error::Error;

use backhaul::Body;
use bytes::Bytes;
use http::Response;
use hyper::service::service_fn;

mod server;

static ANSWER: [u8; 1024] = [b'x'; 1024];

fn main() -> Result<(), Box<dyn Error>> {
    server::serve(async {
        Ok(|_| {
            service_fn(|_| async {
                Ok::<_, Infallible>(Response::new(Body::from(Bytes::from_static(&ANSWER))))
            })
        })
    })
}
