//! An HTTP or HTTPS endpoint.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use ::http::uri::Authority;
use serde::{Deserialize, Serialize};

use super::{InvalidDefinition, check_token};

/// An HTTP or HTTPS endpoint, or several.
///
/// ```
/// use backhaul::Http;
/// let http = Http::to("http://10.0.0.7:8080/base").host("orders.internal");
/// assert_eq!(http.url.as_deref(), Some("http://10.0.0.7:8080/base"));
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Http {
    /// Scheme, host, port and base path. The base path is joined with the API's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Several endpoints instead of one URL.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<Endpoint>,
    /// How one of several endpoints is chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balance: Option<String>,
    /// The Host sent to the backend. Absent: the URL's authority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// TLS settings that differ from the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// The protocol on the wire. Absent: by scheme and ALPN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<WireProtocol>,
}

/// One of several endpoints.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Endpoint {
    /// Scheme, host, port and base path.
    pub url: String,
    /// Its share of the requests, at least 1.
    #[serde(default = "one")]
    pub weight: u16,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

/// TLS settings of an endpoint.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Tls {
    /// File with the authorities to trust instead of the platform's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// File with the client's certificate chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_cert: Option<String>,
    /// File with the client's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_key: Option<String>,
    /// The name to ask for and verify. Absent: the URL's host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// `1.2` or `1.3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_version: Option<String>,
}

/// The protocol spoken to an endpoint.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum WireProtocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

impl Http {
    /// The endpoint at `url`, such as `http://10.0.0.7:8080` or `https://orders.internal/base`.
    #[must_use]
    pub fn to(url: impl Into<String>) -> Self {
        Self { url: Some(url.into()), ..Self::default() }
    }

    /// The same with this Host sent to the backend.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    pub(super) fn check(&self) -> Result<(), InvalidDefinition> {
        match (&self.url, self.endpoints.is_empty()) {
            (Some(url), true) => check_url("url", url)?,
            (None, false) => {
                for (index, endpoint) in self.endpoints.iter().enumerate() {
                    check_url(&format!("endpoints[{index}].url"), &endpoint.url)?;
                    if endpoint.weight == 0 {
                        let field = format!("endpoints[{index}].weight");
                        return Err(InvalidDefinition::new(field, "is 0"));
                    }
                }
            }
            (Some(_), false) => {
                return Err(InvalidDefinition::new("endpoints", "stands beside url"));
            }
            (None, true) => return Err(InvalidDefinition::new("url", "is required")),
        }
        if let Some(host) = &self.host {
            check_authority("host", host)?;
        }
        if let Some(version) = self.tls.as_ref().and_then(|tls| tls.min_version.as_deref())
            && !matches!(version, "1.2" | "1.3")
        {
            return Err(InvalidDefinition::new("tls.min_version", "is neither 1.2 nor 1.3"));
        }
        Ok(())
    }
}

fn check_url(field: &str, text: &str) -> Result<(), InvalidDefinition> {
    match text.parse::<Url>() {
        Ok(_) => Ok(()),
        Err(error) => Err(InvalidDefinition::new(field, error.reason)),
    }
}

/// Whether `text` can be sent as a Host.
fn check_authority(field: &str, text: &str) -> Result<(), InvalidDefinition> {
    check_token(field, text)?;
    let valid = text.parse::<Authority>().is_ok_and(|authority| {
        !text.contains('@') && is_host(authority.host()) && port(&authority).is_ok()
    });
    if valid {
        Ok(())
    } else {
        let shown: String = text.chars().take(80).collect();
        Err(InvalidDefinition::new(field, format!("{shown:?} is not a host or host:port")))
    }
}

/// Whether it is a DNS name, in any case and perhaps with a trailing dot, an IPv4 address, or an IPv6
/// address in brackets. `Authority` lets more pass.
fn is_host(text: &str) -> bool {
    if let Some(inner) = text.strip_prefix('[') {
        return inner.strip_suffix(']').is_some_and(|inner| inner.parse::<Ipv6Addr>().is_ok());
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let name = text.strip_suffix('.').unwrap_or(text);
    name.len() <= 253 && name.split('.').all(label)
}

/// The port that is written. `Authority` lets ports pass that are no numbers.
fn port(authority: &Authority) -> Result<Option<u16>, &'static str> {
    let written = authority.as_str().get(authority.host().len()..).unwrap_or_default();
    let Some(digits) = written.strip_prefix(':') else {
        return Ok(None);
    };
    // `parse` alone would take a sign.
    match digits.parse() {
        Ok(port) if port > 0 && digits.bytes().all(|b| b.is_ascii_digit()) => Ok(Some(port)),
        _ => Err("its port is not a number from 1 to 65535"),
    }
}

/// The URL of an endpoint, taken apart.
///
/// * scheme `http` or `https`, or `http+unix` with the percent-encoded path of a socket for its host:
///   `http+unix://%2Frun%2Forders.sock/base`
/// * a host, and no user information, query or fragment
/// * a base path without dot segments, without its trailing slash
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Url {
    https: bool,
    host: Box<str>,
    port: u16,
    authority: Box<str>,
    base_path: Box<str>,
    socket: Option<Box<str>>,
}

impl Url {
    /// Whether the endpoint is reached by TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// The host alone: a name, an IPv4 address, or an IPv6 address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, 80 or 443 where none is written.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Host and, where one is written, port: as sent in a Host header.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The path of the socket it is reached by, instead of host and port.
    #[must_use]
    pub fn socket(&self) -> Option<&str> {
        self.socket.as_deref()
    }

    /// The path every request's path is put behind: empty, or `/base` without a trailing slash.
    #[must_use]
    pub fn base_path(&self) -> &str {
        &self.base_path
    }
}

/// The text is not the URL of an endpoint.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{reason}")]
pub struct InvalidUrl {
    reason: String,
}

impl FromStr for Url {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        let refuse = |reason: &str| InvalidUrl { reason: reason.to_owned() };
        // `Uri` cuts a fragment off silently and takes a query for granted.
        if text.contains(['#', '?', '\\']) {
            return Err(refuse("contains a query, a fragment or a backslash"));
        }
        if let Some(rest) = text.strip_prefix(UNIX) {
            return Self::local(rest).map_err(refuse);
        }
        let uri: http::Uri =
            text.parse().map_err(|error| refuse(&format!("is not a URL: {error}")))?;
        let https = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            Some(_) => return Err(refuse("its scheme is neither http nor https")),
            None => return Err(refuse("has no scheme; write http:// or https://")),
        };
        let authority = uri.authority().ok_or_else(|| refuse("has no host"))?;
        if authority.as_str().contains('@') {
            return Err(refuse("contains user information"));
        }
        if !is_host(authority.host()) {
            return Err(refuse("its host is neither a name nor an address"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let port = port(authority).map_err(refuse)?.unwrap_or(if https { 443 } else { 80 });
        let base_path = uri.path().trim_end_matches('/');
        if let Err(reason) = crate::model::path::check_request_path(uri.path()) {
            return Err(refuse(&format!("its path {reason}")));
        }
        Ok(Self {
            https,
            host: host.to_ascii_lowercase().into(),
            port,
            authority: authority.as_str().into(),
            base_path: base_path.into(),
            socket: None,
        })
    }
}

/// How the URL of a socket begins.
const UNIX: &str = "http+unix://";
/// Bytes in a socket's path: what systems have room for.
const MAX_SOCKET_PATH: usize = 100;

impl Url {
    /// The socket at a percent-encoded path, and a base path.
    fn local(rest: &str) -> Result<Self, &'static str> {
        let (encoded, base) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let socket = decoded(encoded).ok_or("its socket is not percent-encoded text")?;
        let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
        let is_path = socket.strip_prefix('/').is_some_and(|path| path.split('/').all(plain));
        if !is_path || socket.contains(|c: char| c.is_control()) {
            return Err("its socket is not an absolute path without dot segments");
        }
        if socket.len() > MAX_SOCKET_PATH {
            return Err("its socket's path has more than 100 bytes");
        }
        if !base.is_empty() {
            crate::model::path::check_request_path(base).map_err(|_| "its path is none")?;
        }
        Ok(Self {
            https: false,
            host: Box::default(),
            port: 0,
            authority: "localhost".into(),
            base_path: base.trim_end_matches('/').into(),
            socket: Some(socket.into()),
        })
    }
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let value = digit(rest.next())? * 16 + digit(rest.next())?;
                u8::try_from(value).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(socket) = &self.socket {
            let encoded = socket.replace('%', "%25").replace('/', "%2F");
            return write!(f, "{UNIX}{encoded}{}", self.base_path);
        }
        let scheme = if self.https { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.base_path)
    }
}

fn one() -> u16 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let url: Url = "http://Orders.Internal:8080/base/".parse().unwrap();
        assert_eq!((url.host(), url.port(), url.base_path()), ("orders.internal", 8080, "/base"));
        let url: Url = "https://[2001:db8::1]".parse().unwrap();
        assert_eq!((url.host(), url.port(), url.base_path()), ("2001:db8::1", 443, ""));
        let url: Url = "http+unix://%2Frun%2Fa%25b.sock/base/".parse().unwrap();
        assert_eq!((url.socket(), url.base_path()), (Some("/run/a%b.sock"), "/base"));
        assert_eq!(url.to_string(), "http+unix://%2Frun%2Fa%25b.sock/base");
        assert_eq!(url.to_string().parse::<Url>().unwrap(), url);
        for bad in [
            "",
            "orders",
            "/orders",
            "ftp://a",
            "http://",
            "http://a@b/",
            "http://a/?x",
            "http://a/#x",
            "http://a:0",
            "http://a:99999",
            "http://a:x",
            "http://a/../b",
            "http://a/%2e%2e/b",
            "http://a\\b",
            "http://a b",
            "http+unix://run",
            "http+unix:///run/a.sock",
            "http+unix://%2Frun%2F..%2Fa",
            "http+unix://%2Frun%2F%2Fa",
            "http+unix://%2Frun%00",
            "http+unix://%2Frun%zz",
            "https+unix://%2Frun%2Fa",
        ] {
            assert!(bad.parse::<Url>().is_err(), "{bad}");
        }
    }
}
