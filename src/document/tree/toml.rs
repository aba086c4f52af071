//! TOML.

use toml::Spanned;
use toml::de::{DeFloat, DeInteger, DeTable, DeValue};

use super::super::limits::MAX_DEPTH;
use super::{Node, Number, Places, Table, Tree, Value, syntax_error};
use crate::document::InvalidDocument;

/// Places are offsets: lines are wanted of faults alone.
pub(super) fn parse(text: &str) -> Result<Tree<'_>, InvalidDocument> {
    let places = Places::Offsets(text);
    let (root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let told = errors.iter().map(|error| {
            let line = error.span().and_then(|span| places.line(offset(span.start)));
            syntax_error(line, error.message())
        });
        return Err(InvalidDocument::new(told));
    }
    let at = offset(root.span().start);
    let root = Node::new(at, Value::Table(table(root.into_inner(), 1)));
    Ok(Tree { root, places })
}

/// A document's length fits.
fn offset(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

fn table(table: DeTable<'_>, depth: usize) -> Table<'_> {
    let entries = table.into_iter().map(|(key, entry)| {
        let at = offset(key.span().start);
        (key.into_inner(), Node::new(at, value(entry.into_inner(), depth)))
    });
    entries.collect()
}

fn item(item: Spanned<DeValue<'_>>, depth: usize) -> Node<'_> {
    Node::new(offset(item.span().start), value(item.into_inner(), depth))
}

fn value(value: DeValue<'_>, depth: usize) -> Value<'_> {
    match value {
        DeValue::String(text) => Value::Text(text),
        DeValue::Integer(number) => integer(&number),
        DeValue::Float(number) => float(&number),
        DeValue::Boolean(truth) => Value::Bool(truth),
        // A moment is text to everything that reads one.
        DeValue::Datetime(moment) => Value::Text(moment.to_string().into()),
        DeValue::Array(_) | DeValue::Table(_) if depth >= MAX_DEPTH => {
            Value::Refused("is nested too deeply")
        }
        DeValue::Array(items) => {
            Value::List(items.into_iter().map(|one| item(one, depth + 1)).collect())
        }
        DeValue::Table(inner) => Value::Table(table(inner, depth + 1)),
    }
}

fn integer<'t>(number: &DeInteger<'_>) -> Value<'t> {
    let (digits, radix) = (number.as_str(), number.radix());
    let signed = i64::from_str_radix(digits, radix).map(Number::from);
    let number = signed.or_else(|_| u64::from_str_radix(digits, radix).map(Number::from));
    number.map_or(Value::Refused("is too large a number"), Value::Number)
}

fn float<'t>(number: &DeFloat<'_>) -> Value<'t> {
    let number = number.as_str().parse().ok().and_then(Number::from_f64);
    number.map_or(Value::Refused("is not a finite number"), Value::Number)
}
