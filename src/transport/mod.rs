//! HOW bytes travel: the only folder that names hyper's client or rustls.

/// The way to the network.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Transport {}
/// What may be reached.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Egress {}
impl Egress {
    /// Lets definitions point at this machine.
    #[must_use]
    pub fn allow_loopback(self) -> Self {
        self
    }
}
/// A certificate cannot be accepted.
#[derive(Clone, Debug, thiserror::Error)]
#[error("certificate")]
#[non_exhaustive]
pub struct InvalidRoot {}
/// Sets a transport up.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Builder {}
impl Transport {
    /// With defaults.
    #[must_use]
    pub fn builder() -> Builder {
        Builder {}
    }
}
#[expect(
    missing_docs,
    clippy::missing_errors_doc,
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    clippy::needless_pass_by_value,
    reason = "stands in"
)]
impl Builder {
    pub fn egress(self, _: Egress) -> Self {
        self
    }
    pub fn trust(self, _: impl Into<Vec<u8>>) -> Self {
        self
    }
    pub fn build(self) -> Result<Transport, InvalidRoot> {
        Ok(Transport {})
    }
}
