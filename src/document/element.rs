//! Reads an element of a document, and finds everything that is wrong with it.
//!
//! What is wrong is told, taken out, and the element is read again, until nothing is wrong with what
//! is left. So an element that is right is read once, and one fault does not hide another.

use super::fault::Faults;
use super::limits::MAX_FAULTS;
use super::reader::{Sort, Wrong};
use super::tree::{Below, Node, Path, Step, Value};

/// What `read` makes of a node, if nothing is wrong with it.
pub(super) fn read<'t, T>(
    node: &mut Node<'t>,
    path: &Path<'_>,
    faults: &mut Faults<'_>,
    read: impl Fn(&Node<'t>) -> Result<T, Wrong>,
) -> Option<T> {
    let before = faults.count();
    // As often as faults can be told: each round tells one, or puts a value in its place.
    for _ in 0..2 * MAX_FAULTS {
        let wrong = match read(node) {
            Ok(value) => return (faults.count() == before).then_some(value),
            Err(wrong) => wrong,
        };
        if !take_out(node, wrong, path, faults) {
            break;
        }
    }
    None
}

/// Tells what is wrong, and takes it out. False if reading on would tell nothing new.
fn take_out(node: &mut Node<'_>, wrong: Wrong, path: &Path<'_>, faults: &mut Faults<'_>) -> bool {
    let Wrong { mut trail, reason, sort } = wrong;
    trail.reverse();
    let Some((last, above)) = trail.split_last() else {
        // What is wrong with the whole may follow from what was left out of it.
        if !matches!(node.value, Value::Any) && !has_gone(node) {
            faults.tell(node.at, path, reason);
        }
        return false;
    };
    let Some(table) = above.iter().try_fold(&mut *node, |node, step| node.inner(step)) else {
        return false;
    };
    let table_at = table.at;
    let gone = table.inner(last).map(|inner| (inner.at, matches!(inner.value, Value::Gone)));
    match gone {
        // It is missing because it was taken out.
        Some((_, true)) if sort == Sort::Missing => {}
        Some((_, true)) => return false,
        Some((at, false)) if sort == Sort::Value => {
            let inner = table.inner(last);
            if matches!(inner, Some(Node { value: Value::Any, .. })) {
                // It was told before: without it nothing can be said of what it belongs to.
                return leave_out(node, above);
            }
            faults.tell(at, Below(path, &trail), reason);
            return replace(table, last, Value::Gone);
        }
        Some(_) => return false,
        None => {
            if matches!(table.value, Value::Any) || sort == Sort::Consequence && has_gone(table) {
                return false;
            }
            faults.tell(table_at, Below(path, &trail), reason);
        }
    }
    replace(table, last, Value::Any)
}

/// Leaves out what a trail leads to, unless that is the whole element.
fn leave_out(node: &mut Node<'_>, trail: &[Step]) -> bool {
    let Some((last, above)) = trail.split_last() else {
        return false;
    };
    let outer = above.iter().try_fold(node, |node, step| node.inner(step));
    outer.is_some_and(|outer| replace(outer, last, Value::Gone))
}

fn has_gone(node: &Node<'_>) -> bool {
    let Value::Table(table) = &node.value else {
        return false;
    };
    table.iter().any(|(_, inner)| matches!(inner.value, Value::Gone | Value::Any))
}

/// Puts a value where a step leads to. False if it leads nowhere.
fn replace<'t>(node: &mut Node<'t>, step: &Step, value: Value<'t>) -> bool {
    let at = node.at;
    if let Some(inner) = node.inner(step) {
        inner.value = value;
        return true;
    }
    match (&mut node.value, step) {
        (Value::Table(table), Step::Key(key)) => {
            table.push((key.clone().into(), Node::new(at, value)));
            true
        }
        _ => false,
    }
}
