//! Sizes in bytes as text: `512 B`, `64 KiB`, `32 MiB`, `1 GiB`.

use serde::{Deserialize, Deserializer, Serializer};
use serde_json::Value;

/// Reads a whole number and a unit, with or without a space between them; without a unit, bytes.
///
/// # Errors
///
/// When the text is anything else.
pub fn parse(text: &str) -> Result<u64, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let scale = match unit.trim_start() {
        "" | "B" => Some(1),
        "KiB" => Some(1 << 10),
        "MiB" => Some(1 << 20),
        "GiB" => Some(1 << 30),
        _ => None,
    };
    let size = number.parse::<u64>().ok().zip(scale);
    size.and_then(|(number, scale): (u64, u64)| number.checked_mul(scale))
        .ok_or_else(|| format!("{text:?} is not a size such as \"64 KiB\" or \"32 MiB\""))
}

pub(crate) mod optional {
    use serde::de::Error as _;

    use super::{Deserialize, Deserializer, Serializer, Value};

    #[expect(clippy::ref_option, reason = "the signature serde asks for")]
    pub(crate) fn serialize<S: Serializer>(
        size: &Option<u64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match size {
            Some(size) => serializer.serialize_u64(*size),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<u64>, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Null => Ok(None),
            Value::String(text) => super::parse(&text).map(Some).map_err(D::Error::custom),
            Value::Number(number) => match number.as_u64() {
                Some(size) => Ok(Some(size)),
                None => Err(D::Error::custom("is not a whole number of bytes")),
            },
            _ => Err(D::Error::custom("is neither a size nor a number of bytes")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_a_unit() {
        for (text, size) in
            [("0", 0), ("7 B", 7), ("1KiB", 1024), ("32 MiB", 32 << 20), ("1 GiB", 1 << 30)]
        {
            assert_eq!(parse(text), Ok(size), "{text}");
        }
        for bad in ["", "MiB", "1 MB", "-1", "1.5 KiB", "99999999999 GiB", "1 KiB x"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
