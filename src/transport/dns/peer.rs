//! Whether a connection is still to an address of its name.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use tokio::time::{sleep, sleep_until};

use super::FAILURE_TTL;
use super::entry::{Entry, Next};

/// Whom a connection is with. Kept as long as the connection is open: while there is one, the name is
/// looked up again whenever its answer has expired.
#[derive(Debug)]
pub(in crate::transport) struct Peer(Option<Arc<Contact>>);

/// What all connections to one address of a name share.
#[derive(Debug)]
pub(super) struct Contact {
    /// Remembered as long as there are connections to it.
    _name: Arc<Entry>,
    /// Every request asks, and look-ups are rare: whoever learns of a change tells it here.
    current: AtomicBool,
}

impl Peer {
    /// Somebody without a name: at a literal address, or at a path of this machine.
    pub(in crate::transport) fn unnamed() -> Self {
        Self(None)
    }

    /// A connection to one of a name's addresses.
    pub(in crate::transport) fn of(name: &Arc<Entry>, address: IpAddr) -> Self {
        let (contact, unkept) = name.contact(address);
        if unkept {
            tokio::spawn(Keeper { name: Arc::downgrade(name), done: false }.run());
        }
        Self(Some(contact))
    }

    /// Whether the name still has the address. If not, the connection may end what it is at and takes
    /// no more requests. An answer that is too old to be believed says nothing against a connection.
    ///
    /// Costs the load of an atomic flag.
    pub(in crate::transport) fn is_current(&self) -> bool {
        self.0.as_ref().is_none_or(|contact| contact.current.load(Ordering::Acquire))
    }
}

impl Contact {
    pub(super) fn new(name: &Arc<Entry>, current: bool) -> Self {
        Self { _name: Arc::clone(name), current: AtomicBool::new(current) }
    }

    /// Whether the name has the address from now on.
    pub(super) fn tell(&self, current: bool) {
        self.current.store(current, Ordering::Release);
    }
}

/// Looks a name up again whenever it is due, as long as there are connections to it. There is one for
/// a name, and it keeps nothing alive.
struct Keeper {
    name: Weak<Entry>,
    done: bool,
}

impl Keeper {
    async fn run(mut self) {
        loop {
            let next = self.name.upgrade().map_or(Next::Nothing, |name| name.next());
            match next {
                Next::Nothing => break,
                Next::Rest(due) => sleep_until(due).await,
                Next::Look(flight) => {
                    if flight.end().await.is_none() {
                        // A resolver that panics must not be asked without a rest.
                        sleep(FAILURE_TTL).await;
                    }
                }
            }
        }
        self.done = true;
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // Its runtime went away: another one may come.
        if !self.done
            && let Some(name) = self.name.upgrade()
        {
            name.unkept();
        }
    }
}
