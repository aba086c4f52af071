//! What references lead to. Only components of the same document are looked up; nothing is fetched.

use std::collections::HashMap;

use super::limits::{MAX_REFERENCES, MAX_REFERRED};
use crate::document::foreign::{Node, Value};

/// Everything that can be referred to.
#[derive(Debug)]
pub(super) struct Components<'n> {
    all: HashMap<(&'n str, &'n str), (&'n Node<'n>, usize)>,
    left: usize,
}

/// A component, with its name.
pub(super) type Component<'n> = (&'n str, &'n Node<'n>);

impl<'n> Components<'n> {
    pub(super) fn of(root: &'n Node<'n>) -> Self {
        let sections = entries(key(root, "components"));
        let all = sections.flat_map(|(section, table)| {
            let components = entries(Some(table));
            components.map(move |(name, node)| ((section, name), (node, weight(node))))
        });
        Self { all: all.collect(), left: MAX_REFERRED }
    }

    pub(super) fn find(&self, section: &str, name: &str) -> Option<&'n Node<'n>> {
        self.all.get(&(section, name)).map(|(node, _)| *node)
    }

    /// What `node`, which refers to something, leads to: a component of `section`.
    ///
    /// # Errors
    ///
    /// Why it leads nowhere.
    pub(super) fn follow(
        &mut self,
        reference: &'n Node<'n>,
        section: &str,
    ) -> Result<Component<'n>, String> {
        let mut next = reference;
        for _ in 0..MAX_REFERENCES {
            let Value::Text(text) = &next.value else {
                return Err(next.value.instead_of("text"));
            };
            let (name, node) = self.component(text, section)?;
            match key(node, "$ref") {
                Some(further) => next = further,
                None => return Ok((name, node)),
            }
        }
        Err(format!("leads to more than {MAX_REFERENCES} references, or in a circle"))
    }

    fn component(&mut self, text: &'n str, section: &str) -> Result<Component<'n>, String> {
        let shown = || text.chars().take(80).collect::<String>();
        if !text.starts_with('#') {
            return Err(format!("{:?} is in another document, which is never fetched", shown()));
        }
        let name = text.strip_prefix("#/components/").and_then(|rest| {
            let name = rest.strip_prefix(section)?.strip_prefix('/')?;
            (!name.contains('/')).then_some(name)
        });
        let Some(name) = name else {
            return Err(format!("{:?} is not in #/components/{section}", shown()));
        };
        let Some((node, weight)) = self.all.get(&(section, name)) else {
            return Err(format!("{:?} is not there", shown()));
        };
        match self.left.checked_sub(*weight) {
            Some(left) => self.left = left,
            None => return Err("refers to more than is read by references".to_owned()),
        }
        Ok((name, node))
    }
}

/// The value under a key, unless it is null.
pub(super) fn key<'n>(node: &'n Node<'n>, name: &str) -> Option<&'n Node<'n>> {
    let found = entries(Some(node)).find(|(key, _)| *key == name);
    found.map(|(_, node)| node).filter(|node| !matches!(node.value, Value::Null))
}

/// Where the value under a key stands, or what it should stand in.
pub(super) fn place(node: &Node<'_>, name: &str) -> u32 {
    key(node, name).map_or(node.at, |value| value.at)
}

/// The entries of a table; none, if it is not one.
pub(super) fn entries<'n>(
    node: Option<&'n Node<'n>>,
) -> impl Iterator<Item = (&'n str, &'n Node<'n>)> {
    let table = match node.map(|node| &node.value) {
        Some(Value::Table(table)) => table.as_slice(),
        _ => &[],
    };
    table.iter().map(|(key, node)| (key.as_ref(), node))
}

/// How much there is to read: its values, and the bytes of its texts.
fn weight(node: &Node<'_>) -> usize {
    match &node.value {
        Value::Text(text) => 1 + text.len(),
        Value::List(list) => 1 + list.iter().map(weight).sum::<usize>(),
        Value::Table(table) => {
            1 + table.iter().map(|(key, node)| key.len() + weight(node)).sum::<usize>()
        }
        _ => 1,
    }
}
