//! Waking a connection's task only when there is something for it to do.
//!
//! hyper wakes it whenever a piece of an answer's body was taken, so that it reads on. By the last piece
//! it is woken for nothing, and looks at everything once: a twentieth of what a small request costs.

use std::cell::Cell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// What hyper rings to have its connection polled.
#[derive(Debug)]
pub(super) struct Bell(Mutex<Waker>);

thread_local! {
    /// What bells do on this thread.
    static HEARD: Cell<Heard> = const { Cell::new(Heard::AtOnce) };
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Heard {
    AtOnce,
    /// Whoever rings is remembered.
    Later,
    /// One did.
    Rang,
}

impl Bell {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Waker::noop().clone())))
    }

    fn task(&self) -> MutexGuard<'_, Waker> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes this task from now on.
    pub(super) fn wakes(&self, waker: &Waker) {
        self.task().clone_from(waker);
    }

    /// Takes a piece of what its connection hands out, which tells whether it was the last, and wakes
    /// nobody then. Whoever rings on another thread is heard as ever.
    pub(super) fn unless_last<T>(&self, take: impl FnOnce() -> (T, bool)) -> T {
        HEARD.set(Heard::Later);
        let (taken, last) = take();
        if HEARD.replace(Heard::AtOnce) == Heard::Rang && !last {
            self.task().wake_by_ref();
        }
        taken
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        match HEARD.get() {
            Heard::AtOnce => self.task().wake_by_ref(),
            Heard::Later | Heard::Rang => HEARD.set(Heard::Rang),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Default)]
    struct Task(AtomicUsize);

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn only_the_last_piece_wakes_nobody() {
        let (task, bell) = (Arc::new(Task::default()), Bell::new());
        let woken = || task.0.load(Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&bell));
        waker.wake_by_ref();
        bell.wakes(&Waker::from(Arc::clone(&task)));
        waker.wake_by_ref();
        assert_eq!(woken(), 1);
        bell.unless_last(|| (waker.wake_by_ref(), true));
        assert_eq!(woken(), 1);
        bell.unless_last(|| (waker.wake_by_ref(), false));
        assert_eq!(woken(), 2);
        bell.unless_last(|| ((), false));
        assert_eq!(woken(), 2);
        waker.wake();
        assert_eq!(woken(), 3);
    }

    #[test]
    fn another_threads_bell_is_heard() {
        let (task, bell) = (Arc::new(Task::default()), Bell::new());
        bell.wakes(&Waker::from(Arc::clone(&task)));
        let elsewhere = Waker::from(Arc::clone(&bell));
        let ring = || std::thread::spawn(move || elsewhere.wake()).join();
        bell.unless_last(|| (ring(), true)).unwrap();
        assert_eq!(task.0.load(Ordering::Relaxed), 1);
    }
}
