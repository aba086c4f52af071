//! What can be asked of the model, and what it may answer.

/// One edit. Names of APIs are given with their group: `(group, name)`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Edit {
    Service { name: String, kind: String },
    RenameService { from: String, to: String },
    DeleteService { name: String },
    Define { service: String, environment: String, kind: String, to: String },
    Update { service: String, environment: String, kind: String, to: String },
    Promote { service: String, from: String, to: String },
    DeleteDefinition { service: String, environment: String },
    Group { name: String, host: String, base_path: String },
    DeleteGroup { name: String },
    Api { name: ApiName, api: Api },
    DeleteApi { name: ApiName },
    Publish { api: ApiName, environment: String },
    Switch { api: ApiName, environment: String, version: u64 },
    Unpublish { api: ApiName, environment: String },
    Undo(Undo),
}

/// What of a revision is taken back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Undo {
    pub(crate) revision: u64,
    pub(crate) values: bool,
    pub(crate) partly: bool,
}

pub(crate) type ApiName = (String, String);

/// Why an edit is refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Refusal {
    UnknownService,
    UnknownGroup,
    UnknownApi,
    NameTaken,
    KindImmutable,
    KindMismatch,
    NoDefinition,
    NotPublished,
    NoVersion,
    InUse,
    RouteTaken,
    HostTaken,
    NotInHistory,
    /// With the later revisions, the oldest first.
    Touched(Vec<u64>),
    Missing,
    Limit,
}

/// What an API is: as a draft, and frozen in a publication.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Api {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) backend: Backend,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Backend {
    Service(String),
    /// A definition of its own, leading there.
    Inline(String),
}
