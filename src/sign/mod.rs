//! WHO WE ARE to a backend, and who callers say they are: keyed digests of text.

mod key;

pub(crate) use self::key::{Algorithm, SigningKey};
