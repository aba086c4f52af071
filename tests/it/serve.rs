//! A gateway on sockets, as clients see it. Tests are named after the cases they decide.

mod abuse;
mod bodies;
mod drain;
mod floods;
mod frames;
mod framing;
mod harness;
mod http2;
pub(crate) mod reasons;
mod requests;
mod rests;
mod slow;
mod time;
mod tls;
