//! What holds for every backend, canned answers included.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use tokio::task::JoinSet;

use super::fed::fed;
use super::{AT_ONCE, Make, Outcome, Violation, ask, call, ensure, request, verdict};
use crate::backend::{Backend, Body};
use crate::testing::{FakeUpstream, Script};

pub(super) async fn all(make: &impl Make) -> Result<(), Violation> {
    let upstream = FakeUpstream::start(|_| Script::ok("fine"))
        .await
        .map_err(|error| Violation { rule: "the suite opens a port", found: error.to_string() })?;
    let backend = make(&upstream.url());
    let get = || request(Method::GET, "/", Body::empty());
    let outcome = ask(&*backend, get()).await.map(drop);
    verdict("it answers", outcome)?;
    verdict("it is shared", shared(&backend).await)?;
    verdict("it may be dropped", dropped(&*backend).await)?;
    verdict("it may be dropped while it reads", fed_and_dropped(&*backend).await)
}

async fn shared(backend: &Arc<dyn Backend>) -> Outcome {
    let mut all = JoinSet::new();
    for _ in 0..AT_ONCE {
        let backend = Arc::clone(backend);
        all.spawn(async move { ask(&*backend, request(Method::GET, "/", Body::empty())).await });
    }
    let mut first = None;
    for outcome in all.join_all().await {
        let answer = outcome?;
        let expected = first.get_or_insert_with(|| answer.clone());
        ensure(answer == *expected, || format!("{answer:?} and {expected:?}"))?;
    }
    Ok(())
}

/// Polls a call for shorter and longer times, drops it, and asks again.
async fn dropped(backend: &dyn Backend) -> Outcome {
    for micros in [0, 50, 100, 200, 500, 1000, 2000] {
        let call = call();
        let sending = backend.send(request(Method::GET, "/", Body::empty()), &call);
        let _ = tokio::time::timeout(Duration::from_micros(micros), sending).await;
        ask(backend, request(Method::GET, "/", Body::empty())).await?;
    }
    Ok(())
}

async fn fed_and_dropped(backend: &dyn Backend) -> Outcome {
    let (feeder, body) = fed();
    let call = call();
    let sending = backend.send(request(Method::POST, "/", body), &call);
    // A canned answer may well be there already.
    let _ = tokio::time::timeout(Duration::from_millis(5), sending).await;
    drop(feeder);
    ask(backend, request(Method::GET, "/", Body::empty())).await.map(drop)
}
