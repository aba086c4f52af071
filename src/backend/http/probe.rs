//! Whether an endpoint can be reached, step by step.

use std::error::Error as _;
use std::net::SocketAddr;
use std::path::Path;

use http::header::{CONNECTION, HeaderValue};
use http::uri::PathAndQuery;
use http::{Request, Uri};
use tokio::time::Instant;

use super::request::Rewrite;
use crate::backend::{Probe, Probed, Step};
use crate::error::Error;
use crate::model::path::check_request_path;
use crate::transport::{Attempt, Trial, share};

/// Most addresses of one host that are tried: names have a handful, and each gets a share of the time.
const MAX_ADDRESSES: usize = 8;

/// Resolves the host, connects to each of its addresses, makes sure whom each connection is with, and
/// sends one request on the first that is good.
///
/// Addresses are tried one after the other, and the request last, each with an equal share of the time
/// that is left, so that one that swallows packets does not cost the others their chance.
pub(super) async fn probe(trial: Trial<'_>, rewrite: &Rewrite, probe: &Probe) -> Probed {
    let start = Instant::now();
    let deadline = start + probe.limit();
    // Requests would not wait for a connection any longer either.
    let connecting = deadline.min(start + trial.connect_timeout());
    let mut probed = Probed::default();
    if let Some(socket) = trial.path() {
        local(&trial, socket, rewrite, probe, deadline, &mut probed).await;
        return probed;
    }
    let http2 = trial.is_http2();
    let mut addresses = resolve(&trial, connecting, &mut probed).await;
    addresses.truncate(MAX_ADDRESSES);
    let mut good = None;
    for (index, address) in addresses.iter().enumerate() {
        let left = addresses.len().saturating_sub(index) + usize::from(probe.path.is_some());
        let until = share(deadline, u32::try_from(left).unwrap_or(u32::MAX)).min(connecting);
        let attempt = reach(&trial, *address, until, &mut probed).await;
        good = good.or_else(|| Some((*address, attempt?)));
    }
    if let (Some(path), Some((address, attempt))) = (&probe.path, good) {
        let outcome = ask(attempt, rewrite, path, http2, deadline).await;
        probed.push(Step::Answer, address.to_string(), outcome);
    }
    probed
}

/// The same for a socket of this machine.
async fn local(
    trial: &Trial<'_>,
    socket: &Path,
    rewrite: &Rewrite,
    probe: &Probe,
    deadline: Instant,
    probed: &mut Probed,
) {
    let target = socket.display().to_string();
    let connected = trial.connect_local(socket, deadline).await;
    let outcome = connected.as_ref().map(|_| "connected").map_err(explained);
    probed.push(Step::Connect, target.as_str(), outcome);
    if let (Ok(attempt), Some(path)) = (connected, &probe.path) {
        let outcome = ask(attempt, rewrite, path, trial.is_http2(), deadline).await;
        probed.push(Step::Answer, target, outcome);
    }
}

async fn resolve(trial: &Trial<'_>, until: Instant, probed: &mut Probed) -> Vec<SocketAddr> {
    let resolved = trial.resolve(until).await;
    let listed = resolved.as_ref().map(|addresses| {
        addresses.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(", ")
    });
    let target = format!("{}:{}", trial.host(), trial.port());
    probed.push(Step::Resolve, target, listed.map_err(explained));
    resolved.unwrap_or_default()
}

/// A good connection to an address.
async fn reach(
    trial: &Trial<'_>,
    address: SocketAddr,
    until: Instant,
    probed: &mut Probed,
) -> Option<Attempt> {
    let target = address.to_string();
    let connected = trial.connect(address, until).await;
    let outcome = connected.as_ref().map(|_| "connected").map_err(explained);
    probed.push(Step::Connect, target.as_str(), outcome);
    let connected = connected.ok()?;
    if !trial.is_https() {
        return Some(connected);
    }
    let secured = trial.secure(connected, until).await;
    let found = format!("its certificate is for {}", trial.host());
    probed.push(Step::Tls, target, secured.as_ref().map(|_| found).map_err(explained));
    secured.ok()
}

async fn ask(
    attempt: Attempt,
    rewrite: &Rewrite,
    path: &str,
    http2: bool,
    until: Instant,
) -> Result<String, String> {
    let request = request(rewrite, path)?;
    let status = attempt.ask(request, http2, until).await.map_err(|error| explained(&error))?;
    let found = format!("status {}", status.as_u16());
    if status.is_server_error() { Err(found) } else { Ok(found) }
}

/// The request as the gateway would send it, with its connection closed after.
fn request(rewrite: &Rewrite, path: &str) -> Result<Request<()>, String> {
    let invalid = |reason: String| format!("path {path:?} {reason}");
    // `PathAndQuery` takes a missing path for `/`, cuts a fragment off, and lets bytes pass that no URI
    // has (RFC 3986 section 2).
    if !path.starts_with('/') || !path.bytes().all(|b| b.is_ascii_graphic() && b != b'#') {
        return Err(invalid("does not start with '/' or contains what no path has".to_owned()));
    }
    let parsed: PathAndQuery =
        path.parse().map_err(|error| invalid(format!("is none: {error}")))?;
    check_request_path(parsed.path()).map_err(|error| invalid(error.to_string()))?;
    let mut request = Request::new(());
    *request.uri_mut() = Uri::from(parsed);
    request.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    rewrite.apply(&mut request).map_err(|error| explained(&error))?;
    Ok(request)
}

/// What happened and why, in one line: a peer may have a say in it.
fn explained(error: &Error) -> String {
    let mut text = error.context().to_owned();
    if let Some(source) = error.source() {
        text = format!("{text}: {source}");
    }
    let escape = |c: char| c.is_control().then(|| c.escape_default().to_string());
    text.chars().map(|c| escape(c).unwrap_or_else(|| c.to_string())).collect()
}
