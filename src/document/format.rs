//! The formats a document can be written in.

use std::path::Path;

/// A format of documents.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Format {
    /// TOML 1.0, the format for people.
    Toml,
    /// JSON.
    Json,
    /// YAML 1.2, its core schema: one document, without tags and aliases.
    Yaml,
}

/// The name of a file does not say in which format it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the file's name does not end in .toml, .json, .yaml or .yml")]
#[non_exhaustive]
pub struct UnknownFormat;

impl Format {
    /// The format a file is in by its name: `.toml`, `.json`, `.yaml` or `.yml`.
    ///
    /// # Errors
    ///
    /// When the name ends otherwise: a guess would be told as errors of syntax.
    pub fn of(path: &Path) -> Result<Self, UnknownFormat> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("toml") => Ok(Self::Toml),
            Some("json") => Ok(Self::Json),
            Some("yaml" | "yml") => Ok(Self::Yaml),
            _ => Err(UnknownFormat),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_name_says_it() {
        for (name, format) in [
            ("/etc/shop.toml", Some(Format::Toml)),
            ("shop.json", Some(Format::Json)),
            ("shop.yaml", Some(Format::Yaml)),
            ("a.b/shop.yml", Some(Format::Yaml)),
            ("shop", None),
            ("shop.toml.bak", None),
            (".toml", None),
        ] {
            assert_eq!(Format::of(Path::new(name)).ok(), format, "{name}");
        }
    }
}
