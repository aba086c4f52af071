//! Into a registry and out of it.

use backhaul::document::Format;
use backhaul::openapi::{Export, ExportError, Import};
use backhaul::{Api, Change, CommitError, Group, Http, Kind, Mock, Registry};
use serde_json::Value;

use super::pets;

async fn kennel() -> Registry {
    let registry = Registry::in_memory().await.unwrap();
    let services = ["kennel", "photos", "files"];
    let change =
        services.iter().fold(Change::new(), |change, name| change.service(*name, Kind::HTTP));
    registry
        .publisher("test")
        .apply(change.group("pets", Group::host("pets.example.com")))
        .await
        .unwrap();
    registry
}

#[tokio::test]
async fn drafts_go_in_and_come_out() {
    let registry = kennel().await;
    let imported = pets::import().read(pets::JSON, Format::Json).unwrap();
    let drafts = imported.apis().to_vec();
    registry.publisher("test").apply(imported.into_change()).await.unwrap();
    let description = Export::new().group(&registry, "pets").unwrap();
    let again = Import::new("pets").read(&description.to_string(), Format::Json).unwrap();
    assert_eq!(again.suggestion().hosts, ["pets.example.com"]);
    assert_eq!(again.apis().len(), drafts.len());
    for (name, api) in again.apis() {
        assert_eq!(*api, registry.api(&name.to_string()).unwrap().unwrap().0);
        assert!(drafts.iter().any(|(other, _)| other == name));
    }
}

#[tokio::test]
async fn nothing_is_overwritten_unasked() {
    let registry = kennel().await;
    let publisher = registry.publisher("test");
    let change = |import: Import| import.read(pets::JSON, Format::Json).unwrap().into_change();
    publisher.apply(change(pets::import())).await.unwrap();
    let before = registry.revision();
    let refused = publisher.apply(change(pets::import())).await.unwrap_err();
    assert!(matches!(refused, CommitError::Rejected(_)), "{refused}");
    assert_eq!(registry.revision(), before);
    let other = pets::import().service("files").overwrite();
    publisher.apply(change(other)).await.unwrap();
    let (api, _) = registry.api("pets/listPets").unwrap().unwrap();
    assert_eq!(api.backend.service.as_deref(), Some("files"));
}

#[tokio::test]
async fn secrets_stay_unless_asked_for() {
    let registry = kennel().await;
    let discovery: backhaul::Discovery = serde_json::from_value(serde_json::json!({
        "registry": "nacos", "server": "10.0.0.1", "service": "x", "password": "hunter2",
    }))
    .unwrap();
    let change = Change::new().api("pets/found", Api::get("/found").inline(discovery));
    registry.publisher("test").apply(change).await.unwrap();
    let error = Export::new().group(&registry, "pets").unwrap_err();
    assert_eq!(error.to_string(), "pets/found: its own definition has a secret");
    let written = Export::new().with_secrets().group(&registry, "pets").unwrap().to_string();
    assert!(written.contains("hunter2"));
    let callers = Export::new().without_extensions().group(&registry, "pets").unwrap().to_string();
    assert!(callers.contains("/found") && !callers.contains("hunter2"));
}

#[tokio::test]
async fn what_cannot_be_described_is_told() {
    let registry = kennel().await;
    let missing = Export::new().group(&registry, "cats").unwrap_err();
    assert_eq!(missing.to_string(), "there is no group cats");
    assert!(matches!(Export::new().group(&registry, "/"), Err(ExportError::Name(_))));
    let group = "shop".parse().unwrap();
    let refused = |drafts: &[(&str, Api)]| -> String {
        let drafts: Vec<_> =
            drafts.iter().map(|(name, api)| (name.parse().unwrap(), api.clone())).collect();
        Export::new().apis(&group, &Group::new(), &drafts).unwrap_err().to_string()
    };
    let api = |path: &str| Api::get(path).inline(Mock::new());
    for (drafts, expected) in [
        (vec![("pets/abcd", api("/"))], "pets/abcd: is not of the group"),
        (vec![("shop/abcd", api("/")), ("shop/abcd", api("/a"))], "shop/abcd: stands there twice"),
        (vec![("shop/abcd", api("a"))], "shop/abcd: its path does not start with '/'"),
        (
            vec![("shop/abcd", api("/[a]")), ("shop/bcde", api("/[b]"))],
            "shop/bcde: has the method and path of another, as OpenAPI writes them",
        ),
        (
            vec![("shop/abcd", Api::new("TRACE", "/").inline(Http::to("http://a")))],
            "shop/abcd: TRACE is never served",
        ),
    ] {
        assert_eq!(refused(&drafts), expected);
    }
    let empty: Value = Export::new().apis(&group, &Group::new(), &[]).unwrap();
    assert_eq!(empty["paths"], serde_json::json!({}));
}
