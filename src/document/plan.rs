//! Making a registry what a document says.

use super::difference::{Difference, difference, told};
use super::{Document, InvalidDocument};
use crate::publish::{Plan, Publisher, Receipt};
use crate::registry::CommitError;

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

impl Publisher {
    /// Says what would have to change so that the registry is as a document says, as one plan; `None` if
    /// it is so already.
    ///
    /// The change is the least there is: what is as it should be is not edited, and an API that did not
    /// change is not published again. Only what a document created is taken away when this one does not
    /// have it, and only if nothing else needs it. What is published by a definition that the document no
    /// longer has goes with the definition, at once, however much it is.
    ///
    /// # Errors
    ///
    /// Everything that is in the document's way, each with its key and its line, and as
    /// [`plan`](Self::plan).
    pub async fn plan_document(&self, document: &Document) -> Result<Option<Plan>, DocumentError> {
        let Difference { change, places, faults } = self.difference(document).await?;
        if change.is_empty() && faults.is_empty() {
            return Ok(None);
        }
        let refused = match self.plan(change.clone()).await {
            Ok(plan) if faults.is_empty() => return Ok(Some(plan)),
            Ok(_) => Vec::new(),
            Err(CommitError::Rejected(_)) => self.refusals(change).await?,
            Err(error) => return Err(error.into()),
        };
        let faults = faults.into_iter().chain(told(document, &places, &refused));
        Err(document.refuse(faults).into())
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
        let Difference { change, places, faults } = self.difference(&rest).await?;
        let refused = self.refusals(change).await?;
        let found = faults.into_iter().chain(told(&rest, &places, &refused));
        let found = rest.refuse(found.filter(|fault| !fault.path.is_empty()));
        Ok(invalid.and(found))
    }

    /// Makes the registry what a document says, as one revision; `None` if it was so already.
    ///
    /// All of it or nothing, as [`apply`](Self::apply).
    ///
    /// # Errors
    ///
    /// Those of [`plan_document`](Self::plan_document) and of [`apply`](Self::apply).
    pub async fn apply_document(
        &self,
        document: &Document,
    ) -> Result<Option<Receipt>, DocumentError> {
        for _ in 0..ATTEMPTS {
            let Some(plan) = self.plan_document(document).await? else { return Ok(None) };
            match self.apply(plan).await {
                Ok(receipt) => return Ok(Some(receipt)),
                // Somebody else was faster.
                Err(CommitError::Stale { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(CommitError::Contended.into())
    }

    /// Compares where that holds up no other task.
    async fn difference(&self, document: &Document) -> Result<Difference, CommitError> {
        let (state, document) = (self.registry().state(), document.clone());
        let compare = move || difference(&state, &document);
        let task = tokio::task::spawn_blocking(compare);
        task.await.map_err(|error| CommitError::Unfinished(error.to_string()))
    }
}
