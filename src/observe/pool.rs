//! What is told of the connections to one target.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use tokio::time::Instant;

use super::event::{ConnectionClosed, ConnectionOpened, Protocol, RequestWaited};
use super::observer::Observers;
use crate::error::Place;

/// The connections of one definition, counted. What it says is of this moment.
#[derive(Debug)]
pub struct Pool {
    place: Place,
    open: AtomicUsize,
    waiting: AtomicUsize,
    opened: AtomicU64,
    reused: AtomicU64,
    waits: AtomicU64,
    busy: AtomicU64,
    idle: Weak<dyn Idle>,
}

/// Knows how many connections are idle.
pub(crate) trait Idle: Send + Sync {
    fn idle(&self) -> usize;
}

impl Pool {
    /// The definition whose connections they are. They are handed on when a definition changes in nothing
    /// they need, so that its generation may be an earlier one than that of requests.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Connections that are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Those of them that no request uses.
    #[must_use]
    pub fn idle(&self) -> usize {
        self.idle.upgrade().map_or(0, |pool| pool.idle())
    }

    /// Requests that wait for a place.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Connections that were made so far.
    #[must_use]
    pub fn opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }

    /// Times that a request took an idle one so far.
    #[must_use]
    pub fn reused(&self) -> u64 {
        self.reused.load(Ordering::Relaxed)
    }

    /// Requests that had to wait so far.
    #[must_use]
    pub fn waits(&self) -> u64 {
        self.waits.load(Ordering::Relaxed)
    }

    /// Requests that waited in vain so far.
    #[must_use]
    pub fn busy(&self) -> u64 {
        self.busy.load(Ordering::Relaxed)
    }
}

/// Whom to tell of connections, and whose they are. By default nobody.
#[derive(Clone, Debug, Default)]
pub(crate) struct PoolObservers(Option<Arc<Source>>);

#[derive(Debug)]
struct Source {
    observers: Observers,
    place: Place,
}

impl PoolObservers {
    pub(crate) fn new(observers: &Observers, place: &Place) -> Self {
        let source = || Source { observers: observers.clone(), place: place.clone() };
        Self((!observers.is_empty()).then(|| Arc::new(source())))
    }
}

/// Tells of one pool, from its first connection on: what is only planned makes none.
pub(crate) struct PoolTold {
    source: PoolObservers,
    idle: Weak<dyn Idle>,
    pool: OnceLock<Arc<Pool>>,
}

impl PoolTold {
    pub(crate) fn new(source: PoolObservers, idle: Weak<dyn Idle>) -> Self {
        Self { source, idle, pool: OnceLock::new() }
    }

    fn observed(&self) -> Option<(&Observers, &Arc<Pool>)> {
        let source = self.source.0.as_deref()?;
        let pool = self.pool.get_or_init(|| {
            let pool = Arc::new(Pool {
                place: source.place.clone(),
                open: AtomicUsize::new(0),
                waiting: AtomicUsize::new(0),
                opened: AtomicU64::new(0),
                reused: AtomicU64::new(0),
                waits: AtomicU64::new(0),
                busy: AtomicU64::new(0),
                idle: Weak::clone(&self.idle),
            });
            source.observers.tell(|observer| observer.pool_opened(&pool));
            pool
        });
        Some((&source.observers, pool))
    }

    /// A connection was made, since `began`. Kept for as long as it is open.
    pub(crate) fn opened(&self, protocol: Protocol, began: Instant) -> ConnectionTold {
        let Some((observers, pool)) = self.observed() else {
            return ConnectionTold { _open: None };
        };
        pool.opened.fetch_add(1, Ordering::Relaxed);
        pool.open.fetch_add(1, Ordering::Relaxed);
        let now = Instant::now();
        let took = now.saturating_duration_since(began);
        observers.tell(|one| one.connection_opened(&ConnectionOpened { pool, protocol, took }));
        let (observers, pool) = (observers.clone(), Arc::clone(pool));
        ConnectionTold { _open: Some(Open { observers, pool, ended: Some((protocol, now)) }) }
    }

    /// A connection goes on as something else: one is closed, and another is open of which nothing more is
    /// told.
    pub(crate) fn taken_over(&self) -> ConnectionTold {
        let open = self.observed().map(|(observers, pool)| {
            pool.open.fetch_add(1, Ordering::Relaxed);
            Open { observers: observers.clone(), pool: Arc::clone(pool), ended: None }
        });
        ConnectionTold { _open: open }
    }

    /// A request took an idle connection.
    pub(crate) fn reused(&self) {
        if let Some((observers, pool)) = self.observed() {
            pool.reused.fetch_add(1, Ordering::Relaxed);
            observers.tell(|one| one.connection_reused(pool));
        }
    }

    /// A request waits for a place, until that [is over](Waiting::over) or what this returns is dropped.
    pub(crate) fn waits(&self) -> Waiting<'_> {
        let observed = self.observed();
        if let Some((_, pool)) = observed {
            pool.waits.fetch_add(1, Ordering::Relaxed);
            pool.waiting.fetch_add(1, Ordering::Relaxed);
        }
        Waiting { observed, since: Instant::now(), served: false }
    }
}

impl Drop for PoolTold {
    fn drop(&mut self) {
        if let (Some(source), Some(pool)) = (&self.source.0, self.pool.get()) {
            source.observers.tell(|observer| observer.pool_closed(pool));
        }
    }
}

impl fmt::Debug for PoolTold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PoolTold").field(&self.pool.get()).finish()
    }
}

/// A connection that is open. Dropped, it is closed.
#[derive(Debug)]
pub(crate) struct ConnectionTold {
    _open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    observers: Observers,
    pool: Arc<Pool>,
    /// What is told at its end, and since when it is open.
    ended: Option<(Protocol, Instant)>,
}

impl Drop for Open {
    fn drop(&mut self) {
        let Self { observers, pool, ended } = self;
        pool.open.fetch_sub(1, Ordering::Relaxed);
        let Some((protocol, since)) = *ended else {
            return;
        };
        let lived = since.elapsed();
        observers.tell(|one| one.connection_closed(&ConnectionClosed { pool, protocol, lived }));
    }
}

/// A request that waits for a place.
pub(crate) struct Waiting<'a> {
    observed: Option<(&'a Observers, &'a Arc<Pool>)>,
    since: Instant,
    served: bool,
}

impl Waiting<'_> {
    /// It has a place, or waited in vain.
    pub(crate) fn over(mut self, served: bool) {
        self.served = served;
        if let Some((_, pool)) = self.observed.filter(|_| !served) {
            pool.busy.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let Some((observers, pool)) = self.observed else {
            return;
        };
        pool.waiting.fetch_sub(1, Ordering::Relaxed);
        let (took, served) = (self.since.elapsed(), self.served);
        observers.tell(|one| one.request_waited(&RequestWaited { pool, took, served }));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::model::{Environment, Revision};
    use crate::observe::Observer;

    #[derive(Debug, Default)]
    struct Waits(Mutex<Vec<bool>>);

    impl Observer for Waits {
        fn request_waited(&self, request: &RequestWaited<'_>) {
            self.0.lock().unwrap().push(request.served);
        }
    }

    struct Nobody;

    impl Idle for Nobody {
        fn idle(&self) -> usize {
            0
        }
    }

    #[tokio::test]
    async fn a_wait_ends_with_a_place_in_vain_or_with_its_client() {
        let waits = Arc::new(Waits::default());
        let all: Vec<Arc<dyn Observer>> = vec![Arc::<Waits>::clone(&waits)];
        let place = Place::new(None, Environment::TEST, Revision::new(1));
        let source = PoolObservers::new(&Observers::new(all), &place);
        let told = PoolTold::new(source, Weak::<Nobody>::new());
        let (served, refused, gone) = (told.waits(), told.waits(), told.waits());
        let pool = Arc::clone(told.pool.get().unwrap());
        assert_eq!((pool.waiting(), pool.waits(), pool.busy()), (3, 3, 0));
        served.over(true);
        refused.over(false);
        drop(gone);
        assert_eq!((pool.waiting(), pool.waits(), pool.busy()), (0, 3, 1));
        assert_eq!(*waits.0.lock().unwrap(), [true, false, false]);
    }
}
