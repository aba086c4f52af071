//! Knowing when the last user of something is gone.
//!
//! A [`Lease`] is held by whoever uses the thing; [`Drained`] resolves when the lease is dropped.
//! This file names only what `primitive.rs` gives it, so that `tests/it/interleavings.rs` can run it
//! under a model checker.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::PoisonError;
use std::task::{Context, Poll, Waker};

use super::primitive::{Arc, Mutex};

/// A lease, and the future that resolves when it is dropped.
#[must_use]
pub fn lease() -> (Lease, Drained) {
    let shared = Arc::new(Mutex::new(State { gone: false, wakers: Vec::new() }));
    (Lease(Arc::clone(&shared)), Drained(shared))
}

/// Held while something is in use. Share it in an `Arc` when several users hold it together.
pub struct Lease(Arc<Mutex<State>>);

/// Resolves once the [`Lease`] is dropped; at once if it already was.
///
/// Clones wait independently. Dropping one has no effect on the lease or on the others.
#[derive(Clone)]
pub struct Drained(Arc<Mutex<State>>);

struct State {
    gone: bool,
    wakers: Vec<Waker>,
}

impl Drained {
    /// Whether the lease is gone already.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).gone
    }
}

impl Future for Drained {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.gone {
            return Poll::Ready(());
        }
        if !state.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.wakers.push(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let wakers = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.gone = true;
            std::mem::take(&mut state.wakers)
        };
        // Outside the lock: a waker may poll at once.
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lease")
    }
}

impl fmt::Debug for Drained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Drained").field(&self.is_drained()).finish()
    }
}
