//! What a thing has been, and by whom.

use std::sync::Arc;

use super::super::state::State;
use crate::model::{Revision, Stamp};
use crate::store::record::{Past, RevisionRecord};
use crate::store::{Key, Record};

/// A change that wrote a key, and what it left there.
#[derive(Clone, Debug)]
pub(crate) struct Touch {
    pub(crate) stamp: Arc<Stamp>,
    /// The change's entry; absent once it left the history.
    pub(crate) entry: Option<Arc<RevisionRecord>>,
    /// What it left; absent if it deleted what was there.
    pub(crate) after: Option<Record>,
}

impl State {
    /// The record under a key.
    pub(crate) fn record(&self, key: Key) -> Option<Record> {
        Some(match key {
            Key::Next => Record::Next(self.next()),
            Key::Environment(id) => Record::Environment(Arc::clone(self.environment(id)?)),
            Key::Service(id) => Record::Service(Arc::clone(self.service(id)?)),
            Key::Definition(id, at) => {
                Record::Definition(Arc::clone(self.stage(at)?.definition(id)?))
            }
            Key::Group(id) => Record::Group(Arc::clone(&self.group(id)?.record)),
            Key::Api(id) => Record::Api(Arc::clone(self.api(id)?)),
            Key::Publication(id, at) => {
                Record::Publication(Arc::clone(self.stage(at)?.publication(id)?))
            }
            Key::Resource(id) => Record::Resource(Arc::clone(self.resource(id)?)),
            Key::Grant(api, at, app) => Record::Grant(Arc::clone(self.grants().get(api, at, app)?)),
            Key::Revision(revision) => Record::Revision(Arc::clone(self.log().entry(revision)?)),
        })
    }

    /// The revision that last wrote a key, deletions included; absent if nothing was ever there, as
    /// far as the history goes back.
    pub(crate) fn touched(&self, key: Key) -> Option<Revision> {
        match self.record(key) {
            Some(record) => record.stamp().map(|stamp| stamp.revision),
            None => self.log().gone(key),
        }
    }

    /// The changes that wrote a key, the newest first, as far as the history goes back.
    pub(crate) fn touches(&self, key: Key) -> impl Iterator<Item = Touch> + '_ {
        let mut next = match self.record(key) {
            Some(record) => record.stamp().map(|stamp| stamp.revision).map(|r| (r, Some(record))),
            None => self.log().gone(key).map(|revision| (revision, None)),
        };
        std::iter::from_fn(move || {
            let (revision, after) = next.take()?;
            let Some(entry) = self.log().entry(revision) else {
                let stamp = Arc::clone(after.as_ref()?.stamp()?);
                return Some(Touch { stamp, entry: None, after });
            };
            next = match entry.before(key) {
                Some(Some(Past::Gone(by))) => Some((*by, None)),
                Some(Some(Past::Was(record))) => {
                    record.stamp().map(|stamp| (stamp.revision, Some(record.clone())))
                }
                Some(None) | None => None,
            };
            Some(Touch { stamp: Arc::clone(&entry.stamp), entry: Some(Arc::clone(entry)), after })
        })
    }
}

impl Record {
    /// Who made it so.
    pub(crate) fn stamp(&self) -> Option<&Arc<Stamp>> {
        match self {
            Self::Next(_) => None,
            Self::Environment(record) => Some(&record.stamp),
            Self::Service(record) => Some(&record.stamp),
            Self::Definition(record) => Some(&record.stamp),
            Self::Group(record) => Some(&record.stamp),
            Self::Api(record) => Some(&record.stamp),
            Self::Publication(record) => Some(&record.stamp),
            Self::Resource(record) => Some(&record.stamp),
            Self::Grant(record) => Some(&record.stamp),
            Self::Revision(record) => Some(&record.stamp),
        }
    }

    /// The same, made so by somebody else.
    pub(crate) fn stamped(&self, stamp: &Arc<Stamp>) -> Self {
        macro_rules! stamped {
            ($($sort:ident),*) => {
                match self {
                    Self::Next(next) => Self::Next(*next),
                    $(Self::$sort(record) => {
                        let mut record = (**record).clone();
                        record.stamp = Arc::clone(stamp);
                        Self::$sort(Arc::new(record))
                    })*
                }
            };
        }
        stamped!(
            Environment,
            Service,
            Definition,
            Group,
            Resource,
            Api,
            Publication,
            Grant,
            Revision
        )
    }

    /// Whether two records say the same, whoever said so.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        other.stamp().map_or_else(|| self == other, |stamp| self.stamped(stamp) == *other)
    }
}
