//! Wall time, in one place.
//!
//! [`Clock`] is the only way to it, so that a test can decide what time it is. Deadlines do not come
//! from here: they use tokio's clock, which tests can pause.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Tells the time of day.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place wall time enters")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// A moment in UTC, in milliseconds since 1970.
///
/// Shown as RFC 3339 with milliseconds: `2026-11-23T06:00:00.000Z`.
#[derive(
    Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The moment `millis` milliseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }
}

/// The text is not a moment.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is not a moment such as 2030-01-01T00:00:00Z")]
pub struct InvalidTimestamp(Box<str>);

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    /// Reads RFC 3339: `2030-01-01T00:00:00Z`, with parts of a second or another offset. Parts of a
    /// millisecond are dropped.
    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        moment(text).ok_or_else(|| InvalidTimestamp(text.chars().take(40).collect()))
    }
}

fn moment(text: &str) -> Option<Timestamp> {
    let number = |at: std::ops::Range<usize>| -> Option<i64> {
        let digits = text.get(at)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let is = |at: usize, one_of: &[u8]| text.as_bytes().get(at).is_some_and(|b| one_of.contains(b));
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let marked = is(4, b"-") && is(7, b"-") && is(10, b"Tt ") && is(13, b":") && is(16, b":");
    // A leap second is the first of the next minute.
    let valid = marked && hour < 24 && minute < 60 && second <= 60 && (1970..).contains(&year);
    if !valid || !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    let rest = text.get(19..)?;
    let (millis, offset) = match rest.strip_prefix('.') {
        Some(fraction) => {
            let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
            let (fraction, offset) = fraction.split_at(digits);
            let millis: String = fraction.chars().chain("000".chars()).take(3).collect();
            (if digits == 0 { None } else { millis.parse::<i64>().ok() }?, offset)
        }
        None => (0, rest),
    };
    let east = match offset.as_bytes() {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let (hours, minutes) = (offset.get(1..3)?, offset.get(4..6)?);
            let (hours, minutes): (u8, u8) = (hours.parse().ok()?, minutes.parse().ok()?);
            let east = i64::from(hours) * 60 + i64::from(minutes);
            if hours > 23 || minutes > 59 {
                return None;
            }
            if *sign == b'+' { east } else { -east }
        }
        _ => return None,
    };
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    u64::try_from((seconds - east * 60) * 1000 + millis).ok().map(Timestamp)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The inverse of [`civil`] (Howard Hinnant's `days_from_civil`), from 1970 on.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Moments as RFC 3339, where there may be none.
pub(crate) mod rfc3339 {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Timestamp;

    #[expect(clippy::ref_option, reason = "the signature serde asks for")]
    pub(crate) fn serialize<S: Serializer>(
        moment: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match moment {
            Some(moment) => serializer.collect_str(moment),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        Option::<String>::deserialize(deserializer)?
            .map(|text| text.parse().map_err(serde::de::Error::custom))
            .transpose()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / 1000;
        let (days, of_day) = (seconds / 86_400, seconds % 86_400);
        let (year, month, day) = civil(days);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
            of_day / 3600,
            of_day / 60 % 60,
            of_day % 60,
            self.0 % 1000
        )
    }
}

/// Year, month and day of the `days`th day after 1970-01-01 (Howard Hinnant's `civil_from_days`).
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let index = (5 * of_year + 2) / 153;
    let day = of_year - (153 * index + 2) / 5 + 1;
    let month = if index < 10 { index + 3 } else { index - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_rfc_3339() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_123, "2000-02-29T00:00:00.123Z"),
            (1_763_856_000_000, "2025-11-23T00:00:00.000Z"),
            (4_102_444_799_999, "2099-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(Timestamp::from_millis(millis).to_string(), text);
        }
    }

    #[test]
    fn a_moment_is_read_as_it_is_written() {
        let millis = |text: &str| text.parse::<Timestamp>().map(Timestamp::as_millis).ok();
        assert_eq!(millis("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(millis("2030-01-01T00:00:00Z"), Some(1_893_456_000_000));
        assert_eq!(millis("2024-02-29T23:59:59.25Z"), Some(1_709_251_199_250));
        assert_eq!(millis("2024-03-01T01:00:00+01:00"), millis("2024-03-01T00:00:00z"));
        assert_eq!(millis("2024-02-29T23:00:00-01:00"), millis("2024-03-01T00:00:00Z"));
        for bad in [
            "",
            "2030-01-01",
            "2030-01-01T00:00:00",
            "2030-02-29T00:00:00Z",
            "2030-13-01T00:00:00Z",
            "2030-01-01T24:00:00Z",
            "1969-12-31T23:59:59Z",
            "2030-01-01T00:00:00.Z",
            "2030-01-01T00:00:00+1:00",
            "2030-01-01T00:00:00Zx",
            "+030-01-01T00:00:00Z",
            "2030-01-01T00:00:00+99:00",
        ] {
            assert_eq!(millis(bad), None, "{bad}");
        }
        for days in (0..200_000).step_by(97) {
            let moment = Timestamp::from_millis(days * 86_400_000 + 12_345_678);
            assert_eq!(moment.to_string().parse(), Ok(moment));
        }
    }
}
