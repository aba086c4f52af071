//! Who is at the other end of the connection, and which of them are believed.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::HeaderValue;
use ipnet::IpNet;

/// The other end of the connection a request came on.
///
/// Servers put it into the request's extensions, or into a gateway of their connection's own with
/// [`Gateway::peer`](super::Gateway::peer). Make it once per connection: it keeps the address in the
/// form that backends are told.
///
/// With feature `axum`, axum's `ConnectInfo<SocketAddr>` serves where there is no `Peer`; the scheme
/// is taken to be HTTP. Where there is neither, backends get no `X-Forwarded-For` and no
/// `X-Forwarded-Proto`; what the client sent in them is removed all the same.
#[derive(Clone)]
pub struct Peer {
    addr: SocketAddr,
    scheme: Scheme,
    text: HeaderValue,
}

/// Whether a connection is encrypted.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Scheme {
    /// Clear text.
    Http,
    /// TLS.
    Https,
}

impl Peer {
    /// The peer at `addr`, on a connection of `scheme`.
    #[must_use]
    pub fn new(addr: SocketAddr, scheme: Scheme) -> Self {
        let text = addr.ip().to_canonical().to_string();
        let text = HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("unknown"));
        Self { addr, scheme, text }
    }

    /// Its address.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Whether the connection is encrypted.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Its IP address as backends are told.
    pub(super) fn text(&self) -> &HeaderValue {
        &self.text
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Peer({} over {:?})", self.addr, self.scheme)
    }
}

impl Scheme {
    pub(super) fn text(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Http => "http",
            Self::Https => "https",
        })
    }
}

/// A range of IP addresses: `10.0.0.0/8`, or one address.
///
/// ```
/// use backhaul::gateway::Network;
/// let network: Network = "10.0.0.0/8".parse()?;
/// assert!(network.contains("10.1.2.3".parse()?));
/// assert!(!network.contains("11.1.2.3".parse()?));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Network(IpNet);

impl Network {
    /// Whether `address` is in it. An IPv4 address written as an IPv6 one is the IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        Self(address.to_canonical().into())
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let network = text.parse().ok();
        let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
        match network.or_else(address) {
            Some(network) => Ok(Self(network)),
            None => Err(InvalidNetwork(text.chars().take(SHOWN).collect())),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Characters of a refused text that its error repeats.
const SHOWN: usize = 80;

/// The text is neither an IP address nor a range of them.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is neither an IP address nor a network such as 10.0.0.0/8")]
pub struct InvalidNetwork(Box<str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_one_address_or_many() {
        let contains = |network: &str, address: &str| {
            let network: Network = network.parse().unwrap();
            network.contains(address.parse().unwrap())
        };
        assert!(contains("127.0.0.1", "127.0.0.1"));
        assert!(contains("127.0.0.1", "::ffff:127.0.0.1"));
        assert!(!contains("127.0.0.1", "127.0.0.2"));
        assert!(contains("fd00::/8", "fd12::1"));
        for bad in ["", "10.0.0.0/33", "10.0.0", "localhost"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_mapped_address_is_told_as_what_it_is() {
        let peer = Peer::new("[::ffff:10.0.0.1]:80".parse().unwrap(), Scheme::Http);
        assert_eq!(peer.text(), "10.0.0.1");
    }
}
