//! The fields of a written value, found without the code that is tested.

use serde_json::Value;

/// A way into a tree.
pub(super) type Path = Vec<Step>;

#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Step {
    Key(String),
    Item(usize),
}

/// Every way into `tree`, the root first.
pub(super) fn paths(tree: &Value) -> Vec<Path> {
    let mut found = vec![Path::new()];
    let mut below = |step: Step, value: &Value| {
        let step = [step];
        found.extend(paths(value).into_iter().map(|rest| [&step[..], &rest[..]].concat()));
    };
    match tree {
        Value::Object(map) => {
            map.iter().for_each(|(key, value)| below(Step::Key(key.clone()), value));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| below(Step::Item(index), value));
        }
        _ => {}
    }
    found
}

/// The ways that end at something that has nothing below it.
pub(super) fn leaves(tree: &Value) -> Vec<Path> {
    let mut found = paths(tree);
    found.retain(|path| match at(tree, path).unwrap() {
        Value::Object(map) => map.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => true,
    });
    found
}

pub(super) fn at<'t>(tree: &'t Value, path: &[Step]) -> Option<&'t Value> {
    path.iter().try_fold(tree, |value, step| match step {
        Step::Key(key) => value.get(key),
        Step::Item(index) => value.get(index),
    })
}

fn at_mut<'t>(tree: &'t mut Value, path: &[Step]) -> &'t mut Value {
    path.iter().fold(tree, |value, step| match step {
        Step::Key(key) => &mut value[key.as_str()],
        Step::Item(index) => &mut value[*index],
    })
}

pub(super) fn with(tree: &Value, path: &[Step], value: Value) -> Value {
    let mut tree = tree.clone();
    *at_mut(&mut tree, path) = value;
    tree
}

/// The tree without what stands at `path`; what comes after it in a list moves up.
pub(super) fn without(tree: &Value, path: &[Step]) -> Value {
    let mut tree = tree.clone();
    let (last, parent) = path.split_last().unwrap();
    match (at_mut(&mut tree, parent), last) {
        (Value::Object(map), Step::Key(key)) => drop(map.remove(key)),
        (Value::Array(items), Step::Item(index)) => drop(items.remove(*index)),
        _ => unreachable!("a way of this tree"),
    }
    tree
}

/// The field as an operator writes it.
pub(super) fn field(path: &[Step]) -> String {
    let mut field = String::new();
    for step in path {
        match step {
            Step::Item(index) => field += &format!("[{index}]"),
            Step::Key(key) => {
                let plain = key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
                let key = if plain && !key.is_empty() { key.clone() } else { format!("{key:?}") };
                field += if field.is_empty() { "" } else { "." };
                field += &key;
            }
        }
    }
    field
}
