//! YAML.

use std::borrow::Cow;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput};

use super::super::limits::MAX_DEPTH;
use super::{Node, Number, Places, Table, Tree, Value, syntax_error};
use crate::document::{Fault, InvalidDocument};

/// Places are lines.
///
/// Tags and aliases are not read: tags name types that a document does not have, and a few aliases
/// of each other write down more than fits into any memory.
pub(super) fn parse(text: &str) -> Result<Tree<'_>, InvalidDocument> {
    let mut events = Events(Parser::new_from_str(text));
    let root = events.document().map_err(|fault| InvalidDocument::new([fault]))?;
    Ok(Tree { root, places: Places::Lines })
}

struct Events<'t>(Parser<'t, StrInput<'t>>);

fn line(span: Span) -> u32 {
    u32::try_from(span.start.line()).unwrap_or(u32::MAX)
}

impl<'t> Events<'t> {
    fn next(&mut self) -> Result<(Event<'t>, u32), Fault> {
        match self.0.next_event() {
            Some(Ok((event, span))) => Ok((event, line(span))),
            Some(Err(error)) => {
                let line = u32::try_from(error.marker().line()).ok();
                Err(syntax_error(line, error.info()))
            }
            None => Ok((Event::StreamEnd, 0)),
        }
    }

    /// The only document; nothing, if there is none.
    fn document(&mut self) -> Result<Node<'t>, Fault> {
        let mut root = None;
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => {
                    return Ok(root.unwrap_or_else(|| Node::new(1, Value::Null)));
                }
                (Event::DocumentStart(_), at) if root.is_some() => {
                    return Err(syntax_error(Some(at), "a second document begins"));
                }
                (Event::DocumentStart(_), _) => {
                    let (event, at) = self.next()?;
                    root = Some(self.node(event, at, 1)?);
                }
                _ => {}
            }
        }
    }

    fn node(&mut self, event: Event<'t>, at: u32, depth: usize) -> Result<Node<'t>, Fault> {
        let deep = depth >= MAX_DEPTH;
        let value = match event {
            Event::Alias(_) => {
                Value::Refused("is an alias, which is not read: write the value out")
            }
            Event::Scalar(_, _, _, Some(_)) => Value::Refused(TAGGED),
            Event::Scalar(text, ScalarStyle::Plain, _, None) => plain(text),
            Event::Scalar(text, _, _, None) => Value::Text(text),
            Event::SequenceStart(_, tag) if deep || tag.is_some() => self.pass_over(deep)?,
            Event::MappingStart(_, tag) if deep || tag.is_some() => self.pass_over(deep)?,
            Event::SequenceStart(..) => self.list(depth + 1)?,
            Event::MappingStart(..) => Value::Table(self.table(depth + 1)?),
            _ => Value::Null,
        };
        Ok(Node::new(at, value))
    }

    fn list(&mut self, depth: usize) -> Result<Value<'t>, Fault> {
        let mut list = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd | Event::StreamEnd, _) => return Ok(Value::List(list)),
                (event, at) => list.push(self.node(event, at, depth)?),
            }
        }
    }

    fn table(&mut self, depth: usize) -> Result<Table<'t>, Fault> {
        let mut table = Vec::new();
        loop {
            let (key, at) = match self.next()? {
                (Event::MappingEnd | Event::StreamEnd, _) => return Ok(table),
                (Event::Scalar(text, _, _, None), at) => (text, at),
                (_, at) => return Err(syntax_error(Some(at), "a key is not text")),
            };
            let (event, _) = self.next()?;
            let node = self.node(event, at, depth)?;
            table.push((key, node));
        }
    }

    /// Goes on behind what has just begun.
    fn pass_over(&mut self, deep: bool) -> Result<Value<'t>, Fault> {
        let mut open = 1_usize;
        while open > 0 {
            match self.next()?.0 {
                Event::SequenceStart(..) | Event::MappingStart(..) => open += 1,
                Event::SequenceEnd | Event::MappingEnd => open -= 1,
                Event::StreamEnd => break,
                _ => {}
            }
        }
        Ok(Value::Refused(if deep { "is nested too deeply" } else { TAGGED }))
    }
}

const TAGGED: &str = "has a tag, which is not read";

/// What a scalar without quotes is, by the core schema (YAML 1.2.2, §10.3.2).
fn plain(text: Cow<'_, str>) -> Value<'_> {
    match &*text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => Value::Refused("is not a finite number"),
        number if is_infinite(number) => Value::Refused("is not a finite number"),
        number => match self::number(number) {
            Some(Ok(number)) => Value::Number(number),
            Some(Err(reason)) => Value::Refused(reason),
            None => Value::Text(text),
        },
    }
}

fn is_infinite(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    matches!(unsigned, ".inf" | ".Inf" | ".INF")
}

fn number(text: &str) -> Option<Result<Number, &'static str>> {
    const TOO_LARGE: &str = "is too large a number";
    let based = |digits: &str, radix| {
        let all = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
        all.then(|| u64::from_str_radix(digits, radix).map(Number::from).map_err(|_| TOO_LARGE))
    };
    if let Some(digits) = text.strip_prefix("0x") {
        return based(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return based(digits, 8);
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        let signed = text.parse::<i64>().map(Number::from);
        let number = signed.or_else(|_| text.parse::<u64>().map(Number::from));
        return Some(number.map_err(|_| TOO_LARGE));
    }
    if !is_float(unsigned) {
        return None;
    }
    let number = text.parse().ok().and_then(Number::from_f64);
    Some(number.ok_or(TOO_LARGE))
}

/// `( "." digits | digits ( "." digits? )? ) ( [eE] [-+]? digits )?`
fn is_float(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    exponent && digits(whole) && digits(part) && !(whole.is_empty() && part.is_empty())
}
