//! What a kind can do.

/// What backends of a kind can do. The conformance suite holds them to it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Capability {
    /// Whether the response depends on the request, rather than being canned.
    pub forwards: bool,
    /// Whether bodies flow in both directions without being collected.
    pub streams: bool,
    /// Whether the connection can be upgraded. Without it no API for WebSocket attaches to the kind.
    pub upgrades: bool,
}

impl Capability {
    /// Canned answers.
    pub const CANNED: Self = Self { forwards: false, streams: false, upgrades: false };
    /// Requests are forwarded and bodies flow.
    pub const STREAMING: Self = Self { forwards: true, streams: true, upgrades: false };
}
