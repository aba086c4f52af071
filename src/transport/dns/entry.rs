//! What is known of one name, and when it is asked for again.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use super::outcome::{Addresses, Fruitless, addresses};
use super::peer::Contact;
use super::{Answer, LOOKUP_TIMEOUT, Lifetimes, Resolve};
use crate::error::Result;

/// How long an answer that has expired is used while the next one is looked up: nobody waits for what
/// is usually there in milliseconds.
const GRACE: Duration = Duration::from_secs(1);
/// How often a look-up is begun anew for one who asks, because the runtime it ran on ended.
const MAX_CUT_OFF: u32 = 3;

/// One name.
#[derive(Debug)]
pub(in crate::transport) struct Entry {
    host: Box<str>,
    resolver: Arc<dyn Resolve>,
    lifetimes: Lifetimes,
    turn: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The last answer with addresses, and how long it may be used at most.
    known: Option<(Addresses, Instant)>,
    /// Raised whenever the set of addresses changes.
    generation: u64,
    /// What came of the last look-up, if it was no address.
    fruitless: Option<Fruitless>,
    failures: u32,
    /// When to look up again.
    due: Instant,
    flight: Option<Flight>,
    asked: Instant,
    /// The addresses that there are connections to.
    contacts: Vec<(IpAddr, Weak<Contact>)>,
    kept_fresh: bool,
}

/// A look-up under way.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    started: Instant,
    landed: watch::Receiver<Option<Outcome>>,
}

pub(super) type Outcome = std::result::Result<Addresses, Fruitless>;

/// What somebody who asks is told.
enum Told {
    Use(Addresses),
    Refuse(Fruitless),
    /// Wait for a look-up; if there are addresses beside it, not for long.
    Wait(Flight, Option<Addresses>),
}

/// What keeping a name fresh takes next.
pub(super) enum Next {
    Nothing,
    Rest(Instant),
    Look(Flight),
}

impl Entry {
    pub(super) fn new(host: &str, resolver: Arc<dyn Resolve>, lifetimes: Lifetimes) -> Self {
        let now = Instant::now();
        let state = State {
            known: None,
            generation: 1,
            fruitless: None,
            failures: 0,
            due: now,
            flight: None,
            asked: now,
            contacts: Vec::new(),
            kept_fresh: false,
        };
        Self {
            host: host.into(),
            resolver,
            lifetimes,
            turn: AtomicUsize::new(0),
            state: Mutex::new(state),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn asked(&self) -> Instant {
        self.state().asked
    }

    pub(super) fn generation(&self) -> u64 {
        self.state().generation
    }

    /// Counts up with every connection, so that each begins with another address.
    pub(in crate::transport) fn turn(&self) -> usize {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    /// The addresses to connect to: never none.
    ///
    /// Dropping the future leaves the look-up to the others who wait for it.
    pub(in crate::transport) async fn addresses(
        self: &Arc<Self>,
        deadline: Instant,
    ) -> Result<Addresses> {
        for _ in 0..MAX_CUT_OFF {
            let (flight, kept) = match self.tell() {
                Told::Use(addresses) => return Ok(addresses),
                Told::Refuse(fruitless) => return Err(fruitless.into()),
                Told::Wait(flight, kept) => (flight, kept),
            };
            let patience = flight.started + GRACE;
            let until = if kept.is_some() { deadline.min(patience) } else { deadline };
            let fruitless = match timeout_at(until, flight.end()).await {
                Ok(None) => continue,
                Ok(Some(Ok(addresses))) => return Ok(addresses),
                Ok(Some(Err(fruitless))) => fruitless,
                Err(_) => Fruitless::Late,
            };
            return kept.ok_or_else(|| fruitless.into());
        }
        Err(Fruitless::Late.into())
    }

    /// What a look-up finds that begins now or later, and nothing that was known before.
    pub(in crate::transport) async fn look_up(
        self: &Arc<Self>,
        deadline: Instant,
    ) -> Result<Addresses> {
        let under_way = self.state().flight.clone();
        if let Some(flight) = under_way {
            // It may have been asked and answered before whatever made somebody ask again.
            let _ = timeout_at(deadline, flight.end()).await;
        }
        match timeout_at(deadline, self.flight().end()).await {
            Ok(Some(outcome)) => outcome.map_err(Into::into),
            Ok(None) | Err(_) => Err(Fruitless::Late.into()),
        }
    }

    /// None of the addresses took a connection: perhaps there are others by now.
    pub(in crate::transport) fn suspect(&self) {
        let soon = Instant::now() + self.lifetimes.min_ttl;
        let mut state = self.state();
        state.due = state.due.min(soon);
    }

    fn tell(self: &Arc<Self>) -> Told {
        let now = Instant::now();
        let mut state = self.state();
        state.asked = now;
        let kept = state.kept(now);
        if now < state.due {
            match (&kept, &state.fruitless) {
                (Some(addresses), _) => return Told::Use(Arc::clone(addresses)),
                (None, Some(fruitless)) => return Told::Refuse(fruitless.clone()),
                (None, None) => {}
            }
        }
        // Whoever fails lets nobody wait; it may do so for a while.
        let at_once = state.fruitless.is_some() || now < state.due + GRACE;
        drop(state);
        let flight = self.flight();
        match kept {
            Some(addresses) if at_once => Told::Use(addresses),
            kept => Told::Wait(flight, kept),
        }
    }

    /// The look-up under way, or one that begins now.
    fn flight(self: &Arc<Self>) -> Flight {
        let mut state = self.state();
        if let Some(flight) = &state.flight {
            return flight.clone();
        }
        let (teller, landed) = watch::channel(None);
        let flight = Flight { started: Instant::now(), landed };
        state.flight = Some(flight.clone());
        // A runtime that is shutting down drops the task here and now, and that takes the lock.
        drop(state);
        tokio::spawn(Pilot { entry: Arc::clone(self), teller, done: false }.fly());
        flight
    }

    /// Remembers what a look-up brought.
    fn landed(&self, looked_up: std::result::Result<Answer, Fruitless>) -> Outcome {
        let now = Instant::now();
        let mut state = self.state();
        state.flight = None;
        let told = looked_up.as_ref().ok().and_then(Answer::validity);
        let outcome = looked_up.map(|answer| addresses(&answer)).and_then(|addresses| {
            if addresses.is_empty() { Err(Fruitless::NoAddress) } else { Ok(addresses) }
        });
        match &outcome {
            Ok(addresses) => {
                state.due = now + self.lifetimes.of_good(told);
                state.failures = 0;
                state.fruitless = None;
                let until = state.due + self.lifetimes.max_stale;
                let before = state.known.replace((Arc::clone(addresses), until));
                if !before.is_some_and(|(before, _)| same(&before, addresses)) {
                    state.generation += 1;
                }
                state.tell_contacts(addresses);
            }
            Err(fruitless) => {
                let rest = match fruitless {
                    Fruitless::NoAddress => self.lifetimes.of_none(told),
                    Fruitless::Failed(_) | Fruitless::Late => {
                        state.failures = state.failures.saturating_add(1);
                        self.lifetimes.of_failure(state.failures)
                    }
                };
                state.due = now + rest;
                state.fruitless = Some(fruitless.clone());
            }
        }
        outcome
    }

    /// What connections to `address` share. Says whether somebody has to begin keeping the name fresh.
    pub(super) fn contact(self: &Arc<Self>, address: IpAddr) -> (Arc<Contact>, bool) {
        let mut state = self.state();
        let unkept = !std::mem::replace(&mut state.kept_fresh, true);
        let mut same = state.contacts.iter().filter(|(other, _)| *other == address);
        if let Some(contact) = same.find_map(|(_, contact)| contact.upgrade()) {
            return (contact, unkept);
        }
        // It may be gone since the connection to it began.
        let current = state.known.as_ref().is_none_or(|(known, _)| known.contains(&address));
        let contact = Arc::new(Contact::new(self, current));
        state.forget_contacts();
        state.contacts.push((address, Arc::downgrade(&contact)));
        (contact, unkept)
    }

    /// Nobody keeps it fresh any more, though there may be connections.
    pub(super) fn unkept(&self) {
        self.state().kept_fresh = false;
    }

    /// What keeping it fresh takes next; nothing without connections.
    pub(super) fn next(self: &Arc<Self>) -> Next {
        let mut state = self.state();
        state.forget_contacts();
        if state.contacts.is_empty() {
            state.kept_fresh = false;
            return Next::Nothing;
        }
        let due = state.due;
        drop(state);
        if Instant::now() < due { Next::Rest(due) } else { Next::Look(self.flight()) }
    }
}

impl State {
    /// The last good answer, unless it is too old.
    fn kept(&mut self, now: Instant) -> Option<Addresses> {
        if self.known.as_ref().is_some_and(|(_, until)| now >= *until) {
            self.known = None;
        }
        self.known.as_ref().map(|(addresses, _)| Arc::clone(addresses))
    }

    /// Tells everybody who is connected whether that is still to one of the addresses.
    fn tell_contacts(&self, addresses: &Addresses) {
        for (address, contact) in &self.contacts {
            if let Some(contact) = contact.upgrade() {
                contact.tell(addresses.contains(address));
            }
        }
    }

    /// Drops those whose last connection is closed.
    fn forget_contacts(&mut self) {
        self.contacts.retain(|(_, contact)| contact.strong_count() > 0);
    }
}

impl Flight {
    /// What came of it; `None` if its runtime ended first.
    pub(super) async fn end(mut self) -> Option<Outcome> {
        self.landed.wait_for(Option::is_some).await.ok()?.clone()
    }
}

/// Looks up, in a task of its own: whoever asked may go away.
struct Pilot {
    entry: Arc<Entry>,
    teller: watch::Sender<Option<Outcome>>,
    done: bool,
}

impl Pilot {
    async fn fly(mut self) {
        let looked_up = self.entry.resolver.resolve(&self.entry.host, LOOKUP_TIMEOUT);
        let looked_up = match timeout(LOOKUP_TIMEOUT, looked_up).await {
            Ok(looked_up) => looked_up.map_err(Fruitless::Failed),
            Err(_) => Err(Fruitless::Late),
        };
        let outcome = self.entry.landed(looked_up);
        self.done = true;
        self.teller.send_replace(Some(outcome));
    }
}

impl Drop for Pilot {
    fn drop(&mut self) {
        if !self.done {
            self.entry.state().flight = None;
        }
    }
}

/// Whether these are the same addresses, in whatever order: name servers turn it with every answer.
fn same(one: &Addresses, other: &Addresses) -> bool {
    one.len() == other.len() && one.iter().all(|address| other.contains(address))
}
