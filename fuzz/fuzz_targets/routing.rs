//! Any routes, live and not, and any requests: the gateway finds what the reference router finds.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use reference::router::find;
use reference::routing::{found, gateway, request, routes};
use tokio::runtime::{Builder, Runtime};

#[allow(dead_code, reason = "each target uses a part of it")]
#[path = "../../tests/reference/mod.rs"]
mod reference;

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_time().build().expect("a runtime"));

fuzz_target!(|input: (Vec<[u8; 4]>, Vec<[u8; 5]>)| {
    let (made, requests) = input;
    let routes = routes(&made);
    let gateway = RUNTIME.block_on(gateway(&routes));
    for bytes in requests {
        let (method, path) = request(&bytes[..1 + usize::from(bytes[4] % 4)]);
        let expected = find(&routes, method.as_str(), &path);
        assert_eq!(found(&gateway, &method, &path), expected, "{method} {path} {routes:?}");
    }
});
