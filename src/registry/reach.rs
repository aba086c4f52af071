//! How much one change may touch, and what it touches.

use std::cmp::Ordering;
use std::fmt;

use super::commit::Committed;
use super::history::effect::{Effect, effects};
use super::snapshot::Snapshot;
use super::state::State;
use super::traffic::Traffic;
use super::{Inner, Limits};
use crate::model::RegistrySettings;
use crate::model::id::{ApiId, EnvironmentId, ServiceId};

/// How much one change may touch at most, unless it is forced. Off by default.
///
/// ```
/// use backhaul::registry::BlastRadius;
/// let limit = BlastRadius::default().apis(500).traffic_share(0.25);
/// # assert_ne!(limit, BlastRadius::default());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[must_use]
pub struct BlastRadius {
    apis: Option<usize>,
    share: Option<f64>,
}

impl BlastRadius {
    /// At most so many APIs move, come or go, each counted once for every environment.
    pub const fn apis(mut self, apis: usize) -> Self {
        self.apis = Some(apis);
        self
    }

    /// At most this share of the requests of the last ten seconds, from 0 to 1. A service's requests
    /// count as spread evenly over its APIs.
    pub const fn traffic_share(mut self, share: f64) -> Self {
        self.share = Some(share);
        self
    }
}

/// A change would touch more than is allowed at once.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TooFar {
    /// Too many APIs.
    #[error("the change touches {touched} APIs, more than {limit}")]
    Apis {
        /// How many it touches.
        touched: usize,
        /// How many it may.
        limit: usize,
    },
    /// Too much of the traffic.
    #[error("the change touches {} of the traffic, more than {}", Percent(*share), Percent(*limit))]
    Traffic {
        /// The share it touches, from 0 to 1.
        share: f64,
        /// The share it may.
        limit: f64,
    },
}

impl Limits {
    /// The same, where a registry's settings do not say otherwise.
    pub(super) fn set_by(self, settings: Option<&RegistrySettings>) -> Self {
        let Some(settings) = settings else { return self };
        let mut limits = self;
        if let Some(reach) = settings.blast_radius {
            let (apis, share) = reach.limits();
            let apis = apis.map(|apis| usize::try_from(apis).unwrap_or(usize::MAX));
            limits.blast_radius = BlastRadius { apis, share };
        }
        let kept = settings.history.unwrap_or_default();
        if let Some(revisions) = kept.revisions {
            let revisions = usize::try_from(revisions).unwrap_or(usize::MAX);
            limits.history = limits.history.revisions(revisions);
        }
        if let Some(days) = kept.days {
            limits.history = limits.history.days(days);
        }
        limits
    }
}

struct Percent(f64);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1}%", self.0 * 100.0)
    }
}

impl Inner {
    /// Whether a change stays within the limits.
    pub(super) fn within_reach(&self, before: &Snapshot, made: &Committed) -> Result<(), TooFar> {
        let settings = before.state().settings();
        let BlastRadius { apis, share } = self.limits.set_by(settings).blast_radius;
        if apis.is_none() && share.is_none() {
            return Ok(());
        }
        let effects = effects(&made.before, &made.after, &made.entry);
        let touched = effects.iter().map(Effect::touches).sum();
        if let Some(limit) = apis.filter(|limit| touched > *limit) {
            return Err(TooFar::Apis { touched, limit });
        }
        if let Some(limit) = share {
            let share = before.share_of(&effects, &made.before);
            // What is no number is no permission.
            if !matches!(share.partial_cmp(&limit), Some(Ordering::Less | Ordering::Equal)) {
                return Err(TooFar::Traffic { share, limit });
            }
        }
        Ok(())
    }
}

impl Snapshot {
    /// Requests a second that come to what effects touch. The requests of a service count as spread
    /// evenly over its APIs, those of an environment over its groups' APIs.
    pub(crate) fn rate_of(&self, effects: &[Effect], before: &State) -> f64 {
        effects.iter().map(|effect| self.rate_of_one(effect, before)).sum()
    }

    fn rate_of_one(&self, effect: &Effect, before: &State) -> f64 {
        match effect {
            Effect::Moved { service, environment, apis }
            | Effect::Undefined { service, environment, apis } => {
                self.rate_through(*service, *environment, apis.len(), before)
            }
            Effect::Substituted { api, environment }
            | Effect::Published { api, environment, before: Some(_) }
            | Effect::Unpublished { api, environment } => self.rate_to(*api, *environment, before),
            Effect::Readdressed { environment, count, .. } => {
                let published = before.stage(*environment).map_or(0, |stage| stage.live());
                let all: f64 = self.targets(*environment).map(|t| t.traffic().rate()).sum();
                all * part(*count, published)
            }
            Effect::Revived { .. } | Effect::Published { .. } | Effect::Displaced { .. } => 0.0,
        }
    }

    fn rate_through(
        &self,
        service: ServiceId,
        at: EnvironmentId,
        apis: usize,
        before: &State,
    ) -> f64 {
        let live = before.stage(at).map_or(0, |stage| stage.live_count(service));
        let rate = self.service_target(service, at).map_or(0.0, |target| target.traffic().rate());
        rate * part(apis, live)
    }

    fn rate_to(&self, api: ApiId, at: EnvironmentId, before: &State) -> f64 {
        let publication = before.stage(at).and_then(|stage| stage.publication(api));
        match publication.and_then(|publication| publication.version.service()) {
            Some(service) => self.rate_through(service, at, 1, before),
            None => self.inline_target(api, at).map_or(0.0, |target| target.traffic().rate()),
        }
    }

    /// The share of all requests that comes to what effects touch.
    fn share_of(&self, effects: &[Effect], before: &State) -> f64 {
        let rates = |at| self.targets(at).map(|target| target.traffic()).map(Traffic::rate);
        let all: f64 = before.environments().flat_map(|(at, _)| rates(at)).sum();
        if all > 0.0 { (self.rate_of(effects, before) / all).min(1.0) } else { 0.0 }
    }
}

fn part(some: usize, all: usize) -> f64 {
    let number = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    if all == 0 { 0.0 } else { (number(some) / number(all)).min(1.0) }
}
