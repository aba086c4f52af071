//! Text that must not be shown.

use std::cell::Cell;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize, Serializer};

/// What stands for a secret wherever one would be shown.
pub(crate) const REDACTED: &str = "[redacted]";

/// A secret: `Debug` and `Display` show `[redacted]`. Serializing writes it, for stores.
#[derive(Clone, Default, Eq, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text` from being shown.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text. Where this is called, it may leak.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if VEILED.get() {
            serializer.serialize_str(&VEIL.over(&self.0))
        } else {
            serializer.serialize_str(&self.0)
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

thread_local! {
    /// A mode of the thread and not of the serializer, because definitions are serialized through
    /// `serde_json::Value`, where no serializer of ours would still be asked.
    static VEILED: Cell<bool> = const { Cell::new(false) };
}

static VEIL: LazyLock<Veil> = LazyLock::new(Veil::new);

/// Stands in for secrets: equal for equal ones, different for different ones, and without the key,
/// which never leaves the process, worth nothing.
struct Veil {
    key: RandomState,
    /// No text that somebody wrote starts like this.
    prefix: String,
}

impl Veil {
    fn new() -> Self {
        let key = RandomState::new();
        let prefix = format!("{:016x}{:016x}:", key.hash_one(0_u8), key.hash_one(1_u8));
        Self { key, prefix }
    }

    fn over(&self, text: &str) -> String {
        let half = |number: u8| self.key.hash_one((number, text));
        format!("{}{:016x}{:016x}", self.prefix, half(0), half(1))
    }
}

/// Runs `write` so that every secret it serializes on this thread is written veiled.
pub(crate) fn veiled<T>(write: impl FnOnce() -> T) -> T {
    struct Before(bool);
    impl Drop for Before {
        fn drop(&mut self) {
            VEILED.set(self.0);
        }
    }
    // Put back also when `write` panics: the next to write on this thread may be a store.
    let _before = Before(VEILED.replace(true));
    write()
}

/// Whether what is serialized on this thread is to be veiled.
pub(crate) fn is_veiling() -> bool {
    VEILED.get()
}

/// What `text` is veiled as, for one who knows it to be secret.
pub(crate) fn veil(text: &str) -> String {
    VEIL.over(text)
}

/// Whether `text` is what a secret was veiled as.
pub(crate) fn is_veiled(text: &str) -> bool {
    text.starts_with(&VEIL.prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(secret: &Secret) -> String {
        serde_json::to_value(secret).unwrap().as_str().unwrap().to_owned()
    }

    #[test]
    fn a_veil_hides_the_text_and_nothing_else() {
        let (one, other) = (Secret::new("hunter2"), Secret::new("hunter3"));
        let [first, again, second] = veiled(|| [&one, &one.clone(), &other].map(written));
        assert!(is_veiled(&first) && is_veiled(&second) && !is_veiled("hunter2"));
        assert!(!first.contains("hunter2"));
        assert_eq!(first, again);
        assert_ne!(first, second);
        assert_eq!(written(&one), "hunter2", "stores keep the text");
    }

    #[test]
    fn a_panic_takes_the_veil_off_and_an_inner_veil_leaves_the_outer_one() {
        let secret = Secret::new("hunter2");
        std::panic::catch_unwind(|| veiled(|| panic!("on purpose"))).unwrap_err();
        assert_eq!(written(&secret), "hunter2");
        veiled(|| {
            veiled(|| ());
            assert!(is_veiled(&written(&secret)));
        });
    }
}
