//! What is written into the path, the query, the form and the headers of a backend's request.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};

use super::invalid;
use super::multipart::{Part, Piece, assemble};
use crate::error::{ErrorKind, Result, Stage};
use crate::gateway::admit::PARAMETER;
use crate::gateway::forward::Source;
use crate::gateway::limits::MAX_HEADER_BYTES;
use crate::gateway::pairs::{Pair, pairs};
use crate::gateway::receive::refused;
use crate::model::mapping::{
    Encoding, Field, Origin, Rules, Target, encode, encoded, header_value,
};

/// A request that is being written.
#[derive(Debug)]
pub(super) struct Writing<'a> {
    /// The values in the path, percent-encoded.
    pub(super) path: Vec<String>,
    pub(super) query: String,
    encoding: Option<Encoding>,
    /// The form, where it is pairs.
    pairs: Vec<u8>,
    /// The form, where it is parts.
    pieces: Vec<Piece<'a>>,
    pub(super) head: Vec<(HeaderName, HeaderValue)>,
    head_bytes: usize,
}

/// Room for what an API adds to a query, so that few are allocated twice.
const ROOM: usize = 64;

impl<'a> Writing<'a> {
    /// With room for what `rules` write, where most of it comes from `query`.
    pub(super) fn new(rules: &Rules, query: Option<&str>) -> Self {
        let room = if rules.reads_query { query.map_or(0, str::len) + ROOM } else { 0 };
        Self {
            path: vec![String::new(); rules.values],
            query: String::with_capacity(room),
            encoding: rules.form,
            pairs: Vec::new(),
            pieces: Vec::new(),
            head: Vec::with_capacity(rules.headers),
            head_bytes: 0,
        }
    }

    /// Writes the values of the parameter called `name` by its client.
    pub(super) fn write<'v>(
        &mut self,
        target: &Target,
        name: &str,
        values: impl Iterator<Item = &'v str>,
    ) -> Result<()> {
        match target {
            Target::Received => {}
            Target::Query(field) => {
                values.for_each(|value| push_query(&mut self.query, field, value))
            }
            Target::Form(field) if self.encoding == Some(Encoding::Parts) => {
                self.pieces.extend(values.map(|value| Piece::text(&field.name, value)));
            }
            Target::Form(field) => {
                values.for_each(|value| push_form(&mut self.pairs, field, value));
            }
            Target::Header(header) => {
                let text = joined(values);
                self.head_bytes += text.len();
                if self.head_bytes > MAX_HEADER_BYTES {
                    let context = format!("more than {MAX_HEADER_BYTES} bytes at the backend");
                    let error = refused(ErrorKind::HeadersTooLarge, context);
                    return Err(error.at_stage(Stage::Map));
                }
                let value = header_value(&text);
                let value = value.ok_or_else(|| invalid(name, "cannot stand in a header"))?;
                self.head.push((header.clone(), value));
            }
            Target::Path(index) => {
                // A path takes no arrays.
                for value in values {
                    target.takes(value).map_err(|reason| invalid(name, reason))?;
                    if let Some(slot) = self.path.get_mut(*index) {
                        *slot = encoded(value);
                    }
                }
            }
        }
        Ok(())
    }

    /// Writes a file, which goes to a form only.
    pub(super) fn file(&mut self, target: &Target, part: &Part<'a>) {
        if let Target::Form(field) = target {
            self.pieces.push(Piece::file(&field.name, part));
        }
    }

    /// Whether nothing was written into a form.
    pub(super) fn has_no_form(&self) -> bool {
        self.pairs.is_empty() && self.pieces.is_empty()
    }

    /// Takes the form, and its Content-Type if that is always another one.
    pub(super) fn form(&mut self) -> Result<(Option<Bytes>, Option<HeaderValue>)> {
        if self.encoding != Some(Encoding::Parts) {
            return Ok((Some(std::mem::take(&mut self.pairs).into()), None));
        }
        let (body, content_type) = assemble(&self.pieces)
            .map_err(|error| refused(ErrorKind::Internal, "boundary").caused_by(error))?;
        Ok((Some(body.into()), Some(content_type)))
    }

    /// Adds a header as it is.
    pub(super) fn header(&mut self, name: &HeaderName, value: HeaderValue) {
        self.head.push((name.clone(), value));
    }

    /// Writes what the API does not know, as it was received: nothing that has the name of something
    /// that was written, or could have been.
    pub(super) fn unknown(
        &mut self,
        rules: &Rules,
        source: &Source<'_>,
        form: &[u8],
        parts: &[Part<'a>],
    ) {
        let asked = |pair: &Pair<'_>, is_here: &dyn Fn(&Origin) -> bool| {
            rules.parameters.iter().any(|rule| is_here(&rule.origin) && pair.is_called(&rule.name))
        };
        if rules.reads_query {
            let known = |pair: &Pair<'_>| {
                let written = |target: &Target| match target {
                    Target::Query(field) => pair.is_called(&field.name),
                    _ => false,
                };
                asked(pair, &|origin| matches!(origin, Origin::Query))
                    || rules.targets().any(written)
                    || (!source.keep_app_code && pair.is_called(PARAMETER))
            };
            for raw in unknown(source.query.unwrap_or_default().as_bytes(), &known) {
                separate(&mut self.query);
                self.query.push_str(std::str::from_utf8(raw).unwrap_or_default());
            }
        }
        if rules.form == Some(Encoding::Parts) {
            let unknown = parts.iter().filter(|part| !is_known(rules, part));
            self.pieces.extend(unknown.map(Piece::received));
        } else if rules.reads_form() {
            let known = |pair: &Pair<'_>| {
                let written = |target: &Target| match target {
                    Target::Form(field) => pair.is_called(&field.name),
                    _ => false,
                };
                asked(pair, &|origin| matches!(origin, Origin::Form))
                    || rules.targets().any(written)
            };
            for raw in unknown(form, &known) {
                if !self.pairs.is_empty() {
                    self.pairs.push(b'&');
                }
                self.pairs.extend_from_slice(raw);
            }
        }
    }
}

/// Whether a part has, or may be taken to have, the name of something that is asked for or written.
fn is_known(rules: &Rules, part: &Part<'_>) -> bool {
    let asked = rules.parameters.iter().any(|rule| {
        matches!(rule.origin, Origin::Form | Origin::File) && part.looks_like(&rule.name)
    });
    let written =
        |target: &Target| matches!(target, Target::Form(field) if part.looks_like(&field.name));
    asked || rules.targets().any(written)
}

/// The values with commas between them. Most are alone.
fn joined<'v>(mut values: impl Iterator<Item = &'v str>) -> Cow<'v, str> {
    let mut text = Cow::Borrowed(values.next().unwrap_or_default());
    for value in values {
        let text = text.to_mut();
        text.push(',');
        text.push_str(value);
    }
    text
}

/// The pairs in which nothing is known. A `;` separates for some readers, so each of the parts that it
/// makes is looked at.
fn unknown<'a>(
    text: &'a [u8],
    is_known: &impl Fn(&Pair<'_>) -> bool,
) -> impl Iterator<Item = &'a [u8]> {
    let parts = |raw: &'a [u8]| raw.split(|byte| *byte == b';').flat_map(pairs);
    pairs(text).map(|pair| pair.raw).filter(move |raw| !parts(raw).any(|part| is_known(&part)))
}

fn separate(query: &mut String) {
    if !query.is_empty() {
        query.push('&');
    }
}

fn push_query(query: &mut String, field: &Field, value: &str) {
    query.reserve(field.encoded.len() + value.len() + 2);
    separate(query);
    query.push_str(&field.encoded);
    query.push('=');
    encode(value, |piece| query.push_str(piece));
}

fn push_form(form: &mut Vec<u8>, field: &Field, value: &str) {
    if !form.is_empty() {
        form.push(b'&');
    }
    form.extend_from_slice(field.encoded.as_bytes());
    form.push(b'=');
    encode(value, |piece| form.extend_from_slice(piece.as_bytes()));
}
