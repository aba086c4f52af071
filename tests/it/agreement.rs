//! The registry against the reference model, and the gateway against the reference router.

use backhaul::Registry;
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};

use crate::reference::against::{apply_both, beginning, both, edit, plan_both};
use crate::reference::model::Model;
use crate::reference::router::find;
use crate::reference::routing::{found, gateway, request, routes};

/// A few: what the fuzz target does is tried here, and `model_check` makes the many.
const SEQUENCES: u32 = 60;
const CHANGES: usize = 60;
const EDITS: usize = 3;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: SEQUENCES,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_registry_is_what_the_model_is(
        changes in vec((any::<u8>(), vec(any::<[u8; 5]>(), 1..=EDITS)), CHANGES..=CHANGES),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let registry = Registry::in_memory().await.unwrap();
            let mut model = Model::default();
            both(&mut model, &registry, &beginning()).await;
            let mut planned = Vec::new();
            for (way, bytes) in changes {
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
    }

    #[test]
    fn the_gateway_finds_what_the_reference_router_finds(
        made in vec(any::<[u8; 4]>(), 1..12),
        requests in vec(vec(any::<u8>(), 1..5), 40),
    ) {
        let routes = routes(&made);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let gateway = runtime.block_on(gateway(&routes));
        for bytes in requests {
            let (method, path) = request(&bytes);
            let expected = find(&routes, method.as_str(), &path);
            prop_assert_eq!(found(&gateway, &method, &path), expected, "{} {}", method, path);
        }
    }
}
