//! What can go wrong while a request is on its way.
//!
//! Every failure says what happened ([`ErrorKind`]), whose side it was ([`Party`]), how far the
//! request had come ([`Stage`]), for which service, environment and generation, and whether trying
//! again can help ([`Retry`]). What a client sees is computed in one place, [`ErrorKind::answer`].

use std::error::Error as StdError;
use std::fmt;

use http::StatusCode;

use crate::model::{Environment, Revision, ServiceName};

mod kind;

pub use self::kind::{Answer, ErrorKind, Party, Retry, Stage};

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A request that got no response from its backend.
///
/// A 5xx *response* is not an error; it is a response.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    stage: Stage,
    retry: Retry,
    context: String,
    place: Option<Place>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// Where a failure happened: which definition of which service served the request.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Place {
    /// The backend service; absent for an API with its own definition.
    pub service: Option<ServiceName>,
    /// The environment.
    pub environment: Environment,
    /// The revision that made the definition what it is.
    pub generation: Revision,
}

impl Place {
    /// A place.
    #[must_use]
    pub fn new(
        service: Option<ServiceName>,
        environment: Environment,
        generation: Revision,
    ) -> Self {
        Self { service, environment, generation }
    }
}

impl Error {
    /// A failure of `kind`, for backends written outside this crate.
    ///
    /// Say the truth about `retry`: it decides whether a POST may be sent again.
    pub fn new(kind: ErrorKind, retry: Retry, context: impl Into<String>) -> Self {
        let (stage, context) = (kind.usual_stage(), context.into());
        Self(Box::new(Inner { kind, stage, retry, context, place: None, source: None }))
    }

    /// The same failure with what lies behind it, for logs; clients never see it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The same failure at another stage than its kind usually has.
    #[must_use]
    pub fn at_stage(mut self, stage: Stage) -> Self {
        self.0.stage = stage;
        self
    }

    /// The same failure at a place, unless it has one already.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.0.place.get_or_insert(place);
        self
    }

    /// What happened.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whose side it was.
    #[must_use]
    pub fn party(&self) -> Party {
        self.0.kind.party()
    }

    /// How far the request had come.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.0.stage
    }

    /// Whether another attempt can help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// Which definition of which service served the request, where one did.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    /// What it was about, for the client's eyes too.
    #[must_use]
    pub fn context(&self) -> &str {
        &self.0.context
    }

    /// The status the client should see.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.kind.answer().status
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, stage, context, place, .. } = &*self.0;
        write!(f, "{kind}: {context} ({:?} while {stage:?}", kind.party())?;
        if let Some(Place { service, environment, generation }) = place {
            match service {
                Some(service) => write!(f, ", service {service}")?,
                None => f.write_str(", inline definition")?,
            }
            write!(f, " in {environment}, generation {generation}")?;
        }
        f.write_str(")")
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("party", &self.party())
            .field("stage", &self.0.stage)
            .field("retry", &self.0.retry)
            .field("context", &self.0.context)
            .field("place", &self.0.place)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self.0.source.as_deref()?)
    }
}
