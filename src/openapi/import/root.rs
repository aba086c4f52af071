//! The description as a whole.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::document::foreign::{Node, Path, Value};
use crate::document::limits::MAX_FAULTS;
use crate::model::{Api, ApiName, Group, Verb};
use crate::openapi::extension::{ANY_METHOD, VENDOR, VENDOR_KEYS};
use crate::openapi::reference::{entries, key};

use super::operation::{self, Operation};
use super::reading::Reading;
use super::servers;

/// Methods as they stand in a path item.
const METHODS: [(&str, Verb); 7] = [
    ("get", Verb::Get),
    ("head", Verb::Head),
    ("post", Verb::Post),
    ("put", Verb::Put),
    ("delete", Verb::Delete),
    ("patch", Verb::Patch),
    ("options", Verb::Options),
];

/// The drafts, and what their group would be.
pub(super) fn read<'n>(
    reading: &mut Reading<'n>,
    root: &'n Node<'n>,
) -> (Vec<(ApiName, Api)>, Group) {
    if !reading.is_table(root, &Path::Root) || !is_readable(reading, root) {
        return (Vec::new(), Group::new());
    }
    refuse_merges(reading, root, &Path::Root);
    let group = servers::group(reading, root);
    vendor_keys(reading, root, &Path::Root);
    if let Some(webhooks) = key(root, "webhooks") {
        reading.warn(webhooks.at, "webhooks", "are requests to others, which are not kept");
    }
    let mut all = Drafts::default();
    let path = Path::Key(&Path::Root, "paths");
    match reading.table(root, &Path::Root, "paths") {
        Some(paths) => {
            for (template, item) in entries(Some(paths)) {
                if template.starts_with("x-") {
                    continue;
                }
                path_item(reading, &mut all, template, item, &Path::Key(&path, template));
                // What is told is enough; reading on could take long.
                if reading.findings.faults.count() > MAX_FAULTS {
                    break;
                }
            }
        }
        None => reading.warn(root.at, path, "is not there: nothing is described"),
    }
    (all.apis, group)
}

/// Tells keys that stand for others: what they bring could be what keeps callers out.
fn refuse_merges(reading: &mut Reading<'_>, node: &Node<'_>, path: &Path<'_>) {
    match &node.value {
        Value::List(list) => {
            for (index, node) in list.iter().enumerate() {
                refuse_merges(reading, node, &Path::Index(path, index));
            }
        }
        Value::Table(table) => {
            for (name, node) in table {
                let path = Path::Key(path, name);
                if name == "<<" {
                    let reason = "merges another table, which is not read: write it out";
                    reading.fault(node.at, path, reason);
                }
                refuse_merges(reading, node, &path);
            }
        }
        _ => {}
    }
}

/// Whether it is a version whose words are known.
fn is_readable<'n>(reading: &mut Reading<'n>, root: &'n Node<'n>) -> bool {
    if let Some(version) = key(root, "swagger") {
        let reason = "is a version that is not read: convert the description to OpenAPI 3";
        reading.fault(version.at, "swagger", reason);
        return false;
    }
    let Some(version) = key(root, "openapi") else {
        reading.fault(root.at, "openapi", "is required");
        return false;
    };
    let text = match &version.value {
        Value::Text(text) => text.to_string(),
        // YAML reads 3.1 without quotes as a number.
        Value::Number(number) => number.to_string(),
        other => {
            reading.fault(version.at, "openapi", other.instead_of("a version"));
            return false;
        }
    };
    let known = ["3.0", "3.1"].iter().any(|known| {
        text.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    });
    if !known {
        let shown: String = text.chars().take(32).collect();
        reading.fault(version.at, "openapi", format!("{shown:?} is neither 3.0 nor 3.1"));
    }
    known
}

/// Tells keys of the modelled system that are not read.
pub(super) fn vendor_keys<'n>(reading: &mut Reading<'n>, node: &'n Node<'n>, path: &Path<'_>) {
    for (name, value) in entries(Some(node)) {
        let ours = name.strip_prefix(VENDOR).is_none_or(|rest| VENDOR_KEYS.contains(&rest));
        if !ours {
            reading.warn(value.at, Path::Key(path, name), "is not read");
        }
    }
}

fn path_item<'n>(
    reading: &mut Reading<'n>,
    all: &mut Drafts,
    template: &'n str,
    item: &'n Node<'n>,
    path: &Path<'_>,
) {
    reading.referred(item, path, "pathItems", |reading, item, path| {
        vendor_keys(reading, item, path);
        if let Some(servers) = key(item, "servers") {
            reading.warn(servers.at, Path::Key(path, "servers"), "are not kept: the group's are");
        }
        for (name, node) in entries(Some(item)) {
            let any = name == ANY_METHOD || name.strip_prefix(VENDOR) == Some("any-method");
            let method = METHODS.iter().find(|(method, _)| *method == name).map(|(_, verb)| *verb);
            let path = &Path::Key(path, name);
            match if any { Some(Verb::Any) } else { method } {
                Some(verb) if reading.is_table(node, path) => {
                    let operation = Operation { item, node, verb, template };
                    let read = operation::read(reading, &operation, path);
                    if let Some((name, api, skeleton)) = read {
                        all.keep(reading, (name, api), skeleton, node.at, path);
                    }
                }
                None if name == "trace" => {
                    reading.warn(node.at, path, "is never served: it is left out");
                }
                _ => {}
            }
        }
        Some(())
    });
}

/// The drafts so far, and where they stand by name and by what they match.
#[derive(Debug, Default)]
struct Drafts {
    apis: Vec<(ApiName, Api)>,
    names: HashMap<ApiName, String>,
    routes: HashMap<(Verb, String), String>,
}

impl Drafts {
    fn keep(
        &mut self,
        reading: &mut Reading<'_>,
        (name, api): (ApiName, Api),
        skeleton: (Verb, String),
        at: u32,
        path: &Path<'_>,
    ) {
        let before = match (self.names.entry(name.clone()), self.routes.entry(skeleton)) {
            (Entry::Vacant(by_name), Entry::Vacant(by_route)) => {
                by_name.insert(path.to_string());
                by_route.insert(path.to_string());
                self.apis.push((name, api));
                return;
            }
            (Entry::Occupied(first), _) => {
                format!("is called {:?} as {} is", name.name(), first.get())
            }
            (_, Entry::Occupied(first)) => format!("has the same requests as {}", first.get()),
        };
        reading.fault(at, path, before);
    }
}
