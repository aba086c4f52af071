//! Everything that is tested from outside, in one binary: a link a file costs dearly.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in a test a broken expectation is a failure, also in its helpers"
)]

#[cfg(all(unix, feature = "document", feature = "server", feature = "store-redb"))]
mod acceptance;
mod admission;
mod agreement;
mod architecture;
mod conformance;
mod debug;
#[cfg(feature = "server")]
mod deploy;
#[cfg(feature = "document")]
mod desired;
mod diff;
#[cfg(feature = "server")]
mod differential;
mod drain;
mod egress;
mod files;
mod gateway;
#[cfg(feature = "server")]
mod hardening;
mod http_backend;
mod hygiene;
mod interleavings;
mod killed;
mod linearizable;
mod load;
mod malformed;
mod mapping;
mod mock_backend;
mod model_check;
mod names;
mod observe;
#[cfg(feature = "openapi")]
mod openapi;
mod probe;
mod publishing;
#[cfg(feature = "server")]
mod real;
#[cfg(feature = "store-redb")]
mod redb;
#[path = "../reference/mod.rs"]
mod reference;
mod rules;
#[cfg(feature = "server")]
mod serve;
mod served;
mod stores;
mod transport;
#[cfg(feature = "server")]
mod tunnels;
mod variables;
