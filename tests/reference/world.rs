//! Everything that is true at one revision: one plain map from what something is to what it says.
//!
//! Things have identities: what was deleted and what later has its name are two things.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::edit::ApiName;

/// A number that nothing else of its sort ever has.
pub(crate) type Id = u32;

/// An environment, in promotion order.
pub(crate) type Place = usize;

const PLACES: [&str; 2] = ["TEST", "RELEASE"];

pub(crate) fn place(environment: &str) -> Place {
    PLACES.iter().position(|name| *name == environment).expect("a known environment")
}

pub(crate) fn environment(place: Place) -> String {
    PLACES[place].to_owned()
}

/// What something is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Key {
    Service(Id),
    Definition(Id, Place),
    Group(Id),
    Draft(Id),
    Publication(Id, Place),
}

/// What something says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Thing {
    Service(Service),
    Definition(Definition),
    Group(Group),
    Draft(Draft),
    Publication(Publication),
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) kind: String,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Definition {
    /// The revision that began it; updates keep it.
    pub(crate) epoch: u64,
    /// Those of definitions that were deleted, whose publications an undo gave to this one.
    pub(crate) accepted: Vec<u64>,
    pub(crate) to: String,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) host: String,
    pub(crate) base_path: String,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Draft {
    pub(crate) group: Id,
    pub(crate) name: String,
    pub(crate) version: Version,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Publication {
    pub(crate) group: Id,
    pub(crate) version: Version,
    /// Of the definition it was published against; absent for an inline one.
    pub(crate) epoch: Option<u64>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Version {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) goes: Goes,
}

/// Where requests go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Goes {
    Service(Id),
    Inline(String),
}

/// A thing, and the revision that made it so.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Written {
    pub(crate) by: u64,
    pub(crate) thing: Arc<Thing>,
}

#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct World {
    pub(crate) things: BTreeMap<Key, Written>,
}

macro_rules! named {
    ($all:ident, $one:ident, $sort:ident) => {
        pub(crate) fn $all(&self) -> impl Iterator<Item = (Id, &$sort)> {
            self.things.iter().filter_map(|(key, written)| match (key, &*written.thing) {
                (Key::$sort(id), Thing::$sort(thing)) => Some((*id, thing)),
                _ => None,
            })
        }

        pub(crate) fn $one(&self, id: Id) -> Option<&$sort> {
            match self.thing(Key::$sort(id))? {
                Thing::$sort(thing) => Some(thing),
                _ => None,
            }
        }
    };
}

macro_rules! placed {
    ($all:ident, $one:ident, $sort:ident) => {
        pub(crate) fn $all(&self) -> impl Iterator<Item = ((Id, Place), &$sort)> {
            self.things.iter().filter_map(|(key, written)| match (key, &*written.thing) {
                (Key::$sort(id, at), Thing::$sort(thing)) => Some(((*id, *at), thing)),
                _ => None,
            })
        }

        pub(crate) fn $one(&self, id: Id, at: Place) -> Option<&$sort> {
            match self.thing(Key::$sort(id, at))? {
                Thing::$sort(thing) => Some(thing),
                _ => None,
            }
        }
    };
}

impl World {
    named!(services, service, Service);
    named!(groups, group, Group);
    named!(drafts, draft, Draft);
    placed!(definitions, definition, Definition);
    placed!(publications, publication, Publication);

    pub(crate) fn thing(&self, key: Key) -> Option<&Thing> {
        self.things.get(&key).map(|written| &*written.thing)
    }

    pub(crate) fn service_named(&self, name: &str) -> Option<Id> {
        self.services().find(|(_, service)| service.name == name).map(|(id, _)| id)
    }

    pub(crate) fn group_named(&self, name: &str) -> Option<Id> {
        self.groups().find(|(_, group)| group.name == name).map(|(id, _)| id)
    }

    pub(crate) fn draft_named(&self, name: &ApiName) -> Option<Id> {
        let group = self.group_named(&name.0)?;
        let mut drafts = self.drafts();
        drafts.find(|(_, draft)| draft.group == group && draft.name == name.1).map(|(id, _)| id)
    }

    /// Whether requests reach a publication; one that is there and that they do not reach is dormant.
    pub(crate) fn is_live(&self, api: Id, at: Place) -> bool {
        self.target(api, at).is_some()
    }

    /// Where requests for a published API go; nothing if it is dormant or not published.
    pub(crate) fn target(&self, api: Id, at: Place) -> Option<&str> {
        let publication = self.publication(api, at)?;
        match &publication.version.goes {
            Goes::Inline(to) => Some(to),
            Goes::Service(service) => {
                let definition = self.definition(*service, at)?;
                let accepted = definition.accepts(publication.epoch?);
                accepted.then_some(&*definition.to)
            }
        }
    }
}

impl Definition {
    pub(crate) fn accepts(&self, epoch: u64) -> bool {
        self.epoch == epoch || self.accepted.contains(&epoch)
    }
}

impl Version {
    pub(crate) fn goes_to(&self, service: Id) -> bool {
        self.goes == Goes::Service(service)
    }
}
