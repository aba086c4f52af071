//! The head of a request as its backend receives it.

use http::HeaderName;
use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::uri::{PathAndQuery, Uri};

use super::admit;
use super::hop::{self, Class, Seen};
use super::pairs::pairs;
use super::peer::Peer;
use super::via::Via;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::model::path::{PathTemplate, RequestPath};

/// Where a request's path and query come from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    /// The path, below what the gateway is mounted at.
    pub(super) path: &'a RequestPath<'a>,
    pub(super) query: Option<&'a str>,
    /// Segments of the group's base path.
    pub(super) base: usize,
    /// Segments of the API's path before its `*`.
    pub(super) before_tail: usize,
    pub(super) keep_app_code: bool,
    /// The group's own header for AppCodes.
    pub(super) code_header: Option<&'a HeaderName>,
}

impl Source<'_> {
    /// The URI in origin form: `template` filled in, or without one the path below the base path.
    pub(super) fn uri(&self, template: Option<&PathTemplate>) -> Result<Uri> {
        let query = self.query.map_or(0, str::len);
        let mut text = String::with_capacity(self.path.canonical().len() + query + SPARE);
        self.push_path(&mut text, template, &[]);
        if let Some(query) = self.query {
            self.push_query(&mut text, query);
        }
        let text = bytes::Bytes::from(text);
        PathAndQuery::from_maybe_shared(text).map(Uri::from).map_err(|error| {
            Error::new(ErrorKind::Internal, Retry::Never, "backend path").caused_by(error)
        })
    }

    /// Whether the request's own path and query are what the backend receives.
    pub(super) fn is_unchanged(&self) -> bool {
        self.base == 0 && (self.keep_app_code || !self.query.is_some_and(has_app_code))
    }

    /// Appends the path, with the values that `template` takes beside segments.
    pub(super) fn push_path(
        &self,
        text: &mut String,
        template: Option<&PathTemplate>,
        values: &[String],
    ) {
        let start = text.len();
        match template {
            Some(template) => template.render(
                text,
                |index| self.path.raw_segment(self.base + index),
                |index| values.get(index).map_or("", String::as_str),
                self.path.raw_tail(self.base + self.before_tail),
            ),
            None => text.push_str(self.path.raw_from(self.base)),
        }
        if text.len() == start {
            text.push('/');
        }
    }

    /// Appends the query as it was received.
    pub(super) fn push_query(&self, text: &mut String, query: &str) {
        if self.keep_app_code || !has_app_code(query) {
            text.push('?');
            text.push_str(query);
            return;
        }
        let mut separator = '?';
        for pair in query.split('&').filter(|pair| !has_app_code(pair)) {
            text.push(separator);
            text.push_str(pair);
            separator = '&';
        }
    }
}

/// Room for what a template adds, so that few URIs are allocated twice.
const SPARE: usize = 32;

fn has_app_code(query: &str) -> bool {
    pairs(query.as_bytes()).any(|pair| pair.is_called(admit::PARAMETER))
}

/// What the gateway knows of a request that its backend is told.
#[derive(Debug)]
pub(super) struct Told<'a> {
    pub(super) id: HeaderValue,
    pub(super) peer: Option<&'a Peer>,
    /// Whether the peer's own account of where the request came from is believed.
    pub(super) trusted: bool,
    /// Whether the backend is sent the client's `Host`.
    pub(super) keep_host: bool,
    pub(super) keep_app_code: bool,
    pub(super) via: &'a Via,
    /// How often the request may be forwarded after this time, where it says so.
    pub(super) max_forwards: Option<u32>,
    /// The length the body really has, where that is known.
    pub(super) length: Option<u64>,
    /// Headers that are added after these.
    pub(super) more: usize,
}

/// Headers that are added to a request.
const ADDED: usize = 7;

/// Makes a request's headers those its backend receives.
pub(super) fn head(parts: &mut Parts, seen: Seen, told: &Told<'_>) {
    let headers = &mut parts.headers;
    // Once, for all that is added below and the Host that the backend adds.
    headers.reserve(ADDED + told.more);
    if seen.has(Class::HopByHop) {
        let kept = hop::Trailers::of(headers, parts.version, told.length.is_none());
        hop::remove(headers, seen);
        kept.put_back(headers);
    } else {
        hop::remove(headers, seen);
    }
    if seen.has(Class::Shadow) {
        hop::remove_shadows(headers);
    }
    if seen.has(Class::Expect) {
        headers.remove(header::EXPECT);
    }
    if seen.has(Class::Authorization) && !told.keep_app_code {
        strip_app_code(headers);
    }
    if seen.has(Class::Forwarded) && !told.trusted {
        headers.remove(header::FORWARDED);
    }
    if seen.has(Class::Cookie) {
        hop::join_cookies(headers);
    }
    if seen.has(Class::Repeated) {
        hop::collapse(headers);
    }
    if let Some(left) = told.max_forwards {
        headers.insert(header::MAX_FORWARDS, HeaderValue::from(left));
    }
    frame(headers, seen, told.length);
    let host = host(headers, &parts.uri, told.keep_host);
    let mut tell = |class, name, value| {
        let before = seen.has(class);
        tell(headers, name, value, before, told.trusted);
    };
    let (addr, scheme) = match told.peer {
        Some(peer) => (Some(peer.text().clone()), Some(peer.scheme().text())),
        None => (None, None),
    };
    tell(Class::ForwardedFor, &hop::FORWARDED_FOR, addr);
    tell(Class::ForwardedProto, &hop::FORWARDED_PROTO, scheme);
    tell(Class::ForwardedHost, &hop::FORWARDED_HOST, host);
    let via = told.via.line(parts.version);
    if seen.has(Class::Via) {
        headers.append(header::VIA, via.clone());
    } else {
        headers.insert(header::VIA, via.clone());
    }
    headers.insert(&hop::REQUEST_ID, told.id.clone());
}

/// Takes the client's host out, or leaves it and hands out a copy.
fn host(headers: &mut HeaderMap, uri: &Uri, keep: bool) -> Option<HeaderValue> {
    let from_uri = || HeaderValue::try_from(uri.authority()?.as_str()).ok();
    if !keep {
        return headers.remove(header::HOST).or_else(from_uri);
    }
    let host = headers.get(header::HOST).cloned().or_else(from_uri)?;
    headers.insert(header::HOST, host.clone());
    Some(host)
}

/// Makes `Content-Length` say what is true, in one line, or nothing.
fn frame(headers: &mut HeaderMap, seen: Seen, length: Option<u64>) {
    if !seen.has(Class::ContentLength) {
        return;
    }
    let Some(length) = length else {
        headers.remove(header::CONTENT_LENGTH);
        return;
    };
    let value = HeaderValue::from(length);
    let mut lines = headers.get_all(header::CONTENT_LENGTH).iter();
    if lines.next() != Some(&value) || lines.next().is_some() {
        headers.insert(header::CONTENT_LENGTH, value);
    }
}

fn tell(
    headers: &mut HeaderMap,
    name: &'static HeaderName,
    value: Option<HeaderValue>,
    before: bool,
    trusted: bool,
) {
    match value {
        Some(value) if before && trusted => {
            let mut list = Vec::new();
            for line in headers.get_all(name) {
                list.extend_from_slice(line.as_bytes());
                list.extend_from_slice(b", ");
            }
            list.extend_from_slice(value.as_bytes());
            headers.insert(name, HeaderValue::try_from(list).unwrap_or(value));
        }
        Some(value) => {
            headers.insert(name, value);
        }
        None if before && !trusted => {
            headers.remove(name);
        }
        None => {}
    }
}

fn strip_app_code(headers: &mut HeaderMap) {
    let carries = |value: &HeaderValue| admit::carried(value).is_some();
    if headers.get_all(header::AUTHORIZATION).iter().any(carries) {
        headers.remove(header::AUTHORIZATION);
    }
}

#[cfg(test)]
mod tests;
