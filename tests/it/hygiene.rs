//! What a hostile or sloppy client or backend may send, a row of the catalogue each: a test's name
//! begins with its row. Rows that belong to what is not there yet have a reason instead.

mod answers;
mod delivery;
mod faults;
mod framing;
mod front;
mod headers;
mod mapped;
mod paths;
mod pools;
pub(crate) mod reasons;
mod resources;
