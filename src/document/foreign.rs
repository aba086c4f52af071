//! Other documents in the same formats: they are read from the same trees, with the same faults.

use std::cell::Cell;

use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed};

use super::api as own;
use super::reader::Reader;
use super::row::Row;
use super::tree::ValueSeed;
use crate::model::Api;

pub(crate) use super::fault::Faults;
pub(crate) use super::tree::{Node, Path, Places, Table, Tree, Value};

/// A value as a tree in which everything stands at `at`.
pub(crate) fn node(value: serde_json::Value, at: u32) -> Node<'static> {
    let line = Cell::new(at);
    let seed = ValueSeed { line: &line, depth: 1 };
    // A value deserializes itself: there is nothing to fail.
    seed.deserialize(value).unwrap_or_else(|_| Node::new(at, Value::Null))
}

/// What a tree says, without its lines; `None` if something in it is refused.
pub(crate) fn value(node: &Node<'_>) -> Option<serde_json::Value> {
    serde_json::Value::deserialize(Reader(node)).ok()
}

/// Reads a table with the keys an element of `[[api]]` has, without its names and where it is
/// published. Everything that is wrong with it is told.
pub(crate) fn api(node: Node<'_>, path: &Path<'_>, faults: &mut Faults<'_>) -> Option<Api> {
    own::read(Row::of(node, path, faults)?, faults)
}

/// Reads a table as a value of the model. Everything that is wrong with it is told.
pub(crate) fn element<T: DeserializeOwned>(
    node: Node<'_>,
    path: &Path<'_>,
    faults: &mut Faults<'_>,
) -> Option<T> {
    Row::of(node, path, faults)?.rest(faults, |_: &T| Ok(()))
}
