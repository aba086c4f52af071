//! Names and values in a query or a form: split at `&` and the first `=`, percent-encoded bytes
//! decoded, `+` for a space, pairs without a name ignored (domain §2.5).

use std::borrow::Cow;

/// A name and a value, as they stand there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Pair<'a> {
    /// The whole of it: `name=value`, `name=` or `name`.
    pub(super) raw: &'a [u8],
    name: &'a [u8],
    value: &'a [u8],
}

/// A `%` that is not followed by two hexadecimal digits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Malformed;

/// What `+` stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Plus {
    Space,
    Itself,
}

/// The pairs of a query or a form, in order.
pub(super) fn pairs(text: &[u8]) -> impl Iterator<Item = Pair<'_>> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        loop {
            let (pair, after) = first(rest?)?;
            rest = after;
            if !pair.name.is_empty() {
                return Some(pair);
            }
        }
    })
}

/// What stands before the first `&`, and what behind it. Every byte is looked at once.
fn first(text: &[u8]) -> Option<(Pair<'_>, Option<&[u8]>)> {
    let mut equals = None;
    let mut end = text.len();
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'=' if equals.is_none() => equals = Some(at),
            b'&' => {
                end = at;
                break;
            }
            _ => {}
        }
    }
    let raw = text.get(..end)?;
    let (name, value) = match equals {
        Some(at) => (raw.get(..at)?, raw.get(at + 1..)?),
        None => (raw, &[][..]),
    };
    Some((Pair { raw, name, value }, text.get(end + 1..)))
}

impl<'a> Pair<'a> {
    /// Its name and its value as they stand there.
    pub(super) fn sides(&self) -> (&'a [u8], &'a [u8]) {
        (self.name, self.value)
    }

    pub(super) fn name(&self, plus: Plus) -> Result<Cow<'a, [u8]>, Malformed> {
        decoded(self.name, plus)
    }

    pub(super) fn value(&self, plus: Plus) -> Result<Cow<'a, [u8]>, Malformed> {
        decoded(self.value, plus)
    }

    /// Whether it is called `name`, however that is encoded.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name == name.as_bytes()
            || (self.name.iter().any(|byte| matches!(byte, b'%' | b'+'))
                && self.name(Plus::Space).is_ok_and(|decoded| *decoded == *name.as_bytes()))
    }
}

/// What percent-encoded bytes stand for. Copies only where something is encoded.
pub(super) fn decoded(text: &[u8], plus: Plus) -> Result<Cow<'_, [u8]>, Malformed> {
    let encoded = |byte: &u8| *byte == b'%' || (*byte == b'+' && plus == Plus::Space);
    if !text.iter().any(encoded) {
        return Ok(Cow::Borrowed(text));
    }
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|it| u8::try_from(it).ok());
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        decoded.push(match first {
            b'+' if plus == Plus::Space => b' ',
            b'%' => {
                let (Some(high), Some(low)) =
                    (after.first().and_then(digit), after.get(1).and_then(digit))
                else {
                    return Err(Malformed);
                };
                rest = after.get(2..).unwrap_or_default();
                high << 4 | low
            }
            other => *other,
        });
    }
    Ok(Cow::Owned(decoded))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str, plus: Plus) -> Vec<(String, String)> {
        let owned = |bytes: Cow<'_, [u8]>| String::from_utf8(bytes.into_owned()).unwrap();
        pairs(text.as_bytes())
            .map(|pair| (owned(pair.name(plus).unwrap()), owned(pair.value(plus).unwrap())))
            .collect()
    }

    #[test]
    fn pairs_are_split_and_decoded_as_the_page_says() {
        let expected = [("a", ""), ("b", ""), ("c", "1=2"), ("d e", "x y&"), ("a", "é")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let text = "a&b=&=ignored&&c=1=2&d+e=x%20y%26&a=%C3%a9";
        assert_eq!(read(text, Plus::Space), expected);
        assert_eq!(read("a=1+2%2B", Plus::Itself), [("a".to_owned(), "1+2+".to_owned())]);
        let raw: Vec<_> = pairs(b"a=1&&=x&b").map(|pair| pair.raw).collect();
        assert_eq!(raw, [&b"a=1"[..], b"b"]);
    }

    #[test]
    fn a_percent_sign_needs_two_digits() {
        for bad in ["%", "%4", "%zz", "a%+1", "%é"] {
            let pair = pairs(bad.as_bytes()).next().unwrap();
            assert_eq!(pair.name(Plus::Space), Err(Malformed), "{bad}");
            assert!(!pair.is_called("a"));
        }
    }

    #[test]
    fn a_name_is_known_however_it_is_encoded() {
        for (text, name) in [("AppCode=1", "AppCode"), ("%41pp%43ode", "AppCode"), ("a+b", "a b")] {
            assert!(pairs(text.as_bytes()).all(|pair| pair.is_called(name)), "{text}");
        }
        assert!(!pairs(b"appcode=1").any(|pair| pair.is_called("AppCode")));
    }

    proptest! {
        #[test]
        fn what_was_encoded_comes_back(bytes in proptest::collection::vec(any::<u8>(), 1..40)) {
            let text: String = bytes.iter().map(|byte| format!("%{byte:02X}")).collect();
            let pair = pairs(text.as_bytes()).next().unwrap();
            prop_assert_eq!(pair.name(Plus::Space).unwrap(), bytes);
        }
    }
}
