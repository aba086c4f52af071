//! What is left of a document of which something could not be read: enough to tell what else is wrong.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::tree::{Node, Value};
use super::{Document, Fault, InvalidDocument};

/// Of each table, what was to be read. Empty for a document that could be read. It is no part of the
/// document.
#[derive(Clone, Default)]
pub(super) struct Read {
    tables: BTreeMap<Box<str>, Vec<Label>>,
    faults: Arc<[Fault]>,
}

/// What an element was called, as far as that could be read, and whether it is in the document.
#[derive(Clone)]
struct Label {
    name: Option<Box<str>>,
    there: bool,
}

impl PartialEq for Read {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.tables.is_empty() { "whole" } else { "in part" })
    }
}

/// The name of an element, for the tables whose elements have one.
pub(super) fn label(node: &Node<'_>) -> Option<Box<str>> {
    let text = |key: &str| match &node.step(key)?.1.value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    };
    let name = text("name")?;
    Some(match text("group") {
        Some(group) => format!("{group}/{name}").into(),
        None => (*name).into(),
    })
}

impl Read {
    /// Notes an element of a table, and whether it could be read.
    pub(super) fn note(&mut self, table: &str, name: Option<Box<str>>, there: bool) {
        let label = Label { name, there };
        match self.tables.get_mut(table) {
            Some(labels) => labels.push(label),
            None => drop(self.tables.insert(table.into(), vec![label])),
        }
    }
}

impl InvalidDocument {
    /// The same with what could be read of the document.
    pub(super) fn with_rest(mut self, mut document: Document, read: Read) -> Self {
        document.read = Read { faults: self.faults().into(), ..read };
        self.rest = super::fault::Rest(Some(Arc::new(document)));
        self
    }
}

impl Document {
    /// The index in the text of an element of a table.
    pub(super) fn written_index(&self, table: &str, at: usize) -> usize {
        let labels = self.read.tables.get(table).map(Vec::as_slice).unwrap_or_default();
        let mut there = labels.iter().enumerate().filter(|(_, label)| label.there);
        there.nth(at).map_or(at, |(index, _)| index)
    }

    /// The names of the elements of a table that could not be read.
    pub(super) fn unread(&self, table: &str) -> impl Iterator<Item = &str> {
        let labels = self.read.tables.get(table).into_iter().flatten();
        labels.filter(|label| !label.there).filter_map(|label| label.name.as_deref())
    }

    /// Whether the element of a table that has a name could not be read, or something at `key` of it.
    pub(super) fn is_broken(&self, table: &str, name: &str, key: &str) -> bool {
        let labels = self.read.tables.get(table).into_iter().flatten().enumerate();
        let mut named = labels.filter(|(_, label)| label.name.as_deref() == Some(name));
        named.any(|(index, label)| {
            let below = |path: &str| {
                let rest = path.strip_prefix(&format!("{table}[{index}]{key}"));
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            };
            !label.there || (!key.is_empty() && self.read.faults.iter().any(|f| below(&f.path)))
        })
    }
}
