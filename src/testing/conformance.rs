//! What every backend must do, whatever its kind.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::backend::{Backend, Body, Call, Capability};
use crate::error::Place;
use crate::model::{Environment, Revision};

mod canned;
mod fed;
mod forwarding;
mod streaming;

/// How long the suite waits for anything: only what hangs takes this long.
const PATIENCE: Duration = Duration::from_secs(20);

/// Requests that are sent at once to one backend.
const AT_ONCE: usize = 64;

/// A promise of a trait that an implementation did not keep.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Violation {
    /// The promise.
    pub rule: &'static str,
    /// What happened instead.
    pub found: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.found)
    }
}

impl std::error::Error for Violation {}

/// Tries the backends that `make` makes against the contract of [`Backend`], as far as `capability`
/// says that they can keep it.
///
/// `make` is given the URL of an upstream that the suite runs on 127.0.0.1, and is called once for each
/// rule. What does not forward may leave the URL alone. Needs a tokio runtime with time and I/O.
///
/// # Errors
///
/// The first rule that is broken.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use backhaul::backend::{Backend, Body, Call, Capability};
/// use backhaul::testing::conformance;
/// use http::{Request, Response};
///
/// #[derive(Debug)]
/// struct Greeter;
///
/// #[async_trait::async_trait]
/// impl Backend for Greeter {
///     async fn send(&self, request: Request<Body>, _: &Call) -> backhaul::Result<Response<Body>> {
///         let text = if request.method() == "HEAD" { "" } else { "hello" };
///         Ok(Response::new(Body::from(text)))
///     }
/// }
///
/// conformance::backend(Capability::CANNED, |_| Arc::new(Greeter)).await?;
/// # Ok(())
/// # }
/// ```
pub async fn backend<M>(capability: Capability, make: M) -> Result<(), Violation>
where
    M: Fn(&str) -> Arc<dyn Backend> + Sync,
{
    canned::all(&make).await?;
    if capability.forwards {
        forwarding::all(&make).await?;
    }
    if capability.streams {
        streaming::all(&make).await?;
    }
    Ok(())
}

/// Makes a backend for an upstream's URL.
trait Make: Fn(&str) -> Arc<dyn Backend> + Sync {}

impl<M: Fn(&str) -> Arc<dyn Backend> + Sync> Make for M {}

/// What came of a rule: nothing, or what was found instead.
type Outcome<T = ()> = Result<T, String>;

fn verdict(rule: &'static str, outcome: Outcome) -> Result<(), Violation> {
    outcome.map_err(|found| Violation { rule, found })
}

fn ensure(holds: bool, found: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(found()) }
}

fn call() -> Call {
    let place = Place::new(None, Environment::PRODUCTION, Revision::new(1));
    Call::new(place, PATIENCE)
}

/// Runs what must end.
async fn soon<T>(what: impl Future<Output = T>) -> Outcome<T> {
    tokio::time::timeout(PATIENCE, what).await.map_err(|_| format!("nothing for {PATIENCE:?}"))
}

fn request(method: http::Method, target: &'static str, body: Body) -> http::Request<Body> {
    let mut request = http::Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = http::Uri::from_static(target);
    request
}

async fn send(
    backend: &dyn Backend,
    request: http::Request<Body>,
) -> Outcome<crate::Result<http::Response<Body>>> {
    soon(backend.send(request, &call())).await
}

/// Sends and reads the answer to its end.
async fn ask(backend: &dyn Backend, request: http::Request<Body>) -> Outcome<(u16, Vec<u8>)> {
    let response = send(backend, request).await?.map_err(describe)?;
    let status = response.status().as_u16();
    let body = collect(response.into_body()).await?.map_err(describe)?;
    Ok((status, body))
}

async fn collect(body: Body) -> Outcome<crate::Result<Vec<u8>>> {
    use http_body_util::BodyExt;
    let collected = soon(body.collect()).await?;
    Ok(collected.map(|collected| collected.to_bytes().to_vec()))
}

fn describe(error: impl fmt::Display) -> String {
    format!("error: {error}")
}
