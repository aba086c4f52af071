//! Whether a backend's target can be reached from here.

use std::fmt;
use std::time::Duration;

use crate::model::definition::MAX_TIMEOUT;

/// How long a probe takes at most unless it says: as long as making a connection may take.
pub const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

/// What to try.
///
/// ```
/// use backhaul::backend::Probe;
/// let probe = Probe::new().path("/health").timeout(std::time::Duration::from_secs(1));
/// assert_eq!(probe.path.as_deref(), Some("/health"));
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Probe {
    /// The path of one GET, and perhaps a query, behind the definition's base path. Absent: nothing is
    /// asked for, a connection is enough.
    pub path: Option<String>,
    /// How long all of it may take, at most 120 s; default: [`PROBE_TIMEOUT`].
    pub timeout: Duration,
}

impl Default for Probe {
    fn default() -> Self {
        Self { path: None, timeout: PROBE_TIMEOUT }
    }
}

impl Probe {
    /// A connection, and nothing asked for on it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one GET for `path`.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// The same within this time, at most 120 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long all of it may take: whatever was written, a time that can be added to another.
    #[must_use]
    pub fn limit(&self) -> Duration {
        self.timeout.min(MAX_TIMEOUT)
    }
}

/// What was tried, and what came of it. For operators: addresses stand in it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Probed {
    /// In the order they were made; none if there is nothing to probe.
    pub checks: Vec<Check>,
}

/// One thing that was tried.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Check {
    /// What.
    pub step: Step,
    /// The host and port of [`Step::Resolve`], the address and port of the others.
    pub target: String,
    /// What was found, or what went wrong.
    pub outcome: Result<String, String>,
}

/// What is tried, in this order.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Step {
    /// The host has addresses.
    Resolve,
    /// One of them is allowed and takes connections.
    Connect,
    /// It proves to be the host.
    Tls,
    /// It answers a request with a status below 500.
    Answer,
}

impl Probed {
    /// Adds a check.
    pub fn push(
        &mut self,
        step: Step,
        target: impl Into<String>,
        outcome: Result<impl Into<String>, impl Into<String>>,
    ) {
        let outcome = outcome.map(Into::into).map_err(Into::into);
        self.checks.push(Check { step, target: target.into(), outcome });
    }

    /// The checks that failed, in order.
    pub fn failures(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.outcome.is_err())
    }

    /// Whether a request would have got through: nothing that was asked for failed, and one address
    /// passed all that was tried with it. Others may have failed, as they may for requests.
    ///
    /// `false` also if there was nothing to probe.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        let failed = |target: &str| self.failures().any(|check| check.target == target);
        let asked = self.failures().all(|check| check.step != Step::Answer);
        let mut connected = self.checks.iter().filter(|check| check.step == Step::Connect);
        asked && connected.any(|check| !failed(&check.target))
    }
}

impl fmt::Display for Probed {
    /// A line a check.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.checks.is_empty() {
            return f.write_str("nothing to probe");
        }
        for (index, check) in self.checks.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{check}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, target, outcome } = self;
        match outcome {
            Ok(found) => write!(f, "{step} {target}: {found}"),
            Err(reason) => write!(f, "{step} {target} failed: {reason}"),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Answer => "answer",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probed(checks: &[(Step, &str, bool)]) -> Probed {
        let mut probed = Probed::default();
        for (step, target, good) in checks {
            probed.push(*step, *target, good.then_some("found").ok_or("broken"));
        }
        probed
    }

    #[test]
    fn one_good_address_is_enough_and_a_bad_answer_too_much() {
        use Step::{Answer, Connect, Resolve, Tls};
        for (checks, reached) in [
            (&[][..], false),
            (&[(Resolve, "a", false)], false),
            (&[(Resolve, "a", true)], false),
            (&[(Connect, "1", true)], true),
            (&[(Connect, "1", false), (Connect, "2", true)], true),
            (&[(Connect, "1", false), (Connect, "2", false)], false),
            (&[(Connect, "1", true), (Tls, "1", false)], false),
            (&[(Connect, "1", true), (Tls, "1", false), (Connect, "2", true)], true),
            (&[(Connect, "1", true), (Answer, "1", false), (Connect, "2", true)], false),
            (&[(Connect, "1", true), (Tls, "1", true), (Answer, "1", true)], true),
        ] {
            assert_eq!(probed(checks).is_reached(), reached, "{checks:?}");
        }
    }

    #[test]
    fn it_is_a_line_a_check() {
        assert_eq!(Probed::default().to_string(), "nothing to probe");
        let two = probed(&[(Step::Resolve, "a:80", true), (Step::Connect, "1:80", false)]);
        assert_eq!(two.to_string(), "resolve a:80: found\nconnect 1:80 failed: broken");
    }
}
