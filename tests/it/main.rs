//! Everything that is tried from outside: one binary, one module per topic.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in a test a broken expectation is a failure, also in its helpers"
)]

mod architecture;
mod conformance;
mod drain;
mod gateway;
mod http_backend;
mod interleavings;
mod load;
mod mock_backend;
#[path = "../reference/mod.rs"]
mod reference;
mod rules;
mod served;
mod transport;
