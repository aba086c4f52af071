//! A document's text as a tree that knows where everything stands.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde_json::Number;

use super::fault::{Fault, Faults};
use super::{Format, InvalidDocument};

mod json;
mod toml;
mod yaml;

pub(super) use self::json::ValueSeed;

/// A value, and where it stands: that of a key, where the key does.
#[derive(Clone, Debug)]
pub(crate) struct Node<'t> {
    pub(crate) at: u32,
    pub(crate) value: Value<'t>,
}

/// The entries of a table, in the order of the text if the parser keeps it.
pub(crate) type Table<'t> = Vec<(Cow<'t, str>, Node<'t>)>;

#[derive(Clone, Debug)]
pub(crate) enum Value<'t> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'t, str>),
    List(Vec<Node<'t>>),
    Table(Table<'t>),
    /// It stands there but is never read, for this reason.
    Refused(&'static str),
    /// It was told to be wrong. Reading goes on as if it were not there.
    Gone,
    /// It was told to be missing. Whatever is asked for is there.
    Any,
}

impl Value<'_> {
    /// What it is, in words.
    pub(super) fn sort(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a truth value",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Refused(_) | Self::Gone | Self::Any => "wrong",
        }
    }

    /// Why it is not `wanted`.
    pub(crate) fn instead_of(&self, wanted: &str) -> String {
        match self {
            Self::Refused(reason) => (*reason).to_owned(),
            other => format!("is {}, not {wanted}", other.sort()),
        }
    }
}

impl<'t> Node<'t> {
    pub(crate) fn new(at: u32, value: Value<'t>) -> Self {
        Self { at, value }
    }
}

/// How the places of a tree become lines.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Places<'t> {
    /// They are offsets into this text.
    Offsets(&'t str),
    /// They are lines.
    Lines,
    /// There was no text.
    Unknown,
}

impl Places<'_> {
    pub(crate) fn line(self, at: u32) -> Option<u32> {
        match self {
            Self::Offsets(text) => {
                let before = text.as_bytes().iter().take(usize::try_from(at).ok()?);
                u32::try_from(before.filter(|byte| **byte == b'\n').count() + 1).ok()
            }
            Self::Lines => Some(at),
            Self::Unknown => None,
        }
    }
}

/// A document as it was written.
#[derive(Debug)]
pub(crate) struct Tree<'t> {
    pub(crate) root: Node<'t>,
    pub(crate) places: Places<'t>,
}

impl<'t> Tree<'t> {
    /// Reads a text that is no longer than a document may be. A key that stands in a table twice
    /// stands twice in the tree, unless the format's parser refuses it.
    ///
    /// # Errors
    ///
    /// What the parser says of its syntax.
    pub(crate) fn parse(text: &'t str, format: Format) -> Result<Self, InvalidDocument> {
        match format {
            Format::Toml => toml::parse(text),
            Format::Json => json::parse(text),
            Format::Yaml => yaml::parse(text),
        }
    }

    /// The line of what a path leads to, or of the nearest that is there around it: nothing, if that
    /// is the whole document.
    pub(super) fn line(&self, path: &str) -> Option<u32> {
        let (_, mut node, mut rest) = self.root.step(path)?;
        while !rest.is_empty() {
            let Some((_, inner, after)) = node.step(rest) else {
                break;
            };
            (node, rest) = (inner, after);
        }
        self.places.line(node.at)
    }
}

fn syntax_error(line: Option<u32>, reason: impl Into<String>) -> Fault {
    Fault { line, ..Fault::new("", reason) }
}

/// One step from a value to one inside of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

impl<'t> Node<'t> {
    /// Takes the first step of a written path, if it leads anywhere: the step, where it leads, and
    /// the rest of the path.
    pub(super) fn step<'p>(&self, path: &'p str) -> Option<(Step, &Self, &'p str)> {
        match &self.value {
            Value::Table(table) => {
                let found = table.iter().filter_map(|(key, node)| {
                    let rest = after_key(path, key)?;
                    Some((Step::Key(key.clone().into_owned()), node, rest))
                });
                // A key may be the beginning of another.
                found.min_by_key(|(_, _, rest)| rest.len())
            }
            Value::List(list) => {
                let (index, rest) = path.strip_prefix('[')?.split_once(']')?;
                let index = index.parse().ok()?;
                Some((Step::Index(index), list.get(index)?, rest.strip_prefix('.').unwrap_or(rest)))
            }
            _ => None,
        }
    }

    /// What a step leads to.
    pub(super) fn inner(&mut self, step: &Step) -> Option<&mut Self> {
        match (&mut self.value, step) {
            (Value::Table(table), Step::Key(key)) => {
                table.iter_mut().find(|(other, _)| other == key).map(|(_, node)| node)
            }
            (Value::List(list), Step::Index(index)) => list.get_mut(*index),
            _ => None,
        }
    }

    /// Tells every key that stands in its table twice, and leaves the first.
    pub(crate) fn refuse_repeated(&mut self, path: &Path<'_>, faults: &mut Faults<'_>) {
        match &mut self.value {
            Value::List(list) => {
                for (index, node) in list.iter_mut().enumerate() {
                    node.refuse_repeated(&Path::Index(path, index), faults);
                }
            }
            Value::Table(table) => {
                if has_repeated(table) {
                    let mut seen = HashSet::new();
                    table.retain(|(key, node)| {
                        let first = seen.insert(key.clone());
                        if !first {
                            faults.tell(node.at, Path::Key(path, key), "stands there twice");
                        }
                        first
                    });
                }
                for (key, node) in table {
                    node.refuse_repeated(&Path::Key(path, key), faults);
                }
            }
            _ => {}
        }
    }
}

/// Keys up to which comparing all of them is faster than hashing.
const FEW_KEYS: usize = 24;

fn has_repeated(table: &Table<'_>) -> bool {
    if table.len() > FEW_KEYS {
        return table.iter().map(|(key, _)| key).collect::<HashSet<_>>().len() < table.len();
    }
    let repeated = |(index, (key, _)): (usize, &(Cow<'_, str>, _))| {
        table.iter().take(index).any(|(other, _)| other == key)
    };
    table.iter().enumerate().any(repeated)
}

/// What follows `key` in a path that begins with it, in quotes or, as the model writes it, without.
fn after_key<'p>(path: &'p str, key: &str) -> Option<&'p str> {
    let ends = |rest: &'p str| match rest.strip_prefix('.') {
        Some(rest) => Some(rest),
        None => (rest.is_empty() || rest.starts_with('[')).then_some(rest),
    };
    let plain = path.strip_prefix(key).and_then(ends);
    plain.or_else(|| path.strip_prefix(&Written(key).to_string()).and_then(ends))
}

/// A key as it stands in a path.
struct Written<'k>(&'k str);

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if !self.0.is_empty() && self.0.bytes().all(bare) {
            f.write_str(self.0)
        } else {
            write!(f, "{:?}", self.0)
        }
    }
}

/// The way from the root of a document to something in it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Path<'p> {
    Root,
    Key(&'p Self, &'p str),
    Index(&'p Self, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Key(Self::Root, key) => write!(f, "{}", Written(key)),
            Self::Key(outer, key) => write!(f, "{outer}.{}", Written(key)),
            Self::Index(outer, index) => write!(f, "{outer}[{index}]"),
        }
    }
}

/// A path and further steps.
pub(super) struct Below<'p>(pub(super) &'p Path<'p>, pub(super) &'p [Step]);

impl fmt::Display for Below<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)?;
        let mut first = matches!(self.0, Path::Root);
        for step in self.1 {
            match step {
                Step::Key(key) if first => write!(f, "{}", Written(key))?,
                Step::Key(key) => write!(f, ".{}", Written(key))?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
            first = false;
        }
        Ok(())
    }
}
