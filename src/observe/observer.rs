//! Who is told.

use std::fmt;
use std::sync::Arc;

use super::event::{
    ChangeRefused, ConnectionClosed, ConnectionOpened, DrainBegun, DrainEnded, RequestBegun,
    RequestEnded, RequestWaited, RevisionApplied,
};
use super::pool::Pool;

/// Is told what happens: requests, connections, changes and drains.
///
/// Given to [`Builder::observer`](crate::registry::Builder::observer), which makes everything that stands
/// on the registry tell it: gateways, pools, and the registry itself. Without an observer nothing is
/// counted, timed or kept.
///
/// # Contract
///
/// 1. **It is quick.** It is called where a request is served: it must not block, and it should not
///    allocate.
/// 2. **It does not panic.** What it unwinds ends the request.
/// 3. **It takes what it needs.** Nothing that it is lent may be kept, but for what can be cloned.
///
/// Every method does nothing by default. Methods are called from many threads at once; the end of a request
/// comes after its begin, nothing else is ordered.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use backhaul::observe::{Observer, Outcome, RequestEnded};
///
/// /// Counts what backends did wrong.
/// #[derive(Debug, Default)]
/// struct Blame(AtomicU64);
///
/// impl Observer for Blame {
///     fn request_ended(&self, request: &RequestEnded<'_>) {
///         if matches!(request.outcome, Outcome::Failed { party: backhaul::error::Party::Backend, .. }) {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
/// # let _ = async {
/// let registry = backhaul::Registry::builder().observer(Blame::default()).in_memory().await?;
/// # Ok::<_, backhaul::registry::OpenError>(registry) };
/// ```
pub trait Observer: fmt::Debug + Send + Sync + 'static {
    /// Whether [`RequestEnded::text`] is wanted. It is memory and time for every request, so it is asked
    /// once, when the registry is opened.
    fn wants_text(&self) -> bool {
        false
    }

    /// Whether headers are wanted in it, too.
    fn wants_headers(&self) -> bool {
        false
    }

    /// A request came.
    fn request_begun(&self, request: &RequestBegun<'_>) {
        let _ = request;
    }

    /// A request ended. Once for each that begun.
    fn request_ended(&self, request: &RequestEnded<'_>) {
        let _ = request;
    }

    /// A definition makes its first connection. The pool says how many it has, for as long as it is kept.
    fn pool_opened(&self, pool: &Arc<Pool>) {
        let _ = pool;
    }

    /// No request takes this pool any more. Connections may still be open.
    fn pool_closed(&self, pool: &Arc<Pool>) {
        let _ = pool;
    }

    /// A connection was made.
    fn connection_opened(&self, connection: &ConnectionOpened<'_>) {
        let _ = connection;
    }

    /// A request took a connection that was idle.
    fn connection_reused(&self, pool: &Arc<Pool>) {
        let _ = pool;
    }

    /// A connection was closed.
    fn connection_closed(&self, connection: &ConnectionClosed<'_>) {
        let _ = connection;
    }

    /// A request had to wait for a place in a pool.
    fn request_waited(&self, request: &RequestWaited<'_>) {
        let _ = request;
    }

    /// A change became visible.
    fn revision_applied(&self, revision: &RevisionApplied) {
        let _ = revision;
    }

    /// A change was not made.
    fn change_refused(&self, change: &ChangeRefused<'_>) {
        let _ = change;
    }

    /// A definition was replaced or taken away.
    fn drain_begun(&self, drain: &DrainBegun<'_>) {
        let _ = drain;
    }

    /// Nothing is left of a definition that was replaced.
    fn drain_ended(&self, drain: &DrainEnded<'_>) {
        let _ = drain;
    }
}

/// An observer that is also used elsewhere.
impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn wants_text(&self) -> bool {
        (**self).wants_text()
    }

    fn wants_headers(&self) -> bool {
        (**self).wants_headers()
    }

    fn request_begun(&self, request: &RequestBegun<'_>) {
        (**self).request_begun(request);
    }

    fn request_ended(&self, request: &RequestEnded<'_>) {
        (**self).request_ended(request);
    }

    fn pool_opened(&self, pool: &Arc<Pool>) {
        (**self).pool_opened(pool);
    }

    fn pool_closed(&self, pool: &Arc<Pool>) {
        (**self).pool_closed(pool);
    }

    fn connection_opened(&self, connection: &ConnectionOpened<'_>) {
        (**self).connection_opened(connection);
    }

    fn connection_reused(&self, pool: &Arc<Pool>) {
        (**self).connection_reused(pool);
    }

    fn connection_closed(&self, connection: &ConnectionClosed<'_>) {
        (**self).connection_closed(connection);
    }

    fn request_waited(&self, request: &RequestWaited<'_>) {
        (**self).request_waited(request);
    }

    fn revision_applied(&self, revision: &RevisionApplied) {
        (**self).revision_applied(revision);
    }

    fn change_refused(&self, change: &ChangeRefused<'_>) {
        (**self).change_refused(change);
    }

    fn drain_begun(&self, drain: &DrainBegun<'_>) {
        (**self).drain_begun(drain);
    }

    fn drain_ended(&self, drain: &DrainEnded<'_>) {
        (**self).drain_ended(drain);
    }
}

/// Everybody who is told; usually nobody or one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observers {
    all: Option<Arc<[Arc<dyn Observer>]>>,
    wants_text: bool,
    wants_headers: bool,
}

impl Observers {
    pub(crate) fn new(all: Vec<Arc<dyn Observer>>) -> Self {
        let wants_text = all.iter().any(|one| one.wants_text());
        let wants_headers = all.iter().any(|one| one.wants_headers());
        Self { all: (!all.is_empty()).then(|| all.into()), wants_text, wants_headers }
    }

    /// Whether nobody is told.
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_none()
    }

    pub(crate) fn want_text(&self) -> bool {
        self.wants_text
    }

    pub(crate) fn want_headers(&self) -> bool {
        self.wants_headers
    }

    /// Tells everybody.
    pub(crate) fn tell(&self, what: impl Fn(&dyn Observer)) {
        for observer in self.all.iter().flat_map(|all| &**all) {
            what(&**observer);
        }
    }
}

#[cfg(test)]
fn _is_dyn_safe(_: &dyn Observer) {}
