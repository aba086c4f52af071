//! Validated names.
//!
//! A name is checked once, where it enters the crate; everything behind that door may rely on it.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

macro_rules! text_name {
    ($(#[$meta:meta])* $name:ident, $what:literal, $check:path) => {
        $(#[$meta])*
        #[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                match $check(text) {
                    Ok(()) => Ok(Self(text.into())),
                    Err(reason) => Err(InvalidName::new($what, text, reason)),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, InvalidName> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.as_str().to_owned()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
            }
        }
    };
}

text_name!(
    /// The name of a backend service, unique within a registry.
    ///
    /// * 1 to 64 bytes long
    /// * ASCII letters, digits, `-`, `_` and `.` only
    /// * starts with a letter
    ServiceName, "service name", check_plain
);

text_name!(
    /// The name of a group, unique within a registry. The rules are those of [`ServiceName`].
    GroupName, "group name", check_plain
);

text_name!(
    /// The name of an application, or of what definitions refer to: unique among its sort.
    ///
    /// * 1 to 64 characters long: letters (of any script), digits, `-`, `_`, `.` and space
    /// * starts with a letter or a digit
    ResourceName, "name", check_resource
);

text_name!(
    /// A host as requests name it: lower case, without port and without trailing dot.
    ///
    /// * a DNS name in ASCII (international names in their `xn--` form), an IPv4 address, or an
    ///   IPv6 address in brackets
    /// * 1 to 253 bytes long, labels of 1 to 63 letters, digits, `-` and `_`
    Host, "host", check_host
);

/// The full name of an API: its group and its own name, written `group/name`.
///
/// * the group follows the rules of [`GroupName`]
/// * the API's own name is 4 to 128 characters long: letters (of any script), digits, `_`, `-`, `.`
///   and space, starting with a letter
///
/// Two sources of the modelled system disagree on the length (50 or 128) and the characters; the
/// wider rule is taken, so that no name valid there is refused here.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ApiName {
    group: GroupName,
    name: Arc<str>,
}

impl ApiName {
    /// The group the API belongs to.
    #[must_use]
    pub fn group(&self) -> &GroupName {
        &self.group
    }

    /// The API's name within its group.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of the API `name` in `group`.
    ///
    /// # Errors
    ///
    /// When `name` does not follow the rules above.
    pub fn new(group: GroupName, name: &str) -> Result<Self, InvalidName> {
        match check_api(name) {
            Ok(()) => Ok(Self { group, name: name.into() }),
            Err(reason) => Err(InvalidName::new("API name", name, reason)),
        }
    }

    /// Puts together what was checked before.
    pub(crate) fn from_checked(group: GroupName, name: Arc<str>) -> Self {
        Self { group, name }
    }
}

impl FromStr for ApiName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let Some((group, name)) = text.split_once('/') else {
            return Err(InvalidName::new("API name", text, Reason::NoGroup));
        };
        Self::new(group.parse()?, name)
    }
}

impl TryFrom<String> for ApiName {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<ApiName> for String {
    fn from(name: ApiName) -> Self {
        name.to_string()
    }
}

impl fmt::Display for ApiName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.group, self.name)
    }
}

impl fmt::Debug for ApiName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// The text is not a valid name.
///
/// The reason is private so that rules can be added without a breaking change; print it to see it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{what} {text:?} {reason}")]
pub struct InvalidName {
    what: &'static str,
    text: Box<str>,
    reason: Reason,
}

impl InvalidName {
    pub(super) fn new(what: &'static str, text: &str, reason: Reason) -> Self {
        // Enough to recognise it by, and no more: the text is not trusted.
        let text = text.chars().take(SHOWN).collect::<String>().into();
        Self { what, text, reason }
    }
}

/// Characters of a refused name that its error repeats.
const SHOWN: usize = 80;
/// Bytes in the name of a service or group.
const MAX_PLAIN: usize = 64;
/// Characters in the name of an application or an authorization.
const MAX_RESOURCE: usize = 64;
/// Characters in the name of an API within its group.
const API_CHARACTERS: std::ops::RangeInclusive<usize> = 4..=128;

#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum Reason {
    #[error("is empty")]
    Empty,
    #[error("is longer than {0} bytes")]
    TooLong(usize),
    #[error("is not 4 to 128 characters long")]
    ApiLength,
    #[error("is longer than {0} characters")]
    TooManyCharacters(usize),
    #[error("does not start with a letter")]
    Start,
    #[error("does not start with a letter or a digit")]
    StartResource,
    #[error("contains {0:?}")]
    Character(char),
    #[error("is not of the form group/name")]
    NoGroup,
    #[error("is not a host in lower case without port and trailing dot")]
    Host,
    #[error("is not 2 to 10 upper-case letters or digits, the first a letter")]
    Environment,
    #[error("is not lower-case letters, digits and '_' starting with a letter, at most 64 bytes")]
    Kind,
    #[error("is the name of a built-in one")]
    BuiltIn,
}

fn check_plain(text: &str) -> Result<(), Reason> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if text.is_empty() {
        Err(Reason::Empty)
    } else if text.len() > MAX_PLAIN {
        Err(Reason::TooLong(MAX_PLAIN))
    } else if !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        Err(Reason::Start)
    } else {
        text.chars().find(|c| !allowed(*c)).map_or(Ok(()), |c| Err(Reason::Character(c)))
    }
}

fn check_api(text: &str) -> Result<(), Reason> {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ');
    if !API_CHARACTERS.contains(&text.chars().take(API_CHARACTERS.end() + 1).count()) {
        Err(Reason::ApiLength)
    } else if !text.starts_with(char::is_alphabetic) {
        Err(Reason::Start)
    } else {
        text.chars().find(|c| !allowed(*c)).map_or(Ok(()), |c| Err(Reason::Character(c)))
    }
}

fn check_resource(text: &str) -> Result<(), Reason> {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ');
    if text.is_empty() {
        Err(Reason::Empty)
    } else if text.chars().count() > MAX_RESOURCE {
        Err(Reason::TooManyCharacters(MAX_RESOURCE))
    } else if !text.starts_with(char::is_alphanumeric) {
        Err(Reason::StartResource)
    } else {
        text.chars().find(|c| !allowed(*c)).map_or(Ok(()), |c| Err(Reason::Character(c)))
    }
}

fn check_host(text: &str) -> Result<(), Reason> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
    };
    let valid = if let Some(inner) = text.strip_prefix('[') {
        // Only the canonical spelling, so that one address is one host.
        inner.strip_suffix(']').is_some_and(|inner| {
            inner.parse::<Ipv6Addr>().is_ok_and(|address| address.to_string() == inner)
        })
    } else {
        text.len() <= 253
            && text.split('.').all(label)
            && (!text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
                || text.parse::<Ipv4Addr>().is_ok())
    };
    if valid { Ok(()) } else { Err(Reason::Host) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_why() {
        for (text, why) in [
            ("", "service name \"\" is empty"),
            ("1a", "service name \"1a\" does not start with a letter"),
            ("a b", "service name \"a b\" contains ' '"),
        ] {
            assert_eq!(text.parse::<ServiceName>().unwrap_err().to_string(), why);
        }
        let long = "x".repeat(65);
        assert!(long.parse::<ServiceName>().is_err());
    }

    #[test]
    fn an_api_belongs_to_a_group() {
        let name: ApiName = "shop/get_order".parse().unwrap();
        assert_eq!((name.group().as_str(), name.name()), ("shop", "get_order"));
        assert!("shop/查询订单".parse::<ApiName>().is_ok());
        for bad in ["get_order", "shop/", "shop/abc", "shop/1abc", "shop/a/bcd", "/abcd"] {
            assert!(bad.parse::<ApiName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_host_has_one_spelling() {
        for good in ["a", "shop.example.com", "127.0.0.1", "[::1]", "xn--bcher-kva.example"] {
            assert!(good.parse::<Host>().is_ok(), "{good}");
        }
        for bad in ["", "A.com", "a.com.", "a.com:80", "::1", "[0::1]", "a..b", "1.2.3", "a/b"] {
            assert!(bad.parse::<Host>().is_err(), "{bad}");
        }
    }
}
