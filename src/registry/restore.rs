//! The state that a store's records make, built at once instead of record by record.

use std::collections::BTreeMap;

use super::state::State;
use crate::store::{Key, Loaded, Record, StoreError};

/// Fewer records are put together without other threads.
const FEW: usize = 1_000;

/// Builds a state. Many records are built where that holds up no other task.
pub(super) async fn restored(loaded: Loaded) -> Result<State, StoreError> {
    if loaded.records.len() < FEW {
        return restore(loaded);
    }
    let task = tokio::task::spawn_blocking(move || restore(loaded));
    task.await.map_err(|error| StoreError::Corrupt(error.to_string()))?
}

fn restore(loaded: Loaded) -> Result<State, StoreError> {
    let mut records = loaded.records;
    // Environments before what is in them, services before what refers to them, history last.
    if !records.is_sorted_by_key(|(key, _)| *key) {
        records.sort_unstable_by_key(|(key, _)| *key);
    }
    let twice = records.windows(2).find(|pair| match pair {
        [(one, _), (other, _)] => one == other,
        _ => false,
    });
    if let Some([(key, _), ..]) = twice {
        return Err(StoreError::Corrupt(format!("record {key:?} is there twice")));
    }
    let mut state = State::empty();
    let (mut apis, mut published) = (Vec::new(), BTreeMap::<_, Vec<_>>::new());
    let mut history = Vec::new();
    for (key, record) in records {
        match (key, record) {
            (Key::Api(id), Record::Api(record)) => apis.push((id.number(), record)),
            (Key::Publication(api, at), Record::Publication(record)) => {
                published.entry(at).or_default().push((api.number(), record));
            }
            (Key::Revision(_), record) => history.push((key, record)),
            (key, record) => put(&mut state, key, record)?,
        }
    }
    state.fill(apis, published).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    for (key, record) in history {
        put(&mut state, key, record)?;
    }
    state.advance(loaded.revision);
    state.note_all_unreachable();
    Ok(state)
}

fn put(state: &mut State, key: Key, record: Record) -> Result<(), StoreError> {
    state.put(key, Some(record)).map_err(|error| StoreError::Corrupt(error.to_string()))
}
