//! The newest revisions, and who deleted what is gone.

use std::sync::Arc;

use super::super::routes::key as index;
use super::super::shared::Trie;
use crate::model::Revision;
use crate::model::path::mix;
use crate::store::Key;
use crate::store::record::{Past, RevisionRecord};

/// Entries whose deletions are forgotten in one step, once an entry leaves the log.
const SWEPT: usize = 256;

/// Entries that are shared together: a commit copies the newest of them, which are at hand, and not
/// those of long ago.
const CHUNK: usize = 64;

type Chunk = Vec<Arc<RevisionRecord>>;

/// The entries of the newest revisions, without gaps. Clones share what they have in common.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    /// All full but for the last. The first may hold entries that are forgotten already.
    chunks: Vec<Arc<Chunk>>,
    /// The revision of the first entry in `chunks`.
    start: u64,
    /// The oldest revision that is kept.
    first: Revision,
    /// The revision behind the newest.
    end: u64,
    /// By which revision a key was deleted; what was deleted before `first` counts as never there.
    gone: Trie<(Key, Revision)>,
    /// Entries that left, and how many of their deletions are forgotten.
    leaving: Vec<(Arc<RevisionRecord>, usize)>,
}

fn key_index(key: Key) -> u32 {
    let (sort, one, other): (u64, u64, u64) = match key {
        Key::Next => (0, 0, 0),
        Key::Environment(id) => (1, id.number().into(), 0),
        Key::Service(id) => (2, id.number().into(), 0),
        Key::Definition(id, at) => (3, id.number().into(), at.number().into()),
        Key::Group(id) => (4, id.number().into(), 0),
        Key::Api(id) => (5, id.number().into(), 0),
        Key::Publication(id, at) => (6, id.number().into(), at.number().into()),
        Key::Revision(revision) => (7, revision.as_u64(), 0),
        Key::Resource(id) => (8, id.number().into(), 0),
        Key::Grant(api, at, app) => {
            (9, api.number().into(), u64::from(at.number()) << 32 | u64::from(app.number()))
        }
    };
    index(mix(mix(mix(0, sort), one), other))
}

impl Log {
    /// How many revisions are kept.
    pub(crate) fn len(&self) -> usize {
        usize::try_from(self.end.saturating_sub(self.first.as_u64())).unwrap_or(usize::MAX)
    }

    /// The oldest revision that is kept.
    pub(crate) fn first(&self) -> Option<Revision> {
        (self.len() > 0).then_some(self.first)
    }

    /// The entry of a revision.
    pub(crate) fn entry(&self, revision: Revision) -> Option<&Arc<RevisionRecord>> {
        if revision < self.first {
            return None;
        }
        let place = usize::try_from(revision.as_u64().checked_sub(self.start)?).ok()?;
        self.chunks.get(place / CHUNK)?.get(place % CHUNK)
    }

    /// The revision that deleted what was under a key.
    pub(crate) fn gone(&self, key: Key) -> Option<Revision> {
        let mut found = self.gone.under(key_index(key));
        let revision = found.find(|(other, _)| *other == key).map(|(_, revision)| *revision)?;
        (self.len() > 0 && revision >= self.first).then_some(revision)
    }

    /// Keeps the entry of a revision. `there` says whether there is a record under a key.
    pub(crate) fn keep(&mut self, entry: &Arc<RevisionRecord>, there: impl Fn(Key) -> bool) {
        let revision = entry.stamp.revision;
        for (key, _) in entry.written() {
            self.gone.remove(key_index(key), |(other, _)| *other == key);
            if !there(key) {
                self.gone.insert(key_index(key), (key, revision));
            }
        }
        if self.len() == 0 || revision.as_u64() != self.end {
            // The first, or behind a gap: what is before it cannot be gone back to.
            (self.chunks, self.start, self.first) = (Vec::new(), revision.as_u64(), revision);
        }
        match self.chunks.last_mut().filter(|last| last.len() < CHUNK) {
            Some(last) => Arc::make_mut(last).push(Arc::clone(entry)),
            None => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(Arc::clone(entry));
                self.chunks.push(Arc::new(chunk));
            }
        }
        self.end = revision.next().as_u64();
    }

    /// Forgets the entry of the oldest revision; of another one nothing is forgotten.
    pub(crate) fn forget(&mut self, revision: Revision) {
        let Some(entry) = self.entry(revision).filter(|_| revision == self.first).cloned() else {
            return;
        };
        self.first = revision.next();
        let full = u64::try_from(CHUNK).unwrap_or(u64::MAX);
        if self.first.as_u64() - self.start >= full && !self.chunks.is_empty() {
            self.chunks.remove(0);
            self.start += full;
        }
        self.leaving.push((entry, 0));
        self.sweep();
    }

    /// Goes on forgetting the deletions of entries that left, a slice at a time.
    pub(crate) fn sweep(&mut self) {
        let Some((entry, done)) = self.leaving.pop() else { return };
        let next = done + SWEPT;
        // What it created, it did not delete.
        for (key, _) in entry.touched.iter().skip(done).take(SWEPT) {
            let revision = entry.stamp.revision;
            self.gone.remove(key_index(*key), |(other, by)| other == key && *by <= revision);
        }
        if next < entry.touched.len() {
            self.leaving.push((entry, next));
        }
    }
}

impl RevisionRecord {
    /// Every key the change wrote, with what was there before: nothing ever, or what `Past` says.
    pub(crate) fn written(&self) -> impl Iterator<Item = (Key, Option<&Past>)> {
        let touched = self.touched.iter().map(|(key, past)| (*key, Some(past)));
        self.created.iter().map(|key| (*key, None)).chain(touched)
    }

    /// What was under a key before the change; `None`: the change did not write it.
    pub(crate) fn before(&self, key: Key) -> Option<Option<&Past>> {
        if let Ok(at) = self.touched.binary_search_by(|(other, _)| other.cmp(&key)) {
            return self.touched.get(at).map(|(_, past)| Some(past));
        }
        self.created.binary_search(&key).is_ok().then_some(None)
    }
}
