//! From where, and by which protocol, an API may be called.

use std::net::{IpAddr, Ipv6Addr};

use http::HeaderMap;

use crate::error::{ErrorKind, Result};
use crate::gateway::hop;
use crate::gateway::peer::{Network, Peer, Scheme};
use crate::gateway::receive::refused;
use crate::model::Version;
use crate::model::api::Visibility;

/// From where a request came, as far as that is believed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::gateway) struct Origin {
    pub(in crate::gateway) address: Option<IpAddr>,
    pub(in crate::gateway) scheme: Option<Scheme>,
}

impl Origin {
    /// What the peer is, or what a peer that is believed says of its own.
    pub(in crate::gateway) fn of(
        peer: Option<&Peer>,
        trusted: &[Network],
        headers: &HeaderMap,
    ) -> Self {
        let Some(peer) = peer else {
            return Self { address: None, scheme: None };
        };
        let believed = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
        let own = peer.addr().ip().to_canonical();
        if !believed(own) {
            return Self { address: Some(own), scheme: Some(peer.scheme()) };
        }
        // From the right: what a believed proxy added. The first that is not one is the client.
        let mut address = own;
        for said in last_first(headers, &hop::FORWARDED_FOR) {
            match said.parse::<IpAddr>() {
                Ok(before) => address = before.to_canonical(),
                Err(_) => return Self { address: None, scheme: scheme(headers, peer) },
            }
            if !believed(address) {
                break;
            }
        }
        Self { address: Some(address), scheme: scheme(headers, peer) }
    }

    /// Refuses what the API is not for. What is not known is not allowed, unless everything is.
    pub(in crate::gateway) fn check(self, version: &Version, intranet: &[Network]) -> Result<()> {
        if !version.allows(self.scheme.map(|scheme| scheme == Scheme::Https)) {
            return Err(refused(ErrorKind::InvalidProtocol, ""));
        }
        if version.visibility() == Visibility::Private
            && !self.address.is_some_and(|address| is_inside(address, intranet))
        {
            return Err(refused(ErrorKind::InternetDisabled, ""));
        }
        Ok(())
    }
}

/// The scheme that the last proxy says it was called by.
fn scheme(headers: &HeaderMap, peer: &Peer) -> Option<Scheme> {
    match last_first(headers, &hop::FORWARDED_PROTO).next() {
        None => Some(peer.scheme()),
        Some(said) if said.eq_ignore_ascii_case("https") => Some(Scheme::Https),
        Some(said) if said.eq_ignore_ascii_case("http") => Some(Scheme::Http),
        Some(_) => None,
    }
}

/// The elements of a list, the last one first.
fn last_first<'h>(
    headers: &'h HeaderMap,
    name: &'static http::HeaderName,
) -> impl Iterator<Item = &'h str> {
    let lines: Vec<_> = headers.get_all(name).iter().collect();
    lines.into_iter().rev().flat_map(|line| {
        let line = line.to_str().unwrap_or("unreadable");
        line.rsplit(',').map(str::trim)
    })
}

/// Whether an address is inside: in one of `networks`, or where none are named, in a range that is not
/// routed on the internet (RFC 1918, RFC 4193, RFC 6598, link-local, loopback).
fn is_inside(address: IpAddr, networks: &[Network]) -> bool {
    if !networks.is_empty() {
        return networks.iter().any(|network| network.contains(address));
    }
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            let shared = first == 100 && second & 0xc0 == 64;
            address.is_private() || address.is_loopback() || address.is_link_local() || shared
        }
        IpAddr::V6(address) => {
            address == Ipv6Addr::LOCALHOST
                || address.is_unique_local()
                || address.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn origin(peer: &str, scheme: Scheme, lines: &[(&'static str, &'static str)]) -> Origin {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        Origin::of(Some(&Peer::new(peer.parse().unwrap(), scheme)), &trusted, &headers)
    }

    #[test]
    fn only_believed_proxies_say_where_a_request_came_from() {
        use Scheme::{Http, Https};
        for (peer, lines, address, scheme) in [
            ("203.0.113.9:1", &[][..], Some("203.0.113.9"), Some(Http)),
            (
                "203.0.113.9:1",
                &[("x-forwarded-for", "10.0.0.1"), ("x-forwarded-proto", "https")],
                Some("203.0.113.9"),
                Some(Http),
            ),
            (
                "10.0.0.1:1",
                &[
                    ("x-forwarded-for", "10.9.9.9, 198.51.100.7, 10.0.0.2"),
                    ("x-forwarded-proto", "http, HTTPS"),
                ],
                Some("198.51.100.7"),
                Some(Https),
            ),
            (
                "10.0.0.1:1",
                &[("x-forwarded-for", "10.3.3.3"), ("x-forwarded-for", "10.0.0.2")],
                Some("10.3.3.3"),
                Some(Http),
            ),
            (
                "10.0.0.1:1",
                &[("x-forwarded-for", "unknown"), ("x-forwarded-proto", "gopher")],
                None,
                None,
            ),
            (
                "[::ffff:10.0.0.1]:1",
                &[("x-forwarded-for", "::ffff:192.168.0.1")],
                Some("192.168.0.1"),
                Some(Http),
            ),
        ] {
            let expected = Origin { address: address.map(|it| it.parse().unwrap()), scheme };
            assert_eq!(origin(peer, Http, lines), expected, "{peer} {lines:?}");
        }
    }

    #[test]
    fn what_is_not_routed_on_the_internet_is_inside() {
        let inside = |address: &str| is_inside(address.parse().unwrap(), &[]);
        for address in [
            "10.1.1.1",
            "172.16.0.1",
            "192.168.1.1",
            "127.0.0.1",
            "169.254.1.1",
            "100.64.0.1",
            "100.127.255.255",
            "::1",
            "fd00::1",
            "fe80::1",
        ] {
            assert!(inside(address), "{address}");
        }
        for address in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "100.63.0.1", "2001:db8::1"] {
            assert!(!inside(address), "{address}");
        }
        let named = ["8.8.8.0/24".parse().unwrap()];
        assert!(is_inside("8.8.8.8".parse().unwrap(), &named));
        assert!(!is_inside("10.1.1.1".parse().unwrap(), &named));
    }
}
