//! THE WAY of a request: received, routed, forwarded, answered.
//!
//! | file | question |
//! |---|---|
//! | `receive`, `host` | what is refused before anybody asks where it should go? |
//! | `forward`, `hop` | what does the backend receive? |
//! | `upload`, `deadline` | how long may it take, and how much may be sent? |
//! | `answer`, `id` | what does the client receive? |
//! | `peer`, `limits` | who is at the other end, and how much is accepted? |

mod answer;
mod deadline;
mod forward;
mod hop;
mod host;
mod id;
pub mod limits;
mod peer;
mod receive;
mod upload;

pub use self::peer::{InvalidNetwork, Network, Peer, Scheme};
