//! What became of a thing, field by field.

use std::fmt;

use crate::model::environment::Declaration;
use crate::model::{Difference, ServiceName, Version, diff};
use crate::registry::state::State;
use crate::store::{Key, Record};

/// What became of one thing.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Delta {
    /// The thing, in words: `the definition of service "orders" in RELEASE`.
    pub what: String,
    /// What became of it.
    pub how: How,
}

/// What became of a thing.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum How {
    /// It is there and was not.
    Created,
    /// It was there and is not.
    Deleted,
    /// These fields are different; none if it was only published again, or brought back.
    Edited(Vec<Difference>),
}

impl Delta {
    /// What became of what is under a key.
    pub(super) fn of(key: Key, before: &State, after: &State) -> Option<Self> {
        let how = match (before.record(key), after.record(key)) {
            (None, None) => return None,
            (None, Some(_)) => How::Created,
            (Some(_), None) => How::Deleted,
            (Some(was), Some(is)) => How::Edited(differences((&was, before), (&is, after))),
        };
        let there = if matches!(how, How::Deleted) { before } else { after };
        Some(Self { what: there.describe(key), how })
    }
}

impl fmt::Display for Delta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.how {
            How::Created => write!(f, "{}: created", self.what),
            How::Deleted => write!(f, "{}: deleted", self.what),
            How::Edited(differences) if differences.is_empty() => {
                write!(f, "{}: as it was", self.what)
            }
            How::Edited(differences) => {
                let fields: Vec<_> = differences.iter().map(ToString::to_string).collect();
                write!(f, "{}: {}", self.what, fields.join(", "))
            }
        }
    }
}

/// The fields in which two records of one sort differ, names included.
pub(super) fn differences(
    (was, before): (&Record, &State),
    (is, after): (&Record, &State),
) -> Vec<Difference> {
    match (was, is) {
        (Record::Environment(was), Record::Environment(is)) => {
            diff(&Declaration::new(&*was.description), &Declaration::new(&*is.description))
        }
        (Record::Service(was), Record::Service(is)) => {
            with_name(was.name.as_str(), is.name.as_str(), diff(&was.service, &is.service))
        }
        (Record::Definition(was), Record::Definition(is)) => diff(&was.definition, &is.definition),
        (Record::Group(was), Record::Group(is)) => {
            with_name(was.name.as_str(), is.name.as_str(), diff(&was.group, &is.group))
        }
        (Record::Resource(was), Record::Resource(is)) => {
            with_name(was.name.as_str(), is.name.as_str(), diff(&was.resource, &is.resource))
        }
        (Record::Grant(was), Record::Grant(is)) => diff(&was.grant, &is.grant),
        (Record::Api(was), Record::Api(is)) => {
            let fields = versions((&was.version, before), (&is.version, after));
            with_name(&was.name, &is.name, fields)
        }
        (Record::Publication(was), Record::Publication(is)) => {
            versions((&was.version, before), (&is.version, after))
        }
        _ => Vec::new(),
    }
}

fn versions((was, before): (&Version, &State), (is, after): (&Version, &State)) -> Vec<Difference> {
    let api = |version: &Version, state: &State| {
        let service = state.service_name(version);
        version.api(service.as_ref().map(ServiceName::as_str))
    };
    diff(&api(was, before), &api(is, after))
}

fn with_name(was: &str, is: &str, mut fields: Vec<Difference>) -> Vec<Difference> {
    if was != is {
        fields.insert(0, Difference::of("name", was, is));
    }
    fields
}
