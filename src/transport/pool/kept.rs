//! Which connections are there, and for how long.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;

use super::Shared;
use super::sweep::Sweeper;
use crate::observe::ConnectionTold;
use crate::sync::Lease;
use crate::transport::http1;
use crate::transport::http2::{Multiplexed, Ticket};
use crate::transport::{Inner, SWEEPS};

/// The connections of a pool.
pub(super) struct Kept {
    /// A stack: those at the bottom became idle first.
    stack: Vec<(http1::Connection, u32)>,
    multiplexed: Vec<Shareable>,
    max_idle: usize,
    max_streams: usize,
    /// The time, in sweeps: reading a clock for every request costs more than it tells.
    now: u32,
    /// After so many sweeps a connection takes no request any more.
    max_age: u32,
    sweeping: bool,
    closed: bool,
}

/// A connection that several requests share.
struct Shareable {
    connection: Arc<Multiplexed>,
    born: u32,
    /// For how many sweeps nobody has used it.
    idle: u32,
}

/// What is not kept any more. To be dropped without the lock.
pub(super) struct Closed {
    _stack: Vec<(http1::Connection, u32)>,
    _multiplexed: Vec<Shareable>,
}

/// Held by whatever moves the bytes of a connection, until it is closed.
pub(in crate::transport) struct Open {
    pub(super) count: Arc<AtomicUsize>,
    _told: ConnectionTold,
    pub(super) _lease: Arc<Lease>,
}

impl Open {
    pub(super) fn new(count: &Arc<AtomicUsize>, lease: &Arc<Lease>, told: ConnectionTold) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self { count: Arc::clone(count), _told: told, _lease: Arc::clone(lease) }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Kept {
    pub(super) fn new(limits: &Inner) -> Self {
        let interval = limits.sweep_interval().as_nanos().max(1);
        let sweeps = limits.max_age.as_nanos().div_ceil(interval);
        Self {
            stack: Vec::new(),
            multiplexed: Vec::new(),
            max_idle: limits.max_idle,
            max_streams: limits.max_streams,
            now: 0,
            max_age: u32::try_from(sweeps).unwrap_or(u32::MAX / 2),
            sweeping: false,
            closed: false,
        }
    }

    pub(super) fn idle(&self) -> usize {
        let unused = self.multiplexed.iter().filter(|one| !one.connection.is_used());
        self.stack.len() + unused.count()
    }

    pub(super) fn now(&self) -> u32 {
        self.now
    }

    /// The connection that became idle last.
    pub(super) fn pop(&mut self) -> Option<http1::Connection> {
        Some(self.stack.pop()?.0)
    }

    /// A stream of the first connection that has one left: those behind it become idle.
    pub(super) fn stream(&mut self) -> Option<Ticket> {
        if self.multiplexed.is_empty() {
            return None;
        }
        let max_streams = self.max_streams;
        self.multiplexed.retain(|one| !one.connection.is_closed());
        let mut current = self.multiplexed.iter().filter(|one| one.connection.is_current());
        current.find_map(|one| one.connection.take(max_streams))
    }

    /// Keeps a connection that several requests may use, and takes its first stream.
    pub(super) fn share(&mut self, connection: Arc<Multiplexed>) -> Option<Ticket> {
        let ticket = connection.take(self.max_streams);
        if !self.closed {
            self.multiplexed.push(Shareable { connection, born: self.now, idle: 0 });
        }
        ticket
    }

    fn is_old(&self, born: u32) -> bool {
        self.now.wrapping_sub(born) >= self.max_age
    }

    /// Nothing is kept from now on.
    pub(super) fn close(&mut self) -> Closed {
        self.closed = true;
        Closed {
            _stack: std::mem::take(&mut self.stack),
            _multiplexed: std::mem::take(&mut self.multiplexed),
        }
    }

    /// Lets time pass by one sweep and takes out what was idle for too long, is too old or is to an
    /// address that is gone.
    fn sweep(&mut self) -> Closed {
        self.now = self.now.wrapping_add(1);
        let now = self.now;
        let expired = |since: u32| now.wrapping_sub(since) >= SWEEPS;
        let idle = self.stack.partition_point(|(_, since)| expired(*since));
        let mut gone: Vec<_> = self.stack.drain(..idle).collect();
        let max_age = self.max_age;
        let old = |born: u32| now.wrapping_sub(born) >= max_age;
        let past = |(connection, _): &mut (http1::Connection, u32)| {
            old(connection.born) || !connection.is_current()
        };
        gone.extend(self.stack.extract_if(.., past));
        let over = |one: &mut Shareable| {
            one.idle = if one.connection.was_used() { 0 } else { one.idle + 1 };
            let past = old(one.born) || !one.connection.is_current();
            one.idle >= SWEEPS || past || one.connection.is_closed()
        };
        let multiplexed = self.multiplexed.extract_if(.., over).collect();
        Closed { _stack: gone, _multiplexed: multiplexed }
    }
}

impl Shared {
    /// Keeps a connection for the next request, unless it is old, its address is gone or there are
    /// enough of them.
    pub(in crate::transport) fn put_back(self: &Arc<Self>, connection: http1::Connection) {
        let mut kept = self.kept();
        let full = kept.stack.len() >= kept.max_idle;
        let past = kept.is_old(connection.born) || !connection.is_current();
        if kept.closed || full || past {
            return;
        }
        if !kept.sweeping {
            // Without a runtime nobody would close it.
            let Ok(runtime) = Handle::try_current() else {
                return;
            };
            kept.sweeping = true;
            let now = kept.now;
            kept.stack.push((connection, now));
            // A runtime that is shutting down drops the task here and now, and that takes the lock.
            drop(kept);
            runtime.spawn(Sweeper::new(self).run());
            return;
        }
        let now = kept.now;
        kept.stack.push((connection, now));
    }

    /// Keeps a connection that several requests may use, and takes its first stream.
    pub(super) fn share(self: &Arc<Self>, connection: Multiplexed) -> Option<Ticket> {
        let mut kept = self.kept();
        let ticket = kept.share(Arc::new(connection));
        if !std::mem::replace(&mut kept.sweeping, true) {
            drop(kept);
            tokio::spawn(Sweeper::new(self).run());
        }
        ticket
    }

    /// Nobody sweeps any more, though connections may be there.
    pub(super) fn unswept(&self) {
        self.kept().sweeping = false;
    }

    /// How long to wait between two sweeps.
    pub(super) fn sweep_interval(&self) -> Duration {
        self.transport.0.sweep_interval()
    }

    /// Lets time pass by one sweep and closes what is not used any more. Says whether to go on: while
    /// a connection is open, its age counts.
    pub(super) fn sweep(&self) -> bool {
        let mut kept = self.kept();
        let closed = kept.sweep();
        kept.sweeping = !kept.closed && self.open.load(Ordering::Relaxed) > 0;
        let go_on = kept.sweeping;
        drop(kept);
        drop(closed);
        go_on
    }
}
