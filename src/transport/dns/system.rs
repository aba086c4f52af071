//! What the operating system says.

use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::{Answer, Failed, Resolve};

/// Most look-ups at once: each takes a thread of the runtime's 512, and keeps it until the operating
/// system is done, however long that takes. Others wait.
const MAX_LOOKUPS: usize = 32;

/// Asks the operating system: its hosts file, its name servers, its order of addresses.
///
/// It does not say how long an answer holds, and does not tell a name that does not exist from a name
/// server that does not answer.
#[derive(Clone, Debug)]
pub struct SystemResolver {
    places: Arc<Semaphore>,
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(MAX_LOOKUPS)) }
    }
}

impl SystemResolver {
    /// The operating system's resolver.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait::async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, host: &str, _: Duration) -> Result<Answer, Failed> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(Failed::new)?;
        let host = host.to_owned();
        let look_up = move || {
            let found = (host.as_str(), 0).to_socket_addrs();
            // Not before: a look-up that nobody waits for any more still takes its thread.
            drop(place);
            found
        };
        let found = tokio::task::spawn_blocking(look_up).await.map_err(Failed::new)?;
        let found = found.map_err(Failed::new)?;
        Ok(Answer::new(found.map(|address| address.ip())))
    }
}
