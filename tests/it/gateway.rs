//! The gateway over real sockets: raw bytes from clients, raw bytes at origins.

mod acceptance;
mod answers;
mod every_code;
mod forwarding;
mod framing;
pub(crate) mod harness;
mod mounting;
mod selection;
mod streaming;
mod time;
