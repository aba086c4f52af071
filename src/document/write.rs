//! Writes documents.
use super::{Document, Format};
/// x
#[derive(Debug)]
pub struct Unwritable;
impl Document {
    /// x
    pub fn text(&self, _f: Format) -> Result<String, Unwritable> {
        Err(Unwritable)
    }
}
