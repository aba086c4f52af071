//! Where this node may connect to.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Component, Path, PathBuf};

/// Which addresses may be connected to. Judged for every address right before it is dialled, so a
/// name that resolves differently the second time gains nothing.
///
/// Refused unless allowed by name: loopback. Always refused: unspecified, link-local, multicast,
/// broadcast and reserved addresses, the metadata services of clouds, and IPv6 ranges that hide an
/// IPv4 address which cannot be judged (Teredo, local-use NAT64). An address that embeds an IPv4
/// address is judged as that one. Private ranges are allowed, because reaching private hosts is what
/// gateways are for, and can be refused with [`Egress::deny_private`]. Ports are allowed unless refused
/// with [`Egress::deny_ports`].
///
/// ```
/// use backhaul::transport::Egress;
///
/// let egress = Egress::default();
/// assert!(egress.check("10.0.0.7".parse()?).is_ok());
/// assert!(egress.check("169.254.169.254".parse()?).is_err());
/// assert!(egress.check("::ffff:127.0.0.1".parse()?).is_err());
/// assert!(egress.clone().allow_loopback().check("127.0.0.1".parse()?).is_ok());
/// assert!(egress.deny_private().check("10.0.0.7".parse()?).is_err());
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Egress {
    loopback: bool,
    no_private: bool,
    /// Folders whose sockets are allowed.
    sockets: Vec<PathBuf>,
    ports: BTreeSet<u16>,
    own: BTreeSet<SocketAddr>,
}

/// A socket of this machine that may not be connected to.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{} is in no folder whose sockets the egress policy allows", path.display())]
#[non_exhaustive]
pub struct RefusedSocket {
    /// Its path.
    pub path: PathBuf,
}

/// Where it may not be connected to, and why.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The address lies in a range that is refused.
    #[error("{address} is {range}, which the egress policy refuses")]
    #[non_exhaustive]
    Address {
        /// The address, as it was found.
        address: IpAddr,
        /// What is refused about it.
        range: Range,
    },
    /// The port is one of [`Egress::deny_ports`].
    #[error("port {0} is refused by the egress policy")]
    Port(u16),
    /// It is one of [`Egress::deny_own`].
    #[error("{0} is this gateway's own, which the egress policy refuses")]
    Own(SocketAddr),
}

impl Refused {
    /// The range the address lies in, if it is refused for that.
    #[must_use]
    pub fn range(&self) -> Option<Range> {
        match self {
            Self::Address { range, .. } => Some(*range),
            Self::Port(_) | Self::Own(_) => None,
        }
    }
}

/// A range of addresses that can be refused.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Range {
    /// `127.0.0.0/8` and `::1`.
    Loopback,
    /// `0.0.0.0/8` and `::`: many systems take them for loopback.
    Unspecified,
    /// `169.254.0.0/16` and `fe80::/10`: metadata services live there too.
    LinkLocal,
    /// `224.0.0.0/4` and `ff00::/8`.
    Multicast,
    /// `240.0.0.0/4`, with the broadcast address.
    Reserved,
    /// A metadata or control address of a cloud outside the link-local range.
    Metadata,
    /// `2001::/32` (Teredo) and `64:ff9b:1::/48` (local-use NAT64).
    Tunnel,
    /// Private, shared (`100.64.0.0/10`), unique local and site-local addresses.
    Private,
}

/// Metadata and control addresses that no other range covers: Alibaba Cloud, Oracle Cloud, Azure.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
    Ipv4Addr::new(168, 63, 129, 16),
];

/// The same for IPv6: EC2 and its pods' credentials, Google Cloud, Scaleway.
const METADATA_V6: [Ipv6Addr; 4] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42),
];

impl Egress {
    /// The same with loopback allowed, for tests and for backends on the same machine.
    #[must_use]
    pub fn allow_loopback(mut self) -> Self {
        self.loopback = true;
        self
    }

    /// The same with private ranges refused.
    #[must_use]
    pub fn deny_private(mut self) -> Self {
        self.no_private = true;
        self
    }

    /// The same with the sockets (Unix domain) below a folder allowed. Without one none is: whoever may
    /// define a backend could talk to everything that trusts its own machine.
    #[must_use]
    pub fn allow_sockets(mut self, folder: impl Into<PathBuf>) -> Self {
        self.sockets.push(folder.into());
        self
    }

    /// Whether the socket at `path`, which has no dot segments, may be connected to. Links are not
    /// followed to see where they lead.
    ///
    /// # Errors
    ///
    /// It is in no folder that is allowed.
    pub fn check_path(&self, path: &Path) -> Result<(), RefusedSocket> {
        let dots = path.components().any(|part| matches!(part, Component::ParentDir));
        if !dots && self.sockets.iter().any(|folder| path.starts_with(folder)) {
            return Ok(());
        }
        Err(RefusedSocket { path: path.to_owned() })
    }

    /// The same with these ports refused at every address: those where mail, databases and the like
    /// listen, for gateways that have no business there.
    #[must_use]
    pub fn deny_ports(mut self, ports: impl IntoIterator<Item = u16>) -> Self {
        self.ports.extend(ports);
        self
    }

    /// The same with a socket refused that this process or its neighbours listen on, such as the
    /// gateway's own or that of an admin interface: nobody comes back in through it.
    ///
    /// An unspecified address means the port at every address of this machine. At those that nobody
    /// told of, a connection is closed before anything is sent on it.
    #[must_use]
    pub fn deny_own(mut self, listener: SocketAddr) -> Self {
        self.own.insert(listener);
        self
    }

    /// Whether it may be connected to this port of this address.
    ///
    /// # Errors
    ///
    /// What is refused about it.
    pub fn check_socket(&self, socket: SocketAddr) -> Result<(), Refused> {
        self.check(socket.ip())?;
        self.check_port(socket.port())?;
        let here = socket.ip().is_loopback();
        if self.is_own(socket, here) { Err(Refused::Own(socket)) } else { Ok(()) }
    }

    /// Whether the port may be connected to, wherever.
    ///
    /// # Errors
    ///
    /// It is one of [`Egress::deny_ports`].
    pub fn check_port(&self, port: u16) -> Result<(), Refused> {
        if self.ports.contains(&port) { Err(Refused::Port(port)) } else { Ok(()) }
    }

    /// Whether a connection that was made may be used: one from an address to itself stayed on this
    /// machine.
    pub(super) fn check_made(&self, local: SocketAddr, peer: SocketAddr) -> Result<(), Refused> {
        let here = local.ip() == peer.ip();
        if self.is_own(peer, here) { Err(Refused::Own(peer)) } else { Ok(()) }
    }

    fn is_own(&self, socket: SocketAddr, here: bool) -> bool {
        self.own.iter().any(|own| {
            let address = own.ip() == socket.ip() || here && own.ip().is_unspecified();
            address && own.port() == socket.port()
        })
    }

    /// Whether `address` may be connected to, whatever the port.
    ///
    /// # Errors
    ///
    /// The range it is refused for.
    pub fn check(&self, address: IpAddr) -> Result<(), Refused> {
        let range = match address {
            IpAddr::V4(v4) => range_v4(v4),
            IpAddr::V6(v6) => embedded(v6).map_or_else(|| range_v6(v6), range_v4),
        };
        match range {
            None => Ok(()),
            Some(Range::Loopback) if self.loopback => Ok(()),
            Some(Range::Private) if !self.no_private => Ok(()),
            Some(range) => Err(Refused::Address { address, range }),
        }
    }

    /// Whether `host` may be connected to as far as can be said without resolving it: a name always
    /// may, an address in any spelling a resolver takes for one is judged.
    ///
    /// # Errors
    ///
    /// See [`Egress::check`].
    pub fn check_literal(&self, host: &str) -> Result<(), Refused> {
        literal(host).map_or(Ok(()), |address| self.check(address))
    }

    /// The same for a host and a port.
    ///
    /// # Errors
    ///
    /// See [`Egress::check_socket`].
    pub fn check_endpoint(&self, host: &str, port: u16) -> Result<(), Refused> {
        match literal(host) {
            Some(address) => self.check_socket(SocketAddr::new(address.to_canonical(), port)),
            None => self.check_port(port),
        }
    }
}

fn range_v4(address: Ipv4Addr) -> Option<Range> {
    let [first, second, ..] = address.octets();
    Some(match first {
        _ if METADATA_V4.contains(&address) => Range::Metadata,
        0 => Range::Unspecified,
        127 => Range::Loopback,
        224..=239 => Range::Multicast,
        240.. => Range::Reserved,
        100 if second & 0xc0 == 64 => Range::Private,
        _ if address.is_link_local() => Range::LinkLocal,
        _ if address.is_private() => Range::Private,
        _ => return None,
    })
}

fn range_v6(address: Ipv6Addr) -> Option<Range> {
    let [first, second, third, ..] = address.segments();
    Some(match first {
        _ if METADATA_V6.contains(&address) => Range::Metadata,
        _ if address.is_unspecified() => Range::Unspecified,
        _ if address.is_loopback() => Range::Loopback,
        _ if address.is_multicast() => Range::Multicast,
        _ if address.is_unicast_link_local() => Range::LinkLocal,
        0x2001 if second == 0 => Range::Tunnel,
        0x64 if second == 0xff9b && third == 1 => Range::Tunnel,
        0xfec0..=0xfeff => Range::Private,
        _ if address.is_unique_local() => Range::Private,
        _ => return None,
    })
}

/// The IPv4 address inside: mapped, translated, compatible, NAT64 (RFC 6052), 6to4 (RFC 3056) or
/// ISATAP (RFC 5214 section 6.1).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let of = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        // `::` and `::1` are addresses of their own.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => of(high, low),
        // Within a link the link is what is refused.
        [0xfe80..=0xfebf, ..] => None,
        [.., 0 | 0x200, 0x5efe, high, low] => of(high, low),
        _ => None,
    }
}

/// The address a host is, in any spelling that some resolver takes for one: with brackets, a zone or a
/// trailing dot, and IPv4 in one to four decimal, octal or hexadecimal parts.
fn literal(host: &str) -> Option<IpAddr> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let host = host.split_once('%').map_or(host, |(address, _)| address);
    let host = host.strip_suffix('.').unwrap_or(host);
    host.parse().ok().or_else(|| loose_v4(host).map(IpAddr::V4))
}

/// What `inet_aton` makes of it: the last part fills the bytes the others left.
fn loose_v4(host: &str) -> Option<Ipv4Addr> {
    let mut parts = host.split('.').map(number).collect::<Option<Vec<u32>>>()?;
    let last = parts.pop()?;
    if parts.len() > 3 || parts.iter().any(|part| *part > 255) {
        return None;
    }
    let room = 32 - 8 * u32::try_from(parts.len()).ok()?;
    if u64::from(last) >> room != 0 {
        return None;
    }
    let high = parts.iter().zip([24_u32, 16, 8]);
    let address = high.fold(last, |address, (part, shift)| address | part << shift);
    Some(Ipv4Addr::from(address))
}

fn number(part: &str) -> Option<u32> {
    let (digits, radix) = match part.strip_prefix("0x").or_else(|| part.strip_prefix("0X")) {
        Some("") => return Some(0),
        Some(hex) => (hex, 16),
        None if part.len() > 1 && part.starts_with('0') => (part, 8),
        None => (part, 10),
    };
    // `from_str_radix` alone would take a sign.
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(digits, radix).ok()
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loopback => "a loopback address",
            Self::Unspecified => "an unspecified address",
            Self::LinkLocal => "a link-local address",
            Self::Multicast => "a multicast address",
            Self::Reserved => "a reserved address",
            Self::Metadata => "a cloud's metadata address",
            Self::Tunnel => "a tunnel address",
            Self::Private => "a private address",
        })
    }
}

#[cfg(test)]
mod tests;
