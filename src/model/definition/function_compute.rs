//! A function of Function Compute.

use serde::{Deserialize, Serialize};

use super::{InvalidDefinition, check_required_token, check_token};

/// A function.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct FunctionCompute {
    /// Event function or HTTP function.
    pub function_type: FunctionType,
    /// Which generation of the product.
    pub version: FunctionVersion,
    /// The region it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The account that owns it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The service it belongs to; version 2.0 only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub function: String,
    /// Version or alias.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qualifier: Option<String>,
    /// Where it is called. Absent: derived from account and region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The trigger's URL of an HTTP function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger_url: Option<String>,
    /// The path of an HTTP function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Whether an HTTP function sees the business path alone.
    pub only_business_path: bool,
    /// Whether the answer is waited for.
    pub invocation: Invocation,
    /// The name of the credential to sign with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
}

/// Event function or HTTP function.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum FunctionType {
    /// Called with an event.
    #[default]
    Event,
    /// Called with an HTTP request.
    Http,
}

/// Which generation of Function Compute.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "serde_json::Value")]
#[non_exhaustive]
pub enum FunctionVersion {
    /// Functions belong to services.
    #[default]
    #[serde(rename = "2.0")]
    V2,
    /// Functions stand alone.
    #[serde(rename = "3.0")]
    V3,
}

/// It looks like a number, and is often written as one.
impl TryFrom<serde_json::Value> for FunctionVersion {
    type Error = &'static str;

    fn try_from(value: serde_json::Value) -> Result<Self, &'static str> {
        let text = match &value {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match text.as_str() {
            "2.0" => Ok(Self::V2),
            "3.0" => Ok(Self::V3),
            _ => Err("is neither 2.0 nor 3.0"),
        }
    }
}

/// Whether a function's answer is waited for.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Invocation {
    /// It is.
    #[default]
    Sync,
    /// It is not.
    Async,
}

impl FunctionCompute {
    /// An event function of version 3.0 in a region.
    #[must_use]
    pub fn event(region: impl Into<String>, function: impl Into<String>) -> Self {
        Self {
            version: FunctionVersion::V3,
            region: Some(region.into()),
            function: function.into(),
            ..Self::default()
        }
    }

    pub(super) fn check(&self) -> Result<(), InvalidDefinition> {
        if self.function_type == FunctionType::Http && self.trigger_url.is_some() {
            return Ok(());
        }
        check_required_token("function", &self.function)?;
        if self.version == FunctionVersion::V2 {
            check_required_token("service", self.service.as_deref().unwrap_or_default())?;
        }
        if self.endpoint.is_none() {
            check_required_token("region", self.region.as_deref().unwrap_or_default())?;
        }
        self.qualifier.as_deref().map_or(Ok(()), |text| check_token("qualifier", text))
    }
}
