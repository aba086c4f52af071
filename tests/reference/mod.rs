//! What the crate must agree with, written to be obviously right: plain vectors and maps, linear
//! scans, nothing shared with the crate itself. `against` and `routing` are where both meet.
//!
//! Used by the tests here and, by path, by the fuzz targets.

pub(crate) mod against;
pub(crate) mod edit;
pub(crate) mod history;
pub(crate) mod model;
pub(crate) mod named;
pub(crate) mod plan;
mod publication;
pub(crate) mod router;
pub(crate) mod routing;
mod service;
mod undo;
pub(crate) mod world;

#[cfg(test)]
mod tests;
