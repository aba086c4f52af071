//! Swap and drain under a model checker: every order in which threads can meet is tried, up to a
//! bound of preemptions, on the very file the crate is built from.
//!
//! What is checked, for two requests that run while a publisher swaps the snapshot:
//!
//! * `Drained` never resolves while a request that got the old target still uses it;
//! * it always resolves once they are gone: no wake-up is lost;
//! * a request that starts after the swap never gets the old target.
//!
//! Each of them is proven able to fail by an implementation that breaks it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc as StdArc;
use std::task::{Context, Wake, Waker};

use loom::future::block_on;
use loom::model::Builder;
use loom::sync::RwLock;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;

use self::primitive::Arc;

#[path = "../../src/sync/drain.rs"]
#[allow(
    unreachable_pub,
    clippy::must_use_candidate,
    reason = "public in the crate it belongs to, private in this one"
)]
mod drain;

mod careless;

mod primitive {
    pub(super) use loom::sync::{Arc, Mutex};
}

/// Two preemptions find all but contrived faults (Musuvathi and Qadeer, PLDI 2007); one more is cheap.
const PREEMPTIONS: usize = 3;

/// What a request needs of one generation. Whoever owns the lease keeps it from being drained.
struct Target<L> {
    old: bool,
    _lease: Option<L>,
}

struct Snapshot<L> {
    target: Arc<Target<L>>,
    /// For the mistake of a lease that ends with the snapshot instead of the target.
    _lease: Option<L>,
}

/// Where things go wrong on purpose.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Mistake {
    None,
    LeaseInSnapshot,
    AnswerBeforeSwap,
}

struct World<L> {
    current: RwLock<Arc<Snapshot<L>>>,
    answered: AtomicBool,
    /// How often the old target was used. Relaxed, so that only the drain itself orders it.
    uses: AtomicUsize,
}

impl<L> World<L> {
    fn new(lease: L, mistake: Mistake) -> Self {
        let (in_snapshot, in_target) = match mistake {
            Mistake::LeaseInSnapshot => (Some(lease), None),
            _ => (None, Some(lease)),
        };
        Self {
            current: RwLock::new(Arc::new(Snapshot {
                target: Arc::new(Target { old: true, _lease: in_target }),
                _lease: in_snapshot,
            })),
            answered: AtomicBool::new(false),
            uses: AtomicUsize::new(0),
        }
    }

    fn request(&self) {
        let after = self.answered.load(Ordering::Acquire);
        let snapshot = Arc::clone(&self.current.read().unwrap());
        let target = Arc::clone(&snapshot.target);
        drop(snapshot);
        assert!(!(after && target.old), "a request got the old target after the swap");
        if target.old {
            self.uses.fetch_add(1, Ordering::Relaxed);
        }
        drop(target);
    }

    fn swap(&self, mistake: Mistake) {
        if mistake == Mistake::AnswerBeforeSwap {
            self.answered.store(true, Ordering::Release);
        }
        let next = Arc::new(Snapshot {
            target: Arc::new(Target { old: false, _lease: None }),
            _lease: None,
        });
        let previous = std::mem::replace(&mut *self.current.write().unwrap(), next);
        drop(previous);
        self.answered.store(true, Ordering::Release);
    }
}

fn explore(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(PREEMPTIONS);
    builder.check(model);
}

/// Whether a waker was called.
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: StdArc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

/// A swap under two requests, with somebody who sleeps until the old target is drained.
fn swap_and_sleep<L, D>(lease: fn() -> (L, D), mistake: Mistake)
where
    L: Send + Sync + 'static,
    D: Future<Output = ()> + 'static,
{
    explore(move || {
        let (lease, drained) = lease();
        let (world, requests) = start(lease, mistake);
        world.swap(mistake);
        block_on(drained);
        let uses = world.uses.load(Ordering::Relaxed);
        requests.into_iter().for_each(|request| request.join().unwrap());
        let late = world.uses.load(Ordering::Relaxed) - uses;
        assert_eq!(late, 0, "drained while the old target was in use");
    });
}

/// The same with somebody who asks once and must have been woken when everybody is gone: a lost
/// wake-up is a failed assertion here, where sleeping for ever would end the whole test run.
fn swap_and_ask<L, D>(lease: fn() -> (L, D))
where
    L: Send + Sync + 'static,
    D: Future<Output = ()> + Unpin + 'static,
{
    explore(move || {
        let (lease, mut drained) = lease();
        let (world, requests) = start(lease, Mistake::None);
        world.swap(Mistake::None);
        let woken = StdArc::new(Woken(AtomicBool::new(false)));
        let waker = Waker::from(StdArc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        let asked = Pin::new(&mut drained).poll(&mut context);
        requests.into_iter().for_each(|request| request.join().unwrap());
        if asked.is_pending() {
            assert!(woken.0.load(Ordering::Acquire), "a wake-up was lost");
            assert!(Pin::new(&mut drained).poll(&mut context).is_ready());
        }
    });
}

type Requests = [thread::JoinHandle<()>; 2];

fn start<L: Send + Sync + 'static>(lease: L, mistake: Mistake) -> (Arc<World<L>>, Requests) {
    let world = Arc::new(World::new(lease, mistake));
    let requests = [(); 2].map(|()| {
        let world = Arc::clone(&world);
        thread::spawn(move || world.request())
    });
    (world, requests)
}

#[test]
fn drained_is_neither_early_nor_forgotten() {
    swap_and_sleep(drain::lease, Mistake::None);
    swap_and_ask(drain::lease);
}

#[test]
fn everyone_who_waits_is_woken() {
    explore(|| {
        let (lease, drained) = drain::lease();
        let other = drained.clone();
        let waiting = thread::spawn(move || block_on(other));
        let leaving = thread::spawn(move || drop(lease));
        block_on(drained);
        waiting.join().unwrap();
        leaving.join().unwrap();
    });
}

#[test]
fn one_who_stops_waiting_disturbs_nobody() {
    explore(|| {
        let (lease, drained) = drain::lease();
        let other = drained.clone();
        let impatient = thread::spawn(move || other.is_drained());
        let leaving = thread::spawn(move || drop(lease));
        block_on(drained.clone());
        assert!(drained.is_drained());
        impatient.join().unwrap();
        leaving.join().unwrap();
    });
}

#[test]
#[should_panic(expected = "drained while the old target was in use")]
fn a_lease_that_ends_with_the_snapshot_is_found_out() {
    swap_and_sleep(drain::lease, Mistake::LeaseInSnapshot);
}

#[test]
#[should_panic(expected = "a request got the old target after the swap")]
fn an_answer_before_the_swap_is_found_out() {
    swap_and_sleep(drain::lease, Mistake::AnswerBeforeSwap);
}

#[test]
#[should_panic(expected = "a wake-up was lost")]
fn a_lease_that_wakes_before_it_is_gone_is_found_out() {
    swap_and_ask(careless::wakes_first);
}

#[test]
#[should_panic(expected = "a wake-up was lost")]
fn a_wait_that_looks_without_the_lock_is_found_out() {
    swap_and_ask(careless::looks_without_lock);
}
