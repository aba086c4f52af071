//! Leases as they must not be: each loses a wake-up in some interleaving.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use loom::sync::atomic::{AtomicBool, Ordering};

use super::primitive::{Arc, Mutex};

pub(super) struct Lease {
    shared: Arc<Shared>,
    wake_first: bool,
}

pub(super) struct Drained(Arc<Shared>);

struct Shared {
    gone: AtomicBool,
    wakers: Mutex<Vec<Waker>>,
    /// Whether a wait looks again once it has the lock.
    look_again: bool,
}

/// Wakes those who wait, and only then says that it is gone: they look, see nothing and sleep again.
pub(super) fn wakes_first() -> (Lease, Drained) {
    make(true, true)
}

/// Looks whether the lease is gone before it takes the lock: it may have gone in between.
pub(super) fn looks_without_lock() -> (Lease, Drained) {
    make(false, false)
}

fn make(wake_first: bool, look_again: bool) -> (Lease, Drained) {
    let shared = Arc::new(Shared {
        gone: AtomicBool::new(false),
        wakers: Mutex::new(Vec::new()),
        look_again,
    });
    let lease = Lease { shared: Arc::clone(&shared), wake_first };
    (lease, Drained(shared))
}

impl Shared {
    fn is_gone(&self) -> bool {
        self.gone.load(Ordering::SeqCst)
    }

    fn wake(&self) {
        let wakers = std::mem::take(&mut *self.wakers.lock().unwrap());
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.wake_first {
            self.shared.wake();
        }
        self.shared.gone.store(true, Ordering::SeqCst);
        if !self.wake_first {
            self.shared.wake();
        }
    }
}

impl Future for Drained {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0.is_gone() {
            return Poll::Ready(());
        }
        let mut wakers = self.0.wakers.lock().unwrap();
        if self.0.look_again && self.0.is_gone() {
            return Poll::Ready(());
        }
        wakers.push(cx.waker().clone());
        Poll::Pending
    }
}
