//! Embeddable, environment-aware, transactional backend services for API gateways.
//!
//! Many APIs attach to one backend service. The service's endpoint is defined once per environment;
//! changing that one definition moves every API published there in the same instant, and deleting it
//! unpublishes them all. Applications mount the [`Gateway`] into their own hyper or axum server, or
//! embed only the [`Registry`].
//!
//! ```
//! use backhaul::{Api, Change, Environment, Gateway, Group, Http, Kind, Registry};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = Registry::in_memory().await?;
//! let publisher = registry.publisher("deploy-bot").because("orders moves house");
//! let live = Environment::PRODUCTION;
//! let setup = Change::new()
//!     .service("orders", Kind::HTTP)
//!     .define("orders", live.clone(), Http::to("http://10.0.0.7:8080"))
//!     .group("shop", Group::host("shop.example.com"))
//!     .api("shop/get_order", Api::get("/orders/[id]").service("orders", "/v1/orders/[id]"))
//!     .publish("shop/get_order", live.clone());
//! publisher.apply(setup).await?;
//! let app = axum::Router::new().fallback_service(Gateway::new(&registry));
//! # let _: axum::Router = app;
//! // … serve `app`, and one day move the service:
//! let change = Change::new().define("orders", live, Http::to("http://10.0.0.9:8080"));
//! let receipt = publisher.apply(change).await?; // from here on nothing new reaches 10.0.0.7
//! receipt.drained(std::time::Duration::from_secs(30)).await?; // 10.0.0.7 may be switched off
//! publisher.undo(receipt.revision()).await?; // or back again
//! # Ok(()) }
//! ```
//!
//! # The nouns
//!
//! | noun | meaning |
//! |---|---|
//! | [`BackendService`], [`Kind`] | what many APIs share: a name and an immutable kind |
//! | [`Environment`], [`Definition`] | where, and what the service means there: [`Http`], [`Mock`], [`Custom`], … |
//! | [`Group`], [`Api`] | hosts and a base path; method, path, and where requests go |
//! | [`App`], [`Grant`] | who calls, and what they may call where |
//! | [`VpcAccess`], [`ObjectGrant`], [`Credential`] | the rights that definitions refer to |
//! | [`Change`], [`Publisher`], [`Plan`], [`Receipt`] | what is to become true, who says so, what it would do, and what it did |
//! | [`Undo`] | what of an earlier change is taken back |
//! | [`Revision`] | the number of an accepted change |
//! | [`Registry`], [`Gateway`] | what is true now, and what serves it |
//! | [`Backend`], [`Call`], [`Body`] | what answers requests, and what it is given |
//! | [`Error`], [`ErrorKind`] | what happened, whose side it was, and what a client is told |
//!
//! # The life of a request
//!
//! ```text
//!  request ──► received ──► routed ──► rewritten ──► sent ──► answered ──► response
//!              framing,     host,      hop-by-hop    pool of   head cleaned,
//!              host, size   stage,     headers off,  the       body streamed
//!                           path       origin's URI  definition
//!                             ▲
//!                             │ one snapshot, swapped whole
//!  change ──► evaluated ──► compiled ──► committed ──► swapped ──► receipt
//! ```
//!
//! [`gateway`] is the upper line and never writes, [`publish`] and [`registry`] are the lower one and
//! never serve. They meet in one snapshot. [`manual`] tells both in detail.
//!
//! # The house
//!
//! A row may use the rows below it, never its own or those above; a test keeps it so.
//!
//! | modules | question |
//! |---|---|
//! | `openapi`, [`manual`], `serve`, `testing` | how do others write it down, how is it used, how does it stand on sockets, and how is it tried? |
//! | [`gateway`], [`publish`], `document` | how does a request go, how does something change, and how is it all written down? |
//! | [`registry`], [`backend::http`], [`backend::mock`] | what is true now, and how does a kind answer? |
//! | [`backend`], [`store`] | what is a backend, and where does state survive? |
//! | `sign` | who are we to a backend, and who is a caller? |
//! | [`transport`], [`observe`] | how do bytes travel, and who is told? |
//! | [`model`], [`error`], [`body`], [`time`], [`sync`] | what exists, what can go wrong, how do bytes flow, when, and how is it swapped? |
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `tls-aws-lc` (default) | HTTPS to backends by aws-lc-rs; needs a C compiler. Wins over `tls-ring` |
//! | `tls-ring` | HTTPS to backends by ring |
//! | `store-redb` (default) | a durable store in one file, [`store::RedbStore`], and dumps of it |
//! | `axum` | the client's address from axum's `ConnectInfo`, the full URI below axum's `nest` |
//! | `document` | desired-state documents in TOML, JSON and YAML: `document` |
//! | `server` | `serve::Server`: the gateway on sockets, with every deadline and limit it needs |
//! | `openapi` | OpenAPI 3 documents as drafts, and drafts as OpenAPI 3 documents: `openapi` |
//! | `metrics` | metrics for whatever recorder the crate `metrics` has: `observe::MetricsFacade` |
//! | `tracing` | a span for each request, and events: `observe::Tracing` |
//! | `redis` | nonces in Redis, shared by a fleet: `gateway::RedisNonces` |
//! | `schema` | parameters that are JSON are validated by a schema, [`model::Parameter::schema`] |
//! | `dns` | names are resolved by asking name servers, with their times to live: `transport::dns::HickoryResolver` |
//! | `full` | all of these |
//! | `testing` | a conformance suite and a scripted upstream. Not semver-stable |
//!
//! A feature adds, it never changes what is there. Without TLS an HTTPS definition is kept, and its
//! requests are answered `X503BZ`; without `schema` an API with one is kept, and answers `X501NI`.

use std::sync::Arc;

pub mod backend;
pub mod body;
#[cfg(feature = "document")]
pub mod document;
pub mod error;
#[cfg(fuzzing)]
pub mod fuzzing;
pub mod gateway;
pub mod manual;
pub mod model;
pub mod observe;
#[cfg(feature = "openapi")]
pub mod openapi;
pub mod publish;
pub mod registry;
#[cfg(feature = "server")]
pub mod serve;
mod sign;
pub mod store;
pub mod sync;
#[cfg(feature = "testing")]
pub mod testing;
pub mod time;
pub mod transport;

pub use crate::backend::{Backend, Call};
pub use crate::body::Body;
pub use crate::error::{Error, ErrorKind, Place, Result, Retry};
pub use crate::gateway::Gateway;
pub use crate::model::definition::{
    Custom, Discovery, EventBridge, FunctionCompute, Http, Mixed, Mock, Oss, Vpc,
};
pub use crate::model::{
    Api, ApiName, App, BackendService, Credential, Definition, Environment, Grant, Group,
    GroupName, InvalidDefinition, Kind, ObjectGrant, Revision, ServiceName, VpcAccess,
};
pub use crate::publish::{Plan, Publisher, Receipt};
pub use crate::registry::change::Undo;
pub use crate::registry::{Change, CommitError, Registry, Rejected};

/// The adapters of the kinds that are built in.
fn built_in_kinds() -> Vec<Arc<dyn backend::Factory>> {
    vec![Arc::new(backend::http::HttpFactory), Arc::new(backend::mock::MockFactory)]
}

/// The README's samples are tests too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
