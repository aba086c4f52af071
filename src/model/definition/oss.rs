//! An S3-compatible object store.

use serde::{Deserialize, Serialize};

use super::{InvalidDefinition, check_required_token};

/// A bucket of an object store.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Oss {
    /// The bucket.
    pub bucket: String,
    /// The region it is in.
    pub region: String,
    /// Where it is reached. Absent: derived from the region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Where the bucket's name stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addressing: Option<Addressing>,
    /// The name of the grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// The name of the credential to sign with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
}

/// Where the bucket's name stands in a request.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Addressing {
    /// In the host.
    Virtual,
    /// In the path.
    Path,
}

impl Oss {
    /// A bucket in a region.
    #[must_use]
    pub fn bucket(bucket: impl Into<String>, region: impl Into<String>) -> Self {
        Self { bucket: bucket.into(), region: region.into(), ..Self::default() }
    }

    pub(super) fn check(&self) -> Result<(), InvalidDefinition> {
        check_required_token("bucket", &self.bucket)?;
        check_required_token("region", &self.region)
    }
}
