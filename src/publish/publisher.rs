//! Who changes what.

use std::sync::Arc;

use super::plan::Plan;
use super::receipt::Receipt;
use crate::model::limits::{MAX_REASON, MAX_REFUSALS};
use crate::registry::change::Undo;
use crate::registry::{self, Change, CommitError, Planned, Registry, Rejected, work_out};

/// Changes a registry in somebody's name.
///
/// ```
/// # use backhaul::{Change, Kind, Registry};
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// # let registry = Registry::in_memory().await?;
/// let publisher = registry.publisher("deploy-bot").because("orders moves house");
/// let receipt = publisher.apply(Change::new().service("orders", Kind::HTTP)).await?;
/// assert_eq!(receipt.stamp().who.as_ref(), "deploy-bot");
/// # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
/// # Ok::<_, std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Publisher {
    registry: Registry,
    who: Arc<str>,
    why: Option<Arc<str>>,
    forced: Option<Arc<str>>,
    prewarm: usize,
}

/// What a publisher can apply: a [`Change`], or the [`Plan`] of one.
#[derive(Debug)]
pub struct Proposal {
    change: Arc<Change>,
    planned: Option<Planned>,
}

impl From<Change> for Proposal {
    fn from(change: Change) -> Self {
        Self { change: Arc::new(change), planned: None }
    }
}

impl From<Plan> for Proposal {
    fn from(plan: Plan) -> Self {
        (&plan).into()
    }
}

impl From<&Plan> for Proposal {
    fn from(plan: &Plan) -> Self {
        let (change, planned) = plan.proposed();
        Self { change, planned: Some(planned) }
    }
}

impl Registry {
    /// Changes the registry in the name of `who`, at most 200 characters.
    #[must_use]
    pub fn publisher(&self, who: impl Into<Arc<str>>) -> Publisher {
        Publisher { registry: self.clone(), who: who.into(), why: None, forced: None, prewarm: 0 }
    }
}

impl Publisher {
    /// The same, giving a reason of at most 200 characters.
    #[must_use]
    pub fn because(mut self, why: impl Into<Arc<str>>) -> Self {
        self.why = Some(why.into());
        self
    }

    /// The same, allowed to go beyond the registry's limits on how much a change may touch, for a
    /// reason of at most 200 characters, which is kept with the change. Without one it is not forced.
    #[must_use]
    pub fn forced(mut self, reason: impl Into<Arc<str>>) -> Self {
        self.forced = Some(reason.into());
        self
    }

    /// The same, making up to so many connections to every target that a change makes or moves before it
    /// takes traffic: the first requests need not wait for handshakes. The change waits for them, no
    /// longer than a connection may take; it is made whatever comes of them.
    #[must_use]
    pub fn prewarm(mut self, connections: usize) -> Self {
        self.prewarm = connections;
        self
    }

    /// The registry it changes.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Says what a change would do, without doing any of it.
    ///
    /// The cost grows with what is edited, not with how many APIs it moves.
    ///
    /// # Errors
    ///
    /// Those of [`apply`](Self::apply), but for those of the store and of limits on reach.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime, for large changes.
    pub async fn plan(&self, change: Change) -> Result<Plan, CommitError> {
        self.plan_shared(Arc::new(change)).await
    }

    pub(crate) async fn plan_shared(&self, change: Arc<Change>) -> Result<Plan, CommitError> {
        let proposal = self.proposal(Proposal { change, planned: None })?;
        let foreseen = self.registry.plan(&proposal).await?;
        let (registry, change) = (self.registry.clone(), proposal.change);
        work_out(foreseen.made.size(), move || Plan::new(registry, change, foreseen)).await
    }

    /// Makes a change, or what was planned: all of it, or nothing.
    ///
    /// Once this returns, the change is durable and no new request on this node sees what was before.
    /// The cost grows with what is edited, not with how many APIs it moves.
    ///
    /// # Errors
    ///
    /// [`CommitError::Rejected`] names the edit and the reason. [`CommitError::Stale`]: something that
    /// the plan was made on has changed since, and only then. [`CommitError::TooFar`]: it would touch
    /// more than the registry allows at once. Nothing was done then, nor with any other error but
    /// [`CommitError::Ambiguous`].
    ///
    /// # Cancellation
    ///
    /// The change is made in a task of its own: dropping the future only drops the receipt.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn apply(&self, proposal: impl Into<Proposal>) -> Result<Receipt, CommitError> {
        let proposal = self.proposal(proposal.into())?;
        let committed = self.registry.commit(proposal).await?;
        work_out(committed.size(), move || Receipt::new(committed)).await
    }

    /// Everything that stands in a change's way: what [`plan`](Self::plan) and [`apply`](Self::apply)
    /// would refuse first, and what they would refuse then. Empty if it can be made.
    ///
    /// An edit that is refused counts as not there for those behind it, which may be refused for that
    /// alone. At most [`MAX_REFUSALS`](crate::model::limits::MAX_REFUSALS) are told.
    ///
    /// # Errors
    ///
    /// When the publisher's name or a reason is too long.
    pub async fn refusals(&self, change: Change) -> Result<Vec<Rejected>, CommitError> {
        self.refusals_shared(Arc::new(change)).await
    }

    pub(crate) async fn refusals_shared(
        &self,
        change: Arc<Change>,
    ) -> Result<Vec<Rejected>, CommitError> {
        let proposal = self.proposal(Proposal { change, planned: None })?;
        Ok(self.registry.refusals(&proposal, MAX_REFUSALS).await)
    }

    /// Takes back what the change of a revision did, as a change of its own.
    ///
    /// What was published through a definition that the change deleted is live again, but for what was
    /// published, unpublished or deleted since: [`Receipt::left_out`] lists that. Undoing the bulk
    /// unpublish of any number of APIs costs the same.
    ///
    /// # Errors
    ///
    /// Those of [`apply`](Self::apply); [`Reason::Touched`](crate::registry::Reason::Touched) lists the
    /// later changes that are in the way.
    pub async fn undo(&self, undo: impl Into<Undo>) -> Result<Receipt, CommitError> {
        self.apply(Change::new().undo(undo)).await
    }

    fn proposal(&self, proposal: Proposal) -> Result<registry::Proposal, CommitError> {
        let texts = [
            ("the publisher's name", Some(&self.who)),
            ("the reason", self.why.as_ref()),
            ("the reason for forcing", self.forced.as_ref()),
        ];
        for (what, text) in texts {
            if text.is_some_and(|text| text.chars().count() > MAX_REASON) {
                return Err(CommitError::TooLong(what));
            }
        }
        Ok(registry::Proposal {
            change: proposal.change,
            who: Arc::clone(&self.who),
            why: self.why.clone(),
            forced: self.forced.clone().filter(|reason| !reason.trim().is_empty()),
            planned: proposal.planned,
            prewarm: self.prewarm,
        })
    }
}
