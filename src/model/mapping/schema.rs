//! JSON schemas that texts satisfy: compiled when an API is accepted, from nothing but what stands in
//! it.

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use super::check::{REMEMBERED, Unfit, Wrong, wrong};
use super::json;
use crate::error::ErrorKind;
use crate::model::limits::{MAX_PATTERN_SIZE, MAX_SCHEMA};

mod survey;

use self::survey::Survey;

/// A schema that is ready to be asked.
#[derive(Clone, Debug)]
pub(super) struct Schema(Validator);

/// How many of the largest patterns a schema may have. Smaller ones may be more: all of them share the
/// room of these.
const LARGE_PATTERNS: usize = 8;

/// Characters of what is wrong with a schema that are told: it may repeat all of it.
const MAX_REASON: usize = 200;

impl Schema {
    /// Reads a schema, or a text that is one. Nothing is ever fetched: what it refers to must stand in
    /// it.
    pub(super) fn compile(written: &Value) -> Result<Self, Wrong> {
        let parsed;
        let schema = match written {
            Value::String(text) => {
                check_length(text.len())?;
                parsed = json::parse(text).map_err(|reason| wrong(KEY, reason))?;
                &parsed
            }
            schema => schema,
        };
        let survey = Survey::of(schema).map_err(|reason| wrong(KEY, reason))?;
        check_length(schema.to_string().len())?;
        let share = |room: usize| match survey.patterns {
            0..=LARGE_PATTERNS => room,
            patterns => (LARGE_PATTERNS * room) / patterns,
        };
        // The engine that takes linear time; the crate's usual one tracks back.
        let patterns = PatternOptions::regex()
            .size_limit(share(MAX_PATTERN_SIZE))
            .dfa_size_limit(share(REMEMBERED));
        // Another crate may have switched on the features by which it would fetch.
        let options = jsonschema::options().offline().with_pattern_options(patterns);
        options.build(schema).map(Self).map_err(|error| {
            let place = error.instance_path().to_string();
            let reason: String = error.to_string().chars().take(MAX_REASON).collect();
            wrong(KEY, format!("is not a schema that can be used: {reason} (at `#{place}`)"))
        })
    }

    /// Whether a text is JSON that satisfies it.
    pub(super) fn accepts(&self, text: &str) -> Result<(), Unfit> {
        let value =
            json::parse(text).map_err(|reason| Unfit { kind: ErrorKind::InvalidJson, reason })?;
        if self.0.is_valid(&value) { Ok(()) } else { Err("does not satisfy its schema".into()) }
    }
}

const KEY: &str = "schema";

fn check_length(length: usize) -> Result<(), Wrong> {
    if length > MAX_SCHEMA {
        return Err(wrong(KEY, format!("is longer than {MAX_SCHEMA} bytes")));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
