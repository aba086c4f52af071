//! Taking changes back.

use std::time::Duration;

use backhaul::registry::{History, Reason, Status};
use backhaul::{Api, Change, Group, Http, Kind, Mock, Registry, Revision, Undo};

use super::{LIVE, ManualClock, TEST, apply, http, order, refused, registry, shop, status};

/// `shop` with three APIs live.
async fn three() -> Registry {
    registry(
        shop()
            .api("shop/get_stock", order("/stock"))
            .api("shop/my_own", Api::get("/own").inline(Mock::new()))
            .publish_all(["shop/get_order", "shop/get_stock", "shop/my_own"], &LIVE),
    )
    .await
}

fn live(registry: &Registry) -> Vec<&'static str> {
    let apis = ["shop/get_order", "shop/get_stock", "shop/my_own"];
    let online = |api: &&str| status(registry, api, &LIVE) == Some(Status::Online);
    apis.into_iter().filter(online).collect()
}

fn url(registry: &Registry) -> Option<String> {
    let view = registry.service("orders").unwrap()?;
    let definition = view.definition(&LIVE)?.definition.clone();
    let text = serde_json::to_value(definition).unwrap();
    text["url"].as_str().map(str::to_owned)
}

fn undo(undo: impl Into<Undo>) -> Change {
    Change::new().undo(undo)
}

#[tokio::test]
async fn a_bulk_unpublish_is_undone_and_redone() {
    let registry = three().await;
    let gone = apply(&registry, Change::new().delete_definition("orders", LIVE)).await;
    assert_eq!(gone.counts().unpublished, 2);
    assert_eq!(live(&registry), ["shop/my_own"]);
    let back = apply(&registry, undo(gone.revision())).await;
    assert_eq!((back.counts().revived, back.undoes()), (2, &[gone.revision()][..]));
    assert_eq!(live(&registry).len(), 3);
    assert_eq!(back.left_out(), []);
    let again = apply(&registry, undo(back.revision())).await;
    assert_eq!(again.counts().unpublished, 2);
    assert_eq!(live(&registry), ["shop/my_own"]);
    // The first one was taken back, and taking that back did it again: it can be undone once more.
    apply(&registry, undo(again.revision())).await;
    assert_eq!(live(&registry).len(), 3);
}

#[tokio::test]
async fn what_was_touched_since_does_not_come_back_and_is_listed() {
    let registry = three().await;
    let gone = apply(&registry, Change::new().delete_definition("orders", LIVE)).await;
    let taken = apply(&registry, Change::new().unpublish("shop/get_stock", LIVE)).await;
    assert_eq!(taken.counts().displaced, 1);
    let back = apply(&registry, undo(gone.revision())).await;
    assert_eq!(back.counts().revived, 1);
    assert_eq!(live(&registry), ["shop/get_order", "shop/my_own"]);
    let left: Vec<_> = back.left_out().iter().map(ToString::to_string).collect();
    let by = taken.revision();
    assert_eq!(left, [format!("API shop/get_stock in RELEASE: touched by revision {by}")]);
    for later in [
        Change::new(),
        Change::new().publish("shop/get_stock", LIVE),
        Change::new().unpublish("shop/get_stock", LIVE),
    ] {
        apply(&registry, later).await;
        let found = registry.receipt(back.revision()).unwrap();
        assert_eq!(found.left_out(), back.left_out());
    }
}

#[tokio::test]
async fn a_definition_made_anew_keeps_its_value_and_takes_the_old_apis_over() {
    let registry = three().await;
    let gone = apply(&registry, Change::new().delete_definition("orders", LIVE)).await;
    apply(&registry, Change::new().define("orders", LIVE, http(2))).await;
    assert_eq!(live(&registry), ["shop/my_own"], "a new definition revives nothing by itself");
    let back = apply(&registry, undo(gone.revision())).await;
    assert_eq!((back.counts().revived, back.counts().moved), (2, 0));
    assert_eq!(live(&registry).len(), 3);
    assert_eq!(url(&registry).unwrap(), "http://10.0.0.7:2");
    // An update moves all of them.
    let moved = apply(&registry, Change::new().define("orders", LIVE, http(3))).await;
    assert_eq!(moved.counts().moved, 2);
    apply(&registry, undo(moved.revision())).await;
    apply(&registry, undo(back.revision())).await;
    assert_eq!(live(&registry), ["shop/my_own"]);
    let back = apply(&registry, undo(Undo::of(gone.revision()).restore_values())).await;
    assert_eq!(back.counts().revived, 2);
    assert_eq!(url(&registry).unwrap(), "http://10.0.0.7:1");
}

#[tokio::test]
async fn a_definition_accepts_eight_older_epochs() {
    let registry = three().await;
    let mut deleted = Vec::new();
    for port in 2..12 {
        let gone = apply(&registry, Change::new().delete_definition("orders", LIVE)).await;
        let anew = Change::new().define("orders", LIVE, http(port));
        apply(&registry, anew.publish("shop/get_order", LIVE)).await;
        deleted.push(gone.revision());
    }
    for revision in deleted.iter().skip(2) {
        apply(&registry, undo(*revision)).await;
    }
    let reason = refused(&registry, undo(deleted[0])).await;
    assert!(matches!(reason, Reason::Limit { limit: 8, .. }), "{reason}");
}

#[tokio::test]
async fn an_update_is_undone_unless_a_later_one_is_in_the_way() {
    let registry = three().await;
    let first = apply(&registry, Change::new().define("orders", LIVE, http(2))).await.revision();
    let second = apply(&registry, Change::new().define("orders", LIVE, http(3))).await.revision();
    let Reason::Touched { things, by, count } = refused(&registry, undo(first)).await else {
        panic!("it was undone");
    };
    assert_eq!(things, ["the definition of service \"orders\" in RELEASE"]);
    assert_eq!((by, count), (vec![second], 1));
    // One after the other they can be, in one change or in several.
    apply(&registry, undo(second)).await;
    apply(&registry, undo(first)).await;
    assert_eq!(url(&registry).unwrap(), "http://10.0.0.7:1");
    let (one, two) = (registry.revision(), first);
    assert!(matches!(refused(&registry, undo(two)).await, Reason::Touched { .. }), "done already");
    apply(&registry, undo(one)).await;
    assert_eq!(url(&registry).unwrap(), "http://10.0.0.7:2");
}

#[tokio::test]
async fn several_are_undone_in_one_change() {
    let registry = three().await;
    let first = apply(&registry, Change::new().define("orders", LIVE, http(2))).await.revision();
    let second = apply(&registry, Change::new().define("orders", LIVE, http(3))).await.revision();
    let receipt = apply(&registry, Change::new().undo(second).undo(first)).await;
    assert_eq!(url(&registry).unwrap(), "http://10.0.0.7:1");
    assert_eq!(receipt.undoes(), [second, first]);
    apply(&registry, undo(receipt.revision())).await;
    assert_eq!(url(&registry).unwrap(), "http://10.0.0.7:3");
}

#[tokio::test]
async fn publishing_and_unpublishing_are_undone() {
    let registry = three().await;
    let off = apply(&registry, Change::new().unpublish("shop/get_order", LIVE)).await;
    let back = apply(&registry, undo(off.revision())).await;
    assert_eq!(back.counts().published, 1);
    assert_eq!(live(&registry).len(), 3);
    let other =
        Change::new().api("shop/get_order", order("/other")).publish("shop/get_order", LIVE);
    let other = apply(&registry, other).await;
    apply(&registry, undo(other.revision())).await;
    let (draft, _) = registry.api("shop/get_order").unwrap().unwrap();
    assert_eq!(draft.path, "/orders/[id]");
    let view = registry.publication("shop/get_order", &LIVE).unwrap().unwrap();
    assert_eq!((view.status, view.api.path.as_str()), (Status::Online, "/orders/[id]"));
}

#[tokio::test]
async fn a_creation_is_undone_unless_it_is_in_use() {
    let registry = registry(shop()).await;
    let whole = registry.revision();
    let published = apply(&registry, Change::new().publish("shop/get_order", LIVE)).await;
    let reason = refused(&registry, undo(whole)).await;
    assert!(matches!(reason, Reason::InUse { .. }), "{reason}");
    apply(&registry, undo(published.revision())).await;
    apply(&registry, undo(whole)).await;
    assert!(registry.services().is_empty());
    assert!(registry.group("shop").unwrap().is_none());
    // All of it comes back with its ids, so that what follows can be undone too.
    apply(&registry, undo(registry.revision())).await;
    apply(&registry, Change::new().publish("shop/get_order", LIVE)).await;
    assert_eq!(live(&registry), ["shop/get_order"]);
}

#[tokio::test]
async fn what_is_brought_back_needs_what_it_refers_to_and_its_name() {
    let registry = registry(shop()).await;
    let draft = apply(&registry, Change::new().delete_api("shop/get_order")).await.revision();
    apply(&registry, Change::new().delete_service("orders")).await;
    let reason = refused(&registry, undo(draft)).await;
    assert_eq!(reason, Reason::Missing("service \"orders\"".to_owned()));
    apply(&registry, Change::new().service("orders", Kind::HTTP)).await;
    let reason = refused(&registry, undo(draft)).await;
    // The service of the same name is another one.
    assert_eq!(reason, Reason::Missing("service \"orders\"".to_owned()));
}

#[tokio::test]
async fn a_route_that_is_taken_is_not_taken_back() {
    let registry = three().await;
    let off = apply(&registry, Change::new().unpublish("shop/get_order", LIVE)).await.revision();
    let moved = Change::new()
        .api("shop/get_order", order("/elsewhere"))
        .api("shop/find_order", order("/orders/[x]"))
        .publish("shop/find_order", LIVE);
    apply(&registry, moved).await;
    let reason = refused(&registry, undo(off)).await;
    assert!(matches!(reason, Reason::RouteTaken { environment: Some(_), .. }), "{reason}");
}

#[tokio::test]
async fn partly_leaves_out_what_was_touched() {
    let registry = three().await;
    let change = Change::new()
        .unpublish("shop/get_order", LIVE)
        .unpublish("shop/get_stock", LIVE)
        .describe_service("orders", "moving");
    let off = apply(&registry, change).await.revision();
    let described = apply(&registry, Change::new().describe_service("orders", "moved")).await;
    let reason = refused(&registry, undo(off)).await;
    assert!(matches!(reason, Reason::Touched { count: 1, .. }), "{reason}");
    let back = apply(&registry, undo(Undo::of(off).partly())).await;
    assert_eq!(back.counts().published, 2);
    assert_eq!(registry.service("orders").unwrap().unwrap().description(), "moved");
    let left = back.left_out();
    assert_eq!(left.len(), 1);
    assert_eq!(
        (left[0].what.as_str(), &*left[0].by),
        ("service \"orders\"", &[described.revision()][..])
    );
}

#[tokio::test]
async fn names_hosts_and_environments_are_taken_back() {
    let registry = three().await;
    let names =
        Change::new().rename_service("orders", "sales").rename_api("shop/my_own", "shop/mine");
    let renamed = apply(&registry, names).await.revision();
    apply(&registry, Change::new().service("orders", Kind::MOCK)).await;
    assert_eq!(refused(&registry, undo(renamed)).await, Reason::NameTaken("orders".to_owned()));
    apply(&registry, Change::new().delete_service("orders")).await;
    apply(&registry, undo(renamed)).await;
    assert!(registry.service("sales").unwrap().is_none());
    assert_eq!(live(&registry).len(), 3);

    let moved = apply(&registry, Change::new().group("shop", Group::host("new.example.com"))).await;
    assert_eq!(moved.counts().readdressed, 3);
    apply(&registry, Change::new().group("other", Group::host("shop.example.com"))).await;
    let reason = refused(&registry, undo(moved.revision())).await;
    assert!(matches!(reason, Reason::HostTaken { .. }), "{reason}");

    let staging: backhaul::Environment = "STAGING".parse().unwrap();
    let declared =
        apply(&registry, Change::new().environment(staging.clone(), "")).await.revision();
    apply(&registry, Change::new().define("orders", staging.clone(), http(9))).await;
    let reason = refused(&registry, undo(declared)).await;
    assert!(matches!(reason, Reason::InUse { .. }), "{reason}");
    let retired = Change::new()
        .delete_definition("orders", staging.clone())
        .retire_environment(staging.clone());
    let retired = apply(&registry, retired).await.revision();
    apply(&registry, undo(retired)).await;
    assert_eq!(registry.service("orders").unwrap().unwrap().definitions().len(), 2);
}

#[tokio::test]
async fn history_is_bounded_by_revisions_and_days() {
    let clock = ManualClock::default();
    clock.set(1_000_000_000_000);
    let day = u64::try_from(Duration::from_secs(86_400).as_millis()).unwrap();
    let builder = Registry::builder().clock(clock.clone());
    let registry =
        builder.history(History::default().revisions(20).days(3)).in_memory().await.unwrap();
    apply(&registry, shop().publish("shop/get_order", LIVE)).await;
    for port in 0..60 {
        apply(&registry, Change::new().define("orders", LIVE, http(port + 100))).await;
    }
    let kept: Vec<_> = registry.history().map(|entry| entry.stamp.revision.as_u64()).collect();
    assert_eq!(kept, (42..=61).rev().collect::<Vec<_>>());
    assert_eq!(
        refused(&registry, undo(Revision::new(41))).await,
        Reason::NotInHistory(Revision::new(41))
    );
    assert!(registry.receipt(Revision::new(41)).is_none());
    assert_eq!(registry.receipt(Revision::new(42)).unwrap().counts().moved, 1);
    clock.set(1_000_000_000_000 + 4 * day);
    for port in 0..4 {
        apply(&registry, Change::new().define("orders", LIVE, http(port + 200))).await;
    }
    assert_eq!(registry.history().count(), 4);
}

#[tokio::test]
async fn what_no_undo_can_bring_back_is_given_up_in_slices() {
    let builder = Registry::builder().history(History::default().revisions(3));
    let registry = builder.in_memory().await.unwrap();
    apply(&registry, shop()).await;
    let many: Vec<_> = (0..600).map(|n| format!("shop/many_{n}")).collect();
    let drafts = many.iter().map(|name| Change::new().api(name, order(&format!("/{name}"))));
    apply(&registry, drafts.collect::<Change>().publish_all(&many, &LIVE)).await;
    apply(&registry, Change::new().delete_definition("orders", LIVE)).await;
    apply(&registry, Change::new().define("orders", LIVE, http(2)).publish("shop/get_order", LIVE))
        .await;
    let dormant = || many.iter().filter(|api| status(&registry, api, &LIVE).is_some()).count();
    assert_eq!(dormant(), 600);
    let mut left = Vec::new();
    for port in 10..16 {
        apply(
            &registry,
            Change::new().define("orders", LIVE, Http::to(format!("http://10.0.0.8:{port}"))),
        )
        .await;
        left.push(dormant());
    }
    assert_eq!(left.last(), Some(&0), "{left:?}");
    assert!(left.contains(&(600 - 256)), "{left:?}");
    assert_eq!(live(&registry), ["shop/get_order"]);
}

#[tokio::test]
async fn an_api_goes_back_to_an_older_version_and_keeps_its_draft() {
    let registry = three().await;
    let first = registry.revision();
    apply(
        &registry,
        Change::new().api("shop/get_order", order("/v2/[id]")).publish("shop/get_order", LIVE),
    )
    .await;
    apply(&registry, Change::new().define("orders", LIVE, http(2))).await;
    let versions = registry.versions("shop/get_order", &LIVE).unwrap();
    let shown: Vec<_> = versions
        .iter()
        .map(|v| {
            (v.stamp.revision.as_u64(), v.status, v.ended.as_ref().map(|s| s.revision.as_u64()))
        })
        .collect();
    assert_eq!(shown, [(2, Status::Online, None), (1, Status::Offline, Some(2))]);
    apply(&registry, Change::new().switch("shop/get_order", LIVE, first)).await;
    let view = registry.publication("shop/get_order", &LIVE).unwrap().unwrap();
    assert_eq!((view.status, view.api.path.as_str()), (Status::Online, "/orders/[id]"));
    assert_eq!(registry.api("shop/get_order").unwrap().unwrap().0.path, "/v2/[id]");
    apply(&registry, Change::new().delete_definition("orders", LIVE)).await;
    let versions = registry.versions("shop/get_order", &LIVE).unwrap();
    assert_eq!(versions.len(), 3);
    assert_eq!(versions[0].ended.as_ref().unwrap().revision.as_u64(), 5);
    let unknown = Change::new().switch("shop/get_order", LIVE, Revision::new(99));
    assert!(matches!(refused(&registry, unknown).await, Reason::NoVersion { .. }));
    let undefined = Change::new().switch("shop/get_order", LIVE, first);
    assert!(matches!(refused(&registry, undefined).await, Reason::NoDefinition { .. }));
}

#[tokio::test]
async fn definitions_are_remembered_with_their_deletions_and_promoted() {
    let registry = three().await;
    apply(&registry, Change::new().define("orders", TEST, http(5))).await;
    apply(&registry, Change::new().promote("orders", TEST, LIVE)).await;
    assert_eq!(url(&registry).unwrap(), "http://10.0.0.7:5");
    apply(&registry, Change::new().delete_definition("orders", LIVE)).await;
    let remembered = registry.definitions("orders", &LIVE).unwrap();
    let shown: Vec<_> = remembered
        .iter()
        .map(|d| (d.stamp.revision.as_u64(), d.epoch.map(Revision::as_u64)))
        .collect();
    assert_eq!(shown, [(4, None), (3, Some(1)), (1, Some(1))]);
    let own = Change::new()
        .api("shop/get_order", Api::get("/1").inline(Mock::new()))
        .api("shop/get_stock", Api::get("/2").inline(Mock::new()));
    apply(&registry, own.delete_service("orders")).await;
    assert_eq!(registry.definitions("orders", &LIVE).unwrap().len(), 3);
    let missing = refused(&registry, Change::new().promote("sales", TEST, LIVE)).await;
    assert!(matches!(missing, Reason::UnknownService(_)));
}

#[tokio::test]
async fn what_was_published_after_an_older_one_was_given_up_is_in_the_way() {
    let history = History::default().revisions(3);
    let registry = Registry::builder().history(history).in_memory().await.unwrap();
    apply(&registry, shop().publish("shop/get_order", LIVE)).await;
    apply(&registry, Change::new().delete_definition("orders", LIVE)).await;
    let off = apply(&registry, Change::new().unpublish("shop/get_order", LIVE)).await.revision();
    let back = apply(&registry, undo(off)).await.revision();
    // The deletion is forgotten, and with it what only its undo could have made live.
    apply(&registry, Change::new()).await;
    assert_eq!(status(&registry, "shop/get_order", &LIVE), None);
    let anew = Change::new().define("orders", LIVE, http(2)).publish("shop/get_order", LIVE);
    let anew = apply(&registry, anew).await.revision();
    let Reason::Touched { by, .. } = refused(&registry, undo(back)).await else { panic!() };
    assert_eq!(by, [anew]);
    assert_eq!(live(&registry), ["shop/get_order"]);
}

#[tokio::test]
async fn nothing_comes_back_into_an_environment_that_is_gone_after_a_restart_either() {
    let store = backhaul::store::MemoryStore::new();
    let staging: backhaul::Environment = "STAGING".parse().unwrap();
    let registry = Registry::builder().store(std::sync::Arc::new(store.clone())).await.unwrap();
    let declare =
        shop().environment(staging.clone(), "").define("orders", staging.clone(), http(2));
    apply(&registry, declare).await;
    let change = Change::new().delete_definition("orders", staging.clone());
    let gone = apply(&registry, change).await.revision();
    apply(&registry, Change::new().retire_environment(staging)).await;
    for _ in 0..2 {
        let registry = Registry::builder().store(std::sync::Arc::new(store.clone())).await.unwrap();
        let reason = refused(&registry, undo(gone)).await;
        assert!(matches!(reason, Reason::Missing(_)), "{reason}");
    }
}
