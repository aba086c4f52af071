//! What is wrong with a document.

use std::fmt;
use std::sync::Arc;

use super::Document;
use super::limits::MAX_FAULTS;
use super::rest::Read;
use super::tree::Places;
use crate::model::definition::one_line;

/// One thing that is wrong with a document.
///
/// `Display` is one line: `line 14: backend_service[0].definition.RELEASE.url: has no host`.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Fault {
    /// Where: keys with dots between them, elements of lists by index from 0
    /// (`api[3].backend.service`). Keys that are not letters, digits, `-` and `_` stand in quotes.
    /// Empty for the document as a whole.
    pub path: String,
    /// The line it stands in, from 1, where the text is known. Of a key that is missing: the line
    /// its table begins in.
    pub line: Option<u32>,
    /// What is wrong. Never holds a secret.
    pub reason: String,
}

impl Fault {
    /// A fault at a place that is not known to stand in a text.
    #[must_use]
    pub fn new(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { path: path.into(), line: None, reason: reason.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", one_line(&self.path))?;
        }
        f.write_str(&one_line(&self.reason))
    }
}

/// A document cannot be accepted: everything that is wrong with it, in the order of its lines.
///
/// `Display` is one line with all faults, `; ` between them. At most [`MAX_FAULTS`] are told one by
/// one, the others are counted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub struct InvalidDocument {
    faults: Vec<Fault>,
    more: usize,
    pub(super) rest: Rest,
}

/// What could be read of the document. It makes no difference between two refusals.
#[derive(Clone, Default)]
pub(super) struct Rest(pub(super) Option<Arc<Document>>);

impl PartialEq for Rest {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Rest {}

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "some" } else { "none" })
    }
}

impl InvalidDocument {
    /// With these faults, of which there is at least one.
    pub(crate) fn new(faults: impl IntoIterator<Item = Fault>) -> Self {
        let mut faults: Vec<_> = faults.into_iter().collect();
        let more = faults.len().saturating_sub(MAX_FAULTS);
        faults.truncate(MAX_FAULTS);
        Self { faults, more, rest: Rest::default() }
    }

    /// With the faults of another one too.
    pub(super) fn and(self, other: Self) -> Self {
        let more = self.more + other.more;
        let mut faults = self.faults;
        faults.extend(other.faults);
        faults.sort_by_key(|fault| fault.line);
        let mut all = Self::new(faults);
        all.more += more;
        all
    }

    /// The faults that are told one by one.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// How many more there are at least.
    #[must_use]
    pub fn more(&self) -> usize {
        self.more
    }
}

impl fmt::Display for InvalidDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            let between = if index == 0 { "" } else { "; " };
            write!(f, "{between}{fault}")?;
        }
        match self.more {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

/// The faults found so far, with their places in a text.
#[derive(Debug)]
pub(crate) struct Faults<'t> {
    places: Places<'t>,
    told: Vec<(u32, Fault)>,
    more: usize,
    /// The elements that were read, or were to be.
    pub(super) read: Read,
}

impl<'t> Faults<'t> {
    pub(crate) fn new(places: Places<'t>) -> Self {
        Self { places, told: Vec::new(), more: 0, read: Read::default() }
    }

    /// One more.
    pub(crate) fn tell(&mut self, at: u32, path: impl fmt::Display, reason: impl Into<String>) {
        if self.told.len() < MAX_FAULTS {
            self.told.push((at, Fault::new(path.to_string(), reason)));
        } else {
            self.more += 1;
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.told.len() + self.more
    }

    /// Where a place is, in words.
    pub(super) fn place(&self, at: u32) -> String {
        self.places.line(at).map_or_else(String::new, |line| format!(", first in line {line}"))
    }

    /// `value` if there are none.
    pub(crate) fn or<T>(mut self, value: T) -> Result<T, InvalidDocument> {
        if self.told.is_empty() {
            return Ok(value);
        }
        self.told.sort_by_key(|(at, _)| *at);
        let places = self.places;
        let located = self.told.into_iter().map(|(at, mut fault)| {
            fault.line = places.line(at);
            fault
        });
        let faults = located.collect();
        Err(InvalidDocument { faults, more: self.more, rest: Rest::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_faults_are_one_line() {
        let mut faults = Faults::new(Places::Lines);
        faults.tell(7, "b\n", "is\u{1b}[2J wrong");
        faults.tell(3, "", "is empty");
        let error = faults.or(()).unwrap_err();
        assert_eq!(error.to_string(), "line 3: is empty; line 7: b\\n: is\\u{1b}[2J wrong");
    }

    #[test]
    fn what_is_too_much_is_counted() {
        let mut faults = Faults::new(Places::Unknown);
        for index in 0..MAX_FAULTS + 2 {
            faults.tell(0, index, "x");
        }
        let error = faults.or(()).unwrap_err();
        assert_eq!((error.faults().len(), error.more()), (MAX_FAULTS, 2));
        assert!(error.to_string().ends_with("; 99: x; and 2 more"));
        let all = (0..MAX_FAULTS + 2).map(|_| Fault::new("a", "b"));
        assert_eq!(InvalidDocument::new(all).more(), 2);
    }
}
