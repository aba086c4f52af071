//! What would answer a request, without asking it.

use std::fmt;
use std::sync::Arc;

use http::Method;

use super::host::Authority;
use super::receive::{Asked, check_ascii, refused};
use super::route::{Question, Selected};
use super::{Gateway, Inner};
use crate::error::{ErrorKind, Place, Result};
use crate::model::path::RequestPath;
use crate::model::{ApiName, Environment, Revision, ServiceName};
use crate::store::record::PublicationRecord;

/// What would answer a request: plain values, which keep no backend alive.
pub struct Resolved<'a> {
    gateway: &'a Inner,
    selected: Chosen<'a>,
    place: Arc<Place>,
}

struct Chosen<'a> {
    publication: Arc<PublicationRecord>,
    path: RequestPath<'a>,
    base: usize,
}

impl Gateway {
    /// Which API would answer a request, and by which definition. No call is made; everything else
    /// is as if the request had come: the same look-up, the same refusals.
    ///
    /// `host` may have a port. `stage` is what `X-Ca-Stage` would say.
    ///
    /// # Errors
    ///
    /// The one a client would be answered.
    pub fn resolve<'a>(
        &'a self,
        method: &Method,
        host: &str,
        path: &'a str,
        stage: Option<&str>,
    ) -> Result<Resolved<'a>> {
        let authority = Authority::parse(host)
            .ok_or_else(|| refused(ErrorKind::InvalidHeader, "`Host` is not a host"))?;
        check_ascii(path)?;
        let question = Question {
            method,
            host: &authority.host,
            path,
            prefix: &self.0.prefix,
            stage: stage.map_or(Asked::Nothing, |name| Asked::One(name.as_bytes())),
            fixed: self.0.environment.as_ref(),
        };
        let snapshot = self.0.reader.current();
        let Selected { route, group, path, .. } = question.answer(&snapshot)?;
        let place = Arc::clone(route.target.place());
        let base = group.terms.base_segments;
        let selected = Chosen { publication: route.publication, path, base };
        Ok(Resolved { gateway: &self.0, selected, place })
    }
}

impl Resolved<'_> {
    /// The API; `None` if it was deleted since.
    #[must_use]
    pub fn api(&self) -> Option<ApiName> {
        self.gateway.reader.current().state().api_name(self.selected.publication.api)
    }

    /// The backend service; absent for an API with its own definition.
    #[must_use]
    pub fn service(&self) -> Option<&ServiceName> {
        self.place.service.as_ref()
    }

    /// The environment.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.place.environment
    }

    /// The revision that made the definition what it is.
    #[must_use]
    pub fn generation(&self) -> Revision {
        self.place.generation
    }

    /// The path's parameters by name, as received.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        let Chosen { publication, path, base } = &self.selected;
        let parameters = publication.version.pattern().parameters();
        parameters.map(move |(name, index)| (name, path.raw_segment(base + index)))
    }
}

impl fmt::Debug for Resolved<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolved").field("place", &self.place).finish_non_exhaustive()
    }
}
