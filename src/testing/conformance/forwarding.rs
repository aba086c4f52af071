//! What holds for a backend whose answer comes from a target.

use std::time::Duration;

use http::Method;

use super::{
    Make, Outcome, PATIENCE, Violation, ask, call, collect, describe, ensure, request, send,
    verdict,
};
use crate::body::Body;
use crate::error::Retry;
use crate::testing::{FakeUpstream, Received, Script, Step};

pub(super) async fn all(make: &impl Make) -> Result<(), Violation> {
    verdict("it forwards", forwards(make).await)?;
    verdict("an answer of any status is Ok", statuses(make).await)?;
    verdict("Err means no response", no_response(make).await)?;
    verdict("nothing seen may always be retried", nothing_seen(make).await)?;
    verdict("dropped, it stays usable", usable(make).await)?;
    verdict("a broken body is an error", broken(make).await)
}

async fn upstream(
    script: impl Fn(&Received) -> Script + Send + Sync + 'static,
) -> Outcome<FakeUpstream> {
    FakeUpstream::start(script).await.map_err(describe)
}

async fn forwards(make: &impl Make) -> Outcome {
    let upstream = upstream(|_| Script::ok("answer")).await?;
    let backend = make(&upstream.url());
    let (status, body) = ask(&*backend, request(Method::POST, "/a?b", "asked".into())).await?;
    ensure((status, &*body) == (200, b"answer"), || {
        format!("{status} {}", String::from_utf8_lossy(&body))
    })?;
    let received = upstream.received();
    let [one] = received.as_slice() else {
        return Err(format!("the target saw {} requests", received.len()));
    };
    ensure(one.complete && one.body == b"asked", || {
        format!("the target read {:?}", String::from_utf8_lossy(&one.body))
    })
}

async fn statuses(make: &impl Make) -> Outcome {
    for status in [200, 204, 302, 400, 404, 500, 502, 503, 599] {
        let length = if status == 204 { "" } else { "Content-Length: 0\r\n" };
        let answer = format!("HTTP/1.1 {status} Told\r\n{length}\r\n");
        let upstream = upstream(move |_| Script::raw(&answer)).await?;
        let backend = make(&upstream.url());
        let (found, _) = ask(&*backend, request(Method::GET, "/", Body::empty())).await?;
        ensure(found == status, || format!("{found} instead of {status}"))?;
    }
    Ok(())
}

/// The target reads the request and says nothing that could be an answer.
async fn no_response(make: &impl Make) -> Outcome {
    for answer in ["", "HTTP/1.1 200 O", "garbage\r\n\r\n"] {
        let upstream = upstream(move |_| Script::raw(answer).then(Step::Close)).await?;
        let backend = make(&upstream.url());
        let sent = send(&*backend, request(Method::POST, "/", "asked".into())).await?;
        let Err(error) = sent else {
            return Err(format!("a response to {answer:?}"));
        };
        ensure(error.retry() != Retry::Always, || {
            format!("{:?} although the target saw the request", error.retry())
        })?;
        let seen = upstream.received().len();
        ensure(seen == 1, || format!("a POST was sent {seen} times"))?;
    }
    Ok(())
}

async fn nothing_seen(make: &impl Make) -> Outcome {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").map_err(describe)?;
    let address = closed.local_addr().map_err(describe)?;
    drop(closed);
    let backend = make(&format!("http://{address}"));
    match send(&*backend, request(Method::GET, "/", Body::empty())).await? {
        Ok(_) => Err("a response from nobody".to_owned()),
        Err(error) => ensure(error.retry() == Retry::Always, || format!("{:?}", error.retry())),
    }
}

async fn usable(make: &impl Make) -> Outcome {
    let script = |request: &Received| match request.target().as_str() {
        "/hang" => Script::new().then(Step::Hang),
        _ => Script::ok("fine"),
    };
    let upstream = upstream(script).await?;
    let backend = make(&upstream.url());
    for _ in 0..20 {
        let call = call();
        let sending = backend.send(request(Method::GET, "/hang", Body::empty()), &call);
        let in_time = tokio::time::timeout(Duration::from_millis(5), sending).await;
        ensure(in_time.is_err(), || "an answer from a target that hangs".to_owned())?;
        let (_, body) = ask(&*backend, request(Method::GET, "/", Body::empty())).await?;
        ensure(body == b"fine", || String::from_utf8_lossy(&body).into_owned())?;
    }
    // One may be kept for the next request; those that hang may not.
    ensure(upstream.until(|open| open <= 1, PATIENCE).await, || {
        format!("{} connections left open", upstream.open())
    })
}

async fn broken(make: &impl Make) -> Outcome {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ] {
        let upstream = upstream(move |_| Script::raw(answer).then(Step::Close)).await?;
        let backend = make(&upstream.url());
        let sent = send(&*backend, request(Method::GET, "/", Body::empty())).await?;
        // A kind that collects its answers finds out before there is a response.
        if let Ok(response) = sent {
            let body = collect(response.into_body()).await?;
            ensure(body.is_err(), || format!("a clean end after {answer:?}"))?;
        }
    }
    Ok(())
}
