//! The mapping of one request: done as soon as everything that it needs is there.

use std::sync::Arc;

use http::request::Parts;
use http::{HeaderName, Uri};

use super::forward::Source;
use super::known::Known;
use super::map::{self, Mapped};
use crate::error::Result;
use crate::model::mapping::{Encoding, Rules};
use crate::model::path::RequestPath;

/// What is to be done to a request's parameters, and what came of it.
#[derive(Debug)]
pub(super) struct Mapping {
    pub(super) rules: Arc<Rules>,
    pub(super) known: Known,
    /// The client's headers that go on where only what is mapped does.
    pub(super) passed_on: Arc<[HeaderName]>,
    pub(super) base: usize,
    pub(super) before_tail: usize,
    pub(super) keep_app_code: bool,
    /// The group's own header for AppCodes.
    pub(super) code_header: Option<HeaderName>,
    pub(super) mapped: Option<Mapped>,
}

impl Mapping {
    /// Whether it waits for the whole body.
    pub(super) fn reads_form(&self) -> bool {
        self.rules.reads_form()
    }

    /// How the body is written that it waits for, if it does.
    pub(super) fn form(&self) -> Option<Encoding> {
        self.rules.form
    }

    /// Maps what was received at `path`, below what the gateway is mounted at.
    pub(super) fn run(
        &mut self,
        parts: &Parts,
        path: &RequestPath<'_>,
        query: Option<&str>,
        form: Option<&[u8]>,
    ) -> Result<()> {
        let (base, before_tail) = (self.base, self.before_tail);
        let keep_app_code = self.keep_app_code;
        let code_header = self.code_header.as_ref();
        let source = Source { path, query, base, before_tail, keep_app_code, code_header };
        let facts = self.known.facts();
        self.mapped = Some(map::map(&self.rules, &source, &parts.headers, form, &facts)?);
        Ok(())
    }

    /// Takes away what of the client's headers goes no further.
    pub(super) fn keep(&self, parts: &mut Parts) {
        map::keep(&self.rules, &self.passed_on, &mut parts.headers);
    }

    /// Adds what was mapped to the head, once everything else about it is done. Hands out path and query at
    /// the backend.
    pub(super) fn write(&mut self, parts: &mut Parts) -> Option<Uri> {
        let mut mapped = self.mapped.take()?;
        mapped.write_head(&self.rules, &mut parts.headers);
        Some(mapped.uri)
    }
}
