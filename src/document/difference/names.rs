//! Who has which name once everything is renamed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use super::{Place, Work};
use crate::model::id::{ApiId, EnvironmentId, GroupId, ResourceId, ServiceId};
use crate::model::{ApiName, GroupName, ResourceName, ServiceName, Sort};

/// Names that mean something else than in the state: what they mean, or nothing any more.
#[derive(Default)]
pub(super) struct Names {
    services: BTreeMap<ServiceName, Option<ServiceId>>,
    groups: BTreeMap<GroupName, Option<GroupId>>,
    apps: BTreeMap<ResourceName, Option<ResourceId>>,
    /// Within a group.
    apis: BTreeMap<(GroupId, Box<str>), Option<ApiId>>,
}

/// One rename that a document asks for.
struct Rename<N> {
    index: usize,
    from: N,
    to: N,
}

/// What a document's renames of one sort come to.
struct Renames<N> {
    /// In an order in which every new name is free.
    possible: Vec<Rename<N>>,
    /// Both names are there, and the document does not say what becomes of the old one.
    unclear: Vec<Rename<N>>,
    /// Their new names never get free.
    stuck: Vec<Rename<N>>,
}

/// Orders renames. `there` says whether a name is taken, `meant` whether the document has an element
/// of the name, `ours` whether a document created what has it.
fn order<N: Clone + Ord>(
    wanted: impl Iterator<Item = Rename<N>>,
    there: impl Fn(&N) -> bool,
    meant: impl Fn(&N) -> bool,
    ours: impl Fn(&N) -> bool,
) -> Renames<N> {
    let mut renames = Renames { possible: Vec::new(), unclear: Vec::new(), stuck: Vec::new() };
    let mut waiting = Vec::new();
    let (mut left, mut taken) = (BTreeSet::new(), BTreeSet::new());
    let wanted: Vec<_> = wanted.filter(|rename| rename.from != rename.to).collect();
    let sources: BTreeSet<_> = wanted.iter().map(|rename| rename.from.clone()).collect();
    for rename in wanted {
        match (there(&rename.from), there(&rename.to)) {
            // Renamed already, or to be created.
            (false, _) => {}
            // Its new name may be one that gets free.
            (true, true) if sources.contains(&rename.to) && !meant(&rename.from) => {
                waiting.push(rename);
            }
            (true, true) if meant(&rename.from) && !sources.contains(&rename.to) => {}
            (true, true) if !meant(&rename.from) && ours(&rename.from) => {
                renames.unclear.push(rename);
            }
            (true, true) => {}
            (true, false) => waiting.push(rename),
        }
    }
    loop {
        let free = |name: &N| !taken.contains(name) && (!there(name) || left.contains(name));
        let Some(next) = waiting.iter().position(|rename| free(&rename.to)) else { break };
        let rename = waiting.remove(next);
        taken.remove(&rename.from);
        left.insert(rename.from.clone());
        left.remove(&rename.to);
        taken.insert(rename.to.clone());
        renames.possible.push(rename);
    }
    renames.stuck = waiting;
    renames
}

impl Work<'_> {
    pub(super) fn renames(&mut self) {
        self.rename_services();
        self.rename_groups();
        self.rename_apps();
        self.rename_apis();
    }

    fn rename_services(&mut self) {
        let (state, document) = (self.state, self.document);
        let wanted = document.services.iter().enumerate().filter_map(|(index, entry)| {
            let (from, to) = (entry.renamed_from.clone()?, entry.name.clone());
            Some(Rename { index, from, to })
        });
        let id = |name: &ServiceName| state.service_id(name);
        let meant = |name: &ServiceName| document.services.iter().any(|e| e.name == *name);
        let ours = |name: &ServiceName| {
            id(name).and_then(|id| state.service(id)).is_some_and(|service| service.by_document)
        };
        let renames = order(wanted, |name| id(name).is_some(), meant, ours);
        for Rename { index, from, to } in self.told(renames, Place::Service) {
            let service = self.service_id(&from);
            self.names.services.insert(from.clone(), None);
            self.names.services.insert(to.clone(), service);
            self.edit(Place::Service(index), |change| {
                change.rename_service(from.as_str(), to.as_str())
            });
        }
    }

    fn rename_groups(&mut self) {
        let (state, document) = (self.state, self.document);
        let wanted = document.groups.iter().enumerate().filter_map(|(index, entry)| {
            let (from, to) = (entry.renamed_from.clone()?, entry.name.clone());
            Some(Rename { index, from, to })
        });
        let id = |name: &GroupName| state.group_id(name);
        let meant = |name: &GroupName| document.groups.iter().any(|e| e.name == *name);
        let ours = |name: &GroupName| {
            id(name).and_then(|id| state.group(id)).is_some_and(|g| g.record.by_document)
        };
        let renames = order(wanted, |name| id(name).is_some(), meant, ours);
        for Rename { index, from, to } in self.told(renames, Place::Group) {
            let group = self.group_id(&from);
            self.names.groups.insert(from.clone(), None);
            self.names.groups.insert(to.clone(), group);
            self.edit(Place::Group(index), |change| {
                change.rename_group(from.as_str(), to.as_str())
            });
        }
    }

    fn rename_apps(&mut self) {
        let (state, document) = (self.state, self.document);
        let wanted = document.apps.iter().enumerate().filter_map(|(index, entry)| {
            let (from, to) = (entry.renamed_from.clone()?, entry.name.clone());
            Some(Rename { index, from, to })
        });
        let id = |name: &ResourceName| state.resource_id(Sort::App, name.as_str());
        let meant = |name: &ResourceName| document.apps.iter().any(|e| e.name == *name);
        let ours = |name: &ResourceName| {
            id(name).and_then(|id| state.resource(id)).is_some_and(|app| app.by_document)
        };
        let renames = order(wanted, |name| id(name).is_some(), meant, ours);
        for Rename { index, from, to } in self.told(renames, Place::App) {
            let app = self.app_id(&from);
            self.names.apps.insert(from.clone(), None);
            self.names.apps.insert(to.clone(), app);
            self.edit(Place::App(index), |change| change.rename_app(from.as_str(), to.as_str()));
        }
    }

    fn rename_apis(&mut self) {
        let (state, document) = (self.state, self.document);
        let wanted: Vec<_> = document
            .apis
            .iter()
            .enumerate()
            .filter_map(|(index, entry)| {
                let (from, to) = (entry.renamed_from.clone()?, entry.name.clone());
                Some(Rename { index, from, to })
            })
            .collect();
        if wanted.is_empty() {
            return;
        }
        let named: BTreeSet<_> = document.apis.iter().map(|entry| &entry.name).collect();
        let id = |name: &ApiName| self.api_id(name);
        let ours = |name: &ApiName| {
            id(name).and_then(|id| state.api(id)).is_some_and(|api| api.by_document)
        };
        let there = |name: &ApiName| id(name).is_some();
        let renames = order(wanted.into_iter(), there, |name| named.contains(name), ours);
        for Rename { index, from, to } in self.told(renames, Place::Api) {
            let api = self.api_id(&from);
            if let Some(group) = self.group_id(from.group()) {
                self.names.apis.insert((group, from.name().into()), None);
                self.names.apis.insert((group, to.name().into()), api);
            }
            self.edit(Place::Api(index), |change| {
                change.rename_api(from.to_string(), to.to_string())
            });
        }
    }

    /// The renames that are possible; the others become faults.
    fn told<N: Display>(
        &mut self,
        renames: Renames<N>,
        place: impl Fn(usize) -> Place,
    ) -> Vec<Rename<N>> {
        for Rename { index, from, to } in renames.unclear {
            let reason =
                format!("there are both {from} and {to}, and {from} is not in the document");
            self.fault(&place(index), "renamed_from", reason);
        }
        for Rename { index, to, .. } in renames.stuck {
            self.fault(&place(index), "renamed_from", format!("the name {to} does not get free"));
        }
        renames.possible
    }

    // === What a name of the document means in the state ===

    pub(super) fn service_id(&self, name: &ServiceName) -> Option<ServiceId> {
        match self.names.services.get(name) {
            Some(renamed) => *renamed,
            None => self.state.service_id(name),
        }
    }

    pub(super) fn group_id(&self, name: &GroupName) -> Option<GroupId> {
        match self.names.groups.get(name) {
            Some(renamed) => *renamed,
            None => self.state.group_id(name),
        }
    }

    pub(super) fn app_id(&self, name: &ResourceName) -> Option<ResourceId> {
        match self.names.apps.get(name) {
            Some(renamed) => *renamed,
            None => self.state.resource_id(Sort::App, name.as_str()),
        }
    }

    pub(super) fn api_id(&self, name: &ApiName) -> Option<ApiId> {
        let group = self.group_id(name.group())?;
        if !self.names.apis.is_empty()
            && let Some(renamed) = self.names.apis.get(&(group, name.name().into()))
        {
            return *renamed;
        }
        self.state.api_id_in(group, name.name())
    }

    // === The name of what is in the state, once everything is renamed ===

    pub(super) fn renamed_service(&self, id: ServiceId) -> Option<String> {
        let renamed = self.names.services.iter().find(|(_, to)| **to == Some(id));
        let name = || Some(self.state.service(id)?.name.to_string());
        renamed.map(|(name, _)| name.to_string()).or_else(name)
    }

    pub(super) fn renamed_app(&self, id: ResourceId) -> Option<String> {
        let renamed = self.names.apps.iter().find(|(_, to)| **to == Some(id));
        let name = || Some(self.state.resource(id)?.name.to_string());
        renamed.map(|(name, _)| name.to_string()).or_else(name)
    }

    pub(super) fn renamed_api(&self, id: ApiId) -> Option<String> {
        let draft = self.state.api(id)?;
        let group = self.names.groups.iter().find(|(_, to)| **to == Some(draft.group));
        let group = match group {
            Some((name, _)) => name.as_str(),
            None => self.state.group(draft.group)?.record.name.as_str(),
        };
        let renamed = self.names.apis.iter().find(|(_, to)| **to == Some(id));
        let name = renamed.map_or(&*draft.name, |((_, name), _)| name);
        Some(format!("{group}/{name}"))
    }

    pub(super) fn environment_id(&self, name: &crate::Environment) -> Option<EnvironmentId> {
        self.state.environment_id(name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn possible(there: &[&str], wanted: &[(&str, &str)], meant: &[&str]) -> Vec<String> {
        let wanted = wanted.iter().enumerate().map(|(index, (from, to))| Rename {
            index,
            from: (*from).to_owned(),
            to: (*to).to_owned(),
        });
        let has = |list: &[&str], name: &String| list.contains(&name.as_str());
        let renames = order(wanted, |n| has(there, n), |n| has(meant, n), |_| true);
        let shown = |sign: &'static str| {
            move |rename: Rename<String>| format!("{}{sign}{}", rename.from, rename.to)
        };
        let possible = renames.possible.into_iter().map(shown(">"));
        let unclear = renames.unclear.into_iter().map(shown("?"));
        possible.chain(unclear).chain(renames.stuck.into_iter().map(shown("!"))).collect()
    }

    #[test]
    fn a_rename_waits_until_its_name_is_free() {
        assert_eq!(possible(&["a"], &[("a", "b")], &["b"]), ["a>b"]);
        assert_eq!(possible(&["a", "b"], &[("a", "b"), ("b", "c")], &["b", "c"]), ["b>c", "a>b"]);
        // Done before, never there, or the same.
        assert_eq!(possible(&["b"], &[("a", "b"), ("c", "d"), ("b", "b")], &["b"]), [""; 0]);
        // Done before, and the old name is somebody else's.
        assert_eq!(possible(&["a", "b"], &[("a", "b")], &["a", "b"]), [""; 0]);
        assert_eq!(possible(&["a", "b"], &[("a", "b")], &["b"]), ["a?b"]);
    }

    #[test]
    fn two_that_want_each_others_name_are_told() {
        let swapped = possible(&["a", "b"], &[("a", "b"), ("b", "a")], &["a", "b"]);
        assert_eq!(swapped, [""; 0], "both are there and named: nothing says who is who");
        let twice = possible(&["a", "b"], &[("a", "c"), ("b", "c")], &["c"]);
        assert_eq!(twice, ["a>c", "b!c"]);
    }
}
