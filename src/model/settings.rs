//! How a registry is set, as an operator writes it down.

use serde::{Deserialize, Serialize};

use super::definition::{InvalidDefinition, check_required_token};

/// Settings of a registry. Those that are there go before what the application opened it with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct RegistrySettings {
    /// Where the gateway runs, such as `cn-hangzhou`: services are created by that region's rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// How much one change may touch at most, unless it is forced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blast_radius: Option<Reach>,
    /// How much history is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<Kept>,
    /// Which spellings of a signed request are accepted.
    #[serde(skip_serializing_if = "is_compatible")]
    pub signature_mode: SignatureMode,
}

/// How much one change may touch: a number of APIs, or a table that says more.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a number of APIs, or a table of apis and traffic_share")]
#[non_exhaustive]
pub enum Reach {
    /// At most so many APIs, each counted once for every environment.
    Apis(u64),
    /// At most so many APIs, and at most this share of the traffic.
    Table(ReachTable),
}

/// How much one change may touch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ReachTable {
    /// APIs, each counted once for every environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apis: Option<u64>,
    /// The share of the requests of the last ten seconds, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic_share: Option<f64>,
}

impl Reach {
    /// How many APIs, and which share of the traffic.
    pub(crate) fn limits(self) -> (Option<u64>, Option<f64>) {
        match self {
            Self::Apis(apis) => (Some(apis), None),
            Self::Table(ReachTable { apis, traffic_share }) => (apis, traffic_share),
        }
    }
}

/// How much history is kept: what exceeds either is forgotten.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Kept {
    /// Revisions. Absent: as the application says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revisions: Option<u32>,
    /// Days. Absent: as the application says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
}

/// Which spellings of a signed request are accepted.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum SignatureMode {
    /// Those that official clients are known to sign.
    #[default]
    Compatible,
    /// The documented one.
    Strict,
}

fn is_compatible(mode: &SignatureMode) -> bool {
    *mode == SignatureMode::Compatible
}

impl RegistrySettings {
    /// Nothing set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn check(&self) -> Result<(), InvalidDefinition> {
        if let Some(region) = &self.region {
            check_required_token("region", region)?;
        }
        let share = self.blast_radius.and_then(|reach| reach.limits().1);
        if share.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
            let field = "blast_radius.traffic_share";
            return Err(InvalidDefinition::new(field, "is not between 0 and 1"));
        }
        Ok(())
    }
}
