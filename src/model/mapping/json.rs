//! JSON that every reader takes for the same: no key twice in an object (RFC 8259 section 4), and nested
//! only so deep.

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::model::limits::MAX_JSON_DEPTH;

/// Reads a text that is JSON. The reason never says any of it.
pub(super) fn parse(text: &str) -> Result<Value, &'static str> {
    let flaw = Cell::new("is not JSON");
    let mut strict = serde_json::Deserializer::from_str(text);
    // The looker counts levels itself.
    strict.disable_recursion_limit();
    let looked = Looker { levels: MAX_JSON_DEPTH, flaw: &flaw }.deserialize(&mut strict);
    looked.and_then(|()| strict.end()).map_err(|_| flaw.get())?;
    // Read again rather than built on the way: only the crate knows how it keeps numbers.
    let mut known = serde_json::Deserializer::from_str(text);
    known.disable_recursion_limit();
    Value::deserialize(&mut known).map_err(|_| flaw.get())
}

/// Looks at a value and everything in it.
#[derive(Clone, Copy)]
struct Looker<'f> {
    /// How many there may be from here on.
    levels: usize,
    /// What is wrong with the text, if something is.
    flaw: &'f Cell<&'static str>,
}

impl Looker<'_> {
    fn inner<E: Error>(self) -> Result<Self, E> {
        match self.levels.checked_sub(1) {
            Some(levels) => Ok(Self { levels, ..self }),
            None => Err(self.flawed("is JSON of too many levels")),
        }
    }

    fn flawed<E: Error>(self, flaw: &'static str) -> E {
        self.flaw.set(flaw);
        E::custom(flaw)
    }
}

impl<'de> DeserializeSeed<'de> for Looker<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Looker<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        while list.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        let mut keys = HashSet::new();
        while let Some(key) = object.next_key::<String>()? {
            if !keys.insert(key) {
                return Err(self.flawed("is JSON with a key twice"));
            }
            object.next_value_seed(inner)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_readers_could_take_for_different_things_is_refused() {
        for text in
            ["", "{", "{} {}", "nul", "'a'", "[1,]", "01", "1e999", "NaN", "\"\u{1}\"", "/**/1"]
        {
            assert_eq!(parse(text), Err("is not JSON"), "{text}");
        }
        for text in [r#"{"a":1,"a":1}"#, r#"[{"b":{"a":1,"b":2,"\u0061":3}}]"#, r#"{"":0,"":0}"#] {
            assert_eq!(parse(text), Err("is JSON with a key twice"), "{text}");
        }
        let fine = r#" {"a":[{"b":1},{"b":-2.5e3}],"A":null,"":true} "#;
        let expected = json!({ "a": [{ "b": 1 }, { "b": -2500.0 }], "A": null, "": true });
        assert_eq!(parse(fine), Ok(expected));
    }

    #[test]
    fn levels_are_counted() {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            let nested =
                |levels: usize| format!("{}1{}", open.repeat(levels), close.repeat(levels));
            assert!(parse(&nested(MAX_JSON_DEPTH)).is_ok());
            let deeper = parse(&nested(MAX_JSON_DEPTH + 1));
            assert_eq!(deeper, Err("is JSON of too many levels"));
            // The text ends where nobody reads any more.
            assert_eq!(parse(&open.repeat(100_000)), Err("is JSON of too many levels"));
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_the_crate_reads(text in r#"([\[\]{}:, ]|"a"|"b"|1|-0\.5|null){0,12}"#) {
            match parse(&text) {
                Ok(value) => prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value),
                Err("is JSON with a key twice") => prop_assert!(text.matches(':').count() > 1),
                Err(_) => prop_assert!(serde_json::from_str::<Value>(&text).is_err()),
            }
        }
    }
}
