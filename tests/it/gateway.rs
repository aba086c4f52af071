//! The gateway over real sockets: raw bytes from clients, raw bytes at origins.

mod acceptance;
mod answers;
mod forwarding;
mod framing;
mod harness;
mod mounting;
mod selection;
mod streaming;
mod time;
