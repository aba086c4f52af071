//! What observers are told, and what is made of it.

mod attribution;
mod changes;
mod connections;
mod ended;
#[cfg(feature = "metrics")]
mod facade;
mod log;
mod metrics;
mod recorder;
#[cfg(feature = "server")]
mod refused;
mod text;
#[cfg(feature = "tracing")]
mod tracing;
#[cfg(feature = "server")]
mod tunnel;
