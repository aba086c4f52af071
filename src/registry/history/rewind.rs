//! What was true at a revision.

use super::super::state::State;
use crate::model::Revision;
use crate::store::record::{Past, RevisionRecord};

impl State {
    /// What was true at a revision the history reaches back to. Costs what was changed since.
    ///
    /// Its log is that of now.
    pub(crate) fn rewound(&self, revision: Revision) -> Option<Self> {
        if revision > self.revision() {
            return None;
        }
        let mut state = self.clone();
        for back in (revision.as_u64()..self.revision().as_u64()).rev() {
            let entry = self.log().entry(Revision::new(back).next())?;
            state = state.rewound_by(entry)?;
        }
        Some(state)
    }

    /// What was true before the change that led here.
    pub(crate) fn rewound_by(&self, entry: &RevisionRecord) -> Option<Self> {
        let mut state = self.clone();
        for (key, past) in entry.written() {
            let before = match past {
                Some(Past::Was(record)) => Some(record.clone()),
                Some(Past::Gone(_)) | None => None,
            };
            state.put(key, before).ok()?;
        }
        let before = entry.stamp.revision.as_u64().saturating_sub(1);
        state.advance(Revision::new(before));
        Some(state)
    }
}
