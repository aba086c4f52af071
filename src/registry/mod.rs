//! WHAT is true now: definitions, drafts and publications, as one value that is swapped whole.
//!
//! | file | question |
//! |---|---|
//! | `change`, `rejected` | which edits are there, and why is one refused? |
//! | `creation` | which kinds of service can be created here? |
//! | `evaluate/` | State × Change → State: every rule of the product |
//! | `state`, `stage`, `drafts`, `resources`, `grants`, `routes`, `site` | how is what is true kept, and found? |
//! | `variables` | what do stage variables make of it? |
//! | `snapshot`, `target` | what does the data plane need of it? |
//! | `history/` | what was true before, and what did a change do? |
//! | `reads`, `reach`, `traffic` | what was a plan made on, and how much does a change touch? |
//! | `commit`, `open`, `restore` | how does a change become durable, then visible? |
//! | `told` | who is told of it? |
//! | `view`, `rights` | what do operators see? |
//!
//! Read next: [`publish`](crate::publish) for how things are changed.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};

use arc_swap::Guard;

use crate::model::Revision;
use crate::observe::Observers;
use crate::store::{Loaded, Store};
use crate::sync::{Drained, Lease, Published};
use crate::time::Clock;
use crate::transport::dns::Refreshed;

pub(crate) mod callers;
pub mod change;
mod commit;
pub mod creation;
mod drafts;
mod evaluate;
mod foresee;
mod grants;
pub(crate) mod history;
mod open;
mod reach;
mod reads;
pub mod rejected;
pub(crate) mod resources;
mod restore;
pub mod rights;
mod routes;
pub(crate) mod shared;
pub(crate) mod site;
pub(crate) mod snapshot;
mod stage;
pub(crate) mod state;
pub(crate) mod target;
mod told;
mod traffic;
mod variables;
pub mod view;

pub use self::change::Change;
pub use self::commit::CommitError;
pub(crate) use self::commit::{Committed, Planned, Proposal, drop_elsewhere, work_out};
pub use self::creation::{CreationPolicy, InvalidRegion, NotCreatable, Region, RegionRules};
pub(crate) use self::foresee::Foreseen;
pub use self::history::History;
pub use self::open::{Builder, OpenError};
pub use self::reach::{BlastRadius, TooFar};
pub use self::rejected::{Reason, Rejected};
pub use self::rights::{GrantView, ResourceView};
pub use self::view::{PublicationView, ServiceView, Status};

use self::snapshot::Snapshot;
use self::state::State;
use self::target::{Kinds, Superseded};

/// What is true now, and how it is changed and read.
///
/// A cheap handle: clones see the same state. Reading never waits for a change, and sees either all
/// of it or nothing.
///
/// ```
/// use backhaul::{Change, Environment, Http, Kind, Registry};
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let registry = Registry::in_memory().await?;
/// let change = Change::new()
///     .service("orders", Kind::HTTP)
///     .define("orders", Environment::TEST, Http::to("http://10.0.0.7:8080"));
/// let receipt = registry.publisher("deploy-bot").apply(change).await?;
/// assert_eq!(registry.revision(), receipt.revision());
/// # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
/// # Ok::<_, std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Registry(Arc<Inner>);

struct Inner {
    snapshot: Published<Snapshot>,
    /// Held from evaluating a change until it is visible: changes take turns.
    turn: tokio::sync::Mutex<()>,
    store: Arc<dyn Store>,
    kinds: Kinds,
    limits: Limits,
    creation: Option<Arc<dyn CreationPolicy>>,
    /// What the newest changes superseded that is still in use.
    recent: Mutex<VecDeque<(Revision, Arc<[Superseded]>)>>,
    clock: Arc<dyn Clock>,
    observers: Observers,
    /// Resolves once nobody uses the registry any more.
    closed: Drained,
    _open: Lease,
}

/// What changes may do, and how far back they are kept.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits {
    pub(crate) history: History,
    pub(crate) blast_radius: BlastRadius,
}

impl Registry {
    /// The revision that is true now.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.0.snapshot.current().state().revision()
    }

    /// Everything that is true now and the history, as a store keeps it: for a
    /// [dump](crate::store::dump), or to begin another store with. It is of one revision, and taking
    /// it holds nobody up. Secrets are in it.
    #[must_use]
    pub fn contents(&self) -> Loaded {
        let state = self.state();
        Loaded::new(state.revision(), state.records().collect())
    }

    /// Asks for the addresses of every backend's name again, whatever was said of how long they hold.
    ///
    /// After it returned no request goes to an address that its name has no more. See
    /// [`Transport::refresh_now`](crate::transport::Transport::refresh_now).
    pub async fn refresh_now(&self) -> Refreshed {
        self.0.kinds.transport.refresh_now().await
    }

    /// Everything that is true now.
    pub(crate) fn state(&self) -> Arc<State> {
        Arc::clone(self.0.snapshot.current().state())
    }

    /// How the data plane reads it.
    pub(crate) fn reader(&self) -> Reader {
        Reader(self.clone())
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("revision", &self.revision()).finish_non_exhaustive()
    }
}

/// Reads a registry and cannot write it.
#[derive(Clone, Debug)]
pub(crate) struct Reader(Registry);

impl Reader {
    /// What is true now. Only for a moment: old snapshots wait for their readers.
    pub(crate) fn current(&self) -> Guard<Arc<Snapshot>> {
        self.0.0.snapshot.current()
    }

    /// What tells the time of day.
    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.0.clock
    }

    /// Who is told of requests.
    pub(crate) fn observers(&self) -> &Observers {
        &self.0.0.observers
    }
}
