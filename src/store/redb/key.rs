//! Keys as bytes: their order is the order of the bytes, and an API's draft comes directly before its
//! publications.

use crate::model::Revision;
use crate::model::id::{ApiId, EnvironmentId, GroupId, ServiceId};
use crate::store::Key;

// The first byte says which sort it is. Gaps leave room between them.
const NEXT: u8 = 0x00;
const ENVIRONMENT: u8 = 0x10;
const SERVICE: u8 = 0x20;
const DEFINITION: u8 = 0x30;
const GROUP: u8 = 0x40;
const API: u8 = 0x50;
const REVISION: u8 = 0x60;
// The byte after an API's id.
const DRAFT: u8 = 0;
const PUBLICATION: u8 = 1;

/// Bytes of the longest key.
const LONGEST: usize = 9;

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
        Key::Revision(revision) => KeyBytes::new(&[&[REVISION], &revision.as_u64().to_be_bytes()]),
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
        API => {
            let (api, rest) = rest.split_at_checked(4)?;
            let api = ApiId::new(u32(api)?);
            match rest.split_first()? {
                (&DRAFT, []) => Key::Api(api),
                (&PUBLICATION, environment) => Key::Publication(api, u16(environment)?),
                _ => return None,
            }
        }
        REVISION => Key::Revision(Revision::new(u64::from_be_bytes(rest.try_into().ok()?))),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
