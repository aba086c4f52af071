//! One element of a table of a document, key by key.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::str::FromStr;

use serde::de::DeserializeOwned;

use super::element;
use super::fault::Faults;
use super::reader::{REQUIRED, Reader, UNKNOWN_KEY, Wrong};
use super::tree::{Node, Path, Table, Value};
use crate::model::{Environment, InvalidDefinition};

/// A table whose keys are taken out one after the other.
pub(super) struct Row<'t, 'p> {
    pub(super) at: u32,
    pub(super) path: &'p Path<'p>,
    table: Table<'t>,
}

impl<'t, 'p> Row<'t, 'p> {
    /// The table at a node.
    pub(super) fn of(node: Node<'t>, path: &'p Path<'p>, faults: &mut Faults<'_>) -> Option<Self> {
        match node.value {
            Value::Table(table) => Some(Self { at: node.at, path, table }),
            other => {
                faults.tell(node.at, path, other.instead_of("a table"));
                None
            }
        }
    }

    /// Takes a key out.
    pub(super) fn take(&mut self, key: &str) -> Option<Node<'t>> {
        let index = self.table.iter().position(|(other, _)| other == key)?;
        Some(self.table.remove(index).1)
    }

    /// Takes the keys out that `wanted` names, as a table of their own.
    pub(super) fn split(&mut self, wanted: impl Fn(&str, &Node<'t>) -> bool) -> Node<'t> {
        let all = std::mem::take(&mut self.table);
        let (taken, left) = all.into_iter().partition(|(key, node)| wanted(key, node));
        self.table = left;
        Node::new(self.at, Value::Table(taken))
    }

    /// Puts a key in.
    pub(super) fn put(&mut self, key: &'static str, node: Node<'t>) {
        self.table.push((key.into(), node));
    }

    /// Whether a key is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.iter().any(|(other, _)| other == key)
    }

    /// The text under a key, where it stands, if it is there and is text.
    pub(super) fn text(
        &mut self,
        key: &str,
        faults: &mut Faults<'_>,
    ) -> Option<(u32, Cow<'t, str>)> {
        let node = self.take(key)?;
        match node.value {
            Value::Text(text) => Some((node.at, text)),
            other => {
                faults.tell(node.at, Path::Key(self.path, key), other.instead_of("text"));
                None
            }
        }
    }

    /// The same of a key that must be there.
    pub(super) fn required_text(
        &mut self,
        key: &str,
        faults: &mut Faults<'_>,
    ) -> Option<(u32, Cow<'t, str>)> {
        if !self.has(key) {
            faults.tell(self.at, Path::Key(self.path, key), REQUIRED);
        }
        self.text(key, faults)
    }

    /// What the text under a key is parsed to.
    pub(super) fn parsed<T>(&mut self, key: &str, faults: &mut Faults<'_>) -> Option<T>
    where
        T: FromStr<Err: fmt::Display>,
    {
        let (at, text) = self.text(key, faults)?;
        parse(at, &text, &Path::Key(self.path, key), faults)
    }

    /// The same of a key that must be there.
    pub(super) fn required<T>(&mut self, key: &str, faults: &mut Faults<'_>) -> Option<(u32, T)>
    where
        T: FromStr<Err: fmt::Display>,
    {
        let (at, text) = self.required_text(key, faults)?;
        Some((at, parse(at, &text, &Path::Key(self.path, key), faults)?))
    }

    /// A description, empty if it is not there.
    pub(super) fn description(&mut self, faults: &mut Faults<'_>) -> Option<String> {
        if !self.has("description") {
            return Some(String::new());
        }
        let (at, text) = self.text("description", faults)?;
        if let Err(error) = crate::model::version::check_description(&text) {
            faults.tell(at, Path::Key(self.path, "description"), error.reason);
        }
        Some(text.into_owned())
    }

    /// The tables under a key, each under the name of an environment.
    pub(super) fn by_environment<T>(
        &mut self,
        key: &str,
        faults: &mut Faults<'_>,
        mut read: impl FnMut(Node<'t>, &Path<'_>, &mut Faults<'_>) -> Option<T>,
    ) -> BTreeMap<Environment, T> {
        let mut all = BTreeMap::new();
        let path = Path::Key(self.path, key);
        let Some(Row { table, .. }) = self.take(key).and_then(|node| Row::of(node, &path, faults))
        else {
            return all;
        };
        for (name, node) in table {
            let path = Path::Key(&path, &name);
            let environment = parse(node.at, &name, &path, faults);
            let value = read(node, &path, faults);
            if let Some((environment, value)) = environment.zip(value) {
                all.insert(environment, value);
            }
        }
        all
    }

    /// The names of environments in the list under a key, each once.
    pub(super) fn environments(&mut self, key: &str, faults: &mut Faults<'_>) -> Vec<Environment> {
        let path = Path::Key(self.path, key);
        let list = match self.take(key) {
            None => return Vec::new(),
            Some(Node { value: Value::List(list), .. }) => list,
            Some(node) => {
                faults.tell(node.at, path, node.value.instead_of("a list of environments"));
                return Vec::new();
            }
        };
        let (mut all, mut places) = (Vec::new(), BTreeMap::new());
        for (index, node) in list.into_iter().enumerate() {
            let path = Path::Index(&path, index);
            let Value::Text(name) = &node.value else {
                faults.tell(node.at, path, node.value.instead_of("the name of an environment"));
                continue;
            };
            let Some(environment) = parse::<Environment>(node.at, name, &path, faults) else {
                continue;
            };
            match places.entry(environment.clone()) {
                Entry::Vacant(place) => {
                    place.insert(index);
                    all.push(environment);
                }
                Entry::Occupied(first) => {
                    let reason = format!("{name:?} stands there twice, first at {}", first.get());
                    faults.tell(node.at, path, reason);
                }
            }
        }
        all
    }

    /// What the keys that are left are read as.
    pub(super) fn rest<T: DeserializeOwned>(
        self,
        faults: &mut Faults<'_>,
        check: impl Fn(&T) -> Result<(), InvalidDefinition>,
    ) -> Option<T> {
        let mut node = Node::new(self.at, Value::Table(self.table));
        element::read(&mut node, self.path, faults, |node| {
            let value = T::deserialize(Reader(node))?;
            check(&value).map_err(|error| Wrong::checked(node, error))?;
            Ok(value)
        })
    }

    /// The keys that are left, as a table.
    pub(super) fn node(self) -> Node<'t> {
        Node::new(self.at, Value::Table(self.table))
    }

    /// Tells all keys that are left.
    pub(super) fn end(self, faults: &mut Faults<'_>) {
        for (key, node) in self.table {
            faults.tell(node.at, Path::Key(self.path, &key), UNKNOWN_KEY);
        }
    }
}

/// What a text is parsed to.
pub(super) fn parse<T>(at: u32, text: &str, path: &Path<'_>, faults: &mut Faults<'_>) -> Option<T>
where
    T: FromStr<Err: fmt::Display>,
{
    match text.parse() {
        Ok(value) => Some(value),
        Err(error) => {
            faults.tell(at, path, error.to_string());
            None
        }
    }
}
