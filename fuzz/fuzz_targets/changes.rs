//! Any sequence of changes, undos and plans: the registry accepts what the reference model accepts,
//! refuses what it refuses for the same reason, and is the same after each.

#![no_main]

use std::sync::LazyLock;

use backhaul::Registry;
use libfuzzer_sys::fuzz_target;
use reference::against::{apply_both, beginning, both, edit, plan_both};
use reference::model::Model;
use tokio::runtime::{Builder, Runtime};

#[allow(dead_code, reason = "each target uses a part of it")]
#[path = "../../tests/reference/mod.rs"]
mod reference;

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_time().build().expect("a runtime"));

/// Changes in one sequence: the model keeps every revision whole.
const CHANGES: usize = 200;

fuzz_target!(|changes: Vec<(u8, Vec<[u8; 5]>)>| {
    RUNTIME.block_on(async {
        let registry = Registry::in_memory().await.expect("a registry without TLS");
        let mut model = Model::default();
        both(&mut model, &registry, &beginning()).await;
        let mut planned = Vec::new();
        for (way, bytes) in changes.into_iter().take(CHANGES) {
            let edits: Vec<_> = bytes.into_iter().map(edit).collect();
            match way % 4 {
                0 => planned.extend(plan_both(&model, &registry, &edits).await),
                _ => both(&mut model, &registry, &edits).await,
            }
            if way & 16 != 0 && !planned.is_empty() {
                apply_both(&mut model, &registry, planned.remove(0)).await;
            }
        }
    });
});
