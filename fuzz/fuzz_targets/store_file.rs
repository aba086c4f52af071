//! A store's file with any damage: opening it does not panic, and what it opens as is what was there.
//! What is refused is not written.

#![no_main]

use std::sync::{Arc, LazyLock};

use backhaul::store::{Key, Loaded, Record, RedbStore, Store};
use backhaul::testing::store::disk::{Disk, MemoryDisk};
use backhaul::{Api, Change, Environment, Group, Http, Kind, Registry, Revision};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_time().build().expect("a runtime"));
/// Stops at a panic, as ever, but for the database's own on damaged bytes: they become errors.
static HOOK: LazyLock<()> = LazyLock::new(|| {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !panic.location().is_some_and(|at| at.file().contains("/redb-")) {
            usual(panic);
        }
    }));
});
static STORE: LazyLock<(Vec<u8>, Revision, Vec<(Key, Record)>)> =
    LazyLock::new(|| RUNTIME.block_on(store()));

fn sorted(loaded: Loaded) -> (Revision, Vec<(Key, Record)>) {
    let mut records = loaded.records;
    records.sort_unstable_by_key(|(key, _)| *key);
    (loaded.revision, records)
}

/// A small store as it is when it was closed, and what is in it.
async fn store() -> (Vec<u8>, Revision, Vec<(Key, Record)>) {
    let disk = Arc::new(MemoryDisk::default());
    let opened = RedbStore::on_disk(Arc::clone(&disk) as Arc<dyn Disk>).await;
    let store = Arc::new(opened.expect("an empty store"));
    let registry = Registry::builder().store(Arc::clone(&store) as Arc<dyn Store>).await;
    let registry = registry.expect("a registry without TLS");
    let live = Environment::PRODUCTION;
    let change = Change::new()
        .service("orders", Kind::HTTP)
        .define("orders", live.clone(), Http::to("http://10.0.0.7:8080"))
        .group("shop", Group::host("shop.example.com"))
        .api("shop/get_order", Api::get("/orders/[id]").service("orders", "/v1/[id]"))
        .publish("shop/get_order", live);
    registry.publisher("fuzz").apply(change).await.expect("a change");
    drop(registry);
    let (revision, records) = sorted(store.load().await.expect("what is in it"));
    drop(store);
    // Whatever follows the store lets go of it with the registry, within a turn or two.
    while Arc::strong_count(&disk) > 1 {
        tokio::task::yield_now().await;
    }
    (disk.image(), revision, records)
}

fuzz_target!(|damage: (Vec<(u32, u8)>, Option<u32>)| {
    let (places, length) = damage;
    LazyLock::force(&HOOK);
    let (image, revision, records) = &*STORE;
    let mut damaged = image.clone();
    for (place, byte) in places {
        let index = place as usize % damaged.len();
        damaged[index] ^= byte;
    }
    if let Some(length) = length {
        // At least a byte: a disk without any is a new store.
        damaged.truncate(1 + length as usize % damaged.len());
    }
    RUNTIME.block_on(async {
        let disk = Arc::new(MemoryDisk::new(damaged.clone()));
        match RedbStore::on_disk(Arc::clone(&disk) as Arc<dyn Disk>).await {
            Ok(store) => {
                let found = sorted(store.load().await.expect("what it was opened with"));
                assert_eq!((&found.0, &found.1), (revision, records));
            }
            Err(_) => assert!(disk.image() == damaged, "what is refused was written"),
        }
    });
});
