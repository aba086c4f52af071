//! HTTP and HTTPS endpoints.
