//! What a service means in one environment: one variant per kind.
//!
//! A definition is kept as it was written; [`Definition::check`] says whether it can be accepted. A
//! kind's adapter parses it into what it needs, once, when a change is compiled.

use std::fmt;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::duration;
use super::kind::Kind;

mod custom;
mod discovery;
mod event_bridge;
mod function_compute;
mod http;
mod mixed;
mod mock;
mod oss;
mod secret;
mod vpc;

pub use self::custom::Custom;
pub use self::discovery::{Discovery, RegistryKind};
pub use self::event_bridge::{EventBridge, EventFormat};
pub use self::function_compute::{FunctionCompute, FunctionType, FunctionVersion, Invocation};
pub use self::http::{Endpoint, Http, InvalidUrl, Tls, Url, WireProtocol};
pub use self::mixed::{Leg, Mixed};
pub use self::mock::Mock;
pub use self::oss::{Addressing, Oss};
pub use self::secret::Secret;
pub(crate) use self::secret::{REDACTED, is_veiled, is_veiling, veil, veiled};
pub use self::vpc::Vpc;

/// Shortest timeout a definition or an API may set.
pub const MIN_TIMEOUT: Duration = Duration::from_millis(1);
/// Longest timeout a definition or an API may set.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(120);

/// What a backend service means in one environment, or what an API means by itself.
#[derive(Clone, Eq, PartialEq)]
#[non_exhaustive]
pub struct Definition {
    /// From the request fully sent to the response head, 1 ms to 120 s; absent: 10 s. An API's own
    /// timeout goes before it.
    pub timeout: Option<Duration>,
    /// What stands under `retry`, `breaker`, `limits` and `health`, as it was written. It is kept, and
    /// nothing acts on it yet.
    pub resilience: Map<String, Value>,
    /// What the kind needs.
    pub settings: Settings,
}

/// Keys of every definition about what happens when its requests fail or become too many.
pub(crate) const RESILIENCE: [&str; 4] = ["retry", "breaker", "limits", "health"];

/// What a definition of each kind consists of.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Settings {
    /// An HTTP or HTTPS endpoint.
    Http(Http),
    /// A private address inside a VPC.
    Vpc(Vpc),
    /// A function.
    FunctionCompute(Box<FunctionCompute>),
    /// An object store.
    Oss(Oss),
    /// An event bus.
    EventBridge(EventBridge),
    /// Endpoints found through a service registry.
    Discovery(Box<Discovery>),
    /// Another kind, or a composition of several.
    Mixed(Mixed),
    /// A canned answer.
    Mock(Mock),
    /// A kind an application registered.
    Custom(Custom),
}

/// A definition cannot be accepted: the field, and why.
///
/// The field is the key as it is written, with dots between levels (`tls.min_version`).
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{field}: {reason}")]
#[non_exhaustive]
pub struct InvalidDefinition {
    /// The key.
    pub field: String,
    /// What is wrong with its value.
    pub reason: String,
}

impl InvalidDefinition {
    /// The value of `field` is wrong for `reason`.
    #[must_use]
    pub fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }
}

/// Of what is only kept, the keys without their values: one of them may be secret.
impl fmt::Debug for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { timeout, resilience, settings } = self;
        let kept: Vec<_> = resilience.keys().collect();
        f.debug_struct("Definition")
            .field("timeout", timeout)
            .field("resilience", &kept)
            .field("settings", settings)
            .finish()
    }
}

impl Definition {
    /// A definition with these settings and the default timeout.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { timeout: None, resilience: Map::new(), settings }
    }

    /// The same with a timeout of 1 ms to 120 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The kind it belongs to.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match &self.settings {
            Settings::Http(_) => Kind::HTTP,
            Settings::Vpc(_) => Kind::VPC,
            Settings::FunctionCompute(_) => Kind::FUNCTION_COMPUTE,
            Settings::Oss(_) => Kind::OSS,
            Settings::EventBridge(_) => Kind::EVENT_BRIDGE,
            Settings::Discovery(_) => Kind::DISCOVERY,
            Settings::Mixed(_) => Kind::MIXED,
            Settings::Mock(_) => Kind::MOCK,
            Settings::Custom(custom) => custom.kind.clone(),
        }
    }

    /// Whether it can be accepted as it stands, without asking anybody.
    ///
    /// # Errors
    ///
    /// The first field that cannot, and why.
    pub fn check(&self) -> Result<(), InvalidDefinition> {
        if let Some(timeout) = self.timeout {
            check_timeout("timeout", timeout)?;
        }
        match &self.settings {
            Settings::Http(http) => http.check(),
            Settings::Vpc(vpc) => vpc.check(),
            Settings::FunctionCompute(function) => function.check(),
            Settings::Oss(oss) => oss.check(),
            Settings::EventBridge(bus) => bus.check(),
            Settings::Discovery(discovery) => discovery.check(),
            Settings::Mixed(mixed) => mixed.check(),
            Settings::Mock(mock) => mock.check(),
            Settings::Custom(custom) => custom.check(),
        }
    }
}

#[cfg(any(feature = "document", feature = "openapi"))]
impl Definition {
    /// The same of an API's own definition. One that names stage variables is looked at when they are
    /// replaced.
    pub(crate) fn check_own(&self) -> Result<(), InvalidDefinition> {
        if crate::model::variable::key_in(self).is_some() { Ok(()) } else { self.check() }
    }
}

/// Whether a timeout of `field` is one that may be set.
pub(crate) fn check_timeout(field: &str, timeout: Duration) -> Result<(), InvalidDefinition> {
    if !(MIN_TIMEOUT..=MAX_TIMEOUT).contains(&timeout) {
        return Err(InvalidDefinition::new(
            field,
            format!("{timeout:?} is not between 1ms and 120s"),
        ));
    }
    check_whole(field, timeout)
}

/// Whether a duration is one that stores keep: whole milliseconds.
fn check_whole(field: &str, duration: Duration) -> Result<(), InvalidDefinition> {
    if duration.subsec_nanos().is_multiple_of(1_000_000) {
        Ok(())
    } else {
        Err(InvalidDefinition::new(field, format!("{duration:?} is not in whole milliseconds")))
    }
}

fn require(field: &str, text: &str) -> Result<(), InvalidDefinition> {
    if text.is_empty() { Err(InvalidDefinition::new(field, "is required")) } else { Ok(()) }
}

/// Whether `text` can stand in a header or a request line without being read as something else.
pub(crate) fn check_token(field: &str, text: &str) -> Result<(), InvalidDefinition> {
    match text.chars().find(|c| c.is_control() || c.is_whitespace()) {
        Some(c) => Err(InvalidDefinition::new(field, format!("contains {c:?}"))),
        None if text.len() > 1024 => {
            Err(InvalidDefinition::new(field, "is longer than 1024 bytes"))
        }
        None => Ok(()),
    }
}

pub(crate) fn check_required_token(field: &str, text: &str) -> Result<(), InvalidDefinition> {
    require(field, text)?;
    check_token(field, text)
}

impl Serialize for Definition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // By field, so that one more does not compile until it is written.
        let Self { timeout, resilience, settings } = self;
        let settings = match settings {
            Settings::Http(settings) => serde_json::to_value(settings),
            Settings::Vpc(settings) => serde_json::to_value(settings),
            Settings::FunctionCompute(settings) => serde_json::to_value(settings),
            Settings::Oss(settings) => serde_json::to_value(settings),
            Settings::EventBridge(settings) => serde_json::to_value(settings),
            Settings::Discovery(settings) => serde_json::to_value(settings),
            Settings::Mixed(settings) => serde_json::to_value(settings),
            Settings::Mock(settings) => serde_json::to_value(settings),
            Settings::Custom(Custom { kind: _, settings }) => Ok(Value::Object(settings.clone())),
        };
        let Ok(Value::Object(mut map)) = settings else {
            return Err(serde::ser::Error::custom("settings are not a table"));
        };
        map.insert("kind".to_owned(), self.kind().as_str().into());
        if let Some(timeout) = timeout {
            map.insert("timeout".to_owned(), duration::text(*timeout).into());
        }
        for (key, value) in resilience {
            let veiled = || veil(&value.to_string()).into();
            map.insert(key.clone(), if is_veiling() { veiled() } else { value.clone() });
        }
        map.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Definition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = Map::<String, Value>::deserialize(deserializer)?;
        Self::from_table(map, None).map_err(serde::de::Error::custom)
    }
}

impl Definition {
    /// Reads a definition of `kind` from a table of keys as an operator writes them. Without `kind`
    /// the table says it itself, under `kind`.
    ///
    /// # Errors
    ///
    /// The key that is wrong, unknown or missing.
    pub fn from_table(
        mut table: Map<String, Value>,
        kind: Option<&Kind>,
    ) -> Result<Self, InvalidDefinition> {
        let kind = match (kind, table.get("kind")) {
            // A mixed service's definition names the kind it has in this environment.
            (Some(kind), _) => kind.clone(),
            (None, Some(Value::String(text))) => {
                text.parse().map_err(|error| InvalidDefinition::new("kind", format!("{error}")))?
            }
            (None, Some(_)) => return Err(InvalidDefinition::new("kind", "is not text")),
            (None, None) => return Err(InvalidDefinition::new("kind", "is required")),
        };
        if kind != Kind::MIXED || table.get("kind").is_some_and(|text| text == kind.as_str()) {
            table.remove("kind");
        }
        let timeout = match table.remove("timeout") {
            None => None,
            Some(Value::String(text)) => Some(
                duration::parse(&text)
                    .map_err(|reason| InvalidDefinition::new("timeout", reason))?,
            ),
            Some(_) => return Err(InvalidDefinition::new("timeout", "is not text")),
        };
        let mut resilience = Map::new();
        for key in RESILIENCE {
            resilience.extend(table.remove(key).map(|value| (key.to_owned(), value)));
        }
        Ok(Self { timeout, resilience, settings: settings(&kind, table)? })
    }
}

fn settings(kind: &Kind, table: Map<String, Value>) -> Result<Settings, InvalidDefinition> {
    Ok(match kind.as_str() {
        "http" => Settings::Http(read(&table)?),
        "vpc" => Settings::Vpc(read(&table)?),
        "function_compute" => Settings::FunctionCompute(read(&table)?),
        "oss" => Settings::Oss(read(&table)?),
        "event_bridge" => Settings::EventBridge(read(&table)?),
        "discovery" => Settings::Discovery(read(&table)?),
        "mixed" => Settings::Mixed(read(&table)?),
        "mock" => Settings::Mock(read(&table)?),
        _ => Settings::Custom(Custom { kind: kind.clone(), settings: table }),
    })
}

fn read<T: DeserializeOwned>(table: &Map<String, Value>) -> Result<T, InvalidDefinition> {
    match serde_json::from_value(Value::Object(table.clone())) {
        Ok(settings) => Ok(settings),
        Err(error) => Err(blame::<T>(table, &error.to_string())),
    }
}

/// Says which key an error is about: the one without which there would be another error, or none.
fn blame<T: DeserializeOwned>(table: &Map<String, Value>, error: &str) -> InvalidDefinition {
    let matters = |key: &&String| {
        let mut rest = table.clone();
        rest.remove(*key);
        let other = serde_json::from_value::<T>(Value::Object(rest)).err();
        other.is_none_or(|other| other.to_string() != error)
    };
    // What is missing stands between backticks.
    let missing = || error.split('`').nth(1).unwrap_or("definition");
    let field = table.keys().find(matters).map_or_else(missing, String::as_str);
    InvalidDefinition::new(one_line(field), one_line(error))
}

/// Text that somebody wrote, without what would break the line it is shown in.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::new();
    for c in text.chars() {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

macro_rules! into_definition {
    ($($kind:ident => $wrap:expr),* $(,)?) => { $(
        impl From<$kind> for Definition {
            fn from(settings: $kind) -> Self {
                Self::new($wrap(settings))
            }
        }

        impl $kind {
            /// A definition with a timeout of 1 ms to 120 s for every API that sets none itself.
            #[must_use]
            pub fn timeout(self, timeout: Duration) -> Definition {
                Definition::from(self).timeout(timeout)
            }
        }
    )* };
}

into_definition! {
    Http => Settings::Http,
    Vpc => Settings::Vpc,
    FunctionCompute => |settings| Settings::FunctionCompute(Box::new(settings)),
    Oss => Settings::Oss,
    EventBridge => Settings::EventBridge,
    Discovery => |settings| Settings::Discovery(Box::new(settings)),
    Mixed => Settings::Mixed,
    Mock => Settings::Mock,
    Custom => Settings::Custom,
}
