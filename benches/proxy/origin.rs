//! Answers every request with 1 KiB from memory.

use std::io;

use backhaul::Body;
use bytes::Bytes;
use http::Response;

mod server;

static ANSWER: [u8; 1024] = [b'x'; 1024];

fn main() -> io::Result<()> {
    server::serve(async { |_, _| async { Response::new(Body::from(Bytes::from_static(&ANSWER))) } })
}
