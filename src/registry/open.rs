//! How a registry is opened.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::creation::{CreationPolicy, InvalidRegion, Region, RegionRules};
use super::restore::restored;
use super::snapshot::Snapshot;
use super::target::Kinds;
use super::{BlastRadius, History, Inner, Limits, Registry};
use crate::backend::Backend;
use crate::backend::Factory;
use crate::backend::factory::FromFunction;
use crate::model::{InvalidDefinition, InvalidName, Kind, Revision};
use crate::observe::{Observer, Observers};
use crate::store::{Batch, MemoryStore, Store, StoreError};
use crate::sync::{Drained, Published, lease};
use crate::time::{Clock, SystemClock};
use crate::transport::{self, Egress, InvalidRoot, Transport};

/// How long to wait before asking a store again that did not answer.
const STORE_RESTS: Duration = Duration::from_secs(1);

/// How a registry is opened: with which kinds, which clock, and what of the network it may reach.
///
/// Setters do not fail; what cannot be accepted is refused when the registry is opened.
#[derive(Debug)]
#[must_use]
pub struct Builder {
    kinds: Vec<Result<Arc<dyn Factory>, InvalidName>>,
    clock: Arc<dyn Clock>,
    transport: transport::Builder,
    loopback: bool,
    limits: Limits,
    creation: Option<Arc<dyn CreationPolicy>>,
    region: Option<String>,
    observers: Vec<Arc<dyn Observer>>,
}

/// A registry cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A custom kind's name breaks its rules.
    #[error(transparent)]
    Kind(#[from] InvalidName),
    /// The region's name breaks its rules.
    #[error(transparent)]
    Region(#[from] InvalidRegion),
    /// The way to the network cannot be set up.
    #[error(transparent)]
    Transport(#[from] InvalidRoot),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Registry {
    /// An empty registry that lives as long as the process.
    ///
    /// # Errors
    ///
    /// When TLS cannot be set up.
    pub async fn in_memory() -> Result<Self, OpenError> {
        Self::builder().in_memory().await
    }

    /// Opens the registry that is kept in the file at `path`, and begins an empty one if there is none.
    ///
    /// See [`Builder::open`].
    ///
    /// # Errors
    ///
    /// Those of [`Builder::open`].
    #[cfg(feature = "store-redb")]
    pub async fn open(path: impl Into<std::path::PathBuf>) -> Result<Self, OpenError> {
        Self::builder().open(path).await
    }

    /// A registry with settings of its own.
    pub fn builder() -> Builder {
        Builder {
            kinds: Vec::new(),
            clock: Arc::new(SystemClock),
            transport: Transport::builder(),
            loopback: false,
            limits: Limits::default(),
            creation: None,
            region: None,
            observers: Vec::new(),
        }
    }
}

impl Builder {
    /// Registers a custom kind: its definitions are read as `D` and made into a backend.
    ///
    /// The function is called while a change is compiled: what it refuses, refuses the change.
    pub fn kind<D, B, F>(self, name: &str, function: F) -> Self
    where
        D: DeserializeOwned + 'static,
        B: Backend,
        F: Fn(D) -> Result<B, InvalidDefinition> + Send + Sync + 'static,
    {
        let factory = |kind| Arc::new(FromFunction::new(kind, function)) as Arc<dyn Factory>;
        let made = Kind::custom(name).map(factory);
        self.with_kind(made)
    }

    /// Registers the adapter of a kind. It goes before a built-in one.
    pub fn factory(self, factory: Arc<dyn Factory>) -> Self {
        self.with_kind(Ok(factory))
    }

    fn with_kind(mut self, made: Result<Arc<dyn Factory>, InvalidName>) -> Self {
        self.kinds.push(made);
        self
    }

    /// Lets definitions point at this machine. Without it loopback addresses are refused, because
    /// they are how gateways are abused.
    pub fn allow_loopback(mut self) -> Self {
        self.loopback = true;
        self
    }

    /// What of the network may be reached. [`allow_loopback`](Self::allow_loopback) adds to it, before
    /// or after.
    pub fn egress(self, egress: Egress) -> Self {
        self.transport(|transport| transport.egress(egress))
    }

    /// Sets up the way to the network: how many connections each target may have and for how long, who
    /// finds the addresses of names and for how long they are believed, which authorities are trusted
    /// beside the platform's.
    ///
    /// The function is given what is set so far and changes what it names; the rest stays, the
    /// [egress policy](Self::egress) above all. Limits hold for each definition on its own, and for all that
    /// are published here.
    ///
    /// ```
    /// use std::time::Duration;
    /// use backhaul::Registry;
    ///
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// let few = Registry::builder()
    ///     .transport(|it| it.max_connections(64).max_idle(8).idle_limit(Duration::from_secs(20)));
    /// let registry = few.in_memory().await?;
    /// # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
    /// # Ok::<_, std::io::Error>(())
    /// ```
    pub fn transport(mut self, set: impl FnOnce(transport::Builder) -> transport::Builder) -> Self {
        self.transport = set(self.transport);
        self
    }

    /// How much history is kept; without it 1,000 revisions of the last 30 days.
    pub fn history(mut self, history: History) -> Self {
        self.limits.history = history;
        self
    }

    /// How much one change may touch at most, unless it is forced; without it everything.
    pub fn blast_radius(mut self, limit: BlastRadius) -> Self {
        self.limits.blast_radius = limit;
        self
    }

    /// Where the gateway runs, such as `cn-hangzhou`: services are created by that region's rules,
    /// [`RegionRules`], unless there is a [policy](Self::creation_policy).
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Decides which services can be created; without it, and without a region, all can.
    pub fn creation_policy(mut self, policy: impl CreationPolicy) -> Self {
        self.creation = Some(Arc::new(policy));
        self
    }

    /// Tells `observer` what happens: here, in the gateways that serve what is published here, and in their
    /// connections. May be called several times: all are told.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observers.push(Arc::new(observer));
        self
    }

    /// Takes the time of day from here.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Opens an empty registry that lives as long as the process.
    ///
    /// # Errors
    ///
    /// When a kind's name or a certificate cannot be accepted.
    pub async fn in_memory(self) -> Result<Registry, OpenError> {
        self.load(Arc::new(MemoryStore::new())).await
    }

    /// Opens the registry that is kept in the file at `path`, and begins an empty one if there is none.
    ///
    /// What was acknowledged is there, whatever happened to the process or the machine. A file that
    /// cannot be opened is left as it is. See [`RedbStore`](crate::store::RedbStore).
    ///
    /// # Errors
    ///
    /// When a setting cannot be accepted, and as [`RedbStore::open`](crate::store::RedbStore::open):
    /// somebody else has it open, it is damaged, newer than this library, or cannot be read.
    #[cfg(feature = "store-redb")]
    pub async fn open(self, path: impl Into<std::path::PathBuf>) -> Result<Registry, OpenError> {
        let store = crate::store::RedbStore::open(path).await?;
        self.load(Arc::new(store)).await
    }

    /// Opens what a store holds, and follows what others commit to it.
    ///
    /// # Errors
    ///
    /// When a kind's name or a certificate cannot be accepted, or the store cannot be read.
    pub async fn store(self, store: Arc<dyn Store>) -> Result<Registry, OpenError> {
        let registry = self.load(store).await?;
        tokio::spawn(follow(Arc::downgrade(&registry.0), registry.0.closed.clone()));
        Ok(registry)
    }

    async fn load(self, store: Arc<dyn Store>) -> Result<Registry, OpenError> {
        let mut factories = BTreeMap::new();
        for factory in crate::built_in_kinds() {
            factories.insert(factory.kind(), factory);
        }
        for factory in self.kinds {
            let factory = factory?;
            factories.insert(factory.kind(), factory);
        }
        let transport =
            if self.loopback { self.transport.allow_loopback() } else { self.transport };
        let region = self.region.map(|region| region.parse::<Region>()).transpose()?;
        let rules = region.map(|region| Arc::new(RegionRules::new(region)) as Arc<_>);
        let creation = self.creation.or(rules);
        let observers = Observers::new(self.observers);
        let transport = transport.build()?;
        let kinds = Kinds { factories, transport, observers: observers.clone() };
        let state = restored(store.load().await?).await?;
        let snapshot = Published::new(Snapshot::open(&Arc::new(state), &kinds, None));
        let (turn, (open, closed)) = (tokio::sync::Mutex::new(()), lease());
        let (clock, limits, recent) = (self.clock, self.limits, Mutex::default());
        let inner = Inner {
            snapshot,
            turn,
            store,
            kinds,
            limits,
            creation,
            recent,
            clock,
            observers,
            closed,
            _open: open,
        };
        Ok(Registry(Arc::new(inner)))
    }
}

/// Takes over what others commit, for as long as somebody uses the registry.
async fn follow(registry: Weak<Inner>, closed: Drained) {
    while let Some(inner) = registry.upgrade() {
        let at = inner.snapshot.current().state().revision();
        let store = Arc::clone(&inner.store);
        drop(inner);
        let next = tokio::select! {
            next = next(&*store, at) => next,
            () = closed.clone() => return,
        };
        drop(store);
        let Some(inner) = registry.upgrade() else { return };
        if inner.take_over(at, next).await.is_err() {
            // The last good state serves on.
            drop(inner);
            tokio::time::sleep(STORE_RESTS).await;
        }
    }
}

async fn next(store: &dyn Store, after: Revision) -> Result<Arc<Batch>, StoreError> {
    store.watch(after).await?.next().await
}

impl Inner {
    /// Takes over what came after `at`.
    async fn take_over(
        &self,
        at: Revision,
        next: Result<Arc<Batch>, StoreError>,
    ) -> Result<(), StoreError> {
        match next {
            Ok(batch) => {
                let _turn = self.turn.lock().await;
                self.follow(&batch)
            }
            Err(StoreError::Compacted(_)) => {
                let _turn = self.turn.lock().await;
                // What is no longer kept may be a change of our own, which is true here already.
                if self.snapshot.current().state().revision() > at {
                    return Ok(());
                }
                self.reload().await
            }
            Err(error) => Err(error),
        }
    }
}
