//! Asking for everything again at once.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::LOOKUP_TIMEOUT;
use super::entry::Entry;
use crate::transport::Transport;

/// What came of asking again.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Refreshed {
    /// How many names were asked for.
    pub names: usize,
    /// Those that have other addresses than before, in order.
    pub moved: Vec<String>,
    /// Those that nothing was found for, in order. Their last good answers are kept.
    pub failed: Vec<String>,
}

impl Transport {
    /// Asks for every name again that is remembered, whatever its answer says of how long it holds.
    ///
    /// After it returned new connections go to the new addresses, and connections to others take no
    /// more requests; those on their way are ended. It takes at most twice
    /// [`LOOKUP_TIMEOUT`]: a look-up that is under way may have begun too early and
    /// is not counted.
    ///
    /// # Cancellation
    ///
    /// Dropping the future leaves names unasked; look-ups that have begun go on.
    pub async fn refresh_now(&self) -> Refreshed {
        refresh(self.0.names.all()).await
    }

    /// The same for one name, which is as in definitions. A name that is not remembered is not asked
    /// for.
    pub async fn refresh_host(&self, host: &str) -> Refreshed {
        let mut names = self.0.names.all();
        names.retain(|name| name.host().eq_ignore_ascii_case(host));
        refresh(names).await
    }
}

async fn refresh(names: Vec<Arc<Entry>>) -> Refreshed {
    let deadline = Instant::now() + 2 * LOOKUP_TIMEOUT;
    let mut refreshed = Refreshed { names: names.len(), ..Refreshed::default() };
    let mut look_ups = JoinSet::new();
    for name in names {
        look_ups.spawn(async move {
            let before = name.generation();
            let found = name.look_up(deadline).await.is_ok();
            (name.host().to_owned(), found, before != name.generation())
        });
    }
    while let Some(looked_up) = look_ups.join_next().await {
        match looked_up {
            Ok((host, false, _)) => refreshed.failed.push(host),
            Ok((host, true, true)) => refreshed.moved.push(host),
            // Only a runtime that ends cuts one of them off.
            Ok((_, true, false)) | Err(_) => {}
        }
    }
    refreshed.moved.sort();
    refreshed.failed.sort();
    refreshed
}
