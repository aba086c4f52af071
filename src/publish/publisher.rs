//! Who changes what.

use std::sync::Arc;

use super::receipt::Receipt;
use crate::model::limits::MAX_REASON;
use crate::registry::{Change, CommitError, Registry};

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
}

impl Registry {
    /// Changes the registry in the name of `who`, at most 200 characters.
    #[must_use]
    pub fn publisher(&self, who: impl Into<Arc<str>>) -> Publisher {
        Publisher { registry: self.clone(), who: who.into(), why: None }
    }
}

impl Publisher {
    /// The same, giving a reason of at most 200 characters.
    #[must_use]
    pub fn because(mut self, why: impl Into<Arc<str>>) -> Self {
        self.why = Some(why.into());
        self
    }

    /// Makes a change: all of it, or nothing.
    ///
    /// Once this returns, the change is durable and no new request on this node sees what was before.
    /// The cost grows with what is edited, not with how many APIs it moves.
    ///
    /// # Errors
    ///
    /// [`CommitError::Rejected`] names the edit and the reason. Nothing was done then, nor with any
    /// other error but [`CommitError::Ambiguous`].
    ///
    /// # Cancellation
    ///
    /// The change is made in a task of its own: dropping the future only drops the receipt.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn apply(&self, change: Change) -> Result<Receipt, CommitError> {
        for (what, text) in
            [("the publisher's name", Some(&self.who)), ("the reason", self.why.as_ref())]
        {
            if text.is_some_and(|text| text.chars().count() > MAX_REASON) {
                return Err(CommitError::TooLong(what));
            }
        }
        let made = self.registry.commit(change, Arc::clone(&self.who), self.why.clone()).await?;
        Ok(Receipt::new(made))
    }
}
