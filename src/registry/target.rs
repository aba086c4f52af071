//! A definition, ready to be called.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::traffic::Traffic;
use crate::backend::{Backend, Built, Context, Factory};
use crate::error::Place;
use crate::model::{Definition, InvalidDefinition, Kind, Revision};
use crate::observe::{Observers, PoolObservers};
use crate::sync::{Closing, Drained, Lease, lease};
use crate::transport::Transport;

/// How long a response head may take where neither API nor definition says. The modelled system's own
/// default is not known; ten seconds are longer than callers wait and shorter than they forget.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The kinds that can be served, and the way to the network.
#[derive(Debug)]
pub(crate) struct Kinds {
    pub(crate) factories: BTreeMap<Kind, Arc<dyn Factory>>,
    pub(crate) transport: Transport,
    /// Who is told of connections.
    pub(crate) observers: Observers,
}

/// What one definition became: the same for all requests until it is replaced.
///
/// It is owned by the current snapshot and by the requests that entered with it, nobody else: when
/// the last owner is gone, it is drained.
#[derive(Debug)]
pub(crate) struct Target {
    place: Arc<Place>,
    /// The publications that are live by it; absent for an API's own definition.
    epoch: Option<Revision>,
    /// Those of deleted definitions that are live by it too.
    accepted: Box<[Revision]>,
    traffic: Arc<Traffic>,
    timeout: Duration,
    engine: Engine,
    /// Whether another definition serves in its place.
    superseded: Arc<AtomicBool>,
    drained: Drained,
    closing: Closing,
    _lease: Lease,
}

/// Where a definition stands, and which publications are live by it.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub(crate) place: Place,
    pub(crate) epoch: Option<Revision>,
    pub(crate) accepted: Box<[Revision]>,
}

/// What answers requests. Handed on to the next target if the definition changed in nothing it needs.
#[derive(Clone, Debug)]
struct Engine {
    definition: Arc<Definition>,
    backend: Result<Arc<dyn Backend>, Arc<str>>,
    /// Resolves when no connection of it is left.
    closed: Drained,
}

/// What stands in a target's way once it is replaced.
#[derive(Clone, Debug)]
pub(crate) struct Superseded {
    pub(crate) place: Place,
    /// Counts the requests that are left, without being one.
    pub(crate) requests: std::sync::Weak<Target>,
    /// True once it is so.
    flag: Arc<AtomicBool>,
    pub(crate) drained: Drained,
    /// Those that may go on for as long as they like.
    pub(crate) tunnels: Closing,
    /// The connections; absent if the next target took them over.
    pub(crate) closed: Option<Drained>,
}

impl Kinds {
    /// Whether definitions of a kind can be kept: the built-in ones always can.
    pub(crate) fn know(&self, kind: &Kind) -> bool {
        Kind::BUILT_IN.contains(kind) || self.factories.contains_key(kind)
    }

    /// Whether connections to backends of a kind can be upgraded. Of a kind without an adapter nobody
    /// knows: its requests are answered that it is missing.
    pub(crate) fn upgrade(&self, kind: &Kind) -> bool {
        self.factories.get(kind).is_none_or(|factory| factory.capability().upgrades)
    }

    /// What would answer for a definition, or what is missing for it.
    pub(super) fn candidate(&self, definition: &Definition) -> Result<Arc<dyn Backend>, String> {
        let definition = Arc::new(definition.clone());
        let engine = self.build(definition, None).map_err(|error| error.to_string())?;
        engine.backend.map_err(|missing| missing.to_string())
    }

    fn build(
        &self,
        definition: Arc<Definition>,
        place: Option<&Place>,
    ) -> Result<Engine, InvalidDefinition> {
        let (lease, closed) = lease();
        let kind = definition.kind();
        let backend = match self.factories.get(&kind) {
            None => Err(format!("an adapter for kind {kind}").into()),
            Some(factory) => {
                let told = place.map(|place| PoolObservers::new(&self.observers, place));
                let transport = self.transport.observed(told.unwrap_or_default());
                let context = Context::new(transport, Arc::new(lease));
                match factory.build(&definition, &context)? {
                    Built::Ready(backend) => Ok(backend),
                    Built::Missing(what) => Err(what.into()),
                }
            }
        };
        Ok(Engine { definition, backend, closed })
    }
}

impl Target {
    /// Makes a target, taking over what answers requests from the one before if nothing changed for
    /// it.
    pub(crate) fn build(
        kinds: &Kinds,
        definition: &Arc<Definition>,
        live: Live,
        before: Option<&Self>,
    ) -> Result<Self, InvalidDefinition> {
        let engine = match before {
            Some(before) if before.engine.definition.settings == definition.settings => {
                before.engine.clone()
            }
            _ => kinds.build(Arc::clone(definition), Some(&live.place))?,
        };
        Ok(Self::with(engine, definition, live, before))
    }

    /// A target for a stored definition that is not accepted any more: it answers that it is missing.
    pub(crate) fn refused(
        definition: &Arc<Definition>,
        live: Live,
        before: Option<&Self>,
        why: &InvalidDefinition,
    ) -> Self {
        let backend = Err(format!("a definition that is accepted: {why}").into());
        let engine = Engine { definition: Arc::clone(definition), backend, closed: lease().1 };
        Self::with(engine, definition, live, before)
    }

    fn with(engine: Engine, definition: &Definition, live: Live, before: Option<&Self>) -> Self {
        let (lease, drained) = lease();
        let timeout = definition.timeout.unwrap_or(DEFAULT_TIMEOUT);
        let traffic = before.map(|before| Arc::clone(&before.traffic));
        let Live { place, epoch, accepted } = live;
        // A new name for the same definition supersedes nothing.
        let same = before.filter(|before| before.place.generation == place.generation);
        let superseded = same.map(|before| Arc::clone(&before.superseded));
        Self {
            place: Arc::new(place),
            epoch,
            accepted,
            traffic: traffic.unwrap_or_else(|| Arc::new(Traffic::new())),
            timeout,
            engine,
            superseded: superseded.unwrap_or_default(),
            drained,
            closing: Closing::new(),
            _lease: lease,
        }
    }

    /// Whether a publication of this epoch is live by it.
    pub(crate) fn accepts(&self, epoch: Option<Revision>) -> bool {
        self.epoch == epoch || epoch.is_some_and(|epoch| self.accepted.contains(&epoch))
    }

    /// What comes to it.
    pub(crate) fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// What answers requests, or what is missing for it.
    pub(crate) fn backend(&self) -> Result<&Arc<dyn Backend>, &str> {
        self.engine.backend.as_ref().map_err(|missing| &**missing)
    }

    /// Where failures of its requests happened.
    pub(crate) fn place(&self) -> &Arc<Place> {
        &self.place
    }

    /// Whether another definition serves in its place, as it becomes known.
    pub(crate) fn superseding(&self) -> &Arc<AtomicBool> {
        &self.superseded
    }

    /// How long a response head may take unless the API says.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// By when what goes on for as long as it likes has to end.
    pub(crate) fn closing(&self) -> &Closing {
        &self.closing
    }

    /// What stands in its way once `next` has replaced it.
    pub(crate) fn superseded(self: &Arc<Self>, next: Option<&Self>) -> Superseded {
        let handed_on = match (&self.engine.backend, next.map(|next| &next.engine.backend)) {
            (Ok(mine), Some(Ok(theirs))) => Arc::ptr_eq(mine, theirs),
            _ => false,
        };
        Superseded {
            place: Place::clone(&self.place),
            requests: Arc::downgrade(self),
            flag: Arc::clone(&self.superseded),
            drained: self.drained.clone(),
            tunnels: self.closing.clone(),
            closed: (!handed_on).then(|| self.engine.closed.clone()),
        }
    }
}

impl Superseded {
    /// It is so: the next definition serves, or is about to.
    pub(crate) fn come_true(&self) {
        self.flag.store(true, Ordering::Relaxed);
    }

    /// Whether a request or a connection of it is left.
    pub(crate) fn is_busy(&self) -> bool {
        !self.drained.is_drained() || self.closed.as_ref().is_some_and(|c| !c.is_drained())
    }
}
