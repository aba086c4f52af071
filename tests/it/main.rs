//! Everything that is tried from outside: one binary, one module per topic.

mod conformance;
mod http_backend;
mod mock_backend;
mod rules;
mod transport;
