//! Whether two values of a noun are the same, in eight bytes.

use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::LazyLock;

use serde::Serialize;
use serde_json::Value;

use super::definition::{is_veiled, veil, veiled};
use super::environment::Declaration;
use super::{Api, BackendService, Definition, Grant, Group, Resource};

/// What an operator writes down, and so what can be compared field by field.
///
/// Which fields there are is read off the serialized form, so none can be forgotten. Sealed: of other
/// types nobody knows whether they would show a secret.
pub trait Noun: Serialize + sealed::Sealed {}

mod sealed {
    #[expect(unnameable_types, reason = "so that nobody else implements it")]
    pub trait Sealed {}
}

/// Equal exactly when every field of two values is, up to collisions of 64 bits.
///
/// Comparable within one process only: the key it is made with is random, never leaves the process and
/// keeps a fingerprint from telling anything about a secret. Compare fingerprints of one noun only, of
/// values that can be accepted; what no written form keeps (parts of a millisecond) is not seen.
///
/// ```
/// use backhaul::{Definition, Http};
/// let one: Definition = Http::to("http://10.0.0.7:8080").into();
/// let other: Definition = Http::to("http://10.0.0.9:8080").into();
/// assert_eq!(one.fingerprint(), one.clone().fingerprint());
/// assert_ne!(one.fingerprint(), other.fingerprint());
/// ```
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// The fingerprint of a value.
    #[must_use]
    pub fn of<T: Noun + ?Sized>(noun: &T) -> Self {
        // A keyed function that was made against attackers, unlike the faster ones: fingerprints are
        // shown.
        static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        let mut hasher = KEY.build_hasher();
        feed(&tree(noun), &mut hasher);
        Self(hasher.finish())
    }
}

/// What keys of secrets have in them, in the model's own types and by custom: in tables whose keys only
/// an adapter knows, a custom definition or a leg that is of such a kind, more is veiled than need be.
const SECRET: [&str; 9] = [
    "secret",
    "password",
    "passwd",
    "passphrase",
    "token",
    "api_key",
    "apikey",
    "private_key",
    "authorization",
];

fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace('-', "_");
    SECRET.iter().any(|word| key.contains(word))
}

/// The fields of a noun as they are written, with secrets veiled.
pub(super) fn tree<T: Noun + ?Sized>(noun: &T) -> Value {
    // Writing a noun cannot fail: its keys are texts.
    let mut tree = veiled(|| serde_json::to_value(noun)).unwrap_or_default();
    veil_secrets(&mut tree, false);
    tree
}

fn veil_secrets(value: &mut Value, secret: bool) {
    match value {
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                veil_secrets(value, secret || is_secret(key));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| veil_secrets(item, secret)),
        Value::String(text) if is_veiled(text) => {}
        Value::String(text) if secret => *text = veil(text),
        leaf if secret => *leaf = veil(&leaf.to_string()).into(),
        _ => {}
    }
}

/// `Value` has a `Hash` of its own, to which -1 is the same as the largest `u64`, and a float as the
/// number with its bits.
fn feed(value: &Value, hasher: &mut impl Hasher) {
    std::mem::discriminant(value).hash(hasher);
    match value {
        Value::Null => {}
        Value::Bool(truth) => truth.hash(hasher),
        Value::Number(number) => {
            (number.is_u64(), number.is_i64()).hash(hasher);
            number.hash(hasher);
        }
        Value::String(text) => text.hash(hasher),
        Value::Array(items) => {
            items.len().hash(hasher);
            items.iter().for_each(|item| feed(item, hasher));
        }
        Value::Object(map) => {
            map.len().hash(hasher);
            // Another crate may have asked for maps that keep the order of insertion.
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            for (key, item) in entries {
                key.hash(hasher);
                feed(item, hasher);
            }
        }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

macro_rules! nouns {
    ($($noun:ty),* $(,)?) => { $(
        impl sealed::Sealed for $noun {}
        impl Noun for $noun {}

        impl $noun {
            /// Equal exactly when every field is; within this process only.
            #[must_use]
            pub fn fingerprint(&self) -> Fingerprint {
                Fingerprint::of(self)
            }
        }
    )* };
}

nouns![Api, BackendService, Declaration, Definition, Grant, Group, Resource];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::definition::{Discovery, Secret};
    use serde_json::json;

    fn hash(value: &Value) -> u64 {
        static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        let mut hasher = KEY.build_hasher();
        feed(value, &mut hasher);
        hasher.finish()
    }

    #[test]
    fn values_that_look_alike_are_told_apart() {
        let different = [
            json!(null),
            json!(false),
            json!(0),
            json!(-1),
            json!(u64::MAX),
            json!(1.0),
            json!(1.0_f64.to_bits()),
            json!(""),
            json!("0"),
            json!([]),
            json!([[]]),
            json!([[], []]),
            json!(["a", "b"]),
            json!(["ab"]),
            json!({}),
            json!({"a": {}, "b": 1}),
            json!({"a": {"b": 1}}),
        ];
        for (index, one) in different.iter().enumerate() {
            assert_eq!(hash(one), hash(&one.clone()));
            for other in different.iter().skip(index + 1) {
                assert_ne!(hash(one), hash(other), "{one} {other}");
            }
        }
        assert_eq!(hash(&json!(0.0)), hash(&json!(-0.0)), "they are equal");
    }

    #[test]
    fn a_secret_is_in_no_tree_and_in_every_fingerprint() {
        let with = |text: &str| {
            let password = Some(Secret::new(text));
            Definition::from(Discovery { password, ..Discovery::default() })
        };
        assert!(!tree(&with("hunter2")).to_string().contains("hunter2"));
        assert_eq!(with("hunter2").fingerprint(), with("hunter2").fingerprint());
        assert_ne!(with("hunter2").fingerprint(), with("hunter3").fingerprint());
    }

    #[test]
    fn it_is_shown_in_sixteen_digits() {
        assert_eq!(Fingerprint(255).to_string(), "00000000000000ff");
        assert_eq!(format!("{:?}", Fingerprint(u64::MAX)), "ffffffffffffffff");
    }
}
