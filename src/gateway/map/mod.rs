//! What of a request's parameters its backend receives, under which name and where: measured by the
//! rules that were read when the API was accepted.
//!
//! | file | question |
//! |---|---|
//! | `values` | what did the client send? |
//! | `target` | what is written where? |
//! | `multipart` | and in a body with files? |
//! | `head` | which headers go on? |
//! | `trial` | what becomes of one request, for fuzzing? |

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use super::forward::Source;
use super::limits::MAX_MAPPED_URI;
use super::receive::refused;
use crate::error::{Error, ErrorKind, Result};
use crate::model::api::Mode;
use crate::model::mapping::{Added, Addition, Encoding, Origin, Rule, Rules, Target, Unfit};
use crate::model::parameter::System;

mod head;
mod multipart;
mod target;
#[cfg(any(test, fuzzing))]
pub(super) mod trial;
mod values;

pub(super) use self::head::keep;
use self::multipart::Part;
use self::target::Writing;
use self::values::{Values, failed};

/// What the gateway knows of a request. What it does not know, the backend is not told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Facts<'a> {
    pub(super) client_ip: Option<&'a HeaderValue>,
    pub(super) domain: Option<&'a str>,
    /// RFC 3339 in UTC.
    pub(super) handle_time: Option<&'a str>,
    pub(super) app_id: Option<&'a str>,
    pub(super) request_id: Option<&'a HeaderValue>,
    /// `http` or `https`.
    pub(super) http_schema: Option<&'a str>,
    pub(super) proxy: Option<&'a str>,
}

/// A request's parameters as its backend receives them.
#[derive(Debug)]
pub(super) struct Mapped {
    /// In origin form.
    pub(super) uri: Uri,
    /// The body instead of the client's, where the API takes it apart; `None`: there was none, and there
    /// is none.
    pub(super) form: Option<Bytes>,
    /// Its Content-Type, where that is always another one.
    content_type: Option<HeaderValue>,
    head: Vec<(HeaderName, HeaderValue)>,
}

impl Facts<'_> {
    /// What is at hand as a header's value.
    fn header(&self, name: System) -> Option<&HeaderValue> {
        match name {
            System::CaClientIp => self.client_ip,
            System::CaRequestId => self.request_id,
            _ => None,
        }
    }

    fn value(&self, name: System) -> Option<&str> {
        match name {
            System::CaClientIp | System::CaRequestId => self.header(name)?.to_str().ok(),
            System::CaDomain => self.domain,
            System::CaRequestHandleTime => self.handle_time,
            System::CaAppId => self.app_id,
            System::CaHttpSchema => self.http_schema,
            System::CaProxy => self.proxy,
        }
    }
}

/// Maps a request's parameters, or refuses them. Nothing has been changed then.
///
/// `headers` are those that were received, `form` is the whole body where the rules read one.
pub(super) fn map(
    rules: &Rules,
    source: &Source<'_>,
    headers: &HeaderMap,
    form: Option<&[u8]>,
    facts: &Facts<'_>,
) -> Result<Mapped> {
    let form = form.filter(|_| rules.reads_form()).unwrap_or_default();
    let parts = match rules.form {
        Some(encoding) => received(encoding, headers, form)?,
        None => Vec::new(),
    };
    let values = Values::read(rules, source, headers, form, &parts)?;
    let mut writing = Writing::new(rules, source.query);
    for (index, rule) in rules.parameters.iter().enumerate() {
        match rule.origin {
            Origin::File => file(&mut writing, rule, &parts)?,
            _ => parameter(&mut writing, rule, values.of(index))?,
        }
    }
    for addition in &rules.additions {
        added(&mut writing, addition, facts)?;
    }
    if rules.mode != Mode::Mapping {
        writing.unknown(rules, source, form, &parts);
    }
    let uri = uri(rules, source, &writing)?;
    let written = rules.reads_form() && !(form.is_empty() && writing.has_no_form());
    let (form, content_type) = if written { writing.form()? } else { (None, None) };
    Ok(Mapped { uri, form, content_type, head: writing.head })
}

/// What a body has to be, and its parts if it has any.
fn received<'a>(encoding: Encoding, headers: &HeaderMap, form: &'a [u8]) -> Result<Vec<Part<'a>>> {
    check_content(encoding, headers, form.is_empty())?;
    match head::boundary(headers) {
        Some(boundary) if encoding == Encoding::Parts && !form.is_empty() => {
            multipart::read(boundary, form).map_err(|reason| failed(ErrorKind::InvalidBody, reason))
        }
        _ => Ok(Vec::new()),
    }
}

impl Mapped {
    /// Adds the headers, once everything else about them is done: what a client lists in `Connection` must
    /// not take away what is added here.
    pub(super) fn write_head(&mut self, rules: &Rules, headers: &mut HeaderMap) {
        let form = self.form.as_ref().map(|form| (form.len(), self.content_type.take()));
        head::write(rules, std::mem::take(&mut self.head), form, headers);
    }
}

/// Refuses a body that the rules cannot take apart: it is no form, or nobody can tell. To be asked before
/// a body is read whole, too.
pub(super) fn check_content(encoding: Encoding, headers: &HeaderMap, is_empty: bool) -> Result<()> {
    if is_empty || head::has_form(encoding, headers) {
        return Ok(());
    }
    Err(refused(
        ErrorKind::InvalidContentType,
        match encoding {
            Encoding::Pairs => "is not a form in UTF-8",
            Encoding::Parts => "is not a form of parts in UTF-8",
        },
    ))
}

/// Writes a file. Of several, the first counts.
fn file<'a>(writing: &mut Writing<'a>, rule: &Rule, parts: &[Part<'a>]) -> Result<()> {
    let found = parts.iter().find(|part| part.is_called(&rule.name) && !part.is_no_file());
    match found {
        Some(part) if part.file_name.is_none() => Err(invalid(&rule.name, "is not a file")),
        Some(part) => {
            writing.file(&rule.target, part);
            Ok(())
        }
        None if rule.required => Err(missing(&rule.name)),
        None => Ok(()),
    }
}

fn parameter<'v>(
    writing: &mut Writing<'_>,
    rule: &Rule,
    values: impl Iterator<Item = &'v str> + Clone,
) -> Result<()> {
    let mut found = false;
    for value in values.clone() {
        found = true;
        rule.check.accepts(value).map_err(|unfit| unfitting(&rule.name, unfit))?;
    }
    if found {
        return writing.write(&rule.target, &rule.name, values);
    }
    match &rule.default {
        _ if rule.required => Err(missing(&rule.name)),
        Some(default) => writing.write(&rule.target, &rule.name, default.iter().map(|it| &**it)),
        // There is no path without it.
        None if matches!(rule.target, Target::Path(_)) => Err(missing(&rule.name)),
        None => Ok(()),
    }
}

fn added(writing: &mut Writing<'_>, addition: &Addition, facts: &Facts<'_>) -> Result<()> {
    let Addition { target, value } = addition;
    match (value, target) {
        (Added::Header(value), Target::Header(name)) => {
            writing.header(name, value.clone());
            Ok(())
        }
        // Constants were looked at when the API was accepted.
        (Added::Header(_), _) => Ok(()),
        (Added::Constant(text), _) => writing.write(target, "", std::iter::once(&**text)),
        (Added::Known(name), Target::Header(header)) if facts.header(*name).is_some() => {
            let value = facts.header(*name).cloned();
            value.into_iter().for_each(|value| writing.header(header, value));
            Ok(())
        }
        (Added::Known(name), _) => match facts.value(*name) {
            Some(text) => writing.write(target, name.as_str(), std::iter::once(text)),
            None if matches!(target, Target::Path(_)) => Err(missing(name.as_str())),
            None => Ok(()),
        },
    }
}

fn uri(rules: &Rules, source: &Source<'_>, writing: &Writing<'_>) -> Result<Uri> {
    let room = source.path.canonical().len() + writing.query.len() + ROOM;
    let mut text = String::with_capacity(room);
    source.push_path(&mut text, rules.template.as_ref(), &writing.path);
    if !writing.query.is_empty() {
        text.push('?');
        text.push_str(&writing.query);
    } else if rules.mode != Mode::Mapping
        && !rules.reads_query
        && let Some(query) = source.query
    {
        source.push_query(&mut text, query);
    }
    let context = format_args!("more than {MAX_MAPPED_URI} bytes at the backend");
    if text.len() > MAX_MAPPED_URI {
        return Err(refused(ErrorKind::UrlTooLarge, context.to_string()));
    }
    PathAndQuery::from_maybe_shared(Bytes::from(text))
        .map(Uri::from)
        .map_err(|error| refused(ErrorKind::Internal, "mapped path").caused_by(error))
}

/// Room for what a template adds, so that few URIs are allocated twice.
const ROOM: usize = 64;

fn missing(name: &str) -> Error {
    refused(ErrorKind::MissingParameter, format!("`{name}`"))
}

fn invalid(name: &str, reason: &'static str) -> Error {
    unfitting(name, reason.into())
}

fn unfitting(name: &str, Unfit { kind, reason }: Unfit) -> Error {
    refused(kind, format!("`{name}` {reason}"))
}

#[cfg(test)]
mod tests;
