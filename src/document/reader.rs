//! Reads values from a tree; what is wrong is told with the way to it.

use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, Expected, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use super::tree::{Node, Step, Value};
use crate::model::InvalidDefinition;

/// Something is wrong at the end of a trail.
///
/// The reason never repeats a value of a wrong type: it may be a secret.
#[derive(Debug)]
pub(super) struct Wrong {
    /// The steps to it, the innermost first.
    pub(super) trail: Vec<Step>,
    pub(super) reason: String,
    pub(super) sort: Sort,
}

/// What can be done to read on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sort {
    /// Leaving it out.
    Value,
    /// Taking it to be there: the last key is missing.
    Missing,
    /// The same, but this may follow from something else that was left out.
    Consequence,
}

impl Wrong {
    /// What a check of what was read from `node` says.
    pub(super) fn checked(node: &Node<'_>, error: InvalidDefinition) -> Self {
        let InvalidDefinition { field, reason } = error;
        let (mut trail, mut sort) = (Vec::new(), Sort::Value);
        let (mut inner, mut rest) = (node, field.as_str());
        while !rest.is_empty() {
            let Some((step, next, after)) = inner.step(rest) else {
                // A field of the whole is called after what it is.
                if rest != "definition" {
                    trail.push(Step::Key(rest.to_owned()));
                    sort = Sort::Consequence;
                }
                break;
            };
            trail.push(step);
            (inner, rest) = (next, after);
        }
        trail.reverse();
        Self { trail, reason, sort }
    }

    fn new(reason: String) -> Self {
        Self { trail: Vec::new(), reason, sort: Sort::Value }
    }

    fn below(mut self, step: Step) -> Self {
        self.trail.push(step);
        self
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Wrong {}

impl serde::de::Error for Wrong {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self::new(reason.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Self::new(format!("is {}, not {}", sort(found), plainly(wanted)))
    }

    fn invalid_value(found: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Self::new(format!("is {} that is not {}", sort(found), plainly(wanted)))
    }

    fn unknown_variant(found: &str, known: &'static [&'static str]) -> Self {
        let found: String = found.chars().take(SHOWN).collect();
        Self::new(format!("{found:?} is none of {}", known.join(", ")))
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self::new(UNKNOWN_KEY.to_owned())
    }

    fn missing_field(field: &'static str) -> Self {
        let reason = REQUIRED.to_owned();
        Self { trail: vec![Step::Key(field.to_owned())], reason, sort: Sort::Missing }
    }
}

pub(super) const UNKNOWN_KEY: &str = "unknown key";
pub(super) const REQUIRED: &str = "is required";
/// Characters of a wrong word that its error repeats.
const SHOWN: usize = 80;

fn sort(found: Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "a truth value",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number",
        Unexpected::Str(_) | Unexpected::Char(_) => "text",
        Unexpected::Unit | Unexpected::Option => "nothing",
        Unexpected::Seq => "a list",
        Unexpected::Map => "a table",
        _ => "something",
    }
}

/// What serde's types call themselves, in the words of documents.
fn plainly(wanted: &dyn Expected) -> String {
    match wanted.to_string().as_str() {
        "a string" | "a borrowed string" => "text".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a table".to_owned(),
        "u8" => "a whole number up to 255".to_owned(),
        "u16" => "a whole number up to 65535".to_owned(),
        "u32" | "u64" | "usize" => "a whole number from 0".to_owned(),
        "f64" | "a JSON number" => "a number".to_owned(),
        other if other.starts_with("struct ") => "a table".to_owned(),
        other if other.starts_with("enum ") || other.starts_with("variant ") => "a word".to_owned(),
        other => other.to_owned(),
    }
}

/// Reads what a node holds.
#[derive(Clone, Copy)]
pub(super) struct Reader<'n, 't>(pub(super) &'n Node<'t>);

/// A value for whoever asks: it is told already that it is missing.
macro_rules! anything {
    ($($method:ident => $visit:ident($value:expr)),* $(,)?) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            match &self.0.value {
                Value::Any => visitor.$visit($value),
                _ => self.deserialize_any(visitor),
            }
        }
    )* };
}

impl<'de> Deserializer<'de> for Reader<'_, '_> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match &self.0.value {
            Value::Null | Value::Any => visitor.visit_unit(),
            Value::Bool(truth) => visitor.visit_bool(*truth),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), ..) => visitor.visit_u64(number),
                (_, Some(number), _) => visitor.visit_i64(number),
                (.., Some(number)) => visitor.visit_f64(number),
                _ => Err(Wrong::custom("is too large a number")),
            },
            Value::Text(text) => visitor.visit_str(text),
            Value::List(list) => visitor.visit_seq(Items(list.iter().enumerate())),
            Value::Table(table) => visitor.visit_map(Entries { rest: table.iter(), value: None }),
            Value::Refused(_) | Value::Gone => Err(Wrong::new(self.0.value.instead_of(""))),
        }
    }

    anything! {
        deserialize_bool => visit_bool(false),
        deserialize_i8 => visit_u64(0),
        deserialize_i16 => visit_u64(0),
        deserialize_i32 => visit_u64(0),
        deserialize_i64 => visit_u64(0),
        deserialize_u8 => visit_u64(0),
        deserialize_u16 => visit_u64(0),
        deserialize_u32 => visit_u64(0),
        deserialize_u64 => visit_u64(0),
        deserialize_f32 => visit_u64(0),
        deserialize_f64 => visit_u64(0),
        deserialize_str => visit_str(""),
        deserialize_string => visit_str(""),
        deserialize_seq => visit_seq(SeqDeserializer::new(std::iter::empty::<()>())),
        deserialize_map => visit_map(MapDeserializer::new(std::iter::empty::<((), ())>())),
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match &self.0.value {
            Value::Null | Value::Any => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        match &self.0.value {
            // A list would be taken for the fields in their order.
            Value::List(_) => Err(Wrong::invalid_type(Unexpected::Seq, &visitor)),
            _ => self.deserialize_map(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let word = match &self.0.value {
            Value::Text(text) => text.as_ref(),
            Value::Any => variants.first().copied().unwrap_or_default(),
            other => {
                return Err(Wrong::new(
                    other.instead_of(&format!("one of {}", variants.join(", "))),
                ));
            }
        };
        let word: StrDeserializer<'_, Wrong> = word.into_deserializer();
        word.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Wrong> for Reader<'_, '_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// The entries of a table that are not told to be wrong.
struct Entries<'n, 't> {
    rest: std::slice::Iter<'n, (std::borrow::Cow<'t, str>, Node<'t>)>,
    value: Option<(&'n str, &'n Node<'t>)>,
}

impl<'de> MapAccess<'de> for Entries<'_, '_> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Wrong> {
        let Some((key, node)) = self.rest.find(|(_, node)| !matches!(node.value, Value::Gone))
        else {
            return Ok(None);
        };
        self.value = Some((key, node));
        let reader: StrDeserializer<'_, Wrong> = key.as_ref().into_deserializer();
        let read = seed.deserialize(reader);
        read.map(Some).map_err(|wrong| wrong.below(Step::Key(key.clone().into_owned())))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        let Some((key, node)) = self.value.take() else {
            return Err(Wrong::custom("has no value"));
        };
        let read = seed.deserialize(Reader(node));
        read.map_err(|wrong| wrong.below(Step::Key(key.to_owned())))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// The elements of a list that are not told to be wrong.
struct Items<'n, 't>(std::iter::Enumerate<std::slice::Iter<'n, Node<'t>>>);

impl<'de> SeqAccess<'de> for Items<'_, '_> {
    type Error = Wrong;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Wrong> {
        let Some((index, node)) = self.0.find(|(_, node)| !matches!(node.value, Value::Gone))
        else {
            return Ok(None);
        };
        let read = seed.deserialize(Reader(node));
        read.map(Some).map_err(|wrong| wrong.below(Step::Index(index)))
    }
}
