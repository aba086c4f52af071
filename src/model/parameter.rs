//! What of a request reaches the backend, under which name, and where.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::definition::InvalidDefinition;
use super::limits::MAX_PARAMETERS;

/// Something callers send.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Parameter {
    /// Its name in the request.
    pub name: String,
    /// Where it stands there.
    #[serde(rename = "in")]
    pub location: Location,
    /// What it is.
    #[serde(rename = "type", default, skip_serializing_if = "is_default")]
    pub kind: ParameterType,
    /// Whether requests without it are refused.
    #[serde(default, skip_serializing_if = "is_default")]
    pub required: bool,
    /// What it is where the request has none.
    #[serde(default, with = "scalar::optional", skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// The smallest number it may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<serde_json::Number>,
    /// The largest number it may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<serde_json::Number>,
    /// Characters it must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u32>,
    /// Characters it may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u32>,
    /// A regular expression it must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The values it may have.
    #[serde(
        rename = "enum",
        default,
        with = "scalar::list",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub choices: Vec<String>,
    /// A JSON schema that it must satisfy as JSON: a text, or the schema itself; of at most 64 KiB, which
    /// refers to nothing outside of it. For texts only; needs the feature `schema`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
    /// What the items of an array are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<ParameterType>,
    /// What callers are told about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Its name and place at the backend. Absent: the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Destination>,
}

/// Where something stands in a request.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Location {
    /// In the query.
    Query,
    /// In a header.
    #[default]
    Head,
    /// In the path.
    Path,
    /// In a form.
    Body,
}

/// What a parameter is.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ParameterType {
    /// Text.
    #[default]
    String,
    /// A whole number of 32 bits.
    Int,
    /// A whole number of 64 bits.
    Long,
    /// A number of 32 bits.
    Float,
    /// A number of 64 bits.
    Double,
    /// `true` or `false`.
    Boolean,
    /// Several.
    Array,
    /// A file: a part of a form, which stands in a body and goes to one (RFC 7578).
    File,
}

/// A name and a place at the backend.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Destination {
    /// The name there. Absent: the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The place there. Absent: the same; of a system parameter: a header.
    #[serde(rename = "in", default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
}

impl Destination {
    /// This name at this place.
    #[must_use]
    pub fn new(name: impl Into<String>, location: Location) -> Self {
        Self { name: Some(name.into()), location: Some(location) }
    }
}

/// Something every request of an API has at the backend.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Constant {
    /// Its name.
    pub name: String,
    /// Its value.
    #[serde(with = "scalar")]
    pub value: String,
    /// Where it stands.
    #[serde(rename = "in", default, skip_serializing_if = "is_default")]
    pub location: Location,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// Something the gateway knows of a request, for the backend.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SystemParameter {
    /// Which: `CaClientIp`, `CaDomain`, `CaRequestHandleTime`, `CaAppId`, `CaRequestId`,
    /// `CaHttpSchema` or `CaProxy`.
    pub name: System,
    /// Its name and place at the backend. Absent: a header of the same name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Destination>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// What the gateway knows of a request (domain §2.4).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum System {
    /// The client's address.
    CaClientIp,
    /// The host the request was for.
    CaDomain,
    /// When it was handled.
    CaRequestHandleTime,
    /// The application that called.
    CaAppId,
    /// The request's id.
    CaRequestId,
    /// By which scheme it came.
    CaHttpSchema,
    /// The gateway that forwarded it.
    CaProxy,
}

impl Parameter {
    /// Text of this name, that may be missing.
    #[must_use]
    pub fn new(name: impl Into<String>, location: Location) -> Self {
        Self {
            name: name.into(),
            location,
            kind: ParameterType::default(),
            required: false,
            default: None,
            min: None,
            max: None,
            min_length: None,
            max_length: None,
            pattern: None,
            choices: Vec::new(),
            schema: None,
            items: None,
            description: String::new(),
            to: None,
        }
    }

    /// The same of another type.
    #[must_use]
    pub fn kind(mut self, kind: ParameterType) -> Self {
        self.kind = kind;
        self
    }

    /// The same, which must be there.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The same under another name and at another place at the backend.
    #[must_use]
    pub fn to(mut self, name: impl Into<String>, location: Location) -> Self {
        self.to = Some(Destination::new(name, location));
        self
    }

    /// Whether it may be any text, and goes where it came from.
    #[cfg(any(test, feature = "openapi"))]
    pub(crate) fn is_plain(&self) -> bool {
        self.is_unchecked() && self.to.is_none()
    }

    /// Whether it may be any text.
    pub(crate) fn is_unchecked(&self) -> bool {
        let Self {
            name: _,
            location: _,
            kind,
            required: _,
            default,
            min,
            max,
            min_length,
            max_length,
            pattern,
            choices,
            schema,
            items,
            description: _,
            to: _,
        } = self;
        *kind == ParameterType::String
            && default.is_none()
            && min.is_none()
            && max.is_none()
            && min_length.is_none()
            && max_length.is_none()
            && pattern.is_none()
            && choices.is_empty()
            && schema.is_none()
            && items.is_none()
    }
}

impl Constant {
    /// A value under a name.
    #[must_use]
    pub fn new(name: impl Into<String>, value: impl Into<String>, location: Location) -> Self {
        let (name, value) = (name.into(), value.into());
        Self { name, value, location, description: String::new() }
    }
}

impl System {
    /// As it is written.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::CaClientIp => "CaClientIp",
            Self::CaDomain => "CaDomain",
            Self::CaRequestHandleTime => "CaRequestHandleTime",
            Self::CaAppId => "CaAppId",
            Self::CaRequestId => "CaRequestId",
            Self::CaHttpSchema => "CaHttpSchema",
            Self::CaProxy => "CaProxy",
        }
    }
}

impl SystemParameter {
    /// What the gateway knows, under a name at a place.
    #[must_use]
    pub fn new(name: System, to: Option<Destination>) -> Self {
        Self { name, to, description: String::new() }
    }
}

/// Whether an API's parameters have names, and not too many of them.
pub(crate) fn check(
    parameters: &[Parameter],
    constants: &[Constant],
    system: &[SystemParameter],
) -> Result<(), InvalidDefinition> {
    for (field, count) in
        [("parameter", parameters.len()), ("constant", constants.len()), ("system", system.len())]
    {
        if count > MAX_PARAMETERS {
            let reason = format!("are more than {MAX_PARAMETERS}");
            return Err(InvalidDefinition::new(field, reason));
        }
    }
    for (index, parameter) in parameters.iter().enumerate() {
        let same = |other: &Parameter| {
            other.name == parameter.name && other.location == parameter.location
        };
        if parameter.name.is_empty() || parameters.iter().take(index).any(same) {
            let field = format!("parameter[{index}].name");
            return Err(InvalidDefinition::new(field, "is empty or stands there twice"));
        }
    }
    match constants.iter().position(|constant| constant.name.is_empty()) {
        Some(index) => {
            Err(InvalidDefinition::new(format!("constant[{index}].name"), "is required"))
        }
        None => Ok(()),
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Text that may be written as a number or a truth value too.
mod scalar {
    use serde::{Deserialize, Deserializer, Serializer};
    use serde_json::Value;

    fn text<E: serde::de::Error>(value: Value) -> Result<String, E> {
        match value {
            Value::String(text) => Ok(text),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(truth) => Ok(truth.to_string()),
            _ => Err(E::custom("is neither a text nor a number nor a truth value")),
        }
    }

    pub(super) fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<String, D::Error> {
        text(Value::deserialize(deserializer)?)
    }

    pub(super) mod optional {
        use super::{Deserialize, Deserializer, Serializer, Value};

        #[expect(clippy::ref_option, reason = "the signature serde asks for")]
        pub(in super::super) fn serialize<S: Serializer>(
            text: &Option<String>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match text {
                Some(text) => serializer.serialize_str(text),
                None => serializer.serialize_none(),
            }
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<String>, D::Error> {
            match Value::deserialize(deserializer)? {
                Value::Null => Ok(None),
                value => super::text(value).map(Some),
            }
        }
    }

    /// Several of them: a list, or one text with commas (domain §2.4).
    pub(super) mod list {
        use super::{Deserialize, Deserializer, Serializer, Value};

        pub(in super::super) fn serialize<S: Serializer>(
            list: &[String],
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            serializer.collect_seq(list)
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Vec<String>, D::Error> {
            match Value::deserialize(deserializer)? {
                Value::Array(values) => values.into_iter().map(super::text).collect(),
                Value::String(list) => {
                    Ok(list.split(',').map(|one| one.trim().to_owned()).collect())
                }
                _ => Err(serde::de::Error::custom("is neither a list nor a text with commas")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_may_be_written_as_what_they_are() {
        let text = r#"{"name":"n","in":"query","type":"int","default":20,"enum":[1,"2",true],"min":1,"max":2.5}"#;
        let parameter: Parameter = serde_json::from_str(text).unwrap();
        assert_eq!(parameter.default.as_deref(), Some("20"));
        assert_eq!(parameter.choices, ["1", "2", "true"]);
        let again = serde_json::to_string(&parameter).unwrap();
        assert_eq!(serde_json::from_str::<Parameter>(&again).unwrap(), parameter);
        let commas: Parameter =
            serde_json::from_str(r#"{"name":"n","in":"head","enum":"a, b,c"}"#).unwrap();
        assert_eq!(commas.choices, ["a", "b", "c"]);
    }

    #[test]
    fn what_has_nothing_to_be_done_for_it_is_plain() {
        let plain = Parameter::new("id", Location::Path);
        assert!(plain.is_plain() && plain.clone().required().is_plain());
        assert!(!plain.clone().kind(ParameterType::Int).is_plain());
        assert!(!plain.to("other", Location::Query).is_plain());
    }
}
