//! What it takes to try what others implement.
//!
//! For test code. **Not semver-stable**: anything here may change in any release.

pub mod store;
