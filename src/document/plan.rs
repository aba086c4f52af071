//! Making a registry what a document says.

use std::sync::Arc;

use super::difference::{Difference, difference, told};
use super::{Document, InvalidDocument};
use crate::publish::{Plan, Publisher, Receipt};
use crate::registry::{CommitError, drop_elsewhere};

/// How often a document is compared anew because something moved in the meantime.
const ATTEMPTS: usize = 16;

/// A document was not applied. Nothing of it was done.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// It does not fit the registry: everything that is in its way.
    #[error(transparent)]
    Invalid(#[from] InvalidDocument),
    /// It fits, and was not committed.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl From<&Document> for Arc<Document> {
    /// A copy, made where it is asked for.
    fn from(document: &Document) -> Self {
        Self::new(document.clone())
    }
}

impl Publisher {
    /// Says what would have to change so that the registry is as a document says, as one plan; `None` if
    /// it is so already.
    ///
    /// The change is the least there is: what is as it should be is not edited, and an API that did not
    /// change is not published again. Only what a document created is taken away when this one does not
    /// have it, and only if nothing else needs it. What is published by a definition that the document no
    /// longer has goes with the definition, at once, however much it is.
    ///
    /// What is compared is compared where it holds up no other task. A document that is given away, or
    /// as an `Arc`, is not copied; of one that is borrowed a copy is made first.
    ///
    /// # Errors
    ///
    /// Everything that is in the document's way, each with its key and its line, and as
    /// [`plan`](Self::plan).
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn plan_document(
        &self,
        document: impl Into<Arc<Document>>,
    ) -> Result<Option<Plan>, DocumentError> {
        let document = document.into();
        let planned = self.planned(&document).await;
        give_up(document);
        planned
    }

    /// Everything that is wrong with a document that could not be read: also what the registry would
    /// refuse of the rest. What is refused only because something could not be read, is not told.
    ///
    /// # Errors
    ///
    /// When the publisher's name or a reason is too long.
    pub async fn all_faults(
        &self,
        invalid: InvalidDocument,
    ) -> Result<InvalidDocument, CommitError> {
        let Some(rest) = invalid.rest.0.clone() else { return Ok(invalid) };
        let (state, compared) = (self.registry().state(), Arc::clone(&rest));
        let found = elsewhere(move || difference(&state, &compared)).await?;
        let Difference { change, places, faults } = found;
        let refused = self.refusals_shared(Arc::new(change)).await?;
        let tell = move || {
            let found = faults.into_iter().chain(told(&rest, &places, &refused));
            rest.refuse(found.filter(|fault| !fault.path.is_empty()))
        };
        Ok(invalid.and(elsewhere(tell).await?))
    }

    /// Makes the registry what a document says, as one revision; `None` if it was so already.
    ///
    /// All of it or nothing, as [`apply`](Self::apply). A document that is given away is not copied, as
    /// with [`plan_document`](Self::plan_document), nor dropped where that holds up other tasks.
    ///
    /// # Errors
    ///
    /// Those of [`plan_document`](Self::plan_document) and of [`apply`](Self::apply).
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn apply_document(
        &self,
        document: impl Into<Arc<Document>>,
    ) -> Result<Option<Receipt>, DocumentError> {
        let document = document.into();
        let applied = self.applied(&document).await;
        give_up(document);
        applied
    }

    async fn applied(&self, document: &Arc<Document>) -> Result<Option<Receipt>, DocumentError> {
        for _ in 0..ATTEMPTS {
            let Some(plan) = self.planned(document).await? else { return Ok(None) };
            match self.apply(plan).await {
                Ok(receipt) => return Ok(Some(receipt)),
                // Somebody else was faster.
                Err(CommitError::Stale { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(CommitError::Contended.into())
    }

    async fn planned(&self, document: &Arc<Document>) -> Result<Option<Plan>, DocumentError> {
        for _ in 0..ATTEMPTS {
            let (state, compared) = (self.registry().state(), Arc::clone(document));
            let at = state.revision();
            let found = elsewhere(move || difference(&state, &compared)).await?;
            let Difference { change, places, faults } = found;
            if change.is_empty() && faults.is_empty() {
                return Ok(None);
            }
            let change = Arc::new(change);
            let refused = match self.plan_shared(Arc::clone(&change)).await {
                // What was compared moved in the meantime: what was found is not what is to be done.
                Ok(plan) if plan.revision() != at => continue,
                Ok(plan) if faults.is_empty() => return Ok(Some(plan)),
                Ok(_) => Vec::new(),
                Err(CommitError::Rejected(_)) => self.refusals_shared(change).await?,
                Err(error) => return Err(error.into()),
            };
            if self.registry().revision() != at {
                continue;
            }
            let refused_document = Arc::clone(document);
            let refuse = move || {
                let told = told(&refused_document, &places, &refused);
                refused_document.refuse(faults.into_iter().chain(told))
            };
            return Err(elsewhere(refuse).await?.into());
        }
        Err(CommitError::Contended.into())
    }
}

/// Does what takes long where it holds up no other task.
async fn elsewhere<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CommitError> {
    let task = tokio::task::spawn_blocking(work);
    task.await.map_err(|error| CommitError::Unfinished(error.to_string()))
}

/// Gives a document up where that holds up no other task: a large one consists of a million pieces.
fn give_up(document: Arc<Document>) {
    drop_elsewhere(document.apis.len() + document.grants.len(), document);
}
