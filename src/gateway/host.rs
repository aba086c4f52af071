//! The host a request is for, in one spelling.

use std::borrow::Cow;
use std::net::Ipv6Addr;

/// Bytes in a host name, and in one of its labels (RFC 1035 section 2.3.4).
const MAX_HOST: usize = 253;
const MAX_LABEL: usize = 63;

/// A host in lower case without trailing dot, an IPv6 address in its canonical spelling and in
/// brackets; and the port that stood with it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Authority<'a> {
    pub(super) host: Cow<'a, str>,
    pub(super) port: Option<u16>,
}

impl<'a> Authority<'a> {
    /// Reads `host`, `host:` or `host:port`. `None`: it is neither, or names a user.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let split = match text.strip_prefix('[') {
            Some(literal) => literal.bytes().position(|byte| byte == b']')? + 2,
            None => text.bytes().position(|byte| byte == b':').unwrap_or(text.len()),
        };
        let (host, port) = text.split_at_checked(split)?;
        let port = match port.as_bytes() {
            [] | [b':'] => None,
            [b':', digits @ ..] => Some(number(digits, u16::MAX.into())?),
            _ => return None,
        };
        let host = match host.strip_prefix('[') {
            Some(literal) => Cow::Owned(ipv6(literal.strip_suffix(']')?)?),
            None => name(host)?,
        };
        Some(Self { host, port: port.and_then(|port| u16::try_from(port).ok()) })
    }

    /// Whether both name the same place, where `default` is the port nobody has to write.
    pub(super) fn same(&self, other: &Self, default: u16) -> bool {
        self.host == other.host && self.port.unwrap_or(default) == other.port.unwrap_or(default)
    }
}

/// What a byte is in a host name; 0 for what is in none.
const SORTS: [u8; 256] = {
    let mut sorts = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::indexing_slicing, reason = "the index is below the length")]
        {
            sorts[byte] = sort(byte);
        }
        byte += 1;
    }
    sorts
};
const LOWER: u8 = 1;
const DIGIT: u8 = 2;
const UPPER: u8 = 4;
const DOT: u8 = 8;

const fn sort(byte: usize) -> u8 {
    match byte {
        0x61..=0x7a | 0x2d | 0x5f => LOWER,
        0x30..=0x39 => DIGIT,
        0x41..=0x5a => UPPER,
        0x2e => DOT,
        _ => 0,
    }
}

fn ipv6(literal: &str) -> Option<String> {
    let address: Ipv6Addr = literal.parse().ok()?;
    Some(format!("[{address}]"))
}

/// A decimal number of at most `most`, without a sign.
fn number(digits: &[u8], most: u32) -> Option<u32> {
    digits.iter().try_fold(0_u32, |number, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        Some(number * 10 + digit).filter(|number| *number <= most)
    })
}

/// Whether digits and dots are an address, in the one spelling everybody reads the same way.
fn is_ipv4(text: &str) -> bool {
    let mut parts = 0;
    text.as_bytes().split(|byte| *byte == b'.').all(|part| {
        parts += 1;
        let plain = part.len() == 1 || part.first() != Some(&b'0');
        plain && !part.is_empty() && number(part, u8::MAX.into()).is_some()
    }) && parts == 4
}

fn name(text: &str) -> Option<Cow<'_, str>> {
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.len() > MAX_HOST {
        return None;
    }
    let (mut seen, mut label) = (0, 0);
    for byte in text.bytes() {
        let sort = SORTS.get(usize::from(byte)).copied().unwrap_or(0);
        if sort == DOT {
            if label == 0 {
                return None;
            }
            label = 0;
            continue;
        }
        label += 1;
        if sort == 0 || label > MAX_LABEL {
            return None;
        }
        seen |= sort;
    }
    let (upper, numeric) = (seen & UPPER != 0, seen & !DIGIT == 0);
    // `127.1` is an address to some and a name to others.
    if label == 0 || (numeric && !is_ipv4(text)) {
        return None;
    }
    Some(if upper { Cow::Owned(text.to_ascii_lowercase()) } else { Cow::Borrowed(text) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Host;

    fn host(text: &str) -> Option<(String, Option<u16>)> {
        let authority = Authority::parse(text)?;
        Some((authority.host.into_owned(), authority.port))
    }

    #[test]
    fn a_host_has_one_spelling() {
        for (text, expected, port) in [
            ("shop.example.com", "shop.example.com", None),
            ("Shop.Example.COM.:8080", "shop.example.com", Some(8080)),
            ("a:", "a", None),
            ("127.0.0.1:80", "127.0.0.1", Some(80)),
            ("[0:0::1]:1", "[::1]", Some(1)),
            ("[2001:DB8::A]", "[2001:db8::a]", None),
        ] {
            assert_eq!(host(text), Some((expected.to_owned(), port)), "{text}");
        }
        for bad in [
            "",
            ".",
            "a..b",
            "a:b",
            "a:80:80",
            "a:65536",
            "a:+1",
            "user@a",
            "user:pw@a",
            "::1",
            "[::1",
            "[::1]x",
            "[fe80::1%25eth0]",
            "a b",
            "a/b",
            "127.1",
            "a%41",
            "..",
            "é",
        ] {
            assert_eq!(host(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn ports_are_compared_with_the_default() {
        let same = |a, b, default| {
            Authority::parse(a).unwrap().same(&Authority::parse(b).unwrap(), default)
        };
        assert!(same("a", "A.:80", 80));
        assert!(same("a:443", "a", 443));
        assert!(!same("a:443", "a", 80));
        assert!(!same("a", "b", 80));
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_a_host_and_stays_one(text in "[a-cA-C0-9._:@%\\[\\] -]{0,24}") {
            if let Some((spelling, _)) = host(&text) {
                prop_assert!(spelling.parse::<Host>().is_ok(), "{:?}", spelling);
                prop_assert_eq!(host(&spelling), Some((spelling, None)));
            }
        }

        #[test]
        fn case_dot_and_port_make_no_difference(
            labels in proptest::collection::vec("[a-z][a-z0-9-]{0,8}", 1..5),
            port in proptest::option::of(1_u16..),
            dot in any::<bool>(),
        ) {
            let plain = labels.join(".");
            let mut text = plain.to_ascii_uppercase();
            if dot { text.push('.'); }
            if let Some(port) = port { text.push_str(&format!(":{port}")); }
            prop_assert_eq!(host(&text), Some((plain, port)));
        }
    }
}
