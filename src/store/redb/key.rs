//! Keys as bytes: their order is the order of the bytes, and an API's draft comes directly before its
//! publications.

use crate::model::Revision;
use crate::model::id::{ApiId, EnvironmentId, GroupId, ResourceId, ServiceId};
use crate::store::Key;

// The first byte says which sort it is. Gaps leave room between them.
const NEXT: u8 = 0x00;
const ENVIRONMENT: u8 = 0x10;
const SERVICE: u8 = 0x20;
const DEFINITION: u8 = 0x30;
const GROUP: u8 = 0x40;
const RESOURCE: u8 = 0x48;
const API: u8 = 0x50;
const REVISION: u8 = 0x60;
/// The store's own row, behind all others.
const STATE: u8 = 0x70;
// The byte after an API's id.
const DRAFT: u8 = 0;
const PUBLICATION: u8 = 1;
const GRANT: u8 = 2;
/// The byte after a revision, where the row is not about what the change did but which it was.
const CHANGE: u8 = 1;

/// Bytes of the longest key.
const LONGEST: usize = 12;

/// What a row is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Row {
    /// What is kept under a key.
    Record(Key),
    /// Which change a revision was.
    Change(Revision),
    /// What the store says of itself.
    State,
}

/// A key as bytes, where it is.
#[derive(Clone, Copy)]
pub(super) struct KeyBytes {
    bytes: [u8; LONGEST],
    length: usize,
}

impl KeyBytes {
    fn new(parts: &[&[u8]]) -> Self {
        let mut bytes = [0; LONGEST];
        let mut length = 0;
        for (to, from) in bytes.iter_mut().zip(parts.iter().copied().flatten()) {
            *to = *from;
            length += 1;
        }
        Self { bytes, length }
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// The bytes a key is kept under.
pub(super) fn encode(key: Key) -> KeyBytes {
    let environment = |id: EnvironmentId| id.number().to_be_bytes();
    match key {
        Key::Next => KeyBytes::new(&[&[NEXT]]),
        Key::Environment(id) => KeyBytes::new(&[&[ENVIRONMENT], &environment(id)]),
        Key::Service(id) => KeyBytes::new(&[&[SERVICE], &id.number().to_be_bytes()]),
        Key::Definition(service, id) => {
            KeyBytes::new(&[&[DEFINITION], &service.number().to_be_bytes(), &environment(id)])
        }
        Key::Group(id) => KeyBytes::new(&[&[GROUP], &id.number().to_be_bytes()]),
        Key::Api(id) => KeyBytes::new(&[&[API], &id.number().to_be_bytes(), &[DRAFT]]),
        Key::Publication(api, id) => {
            let api = api.number().to_be_bytes();
            KeyBytes::new(&[&[API], &api, &[PUBLICATION], &environment(id)])
        }
        Key::Resource(id) => KeyBytes::new(&[&[RESOURCE], &id.number().to_be_bytes()]),
        Key::Grant(api, id, app) => {
            let (api, app) = (api.number().to_be_bytes(), app.number().to_be_bytes());
            KeyBytes::new(&[&[API], &api, &[GRANT], &environment(id), &app])
        }
        Key::Revision(revision) => KeyBytes::new(&[&[REVISION], &revision.as_u64().to_be_bytes()]),
    }
}

/// The bytes a revision's change is kept under: directly behind the revision, so that a commit writes
/// to few places.
pub(super) fn of_change(revision: Revision) -> KeyBytes {
    KeyBytes::new(&[&[REVISION], &revision.as_u64().to_be_bytes(), &[CHANGE]])
}

/// The bytes the store's own row is kept under.
pub(super) fn of_state() -> KeyBytes {
    KeyBytes::new(&[&[STATE]])
}

/// The bytes before those of every revision, and those behind them.
pub(super) const REVISIONS: std::ops::Range<&[u8]> = &[REVISION]..&[STATE];

/// What the row under these bytes is about. `None`: nothing.
pub(super) fn row(bytes: &[u8]) -> Option<Row> {
    match bytes {
        [STATE] => Some(Row::State),
        [REVISION, revision @ .., CHANGE] if revision.len() == size_of::<u64>() => {
            let revision = u64::from_be_bytes(revision.try_into().ok()?);
            Some(Row::Change(Revision::new(revision)))
        }
        _ => decode(bytes).map(Row::Record),
    }
}

/// The key that bytes stand for. `None`: they stand for none.
pub(super) fn decode(bytes: &[u8]) -> Option<Key> {
    let u16 = |bytes: &[u8]| Some(EnvironmentId::new(u16::from_be_bytes(bytes.try_into().ok()?)));
    let u32 = |bytes: &[u8]| Some(u32::from_be_bytes(bytes.try_into().ok()?));
    let (sort, rest) = bytes.split_first()?;
    Some(match *sort {
        NEXT if rest.is_empty() => Key::Next,
        ENVIRONMENT => Key::Environment(u16(rest)?),
        SERVICE => Key::Service(ServiceId::new(u32(rest)?)),
        DEFINITION => {
            let (service, environment) = rest.split_at_checked(4)?;
            Key::Definition(ServiceId::new(u32(service)?), u16(environment)?)
        }
        GROUP => Key::Group(GroupId::new(u32(rest)?)),
        RESOURCE => Key::Resource(ResourceId::new(u32(rest)?)),
        API => {
            let (api, rest) = rest.split_at_checked(4)?;
            let api = ApiId::new(u32(api)?);
            match rest.split_first()? {
                (&DRAFT, []) => Key::Api(api),
                (&PUBLICATION, environment) => Key::Publication(api, u16(environment)?),
                (&GRANT, rest) => {
                    let (environment, app) = rest.split_at_checked(2)?;
                    Key::Grant(api, u16(environment)?, ResourceId::new(u32(app)?))
                }
                _ => return None,
            }
        }
        REVISION => Key::Revision(Revision::new(u64::from_be_bytes(rest.try_into().ok()?))),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
