//! From a host and a port to an open TCP connection.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};

use super::egress::Egress;
use super::socket::Socket;
use crate::error::{Error, ErrorKind, Result, Retry};

/// No connection was made, so nothing of the request left this node.
///
/// The context may reach a client: it says what happened, never where. Addresses stand in the source.
pub(super) fn failed(context: impl Into<String>) -> Error {
    Error::new(ErrorKind::Connect, Retry::Always, context)
}

/// Connects to the first address of `host` that is allowed and answers.
///
/// Addresses are tried one after the other, each with an equal share of the time that is left, so that
/// one that swallows packets does not cost the others their chance.
pub(super) async fn tcp(
    egress: &Egress,
    host: &str,
    port: u16,
    deadline: Instant,
) -> Result<TcpStream> {
    let addresses = only_allowed(egress, resolve(host, port, deadline).await?)?;
    let mut last = failed("name has no address");
    for (index, address) in addresses.iter().enumerate() {
        let left = u32::try_from(addresses.len().saturating_sub(index)).unwrap_or(u32::MAX);
        match attempt(*address, share(deadline, left)).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Connects to the socket at `path`.
#[cfg(unix)]
pub(super) async fn local(egress: &Egress, path: &Path, deadline: Instant) -> Result<Socket> {
    egress
        .check_path(path)
        .map_err(|refused| failed("socket refused by the egress policy").caused_by(refused))?;
    match timeout_at(deadline, tokio::net::UnixStream::connect(path)).await {
        Ok(Ok(stream)) => Ok(Socket::Unix(stream)),
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
            Err(failed("connection refused").caused_by(error))
        }
        Ok(Err(error)) => Err(failed("connection failed").caused_by(error)),
        Err(late) => Err(failed("connection timed out").caused_by(late)),
    }
}

/// There are no such sockets on this system.
#[cfg(not(unix))]
pub(super) async fn local(_: &Egress, _: &Path, _: Instant) -> Result<Socket> {
    Err(failed("sockets are not reached on this system"))
}

/// The time by which one of `attempts` that are left has to be done.
pub(crate) fn share(deadline: Instant, attempts: u32) -> Instant {
    let now = Instant::now();
    let left: Duration = deadline.saturating_duration_since(now);
    now + left / attempts.max(1)
}

/// Connects to one address, which the egress policy must have allowed.
pub(super) async fn attempt(address: SocketAddr, until: Instant) -> Result<TcpStream> {
    let stream = match timeout_at(until, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
            return Err(failed("connection refused").caused_by(At(address, error)));
        }
        Ok(Err(error)) => return Err(failed("connection failed").caused_by(At(address, error))),
        Err(late) => {
            return Err(failed("connection timed out").caused_by(At(address, late.into())));
        }
    };
    // Without it a small request may wait for the acknowledgement of the one before.
    stream
        .set_nodelay(true)
        .map_err(|error| failed("connection failed").caused_by(At(address, error)))?;
    Ok(stream)
}

/// Every address of `host`, allowed or not.
pub(super) async fn resolve(host: &str, port: u16, deadline: Instant) -> Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    match timeout_at(deadline, lookup_host((host, port))).await {
        Ok(Ok(found)) => Ok(found.collect()),
        Ok(Err(error)) => Err(failed("name not resolved").caused_by(error)),
        Err(late) => Err(failed("name not resolved in time").caused_by(late)),
    }
}

/// Drops every address that is refused; fails when none is left.
fn only_allowed(
    egress: &Egress,
    found: impl IntoIterator<Item = SocketAddr>,
) -> Result<Vec<SocketAddr>> {
    let mut refused = None;
    let allowed: Vec<_> = found
        .into_iter()
        .filter(|address| match egress.check(address.ip()) {
            Ok(()) => true,
            Err(error) => {
                refused = Some(error);
                false
            }
        })
        .collect();
    match refused {
        Some(refused) if allowed.is_empty() => {
            Err(failed("address refused by the egress policy").caused_by(refused))
        }
        _ => Ok(allowed),
    }
}

/// An address, and what went wrong there.
#[derive(Debug, thiserror::Error)]
#[error("{0}: {1}")]
struct At(SocketAddr, #[source] io::Error);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_addresses_are_dropped_and_the_others_kept() {
        let all = ["1.1.1.1:80", "127.0.0.1:80", "[::1]:80", "10.0.0.1:80"];
        let all = all.map(|text| text.parse::<SocketAddr>().unwrap());
        let kept = only_allowed(&Egress::default(), all).unwrap();
        assert_eq!(kept, [all[0], all[3]]);
        let error = only_allowed(&Egress::default(), [all[1], all[2]]).unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Connect, Retry::Always));
        assert!(!error.context().contains("127"), "clients see the context");
    }

    #[tokio::test]
    async fn the_next_address_is_tried_when_one_refuses() {
        let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let closed = dead.local_addr().unwrap();
        drop(dead);
        let error = attempt(closed, Instant::now() + Duration::from_secs(5)).await.unwrap_err();
        assert_eq!(error.context(), "connection refused");
    }

    #[tokio::test(start_paused = true)]
    async fn every_address_gets_an_equal_share_of_what_is_left() {
        let deadline = Instant::now() + Duration::from_secs(3);
        assert_eq!(share(deadline, 3) - Instant::now(), Duration::from_secs(1));
        assert_eq!(share(deadline, 1), deadline);
        tokio::time::advance(Duration::from_secs(4)).await;
        assert_eq!(share(deadline, 2), Instant::now());
    }
}
