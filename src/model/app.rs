//! Who calls: applications, their keys and codes, and what they were granted.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::definition::{InvalidDefinition, Secret};
use super::limits::{CREDENTIAL_LENGTH, MAX_APP_CREDENTIALS};
use super::version::check_description;
use crate::time::Timestamp;

/// An application as an operator writes it down: what it signs with, and what it identifies itself by.
///
/// A document may write one key as `key` and `secret`, one code as `code`; several as `keys` and
/// `codes`. `Debug` shows keys, never secrets and codes.
///
/// ```
/// use backhaul::model::App;
/// let app = App::new().key("203753385", "sampleSecret1").code("sampleAppCode1");
/// assert_eq!(app.keys.len(), 1);
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
#[non_exhaustive]
pub struct App {
    /// At most 180 characters.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What it signs with. Several, so that one can be replaced while the other is still in use.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<AppKey>,
    /// What it identifies itself by without signing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<Secret>,
}

/// A key and the secret it signs with.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AppKey {
    /// The key: 8 to 128 of `-_a-zA-Z0-9`, unique among all applications.
    pub key: String,
    /// The secret: 8 to 128 of `-_a-zA-Z0-9`.
    pub secret: Secret,
}

impl AppKey {
    /// A key and its secret.
    #[must_use]
    pub fn new(key: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { key: key.into(), secret: Secret::new(secret) }
    }
}

/// An application as it may be written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct Written {
    description: String,
    key: Option<String>,
    secret: Option<Secret>,
    code: Option<Secret>,
    keys: Vec<AppKey>,
    codes: Vec<Secret>,
}

impl TryFrom<Written> for App {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { description, key, secret, code, mut keys, mut codes } = written;
        match (key, secret) {
            (Some(key), Some(secret)) => keys.insert(0, AppKey { key, secret }),
            (None, None) => {}
            (Some(_), None) => return Err("`key` needs a `secret`".to_owned()),
            (None, Some(_)) => return Err("`secret` needs a `key`".to_owned()),
        }
        if let Some(code) = code {
            codes.insert(0, code);
        }
        Ok(Self { description, keys, codes })
    }
}

impl App {
    /// An application without keys and codes: it cannot be recognised yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with a description of at most 180 characters.
    #[must_use]
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = text.into();
        self
    }

    /// The same with one more key.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>, secret: impl Into<String>) -> Self {
        self.keys.push(AppKey::new(key, secret));
        self
    }

    /// The same with one more code.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.codes.push(Secret::new(code));
        self
    }

    pub(crate) fn check(&self) -> Result<(), InvalidDefinition> {
        check_description(&self.description)?;
        if self.keys.len() > MAX_APP_CREDENTIALS {
            let reason = format!("are more than {MAX_APP_CREDENTIALS}");
            return Err(InvalidDefinition::new("keys", reason));
        }
        if self.codes.len() > MAX_APP_CREDENTIALS {
            let reason = format!("are more than {MAX_APP_CREDENTIALS}");
            return Err(InvalidDefinition::new("codes", reason));
        }
        let (mut keys, mut codes) = (BTreeSet::new(), BTreeSet::new());
        for (index, AppKey { key, secret }) in self.keys.iter().enumerate() {
            check_credential(&format!("keys[{index}].key"), key)?;
            check_credential(&format!("keys[{index}].secret"), secret.expose())?;
            if !keys.insert(key) {
                let field = format!("keys[{index}].key");
                return Err(InvalidDefinition::new(field, "stands there twice"));
            }
        }
        for (index, code) in self.codes.iter().enumerate() {
            check_credential(&format!("codes[{index}]"), code.expose())?;
            if !codes.insert(code.expose()) {
                let field = format!("codes[{index}]");
                return Err(InvalidDefinition::new(field, "stands there twice"));
            }
        }
        Ok(())
    }
}

/// Domain §4.4. What is wrong with it is told without showing it.
fn check_credential(field: &str, text: &str) -> Result<(), InvalidDefinition> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if CREDENTIAL_LENGTH.contains(&text.len()) && text.bytes().all(allowed) {
        Ok(())
    } else {
        Err(InvalidDefinition::new(field, "is not 8 to 128 letters, digits, '-' and '_'"))
    }
}

/// That an application may call an API in an environment. Independent of whether it is published.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Grant {
    /// Until when; absent: until it is revoked.
    #[serde(with = "crate::time::rfc3339", skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

impl Grant {
    /// Until it is revoked.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self { expires: None }
    }

    /// Until a moment.
    #[must_use]
    pub const fn until(moment: Timestamp) -> Self {
        Self { expires: Some(moment) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_key_may_be_written_without_a_list() {
        let short = r#"{"key":"12345678","secret":"abcdefgh","code":"code-code"}"#;
        let app: App = serde_json::from_str(short).unwrap();
        assert_eq!(app, App::new().key("12345678", "abcdefgh").code("code-code"));
        let written = serde_json::to_string(&app).unwrap();
        assert_eq!(serde_json::from_str::<App>(&written).unwrap(), app);
        assert!(!format!("{app:?}").contains("abcdefgh") && !format!("{app:?}").contains("code-"));
        for bad in [r#"{"key":"12345678"}"#, r#"{"secret":"12345678"}"#, r#"{"kex":""}"#] {
            assert!(serde_json::from_str::<App>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_secret_is_told_without_it() {
        for (app, field) in [
            (App::new().key("short", "long-enough"), "keys[0].key"),
            (App::new().key("12345678", "hunter2"), "keys[0].secret"),
            (App::new().key("12345678", "hunter2 hunter2"), "keys[0].secret"),
            (App::new().code("hunter2"), "codes[0]"),
            (App::new().code("hunter2-").code("hunter2-"), "codes[1]"),
        ] {
            let error = app.check().unwrap_err();
            assert_eq!(error.field, field);
            assert!(!error.to_string().contains("hunter2"));
        }
        assert_eq!(App::new().key("203753385", "sampleSecret1").check(), Ok(()));
    }
}
