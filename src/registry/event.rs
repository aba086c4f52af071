//! What a change did.

use crate::model::Revision;
use crate::model::id::{ApiId, EnvironmentId, ServiceId};

use super::shared::IdSet;

/// One thing a change did to what callers can reach. Edits of drafts, names and descriptions make no
/// events.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A service means something where it meant nothing: a new epoch, nothing published yet.
    Defined { service: ServiceId, environment: EnvironmentId },
    /// A definition was replaced: these APIs moved.
    Updated { service: ServiceId, environment: EnvironmentId, apis: IdSet },
    /// A definition was deleted: these APIs were unpublished.
    Undefined { service: ServiceId, environment: EnvironmentId, apis: IdSet },
    /// An API was published; it may have been before.
    Published { api: ApiId, environment: EnvironmentId, before: Option<Revision> },
    /// An API was taken offline.
    Unpublished { api: ApiId, environment: EnvironmentId },
    /// A dormant publication was given up, because of this change.
    Displaced { api: ApiId, environment: EnvironmentId },
}
