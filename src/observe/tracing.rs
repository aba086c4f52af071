//! What happens, as events of the crate `tracing`.

use ::tracing::{Level, event};

use super::event::{
    ChangeRefused, ConnectionClosed, ConnectionOpened, DrainBegun, DrainEnded, Outcome,
    RequestEnded, RequestWaited, RevisionApplied,
};
use super::names;
use super::observer::Observer;
use crate::error::{Party, Place};

/// Makes events of what happens; [`names`](super::names) has all of them with their levels. It installs no
/// subscriber: without one nothing happens.
///
/// A subscriber writes where the event is, on the way of a request: one that may block holds requests up.
/// [`AccessLog`](super::AccessLog) never does.
///
/// The span of a request is there with the feature, whether anybody observes or not.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Tracing;

impl Tracing {
    /// One that tells whatever subscriber there is.
    #[must_use]
    pub fn new() -> Self {
        Self
    }
}

fn service(place: &Place) -> &str {
    place.service.as_ref().map_or(names::INLINE, |service| service.as_str())
}

/// An event with what all of them say of a place.
macro_rules! at_place {
    ($level:expr, $place:expr, $name:expr, $($field:tt)*) => {
        event!(
            target: names::TARGET,
            $level,
            message = $name,
            service = service($place),
            environment = $place.environment.as_str(),
            generation = $place.generation.as_u64(),
            $($field)*
        )
    };
}

/// The event of a request's end, at one level or another.
macro_rules! request_ended {
    ($level:expr, $request:expr, $outcome:expr, $code:expr, $party:expr, $stage:expr) => {{
        let RequestEnded { place, api, .. } = $request;
        event!(
            target: names::TARGET,
            $level,
            message = names::REQUEST_ENDED,
            id = $request.id,
            service = place.map(|place| service(place)),
            environment = place.map(|place| place.environment.as_str()),
            generation = place.map(|place| place.generation.as_u64()),
            api = api.map(::tracing::field::display),
            outcome = $outcome,
            status = $request.status.map(|status| status.as_u16()),
            code = $code,
            party = $party,
            stage = $stage,
            took = ?$request.took,
        )
    }};
}

impl Observer for Tracing {
    fn request_ended(&self, request: &RequestEnded<'_>) {
        match request.outcome {
            Outcome::Answered => {
                let none: Option<&str> = None;
                request_ended!(Level::DEBUG, request, "answered", none, none, none);
            }
            Outcome::Aborted { stage } => {
                let (none, stage) = (None::<&str>, Some(names::stage(stage)));
                request_ended!(Level::DEBUG, request, "aborted", none, none, stage);
            }
            Outcome::Failed { kind, party, stage } => {
                let (code, stage) = (Some(kind.answer().code), Some(names::stage(stage)));
                let told = Some(names::party(party));
                match party {
                    Party::Client => {
                        request_ended!(Level::DEBUG, request, "failed", code, told, stage);
                    }
                    _ => request_ended!(Level::WARN, request, "failed", code, told, stage),
                }
            }
        }
    }

    fn connection_opened(&self, connection: &ConnectionOpened<'_>) {
        let (place, took) = (connection.pool.place(), connection.took);
        let protocol = connection.protocol.as_str();
        at_place!(Level::DEBUG, place, names::CONNECTION_OPENED, protocol, ?took);
    }

    fn connection_closed(&self, connection: &ConnectionClosed<'_>) {
        let (place, lived) = (connection.pool.place(), connection.lived);
        let protocol = connection.protocol.as_str();
        at_place!(Level::DEBUG, place, names::CONNECTION_CLOSED, protocol, ?lived);
    }

    fn request_waited(&self, request: &RequestWaited<'_>) {
        let (place, took, served) = (request.pool.place(), request.took, request.served);
        at_place!(Level::DEBUG, place, names::REQUEST_WAITED, served, ?took);
    }

    fn revision_applied(&self, applied: &RevisionApplied) {
        event!(
            target: names::TARGET,
            Level::INFO,
            message = names::REVISION_APPLIED,
            revision = applied.revision.as_u64(),
            superseded = applied.superseded,
            own = applied.own,
        );
    }

    fn change_refused(&self, change: &ChangeRefused<'_>) {
        event!(
            target: names::TARGET,
            Level::WARN,
            message = names::CHANGE_REFUSED,
            reason = change.reason.as_str(),
            why = change.message,
        );
    }

    fn drain_begun(&self, drain: &DrainBegun<'_>) {
        at_place!(Level::INFO, drain.place, names::DRAIN_BEGUN, by = drain.by.as_u64());
    }

    fn drain_ended(&self, drain: &DrainEnded<'_>) {
        let (by, took) = (drain.by.as_u64(), drain.took);
        at_place!(Level::INFO, drain.place, names::DRAIN_ENDED, by, ?took);
    }
}
