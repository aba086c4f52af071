//! An observer that writes everything down.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use backhaul::observe::{
    ChangeRefused, ConnectionClosed, ConnectionOpened, DrainBegun, DrainEnded, Observer, Outcome,
    Pool, Reason, RequestBegun, RequestEnded, RequestText, RequestWaited, RevisionApplied,
};
use backhaul::registry::Builder;
use backhaul::{Body, Gateway, Place, Registry};
use http::{Request, Response};

use crate::gateway::harness::{PATIENCE, answered_with};

/// How a request ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) id: String,
    pub(super) place: Option<Place>,
    pub(super) api: Option<String>,
    pub(super) superseded: bool,
    pub(super) outcome: Outcome,
    pub(super) status: Option<u16>,
    pub(super) took: Duration,
    pub(super) backend: Option<Duration>,
    pub(super) received: u64,
    pub(super) sent: u64,
    pub(super) debug: bool,
    pub(super) text: Option<RequestText>,
}

#[derive(Debug, Default)]
pub(super) struct Told {
    begun: BTreeMap<String, Option<Place>>,
    pub(super) ended: Vec<Ended>,
    pub(super) pools: Vec<Arc<Pool>>,
    pub(super) pools_closed: usize,
    pub(super) opened: usize,
    pub(super) reused: usize,
    pub(super) closed: usize,
    pub(super) waited: Vec<bool>,
    pub(super) applied: Vec<(u64, usize, bool)>,
    pub(super) refused: Vec<(Reason, String)>,
    pub(super) draining: Vec<(Place, u64)>,
    pub(super) drained: Vec<(Place, u64, Duration)>,
}

impl Told {
    /// Whether no request has come.
    pub(super) fn is_idle(&self) -> bool {
        self.begun.is_empty()
    }
}

/// Writes everything down. Clones write in the same place.
#[derive(Clone, Debug, Default)]
pub(super) struct Recorder {
    told: Arc<Mutex<Told>>,
    wants_text: bool,
}

impl Recorder {
    pub(super) fn with_text() -> Self {
        Self { wants_text: true, ..Self::default() }
    }

    pub(super) fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap()
    }

    pub(super) fn builder(&self) -> Builder {
        Registry::builder().observer(self.clone())
    }

    /// A gateway as [`answered_by`](crate::gateway::harness::answered_by), observed.
    pub(super) async fn before<F, A>(&self, answer: F) -> (Registry, Gateway)
    where
        F: Fn(Request<Body>) -> A + Send + Sync + 'static,
        A: Future<Output = backhaul::Result<Response<Body>>> + Send + 'static,
    {
        answered_with(self.builder(), answer).await
    }

    /// The requests that ended, once there are so many: each begun once and ended once, at the same place.
    pub(super) async fn ended(&self, count: usize) -> Vec<Ended> {
        self.until(|told| told.ended.len() >= count).await;
        let told = self.told();
        assert_eq!(told.ended.len(), count, "{:?}", told.ended);
        assert_eq!(told.begun.len(), count);
        for ended in &told.ended {
            assert_eq!(told.begun[&ended.id], ended.place);
            let same = told.ended.iter().filter(|other| other.id == ended.id);
            assert_eq!(same.count(), 1);
        }
        told.ended.clone()
    }

    /// The only request that was told of.
    pub(super) async fn only(&self) -> Ended {
        self.ended(1).await.remove(0)
    }

    /// Waits for what other tasks are about to tell.
    pub(super) async fn until(&self, is: impl Fn(&Told) -> bool + Send + Sync) {
        let waiting = async {
            while !is(&self.told()) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(waited.is_ok(), "it is never told: {:?}", self.told());
    }
}

impl Observer for Recorder {
    fn wants_text(&self) -> bool {
        self.wants_text
    }

    fn request_begun(&self, request: &RequestBegun<'_>) {
        let place = request.place.map(|place| Place::clone(place));
        let before = self.told().begun.insert(request.id.to_owned(), place);
        assert!(before.is_none(), "{request:?} begun twice");
    }

    fn request_ended(&self, request: &RequestEnded<'_>) {
        let mut told = self.told();
        assert!(told.begun.contains_key(request.id), "{request:?} has not begun");
        told.ended.push(Ended {
            id: request.id.to_owned(),
            place: request.place.map(|place| Place::clone(place)),
            api: request.api.map(ToString::to_string),
            superseded: request.superseded,
            outcome: request.outcome,
            status: request.status.map(|status| status.as_u16()),
            took: request.took,
            backend: request.backend,
            received: request.received,
            sent: request.sent,
            debug: request.debug,
            text: request.text.cloned(),
        });
    }

    fn pool_opened(&self, pool: &Arc<Pool>) {
        self.told().pools.push(Arc::clone(pool));
    }

    fn pool_closed(&self, _: &Arc<Pool>) {
        self.told().pools_closed += 1;
    }

    fn connection_opened(&self, _: &ConnectionOpened<'_>) {
        self.told().opened += 1;
    }

    fn connection_reused(&self, _: &Arc<Pool>) {
        self.told().reused += 1;
    }

    fn connection_closed(&self, _: &ConnectionClosed<'_>) {
        self.told().closed += 1;
    }

    fn request_waited(&self, request: &RequestWaited<'_>) {
        self.told().waited.push(request.served);
    }

    fn revision_applied(&self, it: &RevisionApplied) {
        self.told().applied.push((it.revision.as_u64(), it.superseded, it.own));
    }

    fn change_refused(&self, change: &ChangeRefused<'_>) {
        self.told().refused.push((change.reason, change.message.to_owned()));
    }

    fn drain_begun(&self, drain: &DrainBegun<'_>) {
        self.told().draining.push((drain.place.clone(), drain.by.as_u64()));
    }

    fn drain_ended(&self, drain: &DrainEnded<'_>) {
        self.told().drained.push((drain.place.clone(), drain.by.as_u64(), drain.took));
    }
}
