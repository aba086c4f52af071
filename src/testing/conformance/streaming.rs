//! What holds for a backend through which bodies flow.

use http::Method;
use http_body_util::BodyExt;

use super::fed::fed;
use super::{
    Make, Outcome, PATIENCE, Violation, collect, describe, ensure, request, send, soon, verdict,
};
use crate::body::Body;
use crate::testing::{FakeUpstream, Gate, Received, Script, Step};

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

pub(super) async fn all(make: &impl Make) -> Result<(), Violation> {
    verdict("the answer streams", answer(make).await)?;
    verdict("both directions stream at once", both(make).await)?;
    verdict("an answer dropped early is abandoned", abandoned(make).await)?;
    verdict("the error of a request body comes back", upload(make).await)
}

async fn upstream(
    script: impl Fn(&Received) -> Script + Send + Sync + 'static,
) -> Outcome<FakeUpstream> {
    FakeUpstream::start(script).await.map_err(describe)
}

async fn next(body: &mut Body) -> Outcome<Vec<u8>> {
    let frame = soon(body.frame()).await?.ok_or("the end of the body")?;
    let data = frame.map_err(describe)?.into_data();
    data.map(|data| data.to_vec()).map_err(|_| "trailers".to_owned())
}

/// The first piece arrives although the second waits for it.
async fn answer(make: &impl Make) -> Outcome {
    let gate = Gate::new();
    let own = gate.clone();
    let script = move |_: &Received| {
        Script::raw(CHUNKED)
            .write("5\r\nfirst\r\n")
            .then(Step::Wait(own.clone()))
            .write("6\r\nsecond\r\n0\r\n\r\n")
    };
    let upstream = upstream(script).await?;
    let backend = make(&upstream.url());
    let get = request(Method::GET, "/", Body::empty());
    let mut body = send(&*backend, get).await?.map_err(describe)?.into_body();
    let first = next(&mut body).await?;
    gate.open();
    let rest = collect(body).await?.map_err(describe)?;
    ensure((&*first, &*rest) == (b"first", b"second"), || format!("{first:?} and {rest:?}"))
}

/// Each piece comes back before the next is sent.
async fn both(make: &impl Make) -> Outcome {
    let upstream = upstream(|_| Script::new().write(CHUNKED).then(Step::Echo)).await?;
    let backend = make(&upstream.url());
    let (feeder, body) = fed();
    let post = request(Method::POST, "/", body);
    let mut body = send(&*backend, post).await?.map_err(describe)?.into_body();
    for piece in ["one", "two", "three"] {
        feeder.send(Ok(piece)).map_err(describe)?;
        let found = next(&mut body).await?;
        ensure(found == piece.as_bytes(), || format!("{found:?}"))?;
    }
    drop(feeder);
    let rest = collect(body).await?.map_err(describe)?;
    ensure(rest.is_empty(), || format!("{rest:?} after the end"))
}

async fn abandoned(make: &impl Make) -> Outcome {
    let script = |_: &Received| Script::raw(CHUNKED).write("5\r\nfirst\r\n").then(Step::Hang);
    let upstream = upstream(script).await?;
    let backend = make(&upstream.url());
    let get = request(Method::GET, "/", Body::empty());
    let mut body = send(&*backend, get).await?.map_err(describe)?.into_body();
    next(&mut body).await?;
    drop(body);
    ensure(upstream.has_open(0, PATIENCE).await, || "the target still sends".to_owned())
}

async fn upload(make: &impl Make) -> Outcome {
    use crate::error::{Error, ErrorKind, Retry};
    let upstream = upstream(|_| Script::ok("never")).await?;
    let backend = make(&upstream.url());
    let (feeder, body) = fed();
    let failure = Error::new(ErrorKind::BodyTooLarge, Retry::Never, "told by the suite");
    feeder.send(Ok("some")).map_err(describe)?;
    feeder.send(Err(failure)).map_err(describe)?;
    match send(&*backend, request(Method::POST, "/", body)).await? {
        Ok(_) => Err("a response".to_owned()),
        Err(error) => ensure(error.kind() == ErrorKind::BodyTooLarge, || describe(error)),
    }?;
    let complete = upstream.received().iter().any(|one| one.complete);
    ensure(!complete, || "the target saw a clean end".to_owned())
}
