//! What a connection that asked to become a tunnel has to do with its server: whether it was granted,
//! that it ends with the server, and that its server knows when it has ended.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::sync::Notify;

/// Shared by a connection's guard, its service and whoever serves it.
#[derive(Debug, Default)]
pub(super) struct Lifeline {
    state: Mutex<State>,
    gone: Notify,
}

#[derive(Debug, Default)]
struct State {
    phase: Phase,
    /// Who reads.
    waker: Option<Waker>,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Phase {
    /// Requests, one after the other.
    #[default]
    Requests,
    /// The last request asked for a tunnel and has no answer yet.
    Asked,
    Tunnel,
    /// Its server gave it up.
    Cut,
    /// The socket is closed.
    Gone,
}

/// Cuts the tunnel when whoever serves it stops.
pub(super) struct Held<'l>(&'l Lifeline);

impl Lifeline {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, phase: Phase) {
        let waker = {
            let mut state = self.lock();
            state.phase = phase;
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// A request that asks for a tunnel was let through.
    pub(super) fn asked(&self) {
        self.lock().phase = Phase::Asked;
    }

    /// Its answer is known.
    pub(super) fn answered(&self, granted: bool) {
        if self.lock().phase == Phase::Asked {
            self.enter(if granted { Phase::Tunnel } else { Phase::Requests });
        }
    }

    /// Whether the tunnel was granted, once that is known.
    pub(super) fn poll_granted(&self, cx: &Context<'_>) -> Poll<bool> {
        let mut state = self.lock();
        match state.phase {
            Phase::Asked => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
            phase => Poll::Ready(phase == Phase::Tunnel),
        }
    }

    /// Whether nobody serves the tunnel any more.
    pub(super) fn is_cut(&self, cx: &Context<'_>) -> bool {
        let mut state = self.lock();
        state.waker = Some(cx.waker().clone());
        state.phase == Phase::Cut
    }

    /// The socket is closed.
    pub(super) fn close(&self) {
        self.enter(Phase::Gone);
        self.gone.notify_one();
    }

    /// Waits until a tunnel has ended; at once if there is none. Dropping the future cuts it.
    pub(super) async fn outlived(&self) {
        if self.lock().phase != Phase::Tunnel {
            return;
        }
        let _held = Held(self);
        self.gone.notified().await;
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if self.0.lock().phase == Phase::Tunnel {
            self.0.enter(Phase::Cut);
        }
    }
}

/// The guard's end of it.
#[derive(Debug)]
pub(super) struct End(pub(super) Arc<Lifeline>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.close();
    }
}
