//! Records as bytes: a hash of the key and of what follows, then JSON.
//!
//! The JSON of an API or a publication is three pieces with their lengths before them, so that the
//! stamp and the version can be compared as bytes instead of being parsed again and again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

use super::key;
use crate::model::id::{ApiId, GroupId};
use crate::model::{Revision, Stamp, Version};
use crate::store::record::{
    ApiRecord, DefinitionRecord, EnvironmentRecord, GrantRecord, GroupRecord, PublicationRecord,
    ResourceRecord, RevisionRecord, ServiceRecord,
};
use crate::store::{Key, Record};

/// Bytes of a hash.
const HASH: usize = 8;
/// Bytes of a length before a piece.
const LENGTH: usize = 4;

/// Of an API, what is in no piece of its own.
#[derive(Serialize, Deserialize)]
struct ApiHead {
    group: GroupId,
    name: Arc<str>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    by_document: bool,
}

/// Of a publication, what is in no piece of its own.
#[derive(Serialize, Deserialize)]
struct PublicationHead {
    api: ApiId,
    group: GroupId,
    epoch: Option<Revision>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    by_document: bool,
}

/// The hash of a key and what is kept under it: stable across versions and platforms.
fn hash(key: &[u8], payload: &[u8]) -> u64 {
    XxHash3_64::oneshot_with_seed(XxHash3_64::oneshot(key), payload)
}

/// What is kept for `payload` under a key.
pub(super) fn seal(key: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(HASH + payload.len());
    value.extend_from_slice(&hash(key, payload).to_be_bytes());
    value.extend_from_slice(payload);
    value
}

/// The hash that a value says it has.
pub(super) fn stated(value: &[u8]) -> Option<u64> {
    value.first_chunk::<HASH>().map(|bytes| u64::from_be_bytes(*bytes))
}

/// What was sealed under a key; `None` if it is not what was sealed.
pub(super) fn unseal<'a>(key: &[u8], value: &'a [u8]) -> Option<&'a [u8]> {
    let (stated, payload) = value.split_first_chunk::<HASH>()?;
    (u64::from_be_bytes(*stated) == hash(key, payload)).then_some(payload)
}

/// The bytes of a record of the key's sort. `None`: it is of another sort, or cannot be written.
pub(super) fn encode(key: Key, record: &Record) -> Option<Vec<u8>> {
    if !record.fits(key) {
        return None;
    }
    let payload = match record {
        Record::Next(record) => serde_json::to_vec(record).ok()?,
        Record::Environment(record) => serde_json::to_vec(record).ok()?,
        Record::Service(record) => serde_json::to_vec(record).ok()?,
        Record::Definition(record) => serde_json::to_vec(record).ok()?,
        Record::Group(record) => serde_json::to_vec(record).ok()?,
        Record::Resource(record) => serde_json::to_vec(record).ok()?,
        Record::Grant(record) => serde_json::to_vec(record).ok()?,
        Record::Revision(record) => serde_json::to_vec(record).ok()?,
        Record::Api(record) => {
            let ApiRecord { group, by_document, .. } = **record;
            let head = ApiHead { group, name: Arc::clone(&record.name), by_document };
            pieces(&head, &record.stamp, &record.version)?
        }
        Record::Publication(record) => {
            let PublicationRecord { api, group, epoch, by_document, .. } = **record;
            let head = PublicationHead { api, group, epoch, by_document };
            pieces(&head, &record.stamp, &record.version)?
        }
    };
    Some(seal(key::encode(key).as_slice(), &payload))
}

fn pieces(head: &impl Serialize, stamp: &Stamp, version: &Version) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for piece in [serde_json::to_vec(head), serde_json::to_vec(stamp)] {
        let piece = piece.ok()?;
        bytes.extend_from_slice(&u32::try_from(piece.len()).ok()?.to_be_bytes());
        bytes.extend_from_slice(&piece);
    }
    serde_json::to_writer(&mut bytes, version).ok()?;
    Some(bytes)
}

/// The piece at the beginning, and what comes after it.
fn piece(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<LENGTH>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

fn read<T: DeserializeOwned>(payload: &[u8]) -> Option<T> {
    // What is wrong with it may be a secret: it is not told.
    serde_json::from_slice(payload).ok()
}

/// Stamps that were read: records of one change share theirs.
#[derive(Default)]
pub(super) struct Stamps {
    by_bytes: HashMap<Box<[u8]>, Arc<Stamp>>,
    all: HashSet<Arc<Stamp>>,
}

impl Stamps {
    fn share(&mut self, stamp: &mut Arc<Stamp>) {
        match self.all.get(stamp) {
            Some(known) => stamp.clone_from(known),
            None => drop(self.all.insert(Arc::clone(stamp))),
        }
    }

    fn read(&mut self, bytes: &[u8]) -> Option<Arc<Stamp>> {
        if let Some(known) = self.by_bytes.get(bytes) {
            return Some(Arc::clone(known));
        }
        let mut stamp = Arc::new(read(bytes)?);
        self.share(&mut stamp);
        self.by_bytes.insert(bytes.into(), Arc::clone(&stamp));
        Some(stamp)
    }
}

/// A record that says who made it so.
trait Stamped {
    fn stamp(&mut self) -> &mut Arc<Stamp>;
}

macro_rules! stamped {
    ($($record:ty),*) => { $(
        impl Stamped for $record {
            fn stamp(&mut self) -> &mut Arc<Stamp> {
                &mut self.stamp
            }
        }
    )* };
}

stamped!(
    EnvironmentRecord,
    ServiceRecord,
    DefinitionRecord,
    GroupRecord,
    ResourceRecord,
    GrantRecord,
    RevisionRecord
);

/// Reads records in the order of their keys, so that an API's publications share the version they have
/// in common with its draft or with each other.
pub(super) struct Decoder<'a> {
    stamps: &'a mut Stamps,
    api: Option<ApiId>,
    /// Of `api`.
    versions: Vec<(&'a [u8], Arc<Version>)>,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(stamps: &'a mut Stamps) -> Self {
        Self { stamps, api: None, versions: Vec::new() }
    }

    /// What is kept under a key. `None`: it is not what was kept, or cannot be understood.
    pub(super) fn decode(&mut self, key: Key, value: &'a [u8]) -> Option<Record> {
        let payload = unseal(key::encode(key).as_slice(), value)?;
        Some(match key {
            Key::Next => Record::Next(read(payload)?),
            Key::Environment(_) => Record::Environment(self.stamped(payload)?),
            Key::Service(_) => Record::Service(self.stamped(payload)?),
            Key::Definition(..) => Record::Definition(self.stamped(payload)?),
            Key::Group(_) => Record::Group(self.stamped(payload)?),
            Key::Resource(_) => Record::Resource(self.stamped(payload)?),
            Key::Grant(..) => Record::Grant(self.stamped(payload)?),
            Key::Revision(_) => Record::Revision(self.stamped(payload)?),
            Key::Api(id) => {
                let (head, stamp, version) = self.api(id, payload)?;
                let ApiHead { group, name, by_document } = read(head)?;
                Record::Api(Arc::new(ApiRecord { group, name, version, by_document, stamp }))
            }
            Key::Publication(id, _) => {
                let (head, stamp, version) = self.api(id, payload)?;
                let PublicationHead { api, group, epoch, by_document } = read(head)?;
                let record = PublicationRecord { api, group, version, epoch, by_document, stamp };
                Record::Publication(Arc::new(record))
            }
        })
    }

    fn stamped<T: DeserializeOwned + Stamped>(&mut self, payload: &[u8]) -> Option<Arc<T>> {
        let mut record: T = read(payload)?;
        self.stamps.share(record.stamp());
        Some(Arc::new(record))
    }

    fn api(
        &mut self,
        id: ApiId,
        payload: &'a [u8],
    ) -> Option<(&'a [u8], Arc<Stamp>, Arc<Version>)> {
        let (head, rest) = piece(payload)?;
        let (stamp, version) = piece(rest)?;
        let stamp = self.stamps.read(stamp)?;
        if self.api != Some(id) {
            self.api = Some(id);
            self.versions.clear();
        }
        if let Some((_, known)) = self.versions.iter().find(|(bytes, _)| *bytes == version) {
            return Some((head, stamp, Arc::clone(known)));
        }
        let parsed: Arc<Version> = Arc::new(read(version)?);
        self.versions.push((version, Arc::clone(&parsed)));
        Some((head, stamp, parsed))
    }
}
