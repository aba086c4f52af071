//! HOW bytes travel: the only folder that names hyper's client or rustls.

/// The way to the network. (Replaced by the transport work.)
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Transport {}
