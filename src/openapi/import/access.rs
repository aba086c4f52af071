//! Who may call an operation.

use std::collections::BTreeMap;

use crate::document::foreign::{Node, Path, Value};
use crate::model::Access;
use crate::openapi::extension::SCHEME;
use crate::openapi::reference::{entries, key};

use super::backend::vendor;
use super::operation::Operation;
use super::reading::Reading;

/// What the keys of the modelled system begin with.
const VENDOR: &str = "x-aliyun-apigateway-";

/// Who may call an operation, as far as it says: never everybody because something was left out.
pub(super) fn access<'n>(
    reading: &mut Reading<'n>,
    operation: &Operation<'n>,
    path: &Path<'_>,
) -> Access {
    let required = required(reading, operation, path);
    if let Some((name, node)) = vendor(reading, operation, "auth-type") {
        let text = match &node.value {
            Value::Text(text) => text.as_ref(),
            _ => "",
        };
        match text {
            "APP" => return Access::App,
            "ANONYMOUS" => return Access::Anonymous,
            _ => reading.fault(node.at, Path::Key(path, &name), "is neither APP nor ANONYMOUS"),
        }
    }
    // Who writes the modelled system's keys means its default (domain §3.1).
    let vendors = |node| entries(Some(node)).any(|(name, _)| name.starts_with(VENDOR));
    let vendored = vendors(operation.node) || vendors(reading.root);
    let access = if required || vendored { Access::App } else { Access::Anonymous };
    reading.settings.access.unwrap_or(access)
}

/// Whether an operation has security requirements. What they are is not kept; ours are.
fn required<'n>(reading: &mut Reading<'n>, operation: &Operation<'n>, path: &Path<'_>) -> bool {
    if key(operation.node, "security").is_some() {
        return requirements(reading, operation.node, path);
    }
    // Read once: each operation has them.
    if let Some(required) = reading.required {
        return required;
    }
    let root = reading.root;
    let required = requirements(reading, root, &Path::Root);
    reading.required = Some(required);
    required
}

/// Whether there are any under `security`. Those that are optional are requirements too: whoever
/// drops them says so.
fn requirements<'n>(reading: &mut Reading<'n>, of: &'n Node<'n>, path: &Path<'_>) -> bool {
    let list = reading.list(of, path, "security");
    let path = Path::Key(path, "security");
    let mut names = BTreeMap::new();
    for (index, requirement) in list.iter().enumerate() {
        let path = Path::Index(&path, index);
        if reading.is_table(requirement, &path) {
            names.extend(entries(Some(requirement)).map(|(name, _)| (name, requirement.at)));
        }
    }
    for (name, at) in &names {
        if !reading.components.find("securitySchemes", name).is_some_and(is_ours) {
            let shown: String = name.chars().take(80).collect();
            let reason = format!("{shown:?} is not kept: callers are applications, or anybody");
            reading.warn(*at, path, reason);
        }
    }
    !names.is_empty()
}

fn is_ours(scheme: &Node<'_>) -> bool {
    key(scheme, SCHEME).is_some()
}
