//! Which kinds of service can be created where this gateway runs.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::model::Kind;

/// Shortest and longest name of a region: room for every id the modelled system has, and a bound on
/// what stands in errors.
const REGION_LENGTH: std::ops::RangeInclusive<usize> = 2..=64;

/// Decides whether services of a kind can be created. It is asked when one is created and never again:
/// what exists stays and can be defined anew.
///
/// Quick and pure, because it is asked while a change is evaluated: no I/O, and the same answer for the
/// same kind as long as the registry is open.
///
/// ```
/// use backhaul::Kind;
/// use backhaul::registry::{CreationPolicy, NotCreatable};
///
/// #[derive(Debug)]
/// struct OnlyHttp;
///
/// impl CreationPolicy for OnlyHttp {
///     fn check(&self, kind: &Kind) -> Result<(), NotCreatable> {
///         if *kind == Kind::HTTP { return Ok(()) }
///         Err(NotCreatable::new(kind.clone(), "this gateway is for HTTP only"))
///     }
/// }
/// ```
pub trait CreationPolicy: fmt::Debug + Send + Sync + 'static {
    /// Whether a service of `kind` can be created.
    ///
    /// # Errors
    ///
    /// The rule that forbids it.
    fn check(&self, kind: &Kind) -> Result<(), NotCreatable>;
}

/// Services of a kind cannot be created, and the rule that forbids it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("kind: {kind} cannot be created{}: {rule}", place(region.as_ref()))]
#[non_exhaustive]
pub struct NotCreatable {
    /// The kind.
    pub kind: Kind,
    /// Where; absent if the rule does not depend on a region.
    pub region: Option<Region>,
    /// The rule.
    pub rule: Cow<'static, str>,
}

impl NotCreatable {
    /// Services of `kind` cannot be created because of `rule`, wherever it is.
    #[must_use]
    pub fn new(kind: Kind, rule: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, region: None, rule: rule.into() }
    }

    /// The same, in this region.
    #[must_use]
    pub fn in_region(mut self, region: Region) -> Self {
        self.region = Some(region);
        self
    }
}

fn place(region: Option<&Region>) -> String {
    region.map_or_else(String::new, |region| format!(" in region {region}"))
}

/// A region by its id, such as `cn-hangzhou`: 2 to 64 lower-case ASCII letters, digits and hyphens.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Region(Box<str>);

/// The text is not the id of a region.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("region: is not 2 to 64 lower-case letters, digits and hyphens")]
#[non_exhaustive]
pub struct InvalidRegion;

impl Region {
    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn has_segment(&self, segment: &str) -> bool {
        self.0.split('-').any(|other| other == segment)
    }
}

impl FromStr for Region {
    type Err = InvalidRegion;

    fn from_str(text: &str) -> Result<Self, InvalidRegion> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if REGION_LENGTH.contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidRegion)
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The rules of the modelled cloud (domain §1.4).
///
/// * HTTP and OSS cannot be created in Hong Kong, nor outside the Chinese mainland
/// * OSS cannot be created on the finance and the government cloud
///
/// Every other kind, custom ones too, can be created everywhere.
///
/// ```
/// use backhaul::Kind;
/// use backhaul::registry::{CreationPolicy, RegionRules};
/// let rules = RegionRules::new("cn-hongkong".parse()?);
/// let refused = rules.check(&Kind::HTTP).unwrap_err().to_string();
/// assert_eq!(refused, "kind: http cannot be created in region cn-hongkong: not in Hong Kong");
/// assert!(rules.check(&Kind::VPC).is_ok());
/// # Ok::<_, backhaul::registry::InvalidRegion>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RegionRules {
    region: Region,
}

impl RegionRules {
    /// The rules of a region.
    #[must_use]
    pub fn new(region: Region) -> Self {
        Self { region }
    }

    /// The rule that forbids a kind.
    fn broken(&self, kind: &Kind) -> Option<&'static str> {
        let oss = *kind == Kind::OSS;
        if !oss && *kind != Kind::HTTP {
            None
        } else if self.region.has_segment("hongkong") {
            Some("not in Hong Kong")
        } else if !self.region.as_str().starts_with("cn-") {
            Some("not outside the Chinese mainland")
        } else if oss && self.region.has_segment("finance") {
            Some("not on the finance cloud")
        } else if oss && self.region.has_segment("gov") {
            Some("not on the government cloud")
        } else {
            None
        }
    }
}

impl CreationPolicy for RegionRules {
    fn check(&self, kind: &Kind) -> Result<(), NotCreatable> {
        match self.broken(kind) {
            None => Ok(()),
            Some(rule) => Err(NotCreatable::new(kind.clone(), rule).in_region(self.region.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Regions of the modelled cloud, and what is refused there of the two kinds that ever are.
    const TABLE: &str = "
        cn-hangzhou           |                                  |
        cn-shanghai           |                                  |
        cn-qingdao            |                                  |
        cn-beijing            |                                  |
        cn-zhangjiakou        |                                  |
        cn-huhehaote          |                                  |
        cn-wulanchabu         |                                  |
        cn-shenzhen           |                                  |
        cn-heyuan             |                                  |
        cn-guangzhou          |                                  |
        cn-chengdu            |                                  |
        cn-nanjing            |                                  |
        cn-wuhan-lr           |                                  |
        cn-hangzhou-finance   |                                  | not on the finance cloud
        cn-shanghai-finance-1 |                                  | not on the finance cloud
        cn-shenzhen-finance-1 |                                  | not on the finance cloud
        cn-beijing-finance-1  |                                  | not on the finance cloud
        cn-north-2-gov-1      |                                  | not on the government cloud
        cn-hongkong           | not in Hong Kong                 | not in Hong Kong
        cn-hongkong-finance-pop | not in Hong Kong               | not in Hong Kong
        ap-northeast-1        | not outside the Chinese mainland | not outside the Chinese mainland
        ap-southeast-1        | not outside the Chinese mainland | not outside the Chinese mainland
        ap-southeast-5        | not outside the Chinese mainland | not outside the Chinese mainland
        us-west-1             | not outside the Chinese mainland | not outside the Chinese mainland
        us-east-1             | not outside the Chinese mainland | not outside the Chinese mainland
        eu-central-1          | not outside the Chinese mainland | not outside the Chinese mainland
        eu-west-1             | not outside the Chinese mainland | not outside the Chinese mainland
        me-east-1             | not outside the Chinese mainland | not outside the Chinese mainland
        cnx-1                 | not outside the Chinese mainland | not outside the Chinese mainland
        cn-financecity-govern |                                  |";

    #[test]
    fn each_region_refuses_what_its_rules_say_and_nothing_else() {
        for row in TABLE.trim().lines() {
            let [region, http, oss] = [0, 1, 2].map(|column| row.split('|').nth(column).unwrap());
            let region: Region = region.trim().parse().unwrap();
            let rules = RegionRules::new(region.clone());
            let custom = Kind::custom("greeter").unwrap();
            for kind in Kind::BUILT_IN.into_iter().chain([custom]) {
                let rule = match kind.as_str() {
                    "http" => http.trim(),
                    "oss" => oss.trim(),
                    _ => "",
                };
                let refusal = rules.check(&kind).err();
                let seen = refusal.as_ref().map_or("", |refusal| &refusal.rule);
                assert_eq!(seen, rule, "{kind} in {region}");
                if let Some(refusal) = refusal {
                    let line = format!("kind: {kind} cannot be created in region {region}: {rule}");
                    assert_eq!(refusal.to_string(), line);
                }
            }
        }
    }

    #[test]
    fn a_region_is_an_id() {
        for good in ["cn", "cn-hangzhou", "cn-north-2-gov-1", &"a".repeat(64)] {
            assert_eq!(good.parse::<Region>().unwrap().to_string(), good);
        }
        for bad in ["", "c", "CN-hangzhou", "cn_hangzhou", "cn hangzhou", "cn-é", &"a".repeat(65)]
        {
            assert_eq!(bad.parse::<Region>(), Err(InvalidRegion), "{bad}");
        }
    }

    #[test]
    fn a_policy_without_a_region_names_none() {
        let refusal = NotCreatable::new(Kind::MOCK, "no mocks in production");
        assert_eq!(refusal.to_string(), "kind: mock cannot be created: no mocks in production");
    }
}
