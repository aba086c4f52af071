//! From a name to the addresses behind it, and for how long that is believed.
//!
//! | file | question |
//! |---|---|
//! | `mod` | what is an answer, and for how long does it hold? |
//! | `system` | what does the operating system say? |
//! | `hickory` | what do name servers say? (feature `dns`) |
//! | `names` | which names are remembered? |
//! | `entry` | what is known of one name, and when is it asked for again? |
//! | `outcome` | what can come of a look-up? |
//! | `peer` | is a connection still to an address of its name? |
//! | `refresh` | how is everything asked for again at once? |
//!
//! Every answer, whatever resolver gave it, is remembered here:
//!
//! * it holds as long as it says, within the bounds of [`Lifetimes`]
//! * whoever asks for a name at the same time shares one look-up; who stops waiting stops nobody else
//! * while there are connections to a name it is asked for again as soon as its answer has expired,
//!   and once its addresses change, connections to the others take no new requests
//! * a look-up that fails, or finds no address, takes nothing away: the last good answer is kept
//!
//! Where a connection may go is not judged here but by [`Egress`](super::Egress), for every address
//! right before it is dialled.

use std::error::Error as StdError;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

mod entry;
#[cfg(feature = "dns")]
mod hickory;
mod names;
mod outcome;
mod peer;
mod refresh;
mod system;

#[cfg(feature = "dns")]
pub use self::hickory::{HickoryBuilder, HickoryResolver, InvalidResolver};
pub(super) use self::names::Names;
pub(super) use self::peer::Peer;
pub use self::refresh::Refreshed;
pub use self::system::SystemResolver;
use super::Builder;

/// How long an answer holds that does not say, such as every answer of the operating system: as often
/// as other proxies ask by default, and a name server answers thousands of such questions a second.
pub const DEFAULT_TTL: Duration = Duration::from_secs(5);
/// How long an answer holds at least: one that says 0 must not cost every connection a look-up.
pub const MIN_TTL: Duration = Duration::from_secs(1);
/// How long an answer holds at most: who corrects a zone that says a day should not wait for a day.
pub const MAX_TTL: Duration = Duration::from_secs(300);
/// How long it is remembered at most that a name has no address, or that nobody could tell: a name is
/// often asked for shortly before it is there.
pub const NEGATIVE_TTL: Duration = Duration::from_secs(5);
/// How long the last good answer is kept while look-ups fail or find nothing: what outlasts a day is
/// no outage (RFC 8767 section 5 suggests one to three days).
pub const MAX_STALE: Duration = Duration::from_secs(86_400);
/// How long one look-up may take: as resolvers wait for one name server by default. Connections do not
/// wait as long, but the next ones profit.
pub const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);
/// Most names that are remembered. Definitions name hosts, so there are rarely more than hundreds.
pub const MAX_NAMES: usize = 4_096;
/// Most addresses of one name that are looked at, far above what names have. The rest is ignored.
pub const MAX_ADDRESSES: usize = 256;

/// Finds the addresses of a name.
///
/// Answers are remembered by whoever asks: an implementation keeps nothing, and is asked for one name
/// by one task at a time. Literal addresses never get here.
///
/// ```
/// use std::time::Duration;
///
/// use backhaul::transport::Transport;
/// use backhaul::transport::dns::{Answer, Failed, Resolve};
///
/// #[derive(Debug)]
/// struct Fixed;
///
/// #[async_trait::async_trait]
/// impl Resolve for Fixed {
///     async fn resolve(&self, host: &str, _: Duration) -> Result<Answer, Failed> {
///         match host {
///             "orders.internal" => Ok(Answer::new(["10.0.0.7".parse().map_err(Failed::new)?])),
///             _ => Ok(Answer::none()),
///         }
///     }
/// }
/// let transport = Transport::builder().resolver(Fixed).build()?;
/// # Ok::<(), backhaul::transport::InvalidRoot>(())
/// ```
#[async_trait::async_trait]
pub trait Resolve: fmt::Debug + Send + Sync + 'static {
    /// Every address of `host`, which is as the definition has it, in lower case.
    ///
    /// # Errors
    ///
    /// Nobody could tell. That a name has no address is no error but [`Answer::none`].
    ///
    /// # Cancellation
    ///
    /// The future is dropped after `limit`, and when the runtime ends; never because one of those who
    /// asked went away.
    async fn resolve(&self, host: &str, limit: Duration) -> Result<Answer, Failed>;
}

/// The addresses of a name, in the order they are to be tried.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Answer {
    addresses: Vec<IpAddr>,
    valid_for: Option<Duration>,
}

impl Answer {
    /// These addresses, without a word on how long they hold.
    #[must_use]
    pub fn new(addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        Self { addresses: addresses.into_iter().collect(), valid_for: None }
    }

    /// The name does not exist, or has no address.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The same, and how long it holds. [`Lifetimes`] bound it.
    #[must_use]
    pub fn valid_for(mut self, time: Duration) -> Self {
        self.valid_for = Some(time);
        self
    }

    /// The addresses; none if the name has none.
    #[must_use]
    pub fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }

    /// How long it holds by its own account.
    #[must_use]
    pub fn validity(&self) -> Option<Duration> {
        self.valid_for
    }
}

/// A look-up failed: it is not known whether the name has addresses.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failed(Arc<dyn StdError + Send + Sync>);

impl Failed {
    /// A failure, and what caused it. Operators see it, clients do not.
    pub fn new(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self(Arc::from(cause.into()))
    }
}

/// For how long answers are believed, whatever resolver gave them.
///
/// ```
/// use std::time::Duration;
/// use backhaul::transport::{Transport, dns::Lifetimes};
///
/// let lifetimes = Lifetimes::default().max_ttl(Duration::from_secs(30));
/// let transport = Transport::builder().lifetimes(lifetimes).build()?;
/// # Ok::<(), backhaul::transport::InvalidRoot>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Lifetimes {
    default_ttl: Duration,
    min_ttl: Duration,
    max_ttl: Duration,
    negative_ttl: Duration,
    max_stale: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            default_ttl: DEFAULT_TTL,
            min_ttl: MIN_TTL,
            max_ttl: MAX_TTL,
            negative_ttl: NEGATIVE_TTL,
            max_stale: MAX_STALE,
        }
    }
}

/// The longest anything is believed: a year, a time that can be added to another.
const LONGEST: Duration = Duration::from_secs(365 * 86_400);
/// The shortest an answer holds, whatever is set: connections made at the same time share one.
const SHORTEST: Duration = Duration::from_millis(10);

impl Lifetimes {
    /// The same, where an answer that does not say holds this long; default: [`DEFAULT_TTL`].
    #[must_use]
    pub fn default_ttl(mut self, time: Duration) -> Self {
        self.default_ttl = time.min(LONGEST);
        self
    }

    /// The same, where an answer holds this long at least, and 10 ms at least; default: [`MIN_TTL`].
    #[must_use]
    pub fn min_ttl(mut self, time: Duration) -> Self {
        self.min_ttl = time.clamp(SHORTEST, LONGEST);
        self
    }

    /// The same, where an answer holds this long at most, and never shorter than the least;
    /// default: [`MAX_TTL`].
    #[must_use]
    pub fn max_ttl(mut self, time: Duration) -> Self {
        self.max_ttl = time.min(LONGEST);
        self
    }

    /// The same, where it is remembered this long at most, and 10 ms at least, that a name has no
    /// address or that nobody could tell; default: [`NEGATIVE_TTL`].
    #[must_use]
    pub fn negative_ttl(mut self, time: Duration) -> Self {
        self.negative_ttl = time.clamp(SHORTEST, LONGEST);
        self
    }

    /// The same, where the last good answer is kept this long while look-ups fail or find nothing,
    /// zero for not at all; default: [`MAX_STALE`].
    #[must_use]
    pub fn max_stale(mut self, time: Duration) -> Self {
        self.max_stale = time.min(LONGEST);
        self
    }

    /// How long an answer with addresses holds.
    fn of_good(&self, told: Option<Duration>) -> Duration {
        told.unwrap_or(self.default_ttl).min(self.max_ttl).max(self.min_ttl)
    }

    /// How long an answer without addresses holds.
    fn of_none(&self, told: Option<Duration>) -> Duration {
        told.unwrap_or(self.negative_ttl).max(self.min_ttl).min(self.negative_ttl)
    }

    /// How long to rest after this many failures in a row (RFC 9520 section 3.2): a second, twice as
    /// long after every other, never longer than a name without an address is remembered.
    fn of_failure(&self, failures: u32) -> Duration {
        let rest = FAILURE_TTL * 2_u32.saturating_pow(failures.saturating_sub(1).min(16));
        rest.min(self.negative_ttl)
    }
}

/// How long a failed look-up is remembered: the least that RFC 9520 section 3.2 asks for.
const FAILURE_TTL: Duration = Duration::from_secs(1);

impl Builder {
    /// Who finds the addresses of names; default: [`SystemResolver`].
    pub fn resolver(mut self, resolver: impl Resolve) -> Self {
        self.inner.names.set_resolver(Arc::new(resolver));
        self
    }

    /// For how long answers are believed; default: [`Lifetimes::default`].
    pub fn lifetimes(mut self, lifetimes: Lifetimes) -> Self {
        self.inner.names.set_lifetimes(lifetimes);
        self
    }
}

#[cfg(test)]
mod tests;
