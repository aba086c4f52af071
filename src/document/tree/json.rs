//! JSON.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::super::limits::MAX_DEPTH;
use super::{Node, Number, Places, Tree, Value, syntax_error};
use crate::document::InvalidDocument;

/// Places are lines.
///
/// `serde_json` tells lines of errors only. Reading byte by byte, it has read no further than the
/// first byte of a value when it asks for it: the lines that were read until then are the value's
/// place.
pub(super) fn parse(text: &str) -> Result<Tree<'_>, InvalidDocument> {
    let line = Cell::new(1);
    let counted = Counted { rest: text.as_bytes(), line: &line };
    let mut deserializer = serde_json::Deserializer::from_reader(counted);
    let seed = ValueSeed { line: &line, depth: 1 };
    let root = seed.deserialize(&mut deserializer);
    let ended = root.and_then(|root| deserializer.end().map(|()| root));
    match ended {
        Ok(root) => Ok(Tree { root, places: Places::Lines }),
        Err(error) => {
            let line = u32::try_from(error.line()).ok();
            Err(InvalidDocument::new([syntax_error(line, error.to_string())]))
        }
    }
}

/// Bytes, with the number of the line that the last one stood in.
struct Counted<'t> {
    rest: &'t [u8],
    line: &'t Cell<u32>,
}

impl Read for Counted<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.rest.read(into)?;
        let ends = into.iter().take(read).filter(|byte| **byte == b'\n').count();
        self.line.set(self.line.get().saturating_add(u32::try_from(ends).unwrap_or(u32::MAX)));
        Ok(read)
    }
}

/// Reads a value of any deserializer; its place is what `line` says when it begins.
#[derive(Clone, Copy)]
pub(in crate::document) struct ValueSeed<'l> {
    pub(in crate::document) line: &'l Cell<u32>,
    pub(in crate::document) depth: usize,
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = Node<'static>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node<'static>, D::Error> {
        let at = self.line.get();
        Ok(Node::new(at, deserializer.deserialize_any(self)?))
    }
}

/// Reads a key, with its place.
struct KeySeed<'l>(&'l Cell<u32>);

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = (u32, String);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(u32, String), D::Error> {
        let at = self.0.get();
        Ok((at, serde::Deserialize::deserialize(deserializer)?))
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = Value<'static>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value<'static>, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value<'static>, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Value<'static>, D::Error> {
        inner.deserialize_any(self)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value<'static>, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value<'static>, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value<'static>, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value<'static>, E> {
        let number = Number::from_f64(number);
        Ok(number.map_or(Value::Refused("is not a finite number"), Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'static>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Value<'static>, E> {
        Ok(Value::Text(Cow::Owned(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value<'static>, A::Error> {
        if self.depth >= MAX_DEPTH {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Value::Refused("is nested too deeply"));
        }
        let inner = Self { depth: self.depth + 1, ..self };
        let mut list = Vec::new();
        while let Some(node) = items.next_element_seed(inner)? {
            list.push(node);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value<'static>, A::Error> {
        if self.depth >= MAX_DEPTH {
            while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Value::Refused("is nested too deeply"));
        }
        let inner = Self { depth: self.depth + 1, ..self };
        let mut table = Vec::new();
        while let Some((at, key)) = entries.next_key_seed(KeySeed(self.line))? {
            let node = entries.next_value_seed(inner)?;
            table.push((Cow::Owned(key), Node::new(at, node.value)));
        }
        Ok(Value::Table(table))
    }
}
