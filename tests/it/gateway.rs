//! The gateway over real sockets: raw bytes from clients, raw bytes at origins.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what cannot be set up fails the test"
)]

mod acceptance;
mod answers;
mod forwarding;
mod framing;
mod harness;
mod mounting;
mod selection;
mod streaming;
mod time;
