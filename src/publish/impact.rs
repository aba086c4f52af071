//! How much a change would touch.

use std::fmt;

use super::outcome::{Counts, Outcomes};
use crate::model::Environment;

/// How much a change would touch, at the moment it was planned.
///
/// Shown as one sentence: `1 API in RELEASE moves; 12 requests in flight`.
#[derive(Clone, Debug, PartialEq)]
pub struct Impact {
    counts: Counts,
    environments: Vec<(Environment, Counts)>,
    in_flight: usize,
    rate: f64,
}

impl Impact {
    pub(super) fn new(outcomes: &Outcomes, in_flight: usize, rate: f64) -> Self {
        let environments = outcomes.by_environment();
        Self { counts: outcomes.counts(), environments, in_flight, rate }
    }

    /// How many APIs it does what to, all environments together.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// How many APIs it does what to in each environment where it does anything.
    #[must_use]
    pub fn environments(&self) -> &[(Environment, Counts)] {
        &self.environments
    }

    /// How many APIs it does what to in an environment.
    #[must_use]
    pub fn in_environment(&self, environment: &Environment) -> Counts {
        let found = self.environments.iter().find(|(name, _)| name == environment);
        found.map(|(_, counts)| *counts).unwrap_or_default()
    }

    /// How many requests were on their way by definitions it replaces.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Requests a second, over the last ten seconds, to the APIs it touches. The requests of a service
    /// count as spread evenly over its APIs.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.rate
    }
}

impl fmt::Display for Impact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentences = self.environments.iter().map(|(at, counts)| counts.sentence(at));
        let sentences: Vec<_> = sentences.collect();
        if sentences.is_empty() {
            return f.write_str("no API is touched");
        }
        f.write_str(&sentences.join("; "))?;
        let plural = if self.in_flight == 1 { "" } else { "s" };
        write!(f, "; {} request{plural} in flight", self.in_flight)?;
        if self.rate > 0.0 {
            write!(f, ", {:.1} a second", self.rate)?;
        }
        Ok(())
    }
}
