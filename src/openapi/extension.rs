//! Keys that OpenAPI does not have.

/// What of an API OpenAPI has no words for: an object with the keys of `[[api]]`.
pub(super) const API: &str = "x-backhaul-api";
/// The same of a parameter: an object with the keys of `[[api.parameter]]`.
pub(super) const PARAMETER: &str = "x-backhaul-parameter";
/// An operation for every method, beside `get` and the others.
pub(super) const ANY_METHOD: &str = "x-backhaul-any-method";
/// Marks a security scheme that stands for our applications.
pub(super) const SCHEME: &str = "x-backhaul-scheme";
/// In [`PARAMETER`]: its place among the parameters of a form.
pub(super) const POSITION: &str = "position";

/// What the keys of the modelled system begin with (domain §3.1).
pub(super) const VENDOR: &str = "x-aliyun-apigateway-";
/// Those that are read, without [`VENDOR`]. The last but one is an old spelling of the one before.
pub(super) const VENDOR_KEYS: [&str; 7] = [
    "any-method",
    "auth-type",
    "backend",
    "backend-name",
    "parameter-handling",
    "paramater-handling",
    "force-nonce-check",
];
