//! What the client sent under the names an API asks for.

use std::borrow::Cow;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::invalid;
use super::multipart::Part;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::gateway::admit::{PARAMETER, carried};
use crate::gateway::forward::Source;
use crate::gateway::limits::MAX_PAIRS;
use crate::gateway::pairs::{self, Plus, pairs};
use crate::gateway::receive::refused;
use crate::model::mapping::{Encoding, Origin, Rule, Rules};

/// The values that were found, each with the number of its rule, in the order they were sent.
#[derive(Debug)]
pub(super) struct Values<'a>(Vec<(usize, Cow<'a, str>)>);

impl<'a> Values<'a> {
    /// Reads everything that `rules` ask for. Of what is no array, the first is taken.
    pub(super) fn read(
        rules: &Rules,
        source: &Source<'a>,
        headers: &'a HeaderMap,
        form: &'a [u8],
        parts: &[Part<'a>],
    ) -> Result<Self> {
        let mut values = Self(Vec::with_capacity(rules.parameters.len()));
        for (index, rule) in rules.parameters.iter().enumerate() {
            match &rule.origin {
                Origin::Header(name) => values.header(index, rule, headers, name, source)?,
                Origin::Segment(segment) => {
                    let raw = source.path.raw_segment(source.base + segment).as_bytes();
                    let malformed = |_| invalid(&rule.name, "is malformed");
                    let decoded = pairs::decoded(raw, Plus::Itself).map_err(malformed)?;
                    values.add(index, rule, decoded)?;
                }
                Origin::Query | Origin::Form | Origin::File => {}
            }
        }
        if rules.reads_query {
            let query = source.query.unwrap_or_default().as_bytes();
            let is_query = |origin: &Origin| matches!(origin, Origin::Query);
            let hidden = |rule: &Rule| !source.keep_app_code && *rule.name == *PARAMETER;
            values.pairs(query, rules, is_query, hidden, ErrorKind::InvalidUri)?;
        }
        if rules.form == Some(Encoding::Parts) {
            values.parts(rules, parts)?;
        } else if rules.reads_form() {
            let is_form = |origin: &Origin| matches!(origin, Origin::Form);
            values.pairs(form, rules, is_form, |_| false, ErrorKind::InvalidBody)?;
        }
        Ok(values)
    }

    /// The values of the rule of this number.
    pub(super) fn of(&self, rule: usize) -> impl Iterator<Item = &str> + Clone {
        self.0.iter().filter(move |(index, _)| *index == rule).map(|(_, value)| &**value)
    }

    fn add(&mut self, index: usize, rule: &Rule, value: Cow<'a, [u8]>) -> Result<()> {
        let text = match value {
            Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
        };
        let text = text.ok_or_else(|| invalid(&rule.name, "is not UTF-8"))?;
        self.0.push((index, text));
        Ok(())
    }

    /// Reads a header: of an array each line is a list (RFC 9110 section 5.3).
    fn header(
        &mut self,
        index: usize,
        rule: &Rule,
        headers: &'a HeaderMap,
        name: &HeaderName,
        source: &Source<'_>,
    ) -> Result<()> {
        let hidden = |value: &HeaderValue| {
            let carries = *name == header::AUTHORIZATION && carried(value).is_some();
            !source.keep_app_code && (carries || source.code_header == Some(name))
        };
        for value in headers.get_all(name).iter().filter(|value| !hidden(value)) {
            if !rule.is_array {
                return self.add(index, rule, Cow::Borrowed(value.as_bytes()));
            }
            for item in value.as_bytes().split(|byte| *byte == b',') {
                self.add(index, rule, Cow::Borrowed(item.trim_ascii()))?;
            }
        }
        Ok(())
    }

    /// Reads a query or a form. All of it has to be well formed: what a backend makes of the rest,
    /// nobody knows.
    fn pairs(
        &mut self,
        text: &'a [u8],
        rules: &Rules,
        is_here: impl Fn(&Origin) -> bool,
        is_hidden: impl Fn(&Rule) -> bool,
        kind: ErrorKind,
    ) -> Result<()> {
        let malformed = |_| failed(kind, "a `%` is not followed by two hexadecimal digits");
        let is_encoded = text.iter().any(|byte| matches!(byte, b'%' | b'+'));
        for (count, pair) in pairs(text).enumerate() {
            if count == MAX_PAIRS {
                return Err(failed(kind, format!("more than {MAX_PAIRS} parameters")));
            }
            let (name, value) = if is_encoded {
                let name = pair.name(Plus::Space).map_err(malformed)?;
                (name, pair.value(Plus::Space).map_err(malformed)?)
            } else {
                let (name, value) = pair.sides();
                (Cow::Borrowed(name), Cow::Borrowed(value))
            };
            let called = |(_, rule): &(usize, &Rule)| {
                is_here(&rule.origin) && *name == *rule.name.as_bytes()
            };
            let Some((index, rule)) = rules.parameters.iter().enumerate().find(called) else {
                continue;
            };
            if self.wants(index, rule) && !is_hidden(rule) {
                self.add(index, rule, value)?;
            }
        }
        Ok(())
    }

    /// Reads the texts among the parts of a form.
    fn parts(&mut self, rules: &Rules, parts: &[Part<'a>]) -> Result<()> {
        for part in parts {
            let called = |(_, rule): &(usize, &Rule)| {
                matches!(rule.origin, Origin::Form) && part.is_called(&rule.name)
            };
            match rules.parameters.iter().enumerate().find(called) {
                Some((_, rule)) if part.file_name.is_some() => {
                    return Err(invalid(&rule.name, "is a file"));
                }
                Some((_, rule)) if !part.is_utf8() => {
                    return Err(invalid(&rule.name, "is not UTF-8"));
                }
                Some((index, rule)) if self.wants(index, rule) => {
                    self.add(index, rule, Cow::Borrowed(part.content))?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether another value of a rule is to be taken.
    fn wants(&self, index: usize, rule: &Rule) -> bool {
        rule.is_array || !self.0.iter().any(|(other, _)| *other == index)
    }
}

pub(super) fn failed(kind: ErrorKind, context: impl Into<String>) -> Error {
    refused(kind, context).at_stage(Stage::Map)
}
