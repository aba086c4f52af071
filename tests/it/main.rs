//! Everything that is tried from outside, one module per topic.

mod conformance;
mod http_backend;
mod mock_backend;
mod transport;
