//! How a change becomes durable, then visible.

use std::sync::Arc;
use std::time::Duration;

use super::change::Change;
use super::evaluate::{Evaluated, evaluate};
use super::event::Event;
use super::rejected::Rejected;
use super::snapshot::Snapshot;
use super::state::State;
use super::target::Superseded;
use super::{Inner, Registry};
use crate::model::{ChangeId, Revision, Stamp};
use crate::store::{Batch, StoreError};

/// A change with more edits is evaluated where it does not hold up other tasks.
const EVALUATED_IN_PLACE: usize = 512;
/// How often a change is evaluated anew because somebody else committed first.
const ATTEMPTS: usize = 16;
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
    /// The publisher's name or reason is longer than 200 characters.
    #[error("{0} is longer than 200 characters")]
    TooLong(&'static str),
    /// The task that made the change ended without an answer.
    #[error("the change was not finished: {0}")]
    Unfinished(String),
}

/// A change that was made.
#[derive(Debug)]
pub(crate) struct Committed {
    pub(crate) stamp: Arc<Stamp>,
    pub(crate) before: Arc<State>,
    pub(crate) after: Arc<State>,
    pub(crate) events: Vec<Event>,
    pub(crate) superseded: Vec<Superseded>,
}

/// A change that can be made: evaluated and compiled.
struct Prepared {
    evaluated: Evaluated,
    snapshot: Snapshot,
    superseded: Vec<Superseded>,
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
    pub(crate) async fn commit(
        &self,
        change: Change,
        who: Arc<str>,
        why: Option<Arc<str>>,
    ) -> Result<Committed, CommitError> {
        let registry = self.clone();
        let task = tokio::spawn(async move { registry.0.commit(change, who, why).await });
        task.await.unwrap_or_else(|error| Err(CommitError::Unfinished(error.to_string())))
    }
}

impl Inner {
    async fn commit(
        self: &Arc<Self>,
        change: Change,
        who: Arc<str>,
        why: Option<Arc<str>>,
    ) -> Result<Committed, CommitError> {
        let _turn = self.turn.lock().await;
        let change = Arc::new(change);
        for _ in 0..ATTEMPTS {
            let before = self.snapshot.current().as_ref().clone();
            let base = before.state().revision();
            let mut stamp = Stamp::new(base.next(), Arc::clone(&who), self.clock.now());
            stamp.why.clone_from(&why);
            let stamp = Arc::new(stamp);
            let Prepared { mut evaluated, snapshot, superseded } =
                self.prepare(&before, &change, &stamp).await?;
            let writes = std::mem::take(&mut evaluated.writes);
            let size = writes.len();
            if let Kept::OthersFirst(until) = self.keep(base, writes).await? {
                self.catch_up(base, until).await?;
                continue;
            }
            let committed = Committed {
                stamp,
                before: Arc::clone(before.state()),
                after: Arc::clone(snapshot.state()),
                events: evaluated.events,
                superseded,
            };
            drop(before);
            reclaim(self.snapshot.publish(snapshot), size);
            return Ok(committed);
        }
        Err(CommitError::Contended)
    }

    async fn prepare(
        self: &Arc<Self>,
        before: &Snapshot,
        change: &Arc<Change>,
        stamp: &Arc<Stamp>,
    ) -> Result<Prepared, CommitError> {
        if change.len() <= EVALUATED_IN_PLACE {
            return Ok(self.prepare_now(before, change, stamp)?);
        }
        let (inner, before) = (Arc::clone(self), before.clone());
        let (change, stamp) = (Arc::clone(change), Arc::clone(stamp));
        let task = tokio::task::spawn_blocking(move || inner.prepare_now(&before, &change, &stamp));
        match task.await {
            Ok(prepared) => Ok(prepared?),
            Err(error) => Err(CommitError::Unfinished(error.to_string())),
        }
    }

    fn prepare_now(
        &self,
        before: &Snapshot,
        change: &Change,
        stamp: &Arc<Stamp>,
    ) -> Result<Prepared, Rejected> {
        let known = |kind: &_| self.kinds.know(kind);
        let evaluated = evaluate(before.state(), change, Arc::clone(stamp), &known)?;
        match before.compile(&evaluated, &self.kinds) {
            Ok((snapshot, superseded)) => Ok(Prepared { evaluated, snapshot, superseded }),
            Err(refused) => Err(evaluated.blame(change, refused.key, refused.error.into())),
        }
    }

    /// Commits writes made on `base`.
    async fn keep(
        &self,
        base: Revision,
        writes: Vec<crate::store::Write>,
    ) -> Result<Kept, CommitError> {
        let id = ChangeId::from_bits(fastrand::u128(..));
        match self.store.commit(Batch::new(id, base, writes)).await {
            Ok(()) => Ok(Kept::Here),
            // A store that went back has nothing to catch up with.
            Err(StoreError::Conflict { actual, .. }) if actual > base => {
                Ok(Kept::OthersFirst(actual))
            }
            Err(error @ StoreError::Unknown(_)) => match self.look_up(id).await? {
                Some(revision) if revision == base.next() => Ok(Kept::Here),
                Some(revision) => {
                    let found = format!("a change made on revision {base} at revision {revision}");
                    Err(StoreError::Corrupt(found).into())
                }
                None => Err(error.into()),
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
        let next = before.follow(state, &batch.writes, &self.kinds);
        drop(before);
        reclaim(self.snapshot.publish(next), batch.writes.len());
        Ok(())
    }

    /// Loads everything again; what did not change for its requests goes on. The caller has the turn.
    pub(super) async fn reload(&self) -> Result<(), StoreError> {
        let state = super::open::restore(self.store.load().await?)?;
        let before = self.snapshot.current().as_ref().clone();
        let next = Snapshot::open(&Arc::new(state), &self.kinds, Some(&before));
        drop(before);
        reclaim(self.snapshot.publish(next), usize::MAX);
        Ok(())
    }
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

impl Snapshot {
    fn reclaim(self, size: usize) {
        let state = self.into_state();
        if size > EVALUATED_IN_PLACE {
            drop(tokio::task::spawn_blocking(move || drop(state)));
        }
    }
}
