//! From a host and a port to an open TCP connection.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::Transport;
use super::dns::Peer;
use super::egress::Egress;
use super::race::{in_turn, race};
use super::socket::Socket;
use crate::error::{Error, ErrorKind, Result, Retry};

/// No connection was made, so nothing of the request left this node.
///
/// The context may reach a client: it says what happened, never where. Addresses stand in the source.
pub(super) fn failed(context: impl Into<String>) -> Error {
    Error::new(ErrorKind::Connect, Retry::Always, context)
}

/// Connects to the first address of `host` that is allowed and answers, and says whom that is with.
///
/// A literal address is dialled, a name is looked up. Its addresses race each other (RFC 8305) until
/// the deadline; each is judged by the egress policy before it is dialled.
pub(super) async fn tcp(
    transport: &Transport,
    host: &str,
    port: u16,
    deadline: Instant,
) -> Result<(TcpStream, Peer)> {
    let egress = transport.egress();
    if let Some(address) = literal(host) {
        let allowed = only_allowed(egress, [address], port)?;
        let dial = |address| attempt(transport, address, deadline);
        let (_, stream) = race(allowed, deadline, dial).await?;
        return Ok((stream, Peer::unnamed()));
    }
    let name = transport.0.names.entry(host);
    let found = name.addresses(deadline).await?;
    let allowed = only_allowed(egress, found.iter().copied(), port)?;
    let dial = |address| attempt(transport, address, deadline);
    match race(in_turn(allowed, name.turn()), deadline, dial).await {
        Ok((address, stream)) => Ok((stream, Peer::of(&name, address.ip()))),
        Err(error) => {
            name.suspect();
            Err(error)
        }
    }
}

/// The address a host is, as it is dialled.
fn literal(host: &str) -> Option<IpAddr> {
    host.parse::<IpAddr>().ok().map(|address| address.to_canonical())
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

/// Connects to one address, which the egress policy must have allowed. Nothing else dials.
pub(super) async fn attempt(
    transport: &Transport,
    address: SocketAddr,
    until: Instant,
) -> Result<TcpStream> {
    transport.0.dialled.fetch_add(1, Ordering::Relaxed);
    let broken = |error| failed("connection failed").caused_by(At(address, error));
    let stream = match timeout_at(until, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
            return Err(failed("connection refused").caused_by(At(address, error)));
        }
        Ok(Err(error)) => return Err(broken(error)),
        Err(late) => {
            return Err(failed("connection timed out").caused_by(At(address, late.into())));
        }
    };
    // Without it a small request may wait for the acknowledgement of the one before.
    stream.set_nodelay(true).map_err(broken)?;
    let local = stream.local_addr().map_err(broken)?;
    transport
        .egress()
        .check_made(local, address)
        .map_err(|error| failed("address refused by the egress policy").caused_by(error))?;
    Ok(stream)
}

/// Every address of `host` by a look-up of its own, allowed or not; never none.
pub(super) async fn resolve(
    transport: &Transport,
    host: &str,
    port: u16,
    deadline: Instant,
) -> Result<Vec<SocketAddr>> {
    let found = match literal(host) {
        Some(address) => Arc::from([address]),
        None => transport.0.names.entry(host).look_up(deadline).await?,
    };
    Ok(found.iter().map(|address| SocketAddr::new(*address, port)).collect())
}

/// Drops every address that is refused; fails when none is left.
fn only_allowed(
    egress: &Egress,
    found: impl IntoIterator<Item = IpAddr>,
    port: u16,
) -> Result<Vec<SocketAddr>> {
    let mut refused = failed("name has no address");
    let mut allowed = Vec::new();
    for address in found {
        match egress.check_socket(SocketAddr::new(address, port)) {
            Ok(()) => allowed.push(SocketAddr::new(address, port)),
            Err(error) => {
                refused = failed("address refused by the egress policy").caused_by(error);
            }
        }
    }
    if allowed.is_empty() { Err(refused) } else { Ok(allowed) }
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
        let all = ["1.1.1.1", "127.0.0.1", "::1", "10.0.0.1"];
        let all = all.map(|text| text.parse::<IpAddr>().unwrap());
        let kept = only_allowed(&Egress::default(), all, 80).unwrap();
        assert_eq!(kept, [SocketAddr::new(all[0], 80), SocketAddr::new(all[3], 80)]);
        let error = only_allowed(&Egress::default(), [all[1], all[2]], 80).unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Connect, Retry::Always));
        assert!(!error.context().contains("127"), "clients see the context");
    }

    #[tokio::test]
    async fn a_closed_port_refuses() {
        let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let closed = dead.local_addr().unwrap();
        drop(dead);
        let transport = Transport::default();
        let until = Instant::now() + Duration::from_secs(5);
        let error = attempt(&transport, closed, until).await.unwrap_err();
        assert_eq!(error.context(), "connection refused");
        assert_eq!(transport.dialled(), 1);
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
