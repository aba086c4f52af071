//! Any sequence of changes: the registry accepts what the reference model accepts, refuses what it
//! refuses for the same reason, and is the same after each.

#![no_main]

use std::sync::LazyLock;

use backhaul::Registry;
use libfuzzer_sys::fuzz_target;
use reference::against::{beginning, both, edit};
use reference::model::Model;
use tokio::runtime::{Builder, Runtime};

#[allow(dead_code, reason = "each target uses a part of it")]
#[path = "../../tests/reference/mod.rs"]
mod reference;

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_time().build().expect("a runtime"));

fuzz_target!(|changes: Vec<Vec<[u8; 5]>>| {
    RUNTIME.block_on(async {
        let registry = Registry::in_memory().await.expect("a registry without TLS");
        let mut model = Model::default();
        both(&mut model, &registry, &beginning()).await;
        for bytes in changes {
            let edits: Vec<_> = bytes.into_iter().map(edit).collect();
            both(&mut model, &registry, &edits).await;
        }
    });
});
