//! Durations as text: `250ms`, `3s`, `2m`, `1h`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer};

/// Reads `250ms`, `3s`, `2m` or `1h`: a whole number and a unit.
///
/// # Errors
///
/// When the text is anything else.
pub fn parse(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let scale = match unit {
        "ms" => Some(1),
        "s" => Some(1000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    };
    number
        .parse::<u64>()
        .ok()
        .zip(scale)
        .and_then(|(number, scale)| number.checked_mul(scale))
        .map(Duration::from_millis)
        .ok_or_else(|| format!("{text:?} is not a duration such as \"250ms\", \"3s\" or \"2m\""))
}

/// Writes the shortest text that [`parse`] reads back. Parts of a millisecond are dropped.
#[must_use]
pub fn text(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis.is_multiple_of(1000) { format!("{}s", millis / 1000) } else { format!("{millis}ms") }
}

pub(crate) mod optional {
    use super::{Deserialize, Deserializer, Duration, Serializer};

    #[expect(clippy::ref_option, reason = "the signature serde asks for")]
    pub(crate) fn serialize<S: Serializer>(
        duration: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => serializer.serialize_str(&super::text(*duration)),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        Option::<String>::deserialize(deserializer)?
            .map(|text| super::parse(&text).map_err(serde::de::Error::custom))
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for (given, millis, written) in
            [("250ms", 250, "250ms"), ("3s", 3000, "3s"), ("2m", 120_000, "120s"), ("0s", 0, "0s")]
        {
            let duration = parse(given).unwrap();
            assert_eq!(duration, Duration::from_millis(millis));
            assert_eq!(text(duration), written);
        }
        for bad in ["", "3", "s", "-1s", "1.5s", "3 s", "99999999999999999999s"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
