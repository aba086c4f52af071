//! When the old side is idle, and what of it is handed on.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use async_trait::async_trait;
use backhaul::backend::{Built, Capability, Context, Factory};
use backhaul::model::Settings;
use backhaul::store::MemoryStore;
use backhaul::sync::Lease;
use backhaul::{
    Api, Backend, Body, Call, Change, CommitError, Custom, Definition, Gateway, Group,
    InvalidDefinition, Kind, Receipt, Registry,
};
use http::{Request, Response};
use tokio::sync::Semaphore;
use tower_service::Service;

use crate::rules::{LIVE, TEST};

const PATIENT: Duration = Duration::from_secs(20);
const IMPATIENT: Duration = Duration::from_millis(1);

/// A kind whose backends answer when they are let, and that keeps what it made in sight.
#[derive(Clone, Debug)]
struct Gated {
    let_through: Arc<Semaphore>,
    arrived: Arc<Semaphore>,
    built: Arc<AtomicUsize>,
    backends: Arc<Mutex<Vec<Weak<GatedBackend>>>>,
    connections: Arc<Mutex<Vec<Arc<Lease>>>>,
}

#[derive(Debug)]
struct GatedBackend(Gated);

#[async_trait]
impl Backend for GatedBackend {
    async fn send(&self, _: Request<Body>, _: &Call) -> backhaul::Result<Response<Body>> {
        self.0.arrived.add_permits(1);
        self.0.let_through.acquire().await.unwrap().forget();
        Ok(Response::new(Body::from("gated")))
    }
}

impl Factory for Gated {
    fn kind(&self) -> Kind {
        Kind::custom("gated").unwrap()
    }

    fn capability(&self) -> Capability {
        Capability::CANNED
    }

    fn build(
        &self,
        definition: &Definition,
        context: &Context,
    ) -> Result<Built, InvalidDefinition> {
        let Settings::Custom(custom) = &definition.settings else { panic!("{definition:?}") };
        match custom.settings.get("do").and_then(|what| what.as_str()) {
            Some("refuse") => return Err(InvalidDefinition::new("do", "is to be refused")),
            Some("panic") => panic!("as it was told"),
            Some("connect") => self.connections.lock().unwrap().push(context.lease()),
            _ => {}
        }
        self.built.fetch_add(1, Ordering::Relaxed);
        let backend = Arc::new(GatedBackend(self.clone()));
        self.backends.lock().unwrap().push(Arc::downgrade(&backend));
        Ok(Built::Ready(backend))
    }
}

impl Gated {
    fn new() -> Self {
        Self {
            let_through: Arc::new(Semaphore::new(0)),
            arrived: Arc::new(Semaphore::new(0)),
            built: Arc::default(),
            backends: Arc::default(),
            connections: Arc::default(),
        }
    }

    fn built(&self) -> usize {
        self.built.load(Ordering::Relaxed)
    }

    /// How many backends are still there.
    fn there(&self) -> usize {
        self.backends.lock().unwrap().iter().filter(|backend| backend.strong_count() > 0).count()
    }

    /// Waits until no more than `count` backends are there.
    async fn left(&self, count: usize) {
        while self.there() > count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

fn gated(what: &str) -> Definition {
    Custom::new("gated").unwrap().set("do", what).into()
}

fn define(what: &str) -> Change {
    Change::new().define("gate", LIVE, gated(what))
}

async fn published(kind: &Gated) -> Registry {
    let builder = Registry::builder().factory(Arc::new(kind.clone()));
    let registry = builder.in_memory().await.unwrap();
    let change = Change::new()
        .service("gate", kind.kind())
        .define("gate", LIVE, gated("connect"))
        .group("shop", Group::host("shop.example.com"))
        .api("shop/through", Api::get("/through").service_same_path("gate"))
        .publish("shop/through", LIVE);
    apply(&registry, change).await;
    registry
}

async fn apply(registry: &Registry, change: Change) -> Receipt {
    registry.publisher("test").apply(change).await.unwrap()
}

/// Begins a request and returns once it is at its backend.
async fn begin(registry: &Registry, kind: &Gated) -> tokio::task::JoinHandle<Response<Body>> {
    let request = Request::get("/through").header("host", "shop.example.com");
    let request = request.body(Body::empty()).unwrap();
    let response = Gateway::new(registry).call(request);
    let mut running = tokio::spawn(async move { response.await.unwrap() });
    tokio::select! {
        arrived = kind.arrived.acquire() => arrived.unwrap().forget(),
        response = &mut running => panic!("answered already: {response:?}"),
    }
    running
}

#[tokio::test]
async fn what_replaced_nothing_is_drained_at_once() {
    let kind = Gated::new();
    let registry = published(&kind).await;
    let running = begin(&registry, &kind).await;
    for change in [
        Change::new(),
        Change::new().define("gate", TEST, gated("connect")),
        Change::new().unpublish("shop/through", LIVE),
        Change::new().publish("shop/through", LIVE),
        Change::new().group("shop", Group::host("new.example.com")),
        // The same again is no new definition.
        define("connect"),
    ] {
        let receipt = apply(&registry, change).await;
        receipt.drained(Duration::ZERO).await.unwrap();
        assert_eq!(receipt.in_flight(), 0);
    }
    kind.let_through.add_permits(1);
    running.await.unwrap();
}

#[tokio::test]
async fn it_is_drained_when_the_last_request_is_gone() {
    let kind = Gated::new();
    let registry = published(&kind).await;
    kind.connections.lock().unwrap().clear();
    let old = [begin(&registry, &kind).await, begin(&registry, &kind).await];
    let receipt = apply(&registry, define("")).await;
    let new = begin(&registry, &kind).await;
    let busy = receipt.drained(IMPATIENT).await.unwrap_err();
    assert_eq!(busy.revision, receipt.revision());
    assert_eq!(busy.places, "gate in RELEASE");
    assert!(busy.requests >= 2, "{busy}");
    // Only the old ones are let through: they came first.
    kind.let_through.add_permits(1);
    let [first, second] = old;
    drop(first.await.unwrap());
    // The old snapshot itself may still be there for a moment.
    while receipt.in_flight() > 1 {
        tokio::time::sleep(IMPATIENT).await;
    }
    assert_eq!(receipt.drained(IMPATIENT).await.unwrap_err().requests, 1);
    kind.let_through.add_permits(1);
    drop(second.await.unwrap());
    receipt.drained(PATIENT).await.unwrap();
    assert_eq!(receipt.in_flight(), 0);
    assert!(!new.is_finished());
    kind.let_through.add_permits(1);
    new.await.unwrap();
}

#[tokio::test]
async fn a_request_that_is_abandoned_is_gone() {
    let kind = Gated::new();
    let registry = published(&kind).await;
    kind.connections.lock().unwrap().clear();
    let running = begin(&registry, &kind).await;
    let receipt = apply(&registry, Change::new().delete_definition("gate", LIVE)).await;
    receipt.drained(IMPATIENT).await.unwrap_err();
    running.abort();
    receipt.drained(PATIENT).await.unwrap();
}

#[tokio::test]
async fn it_is_drained_when_the_last_connection_is_gone() {
    let kind = Gated::new();
    let registry = published(&kind).await;
    let receipt = apply(&registry, define("")).await;
    let waiting = tokio::spawn({
        let receipt = receipt.clone();
        async move { receipt.drained(PATIENT).await }
    });
    kind.left(1).await;
    let busy = receipt.drained(IMPATIENT).await.unwrap_err();
    assert_eq!((busy.requests, busy.places.as_str()), (0, "gate in RELEASE"));
    kind.connections.lock().unwrap().clear();
    waiting.await.unwrap().unwrap();
    receipt.drained(Duration::ZERO).await.unwrap();
}

#[tokio::test]
async fn an_inline_definition_is_drained_too() {
    let kind = Gated::new();
    let registry = published(&kind).await;
    let own = Api::get("/own").inline(gated("connect"));
    apply(&registry, Change::new().api("shop/my_own", own).publish("shop/my_own", LIVE)).await;
    let receipt = apply(&registry, Change::new().unpublish("shop/my_own", LIVE)).await;
    let busy = receipt.drained(IMPATIENT).await.unwrap_err();
    assert_eq!(busy.places, "an inline definition in RELEASE");
    kind.connections.lock().unwrap().clear();
    receipt.drained(PATIENT).await.unwrap();
}

#[tokio::test]
async fn a_new_timeout_hands_the_backend_on() {
    let kind = Gated::new();
    let registry = published(&kind).await;
    assert_eq!(kind.built(), 1);
    let slower = gated("connect").timeout(Duration::from_secs(30));
    let receipt = apply(&registry, Change::new().define("gate", LIVE, slower)).await;
    assert_eq!(kind.built(), 1);
    // The connection that is there is the next definition's.
    assert_eq!(kind.connections.lock().unwrap().len(), 1);
    receipt.drained(PATIENT).await.unwrap();
    // So is a rename's and a description's.
    let receipt = apply(&registry, Change::new().rename_service("gate", "door")).await;
    receipt.drained(PATIENT).await.unwrap();
    assert_eq!((kind.built(), kind.there()), (1, 1));
    // Until something changes for it.
    let receipt = apply(&registry, Change::new().define("door", LIVE, gated(""))).await;
    assert_eq!(kind.built(), 2);
    receipt.drained(IMPATIENT).await.unwrap_err();
    kind.connections.lock().unwrap().clear();
    receipt.drained(PATIENT).await.unwrap();
}

#[tokio::test]
async fn words_about_a_service_wait_for_no_request() {
    let kind = Gated::new();
    let registry = published(&kind).await;
    let request = begin(&registry, &kind).await;
    for change in [
        Change::new().describe_service("gate", "the gate"),
        Change::new().rename_service("gate", "door"),
    ] {
        let receipt = apply(&registry, change).await;
        assert_eq!(receipt.in_flight(), 0);
        receipt.drained(IMPATIENT).await.unwrap();
    }
    kind.let_through.add_permits(1);
    request.await.unwrap();
}

#[tokio::test]
async fn old_snapshots_and_what_they_own_are_dropped() {
    let kind = Gated::new();
    let registry = published(&kind).await;
    let mut receipts = Vec::new();
    for number in 0..32 {
        receipts.push(apply(&registry, define(&number.to_string())).await);
    }
    // Neither receipts nor views keep a backend.
    let view = registry.service("gate").unwrap();
    kind.left(1).await;
    assert_eq!(kind.built(), 33);
    receipts.push(apply(&registry, Change::new().delete_definition("gate", LIVE)).await);
    kind.left(0).await;
    drop((receipts, view));
}

#[tokio::test]
async fn a_definition_its_kind_refuses_is_refused_by_name_and_nothing_is_built_for_good() {
    let kind = Gated::new();
    let registry = published(&kind).await;
    let change = Change::new()
        .service("other", kind.kind())
        .define("other", TEST, gated("refuse"))
        .define("gate", TEST, gated(""));
    let error = registry.publisher("test").apply(change).await.unwrap_err();
    assert_eq!(error.to_string(), "edit 2 (define \"other\" in TEST): do: is to be refused");
    let own = Change::new()
        .api("shop/my_own", Api::get("/own").inline(gated("refuse")))
        .publish("shop/my_own", LIVE);
    let error = registry.publisher("test").apply(own).await.unwrap_err();
    assert!(matches!(&error, CommitError::Rejected(rejected) if rejected.index == 1), "{error}");
    kind.left(1).await;
    assert!(registry.service("other").unwrap().is_none());
}

#[tokio::test]
async fn a_kind_that_panics_leaves_everything_as_it_was() {
    let kind = Gated::new();
    let registry = published(&kind).await;
    let before = registry.revision();
    let error = registry.publisher("test").apply(define("panic")).await.unwrap_err();
    assert!(matches!(error, CommitError::Unfinished(_)), "{error}");
    assert_eq!(registry.revision(), before);
    apply(&registry, define("")).await;
    assert_eq!(registry.revision(), before.next());
}

#[tokio::test]
async fn a_large_change_builds_nothing_anew_on_either_side() {
    let store = MemoryStore::new();
    let kinds = [Gated::new(), Gated::new()];
    let mut sides = Vec::new();
    for kind in &kinds {
        let builder = Registry::builder().factory(Arc::new(kind.clone()));
        sides.push(builder.store(Arc::new(store.clone())).await.unwrap());
    }
    let (own, other) = (&sides[0], &sides[1]);
    let change = Change::new().service("gate", kinds[0].kind()).define("gate", LIVE, gated("x"));
    apply(own, change.group("shop", Group::host("shop.example.com"))).await;
    // More writes than a memory store keeps for watchers, who load everything again instead.
    let large = (0..10_001).fold(Change::new(), |change, n| {
        change.api(format!("shop/api{n}"), Api::get(format!("/{n}")).service_same_path("gate"))
    });
    let revision = apply(own, large).await.revision();
    while other.revision() < revision {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // A follower of its own change would have noticed by now that the batch is not kept.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(kinds.each_ref().map(Gated::built), [1, 1]);
    assert_eq!(other.service("gate").unwrap().unwrap().draft_count(), 10_001);
}
