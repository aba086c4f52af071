//! Reading a description value by value.

use std::collections::HashMap;
use std::fmt;

use crate::document::foreign::{Node, Path, Value};
use crate::model::GroupName;
use crate::openapi::extension::VENDOR;
use crate::openapi::finding::Findings;
use crate::openapi::reference::{Components, entries, key};

use super::Import;

/// What is known while a description is read.
#[derive(Debug)]
pub(in crate::openapi) struct Reading<'n> {
    pub(super) root: &'n Node<'n>,
    pub(super) settings: &'n Import,
    pub(super) group: GroupName,
    pub(super) components: Components<'n>,
    /// The modelled system's keys that stand at the root, for every operation.
    pub(super) defaults: HashMap<&'n str, &'n Node<'n>>,
    /// Whether there are security requirements for every operation, once that was asked.
    pub(super) required: Option<bool>,
    pub(in crate::openapi) findings: Findings<'n>,
}

impl<'n> Reading<'n> {
    pub(super) fn new(
        root: &'n Node<'n>,
        settings: &'n Import,
        group: GroupName,
        findings: Findings<'n>,
    ) -> Self {
        let defaults = entries(Some(root)).filter(|(name, _)| name.starts_with(VENDOR)).collect();
        let components = Components::of(root);
        Self { root, settings, group, components, defaults, required: None, findings }
    }

    pub(super) fn fault(&mut self, at: u32, path: impl fmt::Display, reason: impl Into<String>) {
        self.findings.fault(at, path, reason);
    }

    pub(super) fn warn(&mut self, at: u32, path: impl fmt::Display, reason: impl Into<String>) {
        self.findings.warn(at, path, reason);
    }

    /// What is not `wanted` is wrong.
    fn instead_of(&mut self, node: &Node<'_>, path: Path<'_>, wanted: &str) {
        self.findings.fault(node.at, path, node.value.instead_of(wanted));
    }

    /// The text under a key.
    pub(super) fn text(
        &mut self,
        of: &'n Node<'n>,
        path: &Path<'_>,
        name: &str,
    ) -> Option<&'n str> {
        let node = key(of, name)?;
        match &node.value {
            Value::Text(text) => Some(text),
            _ => {
                self.instead_of(node, Path::Key(path, name), "text");
                None
            }
        }
    }

    /// The truth value under a key; the old tools of the modelled system write it as text.
    pub(super) fn flag(&mut self, of: &'n Node<'n>, path: &Path<'_>, name: &str) -> Option<bool> {
        let node = key(of, name)?;
        match &node.value {
            Value::Bool(flag) => Some(*flag),
            Value::Text(text) if matches!(text.as_ref(), "true" | "false") => Some(text == "true"),
            _ => {
                self.instead_of(node, Path::Key(path, name), "true or false");
                None
            }
        }
    }

    /// The list under a key; empty, if there is none.
    pub(super) fn list(&mut self, of: &'n Node<'n>, path: &Path<'_>, name: &str) -> &'n [Node<'n>] {
        let Some(node) = key(of, name) else {
            return &[];
        };
        match &node.value {
            Value::List(list) => list,
            _ => {
                self.instead_of(node, Path::Key(path, name), "a list");
                &[]
            }
        }
    }

    /// The table under a key.
    pub(super) fn table(
        &mut self,
        of: &'n Node<'n>,
        path: &Path<'_>,
        name: &str,
    ) -> Option<&'n Node<'n>> {
        let node = key(of, name)?;
        self.is_table(node, &Path::Key(path, name)).then_some(node)
    }

    /// Whether it is a table; if not, that is wrong.
    pub(super) fn is_table(&mut self, node: &Node<'_>, path: &Path<'_>) -> bool {
        let table = matches!(node.value, Value::Table(_));
        if !table {
            self.instead_of(node, *path, "a table");
        }
        table
    }

    /// Reads a table, or the component of `section` that it refers to, where that stands.
    pub(super) fn referred<T>(
        &mut self,
        node: &'n Node<'n>,
        path: &Path<'_>,
        section: &str,
        read: impl FnOnce(&mut Self, &'n Node<'n>, &Path<'_>) -> Option<T>,
    ) -> Option<T> {
        if !self.is_table(node, path) {
            return None;
        }
        let Some(reference) = key(node, "$ref") else {
            return read(self, node, path);
        };
        match self.components.follow(reference, section) {
            Err(reason) => {
                self.fault(reference.at, Path::Key(path, "$ref"), reason);
                None
            }
            Ok((name, node)) => {
                let components = Path::Key(&Path::Root, "components");
                let section = Path::Key(&components, section);
                let path = Path::Key(&section, name);
                self.is_table(node, &path).then(|| read(self, node, &path)).flatten()
            }
        }
    }
}
