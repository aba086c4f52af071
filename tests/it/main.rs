//! Everything that is tried from outside, one module per topic.

mod transport;
