//! What a change did.

use crate::model::Revision;
use crate::model::id::{ApiId, EnvironmentId, ServiceId};

use super::shared::IdSet;

/// One thing a change did to what callers can reach. Edits of drafts, names and descriptions make no
/// events, nor does a definition nothing is published by yet.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A definition was replaced: these APIs moved.
    Updated { service: ServiceId, environment: EnvironmentId, apis: IdSet },
    /// A definition was deleted: these APIs were unpublished.
    Undefined { environment: EnvironmentId, apis: IdSet },
    /// An API was published; it may have been before.
    Published { api: ApiId, environment: EnvironmentId, before: Option<Revision> },
    /// An API was taken offline.
    Unpublished { api: ApiId, environment: EnvironmentId },
    /// A dormant publication was given up, because of this change.
    Displaced { api: ApiId, environment: EnvironmentId },
}
