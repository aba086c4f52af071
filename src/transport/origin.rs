//! What a pool connects to.

use crate::model::definition::{Tls, Url, WireProtocol};

/// A target as a definition describes it: where it is, and how it is spoken to.
///
/// ```
/// use backhaul::model::definition::{Url, WireProtocol};
/// use backhaul::transport::Origin;
///
/// let url: Url = "http://10.0.0.7:8080".parse()?;
/// let origin = Origin::new(&url).protocol(Some(WireProtocol::Http2));
/// # let _ = origin;
/// # Ok::<(), backhaul::model::definition::InvalidUrl>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Origin<'a> {
    pub(super) url: &'a Url,
    pub(super) protocol: Option<WireProtocol>,
    pub(super) tls: Option<&'a Tls>,
}

impl<'a> Origin<'a> {
    /// The target at `url`, whose base path is not looked at.
    pub fn new(url: &'a Url) -> Self {
        Self { url, protocol: None, tls: None }
    }

    /// The same, spoken to in this protocol. `None`: what an HTTPS target chooses, else HTTP/1.1.
    ///
    /// HTTP/2 without TLS is spoken without asking first (RFC 9113 section 3.3).
    pub fn protocol(mut self, protocol: Option<WireProtocol>) -> Self {
        self.protocol = protocol;
        self
    }

    /// The same with TLS settings that differ from the default. Without TLS they mean nothing.
    pub fn tls(mut self, tls: Option<&'a Tls>) -> Self {
        self.tls = tls;
        self
    }
}

impl<'a> From<&'a Url> for Origin<'a> {
    fn from(url: &'a Url) -> Self {
        Self::new(url)
    }
}
