//! OpenAPI 3: drafts from a description, and a description of drafts.
//!
//! [`Import`] reads a description of OpenAPI 3.0 or 3.1 in JSON or YAML and tells everything that is
//! wrong with it at once; what it says and we cannot keep is a warning. [`Export`] writes one of 3.0.3.
//! What is exported is imported as the same drafts: what OpenAPI has no words for stands in our
//! [extensions](crate::manual::openapi). Nothing is ever fetched.
//!
//! | file | question |
//! |---|---|
//! | `extension`, `limits` | which keys are ours, and how large may a description be? |
//! | `path`, `name` | how do a templated path and an API's path become each other, and what is an operation called? |
//! | `finding`, `reference` | what is wrong or lost, and what do references lead to? |
//! | `import/` | what does a description say? |
//! | `export/` | how are drafts described? |

mod export;
mod extension;
mod finding;
mod import;
pub mod limits;
mod name;
mod path;
mod reference;

pub use self::export::{Export, ExportError, Unexportable};
pub use self::import::{Import, Imported};
