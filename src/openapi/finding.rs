//! What is wrong with a description, and what of it is lost.

use std::collections::HashSet;
use std::fmt;

use super::limits::MAX_WARNINGS;
use crate::document::foreign::{Faults, Places};
use crate::document::{Fault, InvalidDocument};

/// What was found so far.
#[derive(Debug)]
pub(super) struct Findings<'t> {
    places: Places<'t>,
    pub(super) faults: Faults<'t>,
    warnings: Vec<Fault>,
    more: usize,
}

impl<'t> Findings<'t> {
    pub(super) fn new(places: Places<'t>) -> Self {
        Self { places, faults: Faults::new(places), warnings: Vec::new(), more: 0 }
    }

    /// Something is wrong.
    pub(super) fn fault(&mut self, at: u32, path: impl fmt::Display, reason: impl Into<String>) {
        self.faults.tell(at, path, reason);
    }

    /// Something is not kept. What several operations refer to is told once.
    pub(super) fn warn(&mut self, at: u32, path: impl fmt::Display, reason: impl Into<String>) {
        if self.warnings.len() >= MAX_WARNINGS {
            self.more += 1;
            return;
        }
        let warning = Fault { line: self.places.line(at), ..Fault::new(path.to_string(), reason) };
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// `value` and the warnings, unless something is wrong.
    pub(super) fn or<T>(self, value: T) -> Result<(T, Vec<Fault>), InvalidDocument> {
        let Self { faults, mut warnings, more, .. } = self;
        faults.or(()).map_err(once)?;
        warnings.sort_by_key(|warning| warning.line);
        if more > 0 {
            warnings.push(Fault::new("", format!("{more} more warnings are not told")));
        }
        Ok((value, warnings))
    }
}

/// Each fault once: what is wrong with a component was found by everybody who refers to it.
fn once(error: InvalidDocument) -> InvalidDocument {
    if error.more() > 0 {
        return error;
    }
    let mut seen = HashSet::new();
    let first = |fault: &&Fault| seen.insert((fault.path.clone(), fault.reason.clone()));
    InvalidDocument::new(error.faults().iter().filter(first).cloned().collect::<Vec<_>>())
}
