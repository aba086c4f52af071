//! Where this node may connect to.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Component, Path, PathBuf};

/// Which addresses may be connected to. Judged for every address right before it is dialled, so a
/// name that resolves differently the second time gains nothing.
///
/// Refused unless allowed by name: loopback. Always refused: unspecified, link-local, multicast,
/// broadcast and reserved addresses, the metadata services of clouds, and IPv6 ranges that hide an
/// IPv4 address which cannot be judged (Teredo, local-use NAT64). An address that embeds an IPv4
/// address is judged as that one. Private ranges are allowed, because reaching private hosts is what
/// gateways are for, and can be refused with [`Egress::deny_private`].
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
}

/// A socket of this machine that may not be connected to.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{} is in no folder whose sockets the egress policy allows", path.display())]
#[non_exhaustive]
pub struct RefusedSocket {
    /// Its path.
    pub path: PathBuf,
}

/// An address that may not be connected to, and the range it lies in.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{address} is {range}, which the egress policy refuses")]
#[non_exhaustive]
pub struct Refused {
    /// The address, as it was found.
    pub address: IpAddr,
    /// What is refused about it.
    pub range: Range,
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

/// The same for IPv6: EC2, Google Cloud.
const METADATA_V6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
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

    /// Whether `address` may be connected to.
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
            Some(range) => Err(Refused { address, range }),
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

/// The IPv4 address inside: mapped, translated, compatible, NAT64 (RFC 6052) or 6to4 (RFC 3056).
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
