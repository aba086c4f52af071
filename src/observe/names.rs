//! Every name that this crate tells the world about itself by: metrics, their labels and values, log
//! fields, spans and events. A name that stands nowhere here is not told.
//!
//! Names and labels do not change with a patch release. What a label can say is bounded, and never comes
//! from a client: see [`limits`](super::limits).

use crate::error::{Party, Stage};

/// A family of metrics.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Family {
    /// Its name, with the unit and `_total` of a counter.
    pub name: &'static str,
    /// What it says, in a sentence.
    pub help: &'static str,
    /// How it behaves.
    pub sort: Sort,
    /// The names of its labels, in order.
    pub labels: &'static [&'static str],
}

/// How a family of metrics behaves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Sort {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// It counts lengths of time by [`BOUNDS`].
    Histogram,
}

/// The backend service: its name, [`INLINE`], [`NONE`], or [`OTHER`].
pub const SERVICE: &str = "service";
/// The environment: its wire name, or [`NONE`].
pub const ENVIRONMENT: &str = "environment";
/// The API, as `group/name`, or [`OTHER`].
pub const API: &str = "api";
/// The status class of the answer: `1xx` to `5xx`, or [`NONE`] if its head was never handed out.
pub const STATUS: &str = "status";
/// Whose side a failure was: `client`, `gateway` or `backend`.
pub const PARTY: &str = "party";
/// How far the request had come; see [`stage`].
pub const STAGE: &str = "stage";
/// The code of [`ErrorKind::answer`](crate::ErrorKind::answer).
pub const CODE: &str = "code";
/// What a connection speaks: `http1` or `http2`.
pub const PROTOCOL: &str = "protocol";
/// Who made a change: `self`, this registry, or `others`, who share its store.
pub const BY: &str = "by";
/// Why a change was not made: see [`Reason`](super::Reason).
pub const REASON: &str = "reason";

/// Stands for a service or an API that is one too many: [`MAX_TARGETS`](super::limits::MAX_TARGETS) or
/// [`MAX_APIS`](super::limits::MAX_APIS) others came before it. No name begins with a bracket.
pub const OTHER: &str = "(other)";
/// Stands for the service of APIs that have a definition of their own.
pub const INLINE: &str = "(inline)";
/// Stands for what is not there: the service of a request that was not routed.
pub const NONE: &str = "(none)";

/// Upper bounds of a histogram's buckets, in microseconds; above the last there is one more. From a
/// cache's answer to the longest timeout that callers usually have.
pub const BOUNDS: [u64; 14] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 10_000_000, 60_000_000,
];

macro_rules! families {
    ($($constant:ident $sort:ident $name:literal [$($label:ident),*] $help:literal;)*) => {
        $(
            #[doc = concat!("`", $name, "`: ", $help)]
            pub const $constant: Family = Family {
                name: $name,
                help: $help,
                sort: Sort::$sort,
                labels: &[$($label),*],
            };
        )*

        /// All of them, in the order of this file.
        pub const FAMILIES: &[Family] = &[$($constant),*];
    };
}

families! {
    REQUESTS Counter "backhaul_requests_total" [SERVICE, ENVIRONMENT, STATUS]
        "Requests that ended, by the status class of their answer.";
    API_REQUESTS Counter "backhaul_api_requests_total" [API, ENVIRONMENT, STATUS]
        "Requests that ended, by the API they were for; those that were not routed are left out.";
    SUPERSEDED_REQUESTS Counter "backhaul_superseded_requests_total" [SERVICE, ENVIRONMENT]
        "Requests that ended after the definition they entered with had been replaced.";
    FAILURES Counter "backhaul_failures_total" [SERVICE, ENVIRONMENT, PARTY, STAGE, CODE]
        "Requests that failed, by whose side it was and how far they had come.";
    ABORTED_REQUESTS Counter "backhaul_aborted_requests_total" [SERVICE, ENVIRONMENT, STAGE]
        "Requests whose client went away before the end; nobody's failure.";
    REQUEST_DURATION Histogram "backhaul_request_duration_seconds" [SERVICE, ENVIRONMENT]
        "From a request's head to the last byte of its answer.";
    BACKEND_DURATION Histogram "backhaul_backend_duration_seconds" [SERVICE, ENVIRONMENT]
        "From handing a request to its backend to the head of the answer.";
    REQUEST_BYTES Counter "backhaul_request_body_bytes_total" [SERVICE, ENVIRONMENT]
        "Bytes of requests' bodies that backends took.";
    RESPONSE_BYTES Counter "backhaul_response_body_bytes_total" [SERVICE, ENVIRONMENT]
        "Bytes of answers' bodies that were handed to the server.";
    IN_FLIGHT Gauge "backhaul_requests_in_flight" [SERVICE, ENVIRONMENT]
        "Requests that were routed and have not ended.";
    CONNECTIONS_OPENED Counter "backhaul_connections_opened_total" [SERVICE, ENVIRONMENT, PROTOCOL]
        "Connections to backends that were made.";
    CONNECTION_DURATION Histogram "backhaul_connection_setup_seconds" [SERVICE, ENVIRONMENT]
        "How long making a connection to a backend took, name and TLS included.";
    CONNECTIONS_REUSED Counter "backhaul_connections_reused_total" [SERVICE, ENVIRONMENT]
        "Times that a request went out on a connection that was idle.";
    CONNECTIONS_OPEN Gauge "backhaul_connections_open" [SERVICE, ENVIRONMENT]
        "Connections to backends that are open.";
    CONNECTIONS_IDLE Gauge "backhaul_connections_idle" [SERVICE, ENVIRONMENT]
        "Connections to backends that no request uses.";
    REQUESTS_WAITING Gauge "backhaul_requests_waiting" [SERVICE, ENVIRONMENT]
        "Requests that wait for a place in the pool of their backend.";
    WAITS Counter "backhaul_waits_total" [SERVICE, ENVIRONMENT]
        "Requests that had to wait for a place in the pool of their backend.";
    BUSY Counter "backhaul_busy_total" [SERVICE, ENVIRONMENT]
        "Requests that waited for a place in vain.";
    REVISION Gauge "backhaul_revision" []
        "The newest revision that is served.";
    REVISIONS Counter "backhaul_revisions_applied_total" [BY]
        "Changes that became visible.";
    REFUSED Counter "backhaul_changes_refused_total" [REASON]
        "Changes that were not made.";
    DRAINING Gauge "backhaul_definitions_draining" []
        "Definitions that were replaced and still have requests or connections.";
    DRAINS Histogram "backhaul_drain_duration_seconds" []
        "From replacing a definition to the end of its last request and connection.";
}

/// The span of a request from the call of its backend to the head of the answer, at level info, with `id`,
/// [`SERVICE`], [`ENVIRONMENT`] and `generation` (feature `tracing`). What a backend logs stands in it.
pub const REQUEST_SPAN: &str = "backhaul.request";
/// The target of the span and of all events (feature `tracing`).
pub const TARGET: &str = "backhaul";
/// The event of a request's end, at level debug; at warn where the backend or this gateway failed: clients
/// cannot fill a log that takes no more.
pub const REQUEST_ENDED: &str = "request ended";
/// The event of a connection that was made, at level debug.
pub const CONNECTION_OPENED: &str = "connection opened";
/// The event of a connection that was closed, at level debug.
pub const CONNECTION_CLOSED: &str = "connection closed";
/// The event of a request that waited for a place in a pool, at level debug.
pub const REQUEST_WAITED: &str = "request waited";
/// The event of a revision that became visible, at level info.
pub const REVISION_APPLIED: &str = "revision applied";
/// The event of a change that was not made, at level warn.
pub const CHANGE_REFUSED: &str = "change refused";
/// The event of a definition that was replaced, at level info.
pub const DRAIN_BEGUN: &str = "drain begun";
/// The event of a replaced definition's last request and connection, at level info.
pub const DRAIN_ENDED: &str = "drain ended";

/// Fields of an access log's line. Up to [`FRONT_RESPONSE_END`](field::FRONT_RESPONSE_END) they are the
/// modelled system's, whose others are bodies, which are never logged, or not known here. What is not there is
/// left out. Moments are RFC 3339, latencies whole milliseconds, sizes bytes.
pub mod field {
    macro_rules! fields {
        ($($constant:ident $name:literal $meaning:literal;)*) => {
            $(
                #[doc = concat!("`", $name, "`: ", $meaning)]
                pub const $constant: &str = $name;
            )*

            /// All of them.
            pub const ALL: &[&str] = &[$($constant),*];
        };
    }

    fields! {
        REQUEST_ID "RequestId" "what its answer and its backend have in `X-Ca-Request-Id`.";
        API_NAME "ApiName" "the API's name within its group.";
        GROUP_NAME "GroupName" "the API's group.";
        STAGE_NAME "StageName" "the environment.";
        DOMAIN "Domain" "the host as received.";
        HTTP_METHOD "HttpMethod" "the method.";
        HTTP_PATH "HttpPath" "the path as received.";
        REQUEST_QUERY_STRING "RequestQueryString" "the query, without secrets.";
        REQUEST_PROTOCOL "RequestProtocol" "the version its client spoke.";
        REQUEST_HEADERS "RequestHeaders" "the headers, without secrets; only if asked for.";
        REQUEST_SIZE "RequestSize" "bytes of the body that the backend took.";
        RESPONSE_SIZE "ResponseSize" "bytes of the answer's body that were handed to the server.";
        STATUS_CODE "StatusCode" "the answer's status; absent if its head was never handed out.";
        ERROR_CODE "ErrorCode" "of a failure, and of a request whose client went away.";
        ERROR_MESSAGE "ErrorMessage" "what a client is told of the failure.";
        EXCEPTION "Exception" "what lies behind the failure; it may name addresses.";
        CLIENT_IP "ClientIp" "the client's address, as far as it is believed.";
        CLIENT_NONCE "ClientNonce" "`X-Ca-Nonce`.";
        CONSUMER_APP_KEY "ConsumerAppKey" "`X-Ca-Key`, which is a name and no secret.";
        APP_NAME "AppName" "the application it was admitted as.";
        TOTAL_LATENCY "TotalLatency" "from its head to its end.";
        SERVICE_LATENCY "ServiceLatency" "from its backend's call to the head of the answer.";
        FRONT_REQUEST_START "FrontRequestStart" "when its head was there.";
        BACKEND_REQUEST_START "BackendRequestStart" "when it was handed to its backend.";
        BACKEND_RESPONSE_START "BackendResponseStart" "when the answer's head was there.";
        FRONT_RESPONSE_END "FrontResponseEnd" "when it ended.";
        BACKEND_SERVICE "BackendService" "the backend service; absent for a definition of an API's own.";
        GENERATION "Generation" "the revision that made the definition it entered with.";
        SUPERSEDED "Superseded" "`true` if that was replaced before its end.";
        OUTCOME "Outcome" "`answered`, `failed`, or `aborted` by its client.";
        PARTY "Party" "whose side a failure was.";
        STAGE "FailureStage" "how far a request had come that failed or was aborted.";
        DEBUG "Debug" "`true` if it was run by `Gateway::debug`.";
        LINES_DROPPED "LinesDropped" "how many lines are missing before this one, which says nothing else.";
    }
}

/// What [`STAGE`] says of a stage.
#[must_use]
pub fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Receive => "receive",
        Stage::Route => "route",
        Stage::Admit => "admit",
        Stage::Map => "map",
        Stage::Call => "call",
        Stage::Connect => "connect",
        Stage::Request => "request",
        Stage::Response => "response",
    }
}

/// What [`PARTY`] says of a party.
#[must_use]
pub fn party(party: Party) -> &'static str {
    match party {
        Party::Client => "client",
        Party::Gateway => "gateway",
        Party::Backend => "backend",
    }
}
