//! What a parameter's values may be.

use regex::{Regex, RegexBuilder};
use serde_json::Number;

#[cfg(feature = "schema")]
use super::schema::Schema;
use crate::error::ErrorKind;
use crate::model::limits::{MAX_PATTERN, MAX_PATTERN_SIZE};
use crate::model::parameter::{Parameter, ParameterType};

/// What each value of a parameter must satisfy, of an array each of its items.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    kind: Kind,
    choices: Box<[Box<str>]>,
    pattern: Option<Regex>,
    #[cfg(feature = "schema")]
    schema: Option<Box<Schema>>,
}

/// Why something may not be a parameter's value, and what clients are told of it. The reason never says
/// the value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Unfit {
    pub(crate) kind: ErrorKind,
    pub(crate) reason: &'static str,
}

impl From<&'static str> for Unfit {
    fn from(reason: &'static str) -> Self {
        Self { kind: ErrorKind::InvalidParameter, reason }
    }
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Characters it must have and may have.
    Text {
        shortest: usize,
        longest: usize,
    },
    /// Of 32 bits, or of 64.
    Whole {
        short: bool,
        least: i128,
        most: i128,
    },
    /// Of 32 bits, or of 64.
    Real {
        short: bool,
        least: f64,
        most: f64,
    },
    Truth,
}

/// A key of a parameter, and what is wrong with it.
pub(super) type Wrong = (&'static str, String);

impl Check {
    /// Reads what a parameter, or the items of an array, may be.
    pub(super) fn compile(parameter: &Parameter) -> Result<Self, Wrong> {
        let kind = match (parameter.kind, parameter.items) {
            (ParameterType::Array, items) => match items.unwrap_or_default() {
                ParameterType::Array | ParameterType::File => {
                    return Err(wrong("items", "cannot be items of an array"));
                }
                items => items,
            },
            (_, Some(_)) => return Err(wrong("items", "is meant for arrays only")),
            (kind, None) => kind,
        };
        if parameter.kind == ParameterType::File {
            let texts = [
                ("pattern", parameter.pattern.is_some()),
                ("enum", !parameter.choices.is_empty()),
                ("default", parameter.default.is_some()),
            ];
            if let Some((key, _)) = texts.into_iter().find(|(_, there)| *there) {
                return Err(wrong(key, "is not meant for this type"));
            }
        }
        if parameter.schema.is_some() && parameter.kind != ParameterType::String {
            return Err(wrong("schema", "is not meant for this type"));
        }
        Ok(Self {
            kind: Kind::compile(parameter, kind)?,
            choices: parameter.choices.iter().map(|choice| choice.as_str().into()).collect(),
            pattern: parameter.pattern.as_deref().map(pattern).transpose()?,
            #[cfg(feature = "schema")]
            schema: parameter.schema.as_ref().map(Schema::compile).transpose()?.map(Box::new),
        })
    }

    /// Whether a value, or an item, may be this; if not, why.
    pub(crate) fn accepts(&self, text: &str) -> Result<(), Unfit> {
        self.kind.accepts(text)?;
        if !self.choices.is_empty() && !self.choices.iter().any(|choice| **choice == *text) {
            return Err("is none of the values it may have".into());
        }
        if self.pattern.as_ref().is_some_and(|pattern| !pattern.is_match(text)) {
            return Err("does not match its pattern".into());
        }
        #[cfg(feature = "schema")]
        if let Some(schema) = &self.schema {
            return schema.accepts(text);
        }
        Ok(())
    }
}

impl Kind {
    fn compile(parameter: &Parameter, kind: ParameterType) -> Result<Self, Wrong> {
        let Parameter { min, max, min_length, max_length, .. } = parameter;
        let is_number = matches!(
            kind,
            ParameterType::Int | ParameterType::Long | ParameterType::Float | ParameterType::Double
        );
        for (key, there, meant) in [
            ("min", min.is_some(), is_number),
            ("max", max.is_some(), is_number),
            ("min_length", min_length.is_some(), kind == ParameterType::String),
            ("max_length", max_length.is_some(), kind == ParameterType::String),
        ] {
            if there && !meant {
                return Err(wrong(key, "is not meant for this type"));
            }
        }
        match kind {
            ParameterType::Int | ParameterType::Long => {
                let bound = |key, number: &Option<Number>, none| match number {
                    Some(number) => {
                        whole(number).ok_or_else(|| wrong(key, "is not a whole number of 64 bits"))
                    }
                    None => Ok(none),
                };
                let (least, most) = (bound("min", min, i128::MIN)?, bound("max", max, i128::MAX)?);
                ordered(least <= most, "min", "max")?;
                Ok(Self::Whole { short: kind == ParameterType::Int, least, most })
            }
            ParameterType::Float | ParameterType::Double => {
                let bound = |number: &Option<Number>, none| {
                    number.as_ref().and_then(Number::as_f64).unwrap_or(none)
                };
                let (least, most) = (bound(min, f64::NEG_INFINITY), bound(max, f64::INFINITY));
                ordered(least <= most, "min", "max")?;
                Ok(Self::Real { short: kind == ParameterType::Float, least, most })
            }
            ParameterType::Boolean => Ok(Self::Truth),
            ParameterType::String | ParameterType::Array | ParameterType::File => {
                let length = |length: Option<u32>, none| {
                    length.and_then(|it| usize::try_from(it).ok()).unwrap_or(none)
                };
                let (shortest, longest) = (length(*min_length, 0), length(*max_length, usize::MAX));
                ordered(shortest <= longest, "min_length", "max_length")?;
                Ok(Self::Text { shortest, longest })
            }
        }
    }

    fn accepts(self, text: &str) -> Result<(), &'static str> {
        match self {
            Self::Text { shortest, longest } => {
                // Bytes are counted already, and never fewer than characters.
                if shortest == 0 && text.len() <= longest {
                    return Ok(());
                }
                let length = text.chars().count();
                let (short, long) = (length < shortest, length > longest);
                within(short, long, "is shorter than it may be", "is longer than it may be")
            }
            Self::Whole { short, least, most } => {
                let number = number(text, short)?;
                within(number < least, number > most, "is less than it may be", MORE)
            }
            Self::Real { short, least, most } => {
                let number = decimal(text, short)?;
                within(number < least, number > most, "is less than it may be", MORE)
            }
            Self::Truth if matches!(text, "true" | "false") => Ok(()),
            Self::Truth => Err("is neither true nor false"),
        }
    }
}

const MORE: &str = "is more than it may be";

fn within(
    below: bool,
    above: bool,
    less: &'static str,
    more: &'static str,
) -> Result<(), &'static str> {
    match (below, above) {
        (true, _) => Err(less),
        (_, true) => Err(more),
        _ => Ok(()),
    }
}

pub(super) fn wrong(key: &'static str, reason: impl Into<String>) -> Wrong {
    (key, reason.into())
}

fn ordered(are: bool, least: &'static str, most: &str) -> Result<(), Wrong> {
    if are { Ok(()) } else { Err(wrong(least, format!("is more than {most}"))) }
}

/// A bound of whole numbers, exactly. One that was written with a fraction of nothing is whole.
fn whole(number: &Number) -> Option<i128> {
    let exact = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    exact.or_else(|| {
        let number = number.as_f64().filter(|it| it.fract() == 0.0 && it.abs() < 1e19)?;
        format!("{number:.0}").parse().ok()
    })
}

/// A whole number: digits, perhaps behind a minus.
fn number(text: &str, short: bool) -> Result<i128, &'static str> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    // `parse` alone would take a plus.
    let written = digits.bytes().all(|byte| byte.is_ascii_digit());
    let parsed = if short {
        text.parse::<i32>().map(i128::from)
    } else {
        text.parse::<i64>().map(i128::from)
    };
    match parsed {
        Ok(number) if written => Ok(number),
        _ if short => Err("is not a whole number of 32 bits"),
        _ => Err("is not a whole number of 64 bits"),
    }
}

/// A number as JSON writes it, or with zeros before it, or with a point at its start or its end; not
/// infinite.
fn decimal(text: &str, short: bool) -> Result<f64, &'static str> {
    // `parse` alone would take a plus, and words.
    let written = !text.starts_with('+')
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
    let fits = !short || text.parse::<f32>().is_ok_and(f32::is_finite);
    match text.parse::<f64>() {
        Ok(number) if written && fits && number.is_finite() => Ok(number),
        _ if short => Err("is not a number of 32 bits"),
        _ => Err("is not a number of 64 bits"),
    }
}

/// Bytes that a thread remembers of a pattern it searched for, so that it finds the next sooner. Half of
/// what the crate would take: an application has many threads and many patterns.
pub(super) const REMEMBERED: usize = 1024 * 1024;

fn pattern(text: &str) -> Result<Regex, Wrong> {
    if text.len() > MAX_PATTERN {
        return Err(wrong("pattern", format!("is longer than {MAX_PATTERN} bytes")));
    }
    let built =
        RegexBuilder::new(text).size_limit(MAX_PATTERN_SIZE).dfa_size_limit(REMEMBERED).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => wrong("pattern", "is too large once compiled"),
        error => {
            let text = error.to_string();
            // The lines before it draw where it is.
            let reason = text.lines().last().unwrap_or_default();
            let reason = reason.strip_prefix("error: ").unwrap_or(reason);
            wrong("pattern", format!("is not a regular expression: {reason}"))
        }
    })
}

#[cfg(test)]
mod tests;
