//! How a change becomes durable, then visible.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;

use super::change::Change;
use super::creation::{CreationPolicy, RegionRules};
use super::evaluate::{Author, Evaluated, Laws, evaluate, refusals};
use super::reach::TooFar;
use super::reads::Read;
use super::rejected::Rejected;
use super::restore::restored;
use super::snapshot::{Refused, Snapshot};
use super::state::State;
use super::target::Superseded;
use super::{Inner, Registry};
use crate::backend::Backend;
use crate::model::{ChangeId, Revision, Stamp};
use crate::store::record::RevisionRecord;
use crate::store::{Batch, Store, StoreError};

/// What belongs to more writes than this is worked out, and dropped, where it does not hold up other
/// tasks: each of them is some places in memory that nobody has looked at lately.
const DONE_IN_PLACE: usize = 64;
/// New targets that connections are made to at the same time: a change may bring thousands.
const WARMED_AT_ONCE: usize = 64;
/// Things that moved, named when a plan is stale.
const NAMED: usize = 10;
/// Changes whose old side is kept in view while it is still in use.
const RECENT: usize = 1_000;
/// How often a change is evaluated anew because somebody else committed first.
const ATTEMPTS: usize = 16;
/// How long a change waits at most after others committed first for the second time. It doubles with
/// every further time: otherwise who evaluates slowest loses to a queue of others until it gives up.
const BACK_OFF: Duration = Duration::from_millis(1);
/// How long a change waits at most, however often others committed first. All its attempts together
/// wait less than one and a half seconds.
const LONGEST_BACK_OFF: Duration = Duration::from_millis(128);
/// How often the outcome of a commit is asked for when the store did not say.
const LOOK_UPS: u32 = 8;
/// How often to ask again at once for readers that still look at an old snapshot.
const YIELDS: u32 = 16;
/// How long to wait for readers that still look at an old snapshot before asking again.
const READERS_LEAVE: Duration = Duration::from_millis(1);

/// A change was not made.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// A rule refuses it. Nothing was done.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// The store did not keep it. Nothing was done.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Others committed first, again and again. Nothing was done.
    #[error("others committed first, {ATTEMPTS} times")]
    Contended,
    /// The store did not say whether it kept the change, and cannot be asked. Its id finds it.
    #[error("it is not known whether change {0} was committed")]
    Ambiguous(ChangeId),
    /// Something that the plan was made on is no longer so. Nothing was done; plan it again.
    #[error(
        "the plan made at revision {planned} is stale at revision {now}: {}",
        moved.join("; ")
    )]
    Stale {
        /// The revision it was planned at.
        planned: Revision,
        /// The revision now.
        now: Revision,
        /// The first ten things that moved.
        moved: Vec<String>,
    },
    /// The change would touch more than the registry's limits allow at once. Nothing was done; a
    /// publisher that is forced may do it.
    #[error(transparent)]
    TooFar(#[from] TooFar),
    /// The publisher's name or reason is longer than 200 characters.
    #[error("{0} is longer than 200 characters")]
    TooLong(&'static str),
    /// The task that made the change ended without an answer.
    #[error("the change was not finished: {0}")]
    Unfinished(String),
}

/// A change that is to be made, and by whom.
#[derive(Clone, Debug)]
pub(crate) struct Proposal {
    pub(crate) change: Arc<Change>,
    pub(crate) who: Arc<str>,
    pub(crate) why: Option<Arc<str>>,
    /// Why limits on its reach do not hold, if so.
    pub(crate) forced: Option<Arc<str>>,
    /// What it was planned on, if it was.
    pub(crate) planned: Option<Planned>,
    /// How many connections are made to each new target before it takes traffic.
    pub(crate) prewarm: usize,
}

/// What a change was planned on.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) base: Arc<State>,
    pub(crate) reads: Arc<[Read]>,
}

/// A change that was made.
#[derive(Clone, Debug)]
pub(crate) struct Committed {
    pub(crate) before: Arc<State>,
    pub(crate) after: Arc<State>,
    pub(crate) entry: Arc<RevisionRecord>,
    pub(crate) superseded: Arc<[Superseded]>,
}

impl Committed {
    /// How many records it wrote.
    pub(crate) fn size(&self) -> usize {
        self.entry.created.len() + self.entry.touched.len()
    }
}

/// A change that can be made: evaluated and compiled.
pub(super) struct Prepared {
    pub(super) evaluated: Evaluated,
    pub(super) snapshot: Snapshot,
    pub(super) superseded: Arc<[Superseded]>,
}

/// Makes connections to new targets, many at a time.
async fn warm(targets: Vec<Arc<dyn Backend>>, connections: usize) {
    let mut warming = JoinSet::new();
    for backend in targets {
        if warming.len() >= WARMED_AT_ONCE {
            warming.join_next().await;
        }
        warming.spawn(async move { backend.warm(connections).await });
    }
    while warming.join_next().await.is_some() {}
}

/// What became of writes.
enum Kept {
    /// They became the revision after the one they were made on.
    Here,
    /// Others committed first: the store is at this revision.
    OthersFirst(Revision),
}

impl Registry {
    /// Makes a change: evaluate, compile, commit, swap, answer.
    ///
    /// It runs in a task of its own, so that dropping the returned future cannot leave a change
    /// durable but invisible.
    pub(crate) async fn commit(&self, proposal: Proposal) -> Result<Committed, CommitError> {
        let registry = self.clone();
        let task = tokio::spawn(async move { registry.0.commit(proposal).await });
        let made =
            task.await.unwrap_or_else(|error| Err(CommitError::Unfinished(error.to_string())));
        made.inspect_err(|error| self.0.tell_refused(error))
    }
}

impl Inner {
    async fn commit(self: &Arc<Self>, proposal: Proposal) -> Result<Committed, CommitError> {
        let _turn = self.turn.lock().await;
        for attempt in 0..ATTEMPTS {
            let before = self.snapshot.current().as_ref().clone();
            let base = before.state().revision();
            if let Some(planned) = &proposal.planned {
                planned.still_holds(before.state(), &self.store)?;
            }
            let Prepared { mut evaluated, snapshot, superseded } =
                self.prepare(&before, &proposal).await?;
            let committed = Committed {
                before: Arc::clone(before.state()),
                after: Arc::clone(snapshot.state()),
                entry: Arc::clone(&evaluated.entry),
                superseded,
            };
            if proposal.forced.is_none() {
                self.within_reach(&before, &committed)?;
            }
            if proposal.prewarm > 0 {
                warm(snapshot.fresh(&before, &evaluated.writes), proposal.prewarm).await;
            }
            let writes = std::mem::take(&mut evaluated.writes);
            let size = writes.len();
            let change = committed.entry.change;
            if let Kept::OthersFirst(until) = self.keep(change, base, writes).await? {
                give_way(attempt).await;
                self.catch_up(base, until).await?;
                continue;
            }
            drop(before);
            self.remember(committed.entry.stamp.revision, &committed.superseded);
            let old = self.snapshot.publish(snapshot);
            self.tell_applied(committed.entry.stamp.revision, &committed.superseded, true);
            reclaim(old, size);
            return Ok(committed);
        }
        Err(CommitError::Contended)
    }

    /// Evaluates and compiles a change, without making it.
    pub(super) async fn prepare(
        self: &Arc<Self>,
        before: &Snapshot,
        proposal: &Proposal,
    ) -> Result<Prepared, CommitError> {
        let author = self.author(before, proposal);
        let change = Arc::clone(&proposal.change);
        let prepared = if change.is_small(before.state()) {
            self.prepare_now(before, &change, author)
        } else {
            let (inner, before) = (Arc::clone(self), before.clone());
            let prepare = move || inner.prepare_now(&before, &change, author);
            match tokio::task::spawn_blocking(prepare).await {
                Ok(prepared) => prepared,
                Err(error) => return Err(CommitError::Unfinished(error.to_string())),
            }
        };
        prepared.map_err(|rejected| match &proposal.planned {
            // It was possible when it was planned.
            Some(planned) => planned.stale(before.state(), vec![rejected.to_string()]),
            None => rejected.into(),
        })
    }

    fn prepare_now(
        &self,
        before: &Snapshot,
        change: &Change,
        author: Author,
    ) -> Result<Prepared, Rejected> {
        let evaluated =
            self.by_law(before.state(), |laws| evaluate(before.state(), change, author, laws))?;
        match before.compile(&evaluated, &self.kinds) {
            Ok((snapshot, superseded)) => {
                Ok(Prepared { evaluated, snapshot, superseded: superseded.into() })
            }
            Err(refused) => Err(evaluated.blame(change, refused.key, refused.error.into())),
        }
    }

    /// What holds for changes made on a state.
    fn by_law<T>(&self, state: &State, make: impl FnOnce(&Laws<'_>) -> T) -> T {
        let known = |kind: &_| self.kinds.know(kind);
        let upgrades = |kind: &_| self.kinds.upgrade(kind);
        let region = state.settings().and_then(|settings| settings.region.as_ref()?.parse().ok());
        let rules = region.map(RegionRules::new);
        let rules = rules.as_ref().map(|rules| rules as &dyn CreationPolicy);
        let creation = rules.or(self.creation.as_deref());
        let history = self.limits.set_by(state.settings()).history;
        make(&Laws { known: &known, upgrades: &upgrades, creation, history })
    }

    /// Everything that stands in a change's way, at most `limit` refusals.
    fn refusals_now(
        &self,
        before: &Snapshot,
        change: &Change,
        author: Author,
        limit: usize,
    ) -> Vec<Rejected> {
        let evaluate = |laws: &Laws<'_>| refusals(before.state(), change, author, laws, limit);
        let (mut refused, evaluated) = self.by_law(before.state(), evaluate);
        let room = limit.saturating_sub(refused.len());
        let adapters = before.refusals(&evaluated, &self.kinds).into_iter().take(room);
        let blame = |refused: Refused| evaluated.blame(change, refused.key, refused.error.into());
        refused.extend(adapters.map(blame));
        refused
    }

    /// Everything that stands in a change's way, at most `limit` refusals.
    pub(super) async fn refusals(
        self: &Arc<Self>,
        proposal: &Proposal,
        limit: usize,
    ) -> Vec<Rejected> {
        let before = self.snapshot.current().as_ref().clone();
        let (inner, change) = (Arc::clone(self), Arc::clone(&proposal.change));
        let author = self.author(&before, proposal);
        let refusals = move || inner.refusals_now(&before, &change, author, limit);
        tokio::task::spawn_blocking(refusals).await.unwrap_or_default()
    }

    /// Who makes a change on what is true.
    fn author(&self, before: &Snapshot, proposal: &Proposal) -> Author {
        let next = before.state().revision().next();
        let mut stamp = Stamp::new(next, Arc::clone(&proposal.who), self.clock.now());
        stamp.why.clone_from(&proposal.why);
        let (stamp, forced) = (Arc::new(stamp), proposal.forced.clone());
        Author { change: ChangeId::from_bits(fastrand::u128(..)), stamp, forced }
    }

    /// Keeps what a change superseded, for receipts that are found again.
    fn remember(&self, revision: Revision, superseded: &Arc<[Superseded]>) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.retain(|(_, superseded)| superseded.iter().any(Superseded::is_busy));
        if !superseded.is_empty() {
            recent.push_back((revision, Arc::clone(superseded)));
        }
        if recent.len() > RECENT {
            recent.pop_front();
        }
    }

    /// Commits writes made on `base`.
    async fn keep(
        &self,
        id: ChangeId,
        base: Revision,
        writes: Vec<crate::store::Write>,
    ) -> Result<Kept, CommitError> {
        match self.store.commit(Batch::new(id, base, writes)).await {
            Ok(()) => Ok(Kept::Here),
            // A store that went back has nothing to catch up with.
            Err(StoreError::Conflict { actual, .. }) if actual > base => {
                Ok(Kept::OthersFirst(actual))
            }
            Err(StoreError::Unknown(why)) => match self.look_up(id).await? {
                Some(revision) if revision == base.next() => Ok(Kept::Here),
                Some(revision) => {
                    let found = format!("a change made on revision {base} at revision {revision}");
                    Err(StoreError::Corrupt(found).into())
                }
                None => Err(StoreError::Unavailable(why).into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// Asks whether a change was committed, until the store answers.
    async fn look_up(&self, id: ChangeId) -> Result<Option<Revision>, CommitError> {
        for attempt in 0..LOOK_UPS {
            if let Ok(found) = self.store.find(id).await {
                return Ok(found);
            }
            tokio::time::sleep(Duration::from_millis(10 << attempt)).await;
        }
        Err(CommitError::Ambiguous(id))
    }

    /// Takes over what others committed after `base`, at least up to `until`. The caller has the turn.
    async fn catch_up(&self, base: Revision, until: Revision) -> Result<(), StoreError> {
        match self.follow_up_to(base, until).await {
            Err(StoreError::Compacted(_)) => self.reload().await,
            followed => followed,
        }
    }

    async fn follow_up_to(&self, base: Revision, until: Revision) -> Result<(), StoreError> {
        let mut feed = self.store.watch(base).await?;
        while self.snapshot.current().state().revision() < until {
            let batch = feed.next().await?;
            self.follow(&batch)?;
        }
        Ok(())
    }

    /// Takes over one batch that somebody else committed. The caller has the turn.
    pub(super) fn follow(&self, batch: &Batch) -> Result<(), StoreError> {
        let before = self.snapshot.current().as_ref().clone();
        if batch.base != before.state().revision() {
            return Ok(());
        }
        let mut state = State::clone(before.state());
        for (key, record) in &batch.writes {
            state.put(*key, record.clone()).map_err(|e| StoreError::Corrupt(e.to_string()))?;
        }
        state.advance(batch.revision());
        let (next, superseded) = before.follow(state, &batch.writes, &self.kinds);
        let superseded = superseded.into();
        self.remember(batch.revision(), &superseded);
        drop(before);
        let old = self.snapshot.publish(next);
        self.tell_applied(batch.revision(), &superseded, false);
        reclaim(old, batch.writes.len());
        Ok(())
    }

    /// Loads everything again; what did not change for its requests goes on. The caller has the turn.
    pub(super) async fn reload(&self) -> Result<(), StoreError> {
        let state = restored(self.store.load().await?).await?;
        let before = self.snapshot.current().as_ref().clone();
        let next = Snapshot::open(&Arc::new(state), &self.kinds, Some(&before));
        drop(before);
        let revision = next.state().revision();
        let old = self.snapshot.publish(next);
        self.tell_reloaded(revision, &old);
        reclaim(old, usize::MAX);
        Ok(())
    }
}

/// Waits a while, by chance, for others who committed first: not the first time, and longer every time.
async fn give_way(attempt: usize) {
    let Some(doubled) = attempt.checked_sub(1) else { return };
    let longest = BACK_OFF.saturating_mul(1 << doubled.min(16)).min(LONGEST_BACK_OFF);
    tokio::time::sleep(longest.mul_f64(fastrand::f64())).await;
}

/// Drops an old snapshot, once the readers that still look at it are gone: a reader must never be the
/// one who drops it. `size` is how much was written since.
///
/// Its targets go at once, because draining waits for that; much state goes where nobody waits.
fn reclaim(old: Arc<Snapshot>, size: usize) {
    match Arc::try_unwrap(old) {
        Ok(last) => last.reclaim(size),
        Err(shared) => drop(tokio::spawn(async move {
            let mut shared = shared;
            for attempt in 0.. {
                // A look-up is over in less than it takes to set a timer.
                if attempt < YIELDS {
                    tokio::task::yield_now().await;
                } else {
                    tokio::time::sleep(READERS_LEAVE).await;
                }
                match Arc::try_unwrap(shared) {
                    Ok(last) => return last.reclaim(size),
                    Err(still) => shared = still,
                }
            }
        })),
    }
}

/// Does what belongs to so many writes, in place or where that holds up no other task.
pub(crate) async fn work_out<T: Send + 'static>(
    size: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CommitError> {
    if size <= DONE_IN_PLACE {
        return Ok(work());
    }
    let task = tokio::task::spawn_blocking(work);
    task.await.map_err(|error| CommitError::Unfinished(error.to_string()))
}

/// Drops what belongs to so many writes, in place or where that holds up no other task.
pub(crate) fn drop_elsewhere<T: Send + 'static>(size: usize, value: T) {
    if size > DONE_IN_PLACE
        && let Ok(runtime) = tokio::runtime::Handle::try_current()
    {
        drop(runtime.spawn_blocking(move || drop(value)));
    }
}

impl Planned {
    /// Whether nothing that the change was planned on has moved.
    fn still_holds(&self, now: &Arc<State>, store: &Arc<dyn Store>) -> Result<(), CommitError> {
        if Arc::ptr_eq(now, &self.base) {
            return Ok(());
        }
        if !Arc::ptr_eq(store, &self.store) {
            return Err(self.stale(now, vec!["it was planned on another registry".to_owned()]));
        }
        let moved = self.reads.iter().filter(|read| !read.agrees(&self.base, now));
        let moved: Vec<_> = moved.take(NAMED).map(|read| read.describe(now)).collect();
        if moved.is_empty() { Ok(()) } else { Err(self.stale(now, moved)) }
    }

    fn stale(&self, now: &State, moved: Vec<String>) -> CommitError {
        let (planned, now) = (self.base.revision(), now.revision());
        CommitError::Stale { planned, now, moved }
    }
}

impl Snapshot {
    fn reclaim(self, size: usize) {
        let state = self.into_state();
        drop_elsewhere(size, state);
    }
}
