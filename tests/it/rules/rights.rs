//! Applications, grants, authorizations and settings.

use backhaul::model::resource::{Resource, Sort};
use backhaul::model::settings::Reach;
use backhaul::model::{RegistrySettings, authorization::Way};
use backhaul::registry::Reason;
use backhaul::time::Timestamp;
use backhaul::{
    App, Change, CommitError, Credential, Grant, Kind, ObjectGrant, Registry, VpcAccess,
};

use super::{LIVE, TEST, apply, order, refused, registry, shop};

fn mobile() -> App {
    App::new().key("203753385", "sampleSecret1").code("sampleAppCode1")
}

fn granted() -> Change {
    shop().app("mobile", mobile()).grant("mobile", "shop/get_order", LIVE, Grant::unlimited())
}

fn grants(registry: &Registry, app: &str) -> Vec<(String, String, Option<Timestamp>)> {
    let views = registry.grants(app).unwrap();
    let told = views
        .into_iter()
        .map(|view| (view.api.to_string(), view.environment.to_string(), view.grant.expires));
    told.collect()
}

#[tokio::test]
async fn a_grant_needs_an_app_an_api_and_an_environment_but_no_publication() {
    let registry = registry(granted()).await;
    let until = Timestamp::from_millis(1_893_456_000_000);
    let more = Change::new().grant("mobile", "shop/get_order", TEST, Grant::until(until)).grant(
        "mobile",
        "shop/get_order",
        LIVE,
        Grant::until(until),
    );
    apply(&registry, more).await;
    let expected = [("TEST", until), ("RELEASE", until)];
    let expected = expected.map(|(at, when)| ("shop/get_order".into(), at.into(), Some(when)));
    assert_eq!(grants(&registry, "mobile"), expected);
    let staging = "STAGING".parse().unwrap();
    for (change, fits) in [
        (
            Change::new().grant("nobody", "shop/get_order", LIVE, Grant::unlimited()),
            (|r| matches!(r, Reason::UnknownResource { sort: Sort::App, .. }))
                as fn(&Reason) -> bool,
        ),
        (Change::new().grant("mobile", "shop/none_such", LIVE, Grant::unlimited()), |r| {
            matches!(r, Reason::UnknownApi(_))
        }),
        (Change::new().grant("mobile", "shop/get_order", staging, Grant::unlimited()), |r| {
            matches!(r, Reason::UnknownEnvironment(_))
        }),
        (Change::new().revoke("mobile", "shop/get_order", super::Environment::PRE), |r| {
            matches!(r, Reason::NotGranted { .. })
        }),
    ] {
        let reason = refused(&registry, change).await;
        assert!(fits(&reason), "{reason}");
    }
}

#[tokio::test]
async fn deleting_an_app_or_an_api_revokes_its_grants_and_an_undo_brings_them_back() {
    let registry = registry(granted()).await;
    let publisher = registry.publisher("test");
    for gone in [Change::new().delete_app("mobile"), Change::new().delete_api("shop/get_order")] {
        let before = grants(&registry, "mobile");
        assert_eq!(before.len(), 1);
        let receipt = apply(&registry, gone).await;
        assert_eq!(grants(&registry, "mobile"), []);
        publisher.undo(receipt.revision()).await.unwrap();
        assert_eq!(grants(&registry, "mobile"), before);
    }
}

#[tokio::test]
async fn an_undo_takes_no_app_away_that_was_granted_something_since() {
    let registry = registry(shop()).await;
    let made = apply(&registry, Change::new().app("mobile", mobile())).await;
    apply(&registry, Change::new().grant("mobile", "shop/get_order", LIVE, Grant::unlimited()))
        .await;
    let error = registry.publisher("test").undo(made.revision()).await.unwrap_err();
    let CommitError::Rejected(rejected) = &error else { panic!("{error}") };
    assert!(matches!(rejected.reason, Reason::InUse { count: 1, .. }), "{error}");
    let draft = Change::new().api("shop/put_order", order("/put")).app("web", App::new());
    let made = apply(&registry, draft).await;
    apply(&registry, Change::new().grant("web", "shop/put_order", TEST, Grant::unlimited())).await;
    let error = registry.publisher("test").undo(made.revision()).await.unwrap_err();
    assert!(matches!(error, CommitError::Rejected(_)), "{error}");
    assert_eq!(grants(&registry, "web").len(), 1);
}

#[tokio::test]
async fn keys_and_codes_are_one_apps_alone() {
    let registry = registry(granted()).await;
    for rival in [
        App::new().key("203753385", "otherSecret"),
        App::new().code("sampleAppCode1"),
        App::new().key("12345678", "sampleSecret1").code("sampleAppCode1"),
    ] {
        let change = Change::new().app("rival", rival);
        let error = registry.publisher("test").apply(change).await.unwrap_err().to_string();
        assert!(error.contains("\"mobile\"") && !error.contains("sample"), "{error}");
    }
    // A secret may be the same, and what was given up may be taken in the same change.
    let swap = Change::new()
        .app("rival", App::new().key("203753385", "sampleSecret1"))
        .app("mobile", App::new().key("203753386", "sampleSecret1"));
    apply(&registry, swap).await;
}

#[tokio::test]
async fn an_app_that_is_renamed_keeps_what_it_was_granted() {
    let registry = registry(granted()).await;
    apply(&registry, Change::new().rename_app("mobile", "phone")).await;
    assert_eq!(grants(&registry, "mobile"), []);
    assert_eq!(grants(&registry, "phone").len(), 1);
    apply(&registry, Change::new().app("mobile", App::new())).await;
    let taken = refused(&registry, Change::new().rename_app("phone", "mobile")).await;
    assert!(matches!(taken, Reason::NameTaken(_)), "{taken}");
}

#[tokio::test]
async fn an_environment_in_which_something_was_granted_is_not_retired() {
    let registry = registry(granted()).await;
    let staging: super::Environment = "STAGING".parse().unwrap();
    let change = Change::new().environment(staging.clone(), "").grant(
        "mobile",
        "shop/get_order",
        staging.clone(),
        Grant::unlimited(),
    );
    apply(&registry, change).await;
    let retire = || Change::new().retire_environment(staging.clone());
    let reason = refused(&registry, retire()).await;
    assert!(matches!(reason, Reason::InUse { count: 1, .. }), "{reason}");
    let revoke = Change::new().revoke("mobile", "shop/get_order", staging.clone());
    apply(&registry, [revoke, retire()].into_iter().collect()).await;
}

#[tokio::test]
async fn each_sort_of_authorization_has_names_of_its_own() {
    let registry = registry(shop()).await;
    let change = Change::new()
        .vpc_access("shared", VpcAccess::new("vpc-1", "10.0.0.7", 8080))
        .object_grant("shared", ObjectGrant::read("pictures"))
        .credential("shared", Credential::new("id", "hunter2"));
    let receipt = apply(&registry, change).await;
    for sort in [Sort::VpcAccess, Sort::ObjectGrant, Sort::Credential] {
        assert!(registry.resource(sort, "shared").unwrap().is_some(), "{sort}");
        assert_eq!(registry.resources(sort).len(), 1);
    }
    let shown: Vec<_> = receipt.deltas().map(|delta| delta.to_string()).collect();
    assert!(shown.contains(&"credential \"shared\": created".to_owned()), "{shown:?}");
    let edit = Change::new().credential("shared", Credential::new("id", "hunter3"));
    let receipt = apply(&registry, edit).await;
    let shown: Vec<_> = receipt.deltas().map(|delta| delta.to_string()).collect();
    assert!(shown[0].contains("secret_key") && !shown[0].contains("hunter"), "{shown:?}");
    apply(&registry, Change::new().delete_authorization(Sort::Credential, "shared")).await;
    assert!(registry.resource(Sort::Credential, "shared").unwrap().is_none());
    let bad = Change::new().vpc_access("bad", VpcAccess::new("vpc-1", "10.0.0.7", 0));
    let reason = refused(&registry, bad).await;
    assert!(reason.to_string().starts_with("port: "), "{reason}");
    assert_eq!(Way::Socks5.as_str(), "socks5");
}

#[tokio::test]
async fn settings_act_on_the_changes_behind_them() {
    let two = shop().api("shop/put_order", order("/put"));
    let registry = registry(two).await;
    let mut settings = RegistrySettings::new();
    settings.blast_radius = Some(Reach::Apis(1));
    apply(&registry, Change::new().settings(settings.clone())).await;
    assert_eq!(registry.settings(), Some(settings.clone()));
    let both = || Change::new().publish_all(["shop/get_order", "shop/put_order"], &LIVE);
    let error = registry.publisher("test").apply(both()).await.unwrap_err();
    assert!(matches!(error, CommitError::TooFar(_)), "{error}");
    settings.blast_radius = None;
    settings.region = Some("cn-hongkong".to_owned());
    apply(&registry, Change::new().settings(settings.clone())).await;
    apply(&registry, both()).await;
    let reason = refused(&registry, Change::new().service("more", Kind::HTTP)).await;
    assert!(matches!(reason, Reason::NotCreatable(_)), "{reason}");
    settings.region = Some("Nowhere!".to_owned());
    let reason = refused(&registry, Change::new().settings(settings)).await;
    assert!(matches!(reason, Reason::Invalid { .. }), "{reason}");
    let view = registry.resource(Sort::Registry, "registry").unwrap().unwrap();
    assert!(matches!(view.resource, Resource::Registry(_)));
}

#[tokio::test]
async fn a_plan_is_stale_once_what_it_grants_or_deletes_moved() {
    let registry = registry(granted().app("web", App::new())).await;
    let publisher = registry.publisher("test");
    let plan = publisher.plan(Change::new().delete_app("mobile")).await.unwrap();
    let grant = publisher
        .plan(Change::new().grant("web", "shop/get_order", LIVE, Grant::unlimited()))
        .await
        .unwrap();
    apply(&registry, Change::new().app("other", App::new())).await;
    let until = Grant::until(Timestamp::from_millis(1));
    apply(&registry, Change::new().grant("mobile", "shop/get_order", TEST, until)).await;
    let error = publisher.apply(plan).await.unwrap_err();
    assert!(matches!(error, CommitError::Stale { .. }), "{error}");
    let gone = publisher.plan(Change::new().delete_api("shop/get_order")).await.unwrap();
    publisher.apply(grant).await.unwrap();
    let error = publisher.apply(gone).await.unwrap_err();
    assert!(matches!(error, CommitError::Stale { .. }), "{error}");
}
