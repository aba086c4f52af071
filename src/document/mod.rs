//! The desired-state document: a whole registry as one text.
//!
//! [`Document::parse`] reads a text of TOML, JSON or YAML and tells everything that is wrong with it
//! at once, [`Document::text`] writes one. Both are pure. Which keys there are is told in the
//! [manual](crate::manual::document).
//!
//! | file | question |
//! |---|---|
//! | `entry` | what does a document consist of? |
//! | `format`, `limits` | how may it be written, and how large may it be? |
//! | `fault` | what can be wrong with it? |
//! | `tree/` | what stands where in the text? |
//! | `rest` | what is left where something could not be read? |
//! | `read`, `row` | which keys do its tables have? |
//! | `api`, `definition` | and those of an API, and of a definition? |
//! | `element`, `reader` | how is all found that is wrong with one element? |
//! | `foreign` | how are other documents read? |
//! | `write/` | how is it written? |
//! | `difference/` | what has to change so that a registry is as it says? |
//! | `plan` | how is that planned and done? |
//! | `export` | which document says what is true? |

use std::fmt;
use std::sync::Arc;

use crate::model::RegistrySettings;

mod api;
mod definition;
mod difference;
mod element;
mod entry;
mod export;
mod fault;
#[cfg(feature = "openapi")]
pub(crate) mod foreign;
mod format;
pub mod limits;
mod plan;
mod read;
mod reader;
mod rest;
mod row;
mod tree;
mod write;

pub use self::entry::{
    ApiEntry, AppEntry, CredentialEntry, EnvironmentEntry, GrantEntry, GroupEntry, Named,
    ObjectGrantEntry, ServiceEntry, VpcAccessEntry,
};
pub use self::fault::{Fault, InvalidDocument};
pub use self::format::{Format, UnknownFormat};
pub use self::plan::DocumentError;
pub use self::write::Unwritable;

use self::limits::MAX_DOCUMENT;
use self::rest::Read;
use self::tree::Tree;

/// What a registry shall be, as somebody wrote it down.
///
/// Every value in it can be accepted as it stands, and every name stands in its table once; whether
/// it fits a registry, only a plan says. `Debug` shows no secrets.
///
/// ```
/// use backhaul::document::{Document, Format};
/// let text = r#"
///     [[backend_service]]
///     name = "orders"
///     kind = "http"
///
///     [backend_service.definition.RELEASE]
///     url = "http://10.0.0.7:8080"
/// "#;
/// let document = Document::parse(text, Format::Toml)?;
/// assert_eq!(document.services[0].name.as_str(), "orders");
///
/// let error = Document::parse("[[group]]\nnam = \"shop\"", Format::Toml).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "line 1: group[0].name: is required; line 2: group[0].nam: unknown key",
/// );
/// # Ok::<_, backhaul::document::InvalidDocument>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Document {
    /// `[registry]`: how the registry is set.
    pub registry: Option<RegistrySettings>,
    /// `[[environment]]`.
    pub environments: Vec<EnvironmentEntry>,
    /// `[[credential]]`.
    pub credentials: Vec<CredentialEntry>,
    /// `[[vpc_access]]`.
    pub vpc_accesses: Vec<VpcAccessEntry>,
    /// `[[object_grant]]`.
    pub object_grants: Vec<ObjectGrantEntry>,
    /// `[[backend_service]]`.
    pub services: Vec<ServiceEntry>,
    /// `[[group]]`.
    pub groups: Vec<GroupEntry>,
    /// `[[app]]`.
    pub apps: Vec<AppEntry>,
    /// `[[api]]`.
    pub apis: Vec<ApiEntry>,
    /// `[[grant]]`.
    pub grants: Vec<GrantEntry>,
    source: Source,
    read: Read,
}

/// The text a document was read from. It is no part of the document.
#[derive(Clone, Default)]
struct Source(Option<(Arc<str>, Format)>);

impl PartialEq for Source {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "text" } else { "none" })
    }
}

impl Document {
    /// A document with nothing in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a text. All or nothing: what is wrong anywhere refuses the whole.
    ///
    /// # Errors
    ///
    /// Everything that is wrong: unknown, missing and repeated keys, values that cannot be accepted
    /// as they stand, and names that stand in their table twice. Where the text is not in the format
    /// at all, what the parser says of its syntax, and nothing else.
    pub fn parse(text: &str, format: Format) -> Result<Self, InvalidDocument> {
        if text.len() > MAX_DOCUMENT {
            let reason = format!("is longer than {} MiB", MAX_DOCUMENT >> 20);
            return Err(InvalidDocument::new([Fault::new("", reason)]));
        }
        let source = Source(Some((text.into(), format)));
        read::document(Tree::parse(text, format)?, source)
    }

    /// Refuses the document for what was found when it was compared with a registry: each fault gets
    /// the line of its path, where the document was read from a text.
    ///
    /// The text is parsed anew: lines are wanted of documents that are refused, and kept for none.
    pub(crate) fn refuse(&self, faults: impl IntoIterator<Item = Fault>) -> InvalidDocument {
        let source = self.source.0.as_ref();
        let tree = source.and_then(|(text, format)| Tree::parse(text, *format).ok());
        let mut located: Vec<_> = faults.into_iter().collect();
        for fault in
            located.iter_mut().filter(|fault| fault.line.is_none() && !fault.path.is_empty())
        {
            fault.line = tree.as_ref().and_then(|tree| tree.line(&fault.path));
        }
        located.sort_by_key(|fault| fault.line);
        InvalidDocument::new(located)
    }
}

#[cfg(test)]
mod tests;
