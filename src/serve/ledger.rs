//! What is known of one connection, in one place: which requests came, which were answered, since when
//! the client is waited for, and when that has lasted too long.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::lifeline::Lifeline;
use super::limits::{LINGER, Limits, PAUSE};
use super::pace::Pace;
use crate::error::Error;

/// The account of one connection, kept by its guard, its service and its driver.
#[derive(Debug)]
pub(super) struct Ledger {
    limits: Arc<Limits>,
    lifeline: Arc<Lifeline>,
    entries: Mutex<Entries>,
}

#[derive(Debug)]
struct Entries {
    opened: Instant,
    /// When a request last came or was answered.
    moved: Instant,
    /// Heads that were let through, and whole requests.
    passed: u64,
    arrived: u64,
    /// Requests that the service was given, and answers of them that are over.
    called: u64,
    ended: u64,
    /// A head that is not whole is waited for since then.
    head: Option<Instant>,
    head_expired: bool,
    refused: Option<(u64, Error)>,
    writes: Pace,
    /// No more requests are taken since then.
    retired: Option<Instant>,
    retire: bool,
    /// Whether a pause is of interest.
    may_rest: bool,
    /// The last byte was written then; the rest of what the client sends is thrown away.
    closing: Option<Instant>,
    /// The stream whose request came last and is about to be spawned.
    stream: Option<Arc<Mutex<Pace>>>,
}

/// What has lasted too long.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Expired {
    /// A head: it is answered.
    Head,
    /// A short rest: what only requests need is let go.
    Pause,
    /// The rest between two requests, or the connection's age: no more requests are taken.
    Rest,
    /// Writing, or closing: the connection is dropped.
    Patience,
}

/// A request between its arrival and the end of its answer.
#[derive(Debug)]
pub(super) struct Arrived {
    ledger: Arc<Ledger>,
    number: u64,
}

impl Ledger {
    pub(super) fn new(limits: Arc<Limits>) -> Self {
        let now = Instant::now();
        let entries = Entries {
            opened: now,
            moved: now,
            passed: 0,
            arrived: 0,
            called: 0,
            ended: 0,
            head: None,
            head_expired: false,
            refused: None,
            writes: Pace::new(limits.write_rate),
            retired: None,
            retire: false,
            may_rest: false,
            closing: None,
            stream: None,
        };
        Self { limits, lifeline: Arc::default(), entries: Mutex::new(entries) }
    }

    pub(super) fn limits(&self) -> &Arc<Limits> {
        &self.limits
    }

    /// What it has to do with its server if it becomes a tunnel.
    pub(super) fn lifeline(&self) -> &Arc<Lifeline> {
        &self.lifeline
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A head was let through; with it the whole request if it is `bare`.
    pub(super) fn head_passed(&self, bare: bool) {
        let mut entries = self.lock();
        entries.passed += 1;
        entries.arrived += u64::from(bare);
        entries.head = None;
        entries.head_expired = false;
    }

    /// A body was let through to its end.
    pub(super) fn body_passed(&self) {
        self.lock().arrived += 1;
    }

    /// A part of a head is there, since `since` or now, and the client is waited for.
    pub(super) fn head_awaited(&self, since: Option<Instant>) {
        let mut entries = self.lock();
        if entries.head.is_none() {
            entries.head = Some(since.unwrap_or_else(Instant::now));
        }
    }

    /// Whether the head under way is to be given up.
    pub(super) fn head_expired(&self) -> bool {
        self.lock().head_expired
    }

    /// The request after those let through is answered like this by the service, which is given
    /// something else in its place.
    pub(super) fn refuse(&self, error: Error) {
        let mut entries = self.lock();
        entries.head = None;
        entries.head_expired = false;
        entries.refused = Some((entries.passed, error));
    }

    /// The service was given a request. Tells what it is to be answered with, if it was refused.
    pub(super) fn called(self: &Arc<Self>) -> (Arrived, Option<Error>) {
        let mut entries = self.lock();
        let number = entries.called;
        entries.called += 1;
        entries.moved = Instant::now();
        let refused = entries.refused.take_if(|(refused, _)| *refused == number);
        let arrived = Arrived { ledger: Arc::clone(self), number };
        (arrived, refused.map(|(_, error)| error))
    }

    /// The stream of the request that was just given to the service.
    pub(super) fn opened(&self, stream: Arc<Mutex<Pace>>) {
        self.lock().stream = Some(stream);
    }

    /// The same, for whoever spawns it.
    pub(super) fn take_stream(&self) -> Option<Arc<Mutex<Pace>>> {
        self.lock().stream.take()
    }

    /// The client takes no more at the moment.
    pub(super) fn write_blocked(&self) {
        self.lock().writes.wait();
    }

    /// The client took so many bytes.
    pub(super) fn written(&self, bytes: usize) {
        self.lock().writes.moved(bytes);
    }

    /// The last byte was written.
    pub(super) fn closing(&self) {
        self.lock().closing.get_or_insert_with(Instant::now);
    }

    /// No more requests should be taken.
    pub(super) fn retire(&self) {
        self.lock().retire = true;
    }

    /// Whether it is to be told when nothing was under way for a moment.
    pub(super) fn may_rest(&self, may: bool) {
        self.lock().may_rest = may;
    }

    /// Whether no more requests should be taken, and nobody has been told.
    pub(super) fn is_to_retire(&self) -> bool {
        let entries = self.lock();
        entries.retire && entries.retired.is_none()
    }

    /// Whether no more requests should be taken, told once.
    pub(super) fn take_retire(&self) -> bool {
        let mut entries = self.lock();
        let retire = entries.retire && entries.retired.is_none();
        if retire {
            entries.retired = Some(Instant::now());
        }
        retire
    }

    /// When to look again, and what will have lasted too long if nothing moves until then.
    pub(super) fn due(&self) -> (Instant, Expired) {
        let entries = self.lock();
        let limits = &self.limits;
        let mut due = match entries.retired {
            None => {
                let rest = entries.moved + limits.keep_alive;
                let rest = (rest.min(entries.opened + limits.max_age), Expired::Rest);
                let pauses = entries.may_rest && entries.is_idle();
                if pauses { sooner(rest, (entries.moved + PAUSE, Expired::Pause)) } else { rest }
            }
            // What is under way has limits of its own; after it, only goodbyes are exchanged.
            Some(retired) => (retired.max(entries.moved) + CLOSE, Expired::Patience),
        };
        if let Some(head) = entries.head.filter(|_| !entries.head_expired) {
            due = sooner(due, (head + limits.head, Expired::Head));
        }
        if let Some(stalled) = entries.writes.due(limits.write_stall) {
            due = sooner(due, (stalled, Expired::Patience));
        }
        if let Some(closing) = entries.closing {
            due = sooner(due, (closing + LINGER, Expired::Patience));
        }
        due
    }

    /// What has lasted too long by now, if anything did.
    pub(super) fn expired(&self) -> Option<Expired> {
        let (due, what) = self.due();
        let now = Instant::now();
        if due > now {
            return None;
        }
        let mut entries = self.lock();
        let stalled = entries.writes.due(self.limits.write_stall).is_some_and(|at| at <= now);
        let lingered = entries.closing.is_some_and(|at| at + LINGER <= now);
        if stalled || lingered {
            return Some(Expired::Patience);
        }
        let aged = entries.opened + self.limits.max_age <= now && entries.retired.is_none();
        let busy = entries.called > entries.ended || entries.writes.is_waiting();
        if what == Expired::Head {
            entries.head_expired = true;
        } else if what == Expired::Pause {
            return Some(what);
        } else if busy && !aged {
            // Nobody rests: ask again later.
            entries.moved = now;
            return None;
        } else if what == Expired::Rest {
            entries.retire = true;
        }
        Some(what)
    }
}

impl Entries {
    /// Whether every request that came was answered, to its last byte, and nothing of another is there.
    fn is_idle(&self) -> bool {
        let answered = self.passed == self.called && self.called == self.ended;
        let whole = self.arrived == self.passed && self.head.is_none();
        answered && whole && !self.writes.is_waiting() && self.closing.is_none() && !self.retire
    }
}

/// How long goodbyes may take: HTTP/2 needs a round trip for its own.
const CLOSE: Duration = Duration::from_secs(5);

fn sooner(one: (Instant, Expired), other: (Instant, Expired)) -> (Instant, Expired) {
    if other.0 < one.0 { other } else { one }
}

impl Arrived {
    /// How many came before it on its connection.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    /// Whether its last byte was let through.
    pub(super) fn is_whole(&self) -> bool {
        self.ledger.lock().arrived > self.number
    }
}

impl Drop for Arrived {
    fn drop(&mut self) {
        let mut entries = self.ledger.lock();
        entries.ended += 1;
        entries.moved = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{ErrorKind, Retry};

    fn ledger() -> Arc<Ledger> {
        Arc::new(Ledger::new(Arc::new(Limits::default())))
    }

    #[tokio::test(start_paused = true)]
    async fn a_rest_begins_when_the_last_answer_ends() {
        let ledger = ledger();
        let keep_alive = ledger.limits.keep_alive;
        let (first, _) = ledger.called();
        tokio::time::advance(keep_alive * 3).await;
        assert_eq!(ledger.expired(), None);
        drop(first);
        tokio::time::advance(keep_alive - Duration::from_secs(1)).await;
        assert_eq!(ledger.expired(), None);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(ledger.expired(), Some(Expired::Rest));
        assert!(ledger.take_retire());
        assert!(!ledger.take_retire());
        tokio::time::advance(CLOSE).await;
        assert_eq!(ledger.expired(), Some(Expired::Patience));
    }

    #[tokio::test(start_paused = true)]
    async fn age_ends_a_busy_connection_too_but_not_its_request() {
        let ledger = ledger();
        let (_arrived, _) = ledger.called();
        tokio::time::advance(ledger.limits.max_age).await;
        assert_eq!(ledger.expired(), Some(Expired::Rest));
        assert!(ledger.take_retire());
        tokio::time::advance(CLOSE * 10).await;
        assert_eq!(ledger.expired(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_is_waited_for_from_its_first_byte() {
        let ledger = ledger();
        tokio::time::advance(Duration::from_secs(30)).await;
        ledger.head_awaited(None);
        tokio::time::advance(ledger.limits.head / 2).await;
        ledger.head_awaited(None);
        assert_eq!(ledger.expired(), None);
        tokio::time::advance(ledger.limits.head / 2).await;
        assert_eq!(ledger.expired(), Some(Expired::Head));
        assert!(ledger.head_expired());
    }

    #[test]
    fn the_refused_one_is_found_by_its_number() {
        let ledger = ledger();
        ledger.head_passed(true);
        ledger.refuse(Error::new(ErrorKind::InvalidHeader, Retry::Never, ""));
        assert!(ledger.called().1.is_none());
        assert!(ledger.called().1.is_some());
        assert!(ledger.called().1.is_none());
    }
}
