//! Nonces in Redis, for a fleet.

use std::fmt;
use std::time::Duration;

use ::redis::aio::{ConnectionManager, ConnectionManagerConfig};
use ::redis::{Client, RedisError, cmd};
use async_trait::async_trait;

use super::{Nonce, NonceError, NonceStore};

/// How long Redis may take to accept a connection: a request waits for it.
const CONNECT: Duration = Duration::from_millis(500);
/// How long Redis may take to answer: a request waits for it.
const ANSWER: Duration = Duration::from_millis(500);
/// What all keys begin with, unless said otherwise.
const PREFIX: &str = "backhaul:nonce:";

/// Remembers nonces in Redis: exact for all gateways that share it, and past their ends.
///
/// Of any number of copies of a request, sent to any of the gateways, one is accepted. A nonce is one key,
/// `backhaul:nonce:APPKEY:NONCE`, which Redis forgets by itself. Redis must not evict keys early
/// (`maxmemory-policy noeviction`) and must not lose them when it fails over, or a request can be sent
/// twice. While Redis cannot be reached, or does not answer for half a second, it is not known whether a
/// nonce is new: see [`Gateway::pass_unchecked_nonces`](crate::Gateway::pass_unchecked_nonces). It is
/// connected to anew by itself.
#[derive(Clone)]
pub struct RedisNonces {
    connection: ConnectionManager,
    prefix: Box<str>,
}

/// The text is no address of a Redis server.
#[derive(Debug, thiserror::Error)]
#[error("is no address such as redis://host:6379/0 or redis+unix:///path")]
pub struct InvalidRedisUrl(());

impl RedisNonces {
    /// Those of the server at `url`: `redis://[user:password@]host[:port][/database]`, or
    /// `redis+unix:///path`. Connects when it is first needed.
    ///
    /// # Errors
    ///
    /// When the text is no such address. It is not repeated: it may have a password in it.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn at(url: &str) -> Result<Self, InvalidRedisUrl> {
        let client = Client::open(url).map_err(|_| InvalidRedisUrl(()))?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(ANSWER))
            .set_number_of_retries(1);
        let connection = ConnectionManager::new_lazy_with_config(client, config);
        let connection = connection.map_err(|_| InvalidRedisUrl(()))?;
        Ok(Self { connection, prefix: PREFIX.into() })
    }

    /// The same with another start of all keys, so that several systems can share a database.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        self.prefix = prefix.into();
        self
    }
}

#[async_trait]
impl NonceStore for RedisNonces {
    async fn remember(&self, nonce: Nonce<'_>) -> Result<bool, NonceError> {
        let key = format!("{}{}:{}", self.prefix, nonce.key, nonce.text);
        let left = nonce.until.as_millis().saturating_sub(nonce.now.as_millis()).max(1);
        let mut set = cmd("SET");
        set.arg(key).arg("").arg("NX").arg("PX").arg(left);
        let mut connection = self.connection.clone();
        let kept: Option<String> = set.query_async(&mut connection).await.map_err(unavailable)?;
        Ok(kept.is_some())
    }
}

fn unavailable(error: RedisError) -> NonceError {
    NonceError::Unavailable(Box::new(error))
}

impl fmt::Debug for RedisNonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisNonces").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
