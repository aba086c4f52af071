//! Nonces in this process's memory.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{Nonce, NonceError, NonceStore};

/// Nonces that are remembered at once unless said otherwise: a thousand requests a second for the
/// quarter of an hour that each could be sent again.
const MAX_NONCES: usize = 1_000_000;
/// Parts with a lock of their own, so that requests at once seldom wait for each other, and making room
/// in one holds nobody up who needs another.
const SHARDS: usize = 64;
/// How often a part forgets what is over, in seconds.
const SWEEP: u32 = 60;

/// Remembers nonces in this process's memory: exact for one process, forgotten when it ends.
///
/// A request that was signed shortly before the process began can be sent once more after it began; a
/// fleet, or a gateway that must not allow that, shares a store outside of it. When `limit` nonces are
/// remembered, requests with another one are refused (`X503NS`) until some are over: nothing is forgotten
/// early.
///
/// While the clock stands before a time at which nonces were forgotten, a request whose nonce could have
/// been one of them is refused as repeated.
///
/// A nonce takes 48 bytes at most. Kept is a digest of 128 bits, by a key of this process alone: that two
/// nonces of it have the same is less likely than that the machine fails.
pub struct MemoryNonces {
    shards: Box<[Mutex<Shard>]>,
    keys: [RandomState; 2],
    limit: usize,
}

#[derive(Default)]
struct Shard {
    /// Until when each is remembered, in seconds.
    until: HashMap<Digest, u32, BuildHasherDefault<Own>>,
    swept: u32,
}

/// Four words instead of one number: it needs no more room than it has bytes.
#[derive(Clone, Copy, Eq, PartialEq)]
struct Digest([u32; 4]);

impl std::hash::Hash for Digest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [one, two, ..] = self.0;
        state.write_u64(u64::from(one) << 32 | u64::from(two));
    }
}

/// A digest is a hash already.
#[derive(Default)]
struct Own(u64);

impl Hasher for Own {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }
}

impl MemoryNonces {
    /// Remembers up to a million.
    #[must_use]
    pub fn new() -> Self {
        Self::with_limit(MAX_NONCES)
    }

    /// Remembers up to `limit`.
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        let shards = std::iter::repeat_with(Mutex::default).take(SHARDS).collect();
        Self { shards, keys: [RandomState::new(), RandomState::new()], limit }
    }

    /// How many are remembered. Some of them may be over.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).until.len()).sum()
    }

    /// Whether none is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn digest(&self, nonce: Nonce<'_>) -> Digest {
        let [one, other] = self.keys.each_ref().map(|key| key.hash_one((nonce.key, nonce.text)));
        let half = |word: u64| {
            [word >> 32, word & u64::from(u32::MAX)].map(|it| u32::try_from(it).unwrap_or_default())
        };
        let ([a, b], [c, d]) = (half(one), half(other));
        Digest([a, b, c, d])
    }

    /// Remembers a nonce, and says whether it was new.
    fn insert(&self, nonce: Nonce<'_>) -> Result<bool, NonceError> {
        let seconds = |millis: u64| u32::try_from(millis / 1000).unwrap_or(u32::MAX);
        // A second more than asked: the part of one that is cut off.
        let now = seconds(nonce.now.as_millis());
        let until = seconds(nonce.until.as_millis()).saturating_add(1);
        let digest = self.digest(nonce);
        let [.., last] = digest.0;
        let index = usize::try_from(last).unwrap_or_default() % SHARDS;
        let Some(shard) = self.shards.get(index) else {
            return Err(NonceError::Full);
        };
        let mut shard = lock(shard);
        let room = self.limit.div_ceil(SHARDS);
        let since = now.saturating_sub(shard.swept);
        if since >= SWEEP || (since > 0 && shard.until.len() >= room) {
            shard.sweep(now);
        }
        if until < shard.swept {
            // The clock went back, and this one may be among those that were forgotten before.
            return Ok(false);
        }
        let full = shard.until.len() >= room;
        match shard.until.entry(digest) {
            Entry::Occupied(mut entry) => {
                let is_new = *entry.get() < now;
                if is_new {
                    entry.insert(until);
                }
                Ok(is_new)
            }
            Entry::Vacant(_) if full => Err(NonceError::Full),
            Entry::Vacant(entry) => {
                entry.insert(until);
                Ok(true)
            }
        }
    }
}

impl Shard {
    fn sweep(&mut self, now: u32) {
        self.swept = now;
        self.until.retain(|_, until| *until >= now);
        // What a busy hour needed is given back.
        if self.until.capacity() > 4 * self.until.len() {
            self.until.shrink_to(2 * self.until.len());
        }
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl NonceStore for MemoryNonces {
    async fn remember(&self, nonce: Nonce<'_>) -> Result<bool, NonceError> {
        self.insert(nonce)
    }
}

impl Default for MemoryNonces {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryNonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryNonces").field("limit", &self.limit).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::time::Timestamp;

    fn nonce<'a>(key: &'a str, text: &'a str, now: u64, until: u64) -> Nonce<'a> {
        let at = Timestamp::from_millis;
        Nonce { key, text, now: at(now), until: at(until) }
    }

    #[test]
    fn a_nonce_is_new_once_until_it_is_over() {
        let nonces = MemoryNonces::new();
        let is_new = |key, text, now| nonces.insert(nonce(key, text, now, now + 10_000)).unwrap();
        assert!(is_new("key", "one", 0));
        assert!(!is_new("key", "one", 1) && !is_new("key", "one", 10_000));
        assert!(is_new("key", "two", 1) && is_new("other", "one", 1) && is_new("keyo", "ne", 1));
        assert!(is_new("key", "one", 12_000), "it was over");
        assert!(!is_new("key", "one", 13_000));
    }

    #[test]
    fn a_09_a_clock_that_goes_back_brings_no_nonce_back() {
        let store = MemoryNonces::new();
        let (minute, hour) = (60_000, 3_600_000);
        let old = |now| store.insert(nonce("key", "old", now, hour + 15 * minute)).unwrap();
        assert!(old(hour));
        let texts: Vec<_> = (0..1_000).map(|number| number.to_string()).collect();
        for text in &texts {
            // Every part forgets what is over by now.
            let later = nonce("key", text, 2 * hour, 2 * hour + 15 * minute);
            assert!(store.insert(later).unwrap());
        }
        assert!(!old(hour + minute), "the clock went back");
        assert!(!store.insert(nonce("key", "other", hour, hour + 15 * minute)).unwrap());
        assert!(store.insert(nonce("key", "new", hour, 2 * hour + minute)).unwrap());
    }

    #[test]
    fn of_a_thousand_at_once_one_is_new() {
        let nonces = MemoryNonces::new();
        for round in 0..20 {
            let (accepted, text) = (AtomicUsize::new(0), format!("nonce-{round}"));
            std::thread::scope(|scope| {
                for _ in 0..10 {
                    scope.spawn(|| {
                        for _ in 0..100 {
                            let is_new = nonces.insert(nonce("key", &text, 0, 1_000)).unwrap();
                            accepted.fetch_add(usize::from(is_new), Ordering::Relaxed);
                        }
                    });
                }
            });
            assert_eq!(accepted.into_inner(), 1);
        }
    }

    #[test]
    fn a_full_store_forgets_nothing_early_and_makes_room_in_time() {
        let nonces = MemoryNonces::with_limit(SHARDS * 4);
        let mut refused = 0;
        for number in 0..SHARDS * 8 {
            let text = number.to_string();
            match nonces.insert(nonce("key", &text, 0, 30_000)) {
                Ok(is_new) => assert!(is_new),
                Err(NonceError::Full) => refused += 1,
                Err(error) => panic!("{error}"),
            }
        }
        assert!(refused > 0 && nonces.len() <= SHARDS * 4);
        let first = nonces.insert(nonce("key", "0", 1_000, 30_000));
        assert!(matches!(first, Ok(false)), "{first:?}");
        for number in 0..SHARDS * 8 {
            let text = number.to_string();
            let _ = nonces.insert(nonce("key", &text, 100_000, 130_000));
        }
        assert!(nonces.insert(nonce("key", "0", 100_000, 130_000)).is_ok());
        assert!(!format!("{nonces:?}").contains("key"));
    }
}
