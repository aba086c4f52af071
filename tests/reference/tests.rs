use super::edit::{Api, ApiName, Backend, Edit, Refusal};
use super::model::Model;

const LIVE: &str = "RELEASE";

fn name(text: &str) -> ApiName {
    ("shop".to_owned(), text.to_owned())
}

fn service(name: &str) -> Edit {
    Edit::Service { name: name.to_owned(), kind: "http".to_owned() }
}

fn define(service: &str, to: &str) -> Edit {
    Edit::Define {
        service: service.to_owned(),
        environment: LIVE.to_owned(),
        kind: "http".to_owned(),
        to: to.to_owned(),
    }
}

fn undefine(service: &str) -> Edit {
    Edit::DeleteDefinition { service: service.to_owned(), environment: LIVE.to_owned() }
}

fn api(api: &str, path: &str, service: &str) -> Edit {
    let api_draft = Api {
        method: "GET".to_owned(),
        path: path.to_owned(),
        backend: Backend::Service(service.to_owned()),
    };
    Edit::Api { name: name(api), api: api_draft }
}

fn publish(api: &str) -> Edit {
    Edit::Publish { api: name(api), environment: LIVE.to_owned() }
}

fn unpublish(api: &str) -> Edit {
    Edit::Unpublish { api: name(api), environment: LIVE.to_owned() }
}

fn rename(from: &str, to: &str) -> Edit {
    Edit::RenameService { from: from.to_owned(), to: to.to_owned() }
}

/// A service `s` defined as `one`, and the API `read` published through it.
fn shop() -> Model {
    let mut model = Model::default();
    let group = Edit::Group {
        name: "shop".to_owned(),
        host: "shop.example.com".to_owned(),
        base_path: "/".to_owned(),
    };
    let edits =
        [service("s"), define("s", "one"), group, api("read", "/a/[x]", "s"), publish("read")];
    model.apply(&edits).unwrap();
    model
}

/// The same after some more changes, one edit each.
fn after(edits: &[Edit]) -> Model {
    let mut model = shop();
    for edit in edits {
        model.apply(std::slice::from_ref(edit)).unwrap();
    }
    model
}

fn refusal(mut model: Model, edit: Edit) -> Refusal {
    let before = model.clone();
    let (_, refusal) = model.apply(&[edit]).unwrap_err();
    assert_eq!(model, before, "a refused change leaves everything as it was");
    refusal
}

#[test]
fn an_update_moves_and_a_delete_unpublishes() {
    let read = name("read");
    assert_eq!(shop().target(&read, LIVE), Some("one"));
    assert_eq!(after(&[define("s", "two")]).target(&read, LIVE), Some("two"));
    assert_eq!(after(&[undefine("s")]).target(&read, LIVE), None);
    let again = [undefine("s"), define("s", "two")];
    assert_eq!(after(&again).target(&read, LIVE), None, "a new epoch resurrects nothing");
    let published = [undefine("s"), define("s", "two"), publish("read")];
    assert_eq!(after(&published).target(&read, LIVE), Some("two"));
    assert_eq!(shop().target(&read, "TEST"), None);
}

#[test]
fn an_api_with_its_own_definition_is_live_until_unpublished() {
    let own = Api {
        method: "GET".to_owned(),
        path: "/own".to_owned(),
        backend: Backend::Inline("here".to_owned()),
    };
    let own = Edit::Api { name: name("own"), api: own };
    let edits = [own, publish("own"), undefine("s")];
    assert_eq!(after(&edits).target(&name("own"), LIVE), Some("here"));
    let gone = after(&[&edits[..], &[unpublish("own")]].concat());
    assert_eq!(gone.target(&name("own"), LIVE), None);
}

#[test]
fn only_what_is_defined_can_be_updated() {
    let update = |to: &str| Edit::Update {
        service: "s".to_owned(),
        environment: LIVE.to_owned(),
        kind: "http".to_owned(),
        to: to.to_owned(),
    };
    assert_eq!(after(&[update("two")]).target(&name("read"), LIVE), Some("two"));
    assert_eq!(refusal(after(&[undefine("s")]), update("two")), Refusal::NoDefinition);
}

#[test]
fn editing_a_draft_changes_nothing_published() {
    let moved = [service("t"), api("read", "/b", "t")];
    assert_eq!(after(&moved).target(&name("read"), LIVE), Some("one"));
    assert_eq!(refusal(after(&moved), publish("read")), Refusal::NoDefinition);
}

#[test]
fn a_rename_is_seen_everywhere() {
    let model = after(&[rename("s", "t"), define("t", "two")]);
    assert_eq!(model.target(&name("read"), LIVE), Some("two"));
    assert_eq!(refusal(model, define("s", "three")), Refusal::UnknownService);
    assert_eq!(refusal(after(&[service("t")]), rename("s", "t")), Refusal::NameTaken);
}

#[test]
fn what_is_in_use_stays() {
    let delete_service = || Edit::DeleteService { name: "s".to_owned() };
    let delete_api = || Edit::DeleteApi { name: name("read") };
    let delete_group = || Edit::DeleteGroup { name: "shop".to_owned() };
    assert_eq!(refusal(shop(), delete_service()), Refusal::InUse);
    assert_eq!(refusal(shop(), delete_api()), Refusal::InUse);
    assert_eq!(refusal(shop(), delete_group()), Refusal::InUse);
    let model = after(&[undefine("s"), delete_api(), delete_service(), delete_group()]);
    assert_eq!(model.now().things.len(), 0);
}

#[test]
fn routes_are_unique_among_drafts_and_among_what_is_live() {
    assert_eq!(refusal(shop(), api("other", "/a/[y]", "s")), Refusal::RouteTaken);
    let drafts = [api("read", "/b", "s"), api("other", "/a/[y]", "s")];
    assert_eq!(refusal(after(&drafts), publish("other")), Refusal::RouteTaken);
    let swapped =
        [api("read", "/b", "s"), api("other", "/a/[y]", "s"), publish("other"), publish("read")];
    shop().apply(&swapped).unwrap();
}

#[test]
fn a_dormant_publication_gives_way_and_a_refusal_keeps_it() {
    let dormant =
        [undefine("s"), define("s", "two"), api("read", "/b", "s"), api("other", "/a/[y]", "s")];
    let model = after(&dormant);
    assert_eq!(model.publications().len(), 1);
    let displaced = after(&[&dormant[..], &[publish("other")]].concat());
    assert_eq!(displaced.publications().len(), 1);
    assert_eq!(displaced.target(&name("other"), LIVE), Some("two"));
    assert_eq!(refusal(displaced, unpublish("read")), Refusal::NotPublished);
    assert_eq!(after(&[&dormant[..], &[unpublish("read")]].concat()).publications().len(), 0);
}

#[test]
fn kinds_and_hosts_are_kept_apart() {
    let mock = Edit::Service { name: "s".to_owned(), kind: "mock".to_owned() };
    assert_eq!(refusal(shop(), mock), Refusal::KindImmutable);
    let define = Edit::Define {
        service: "s".to_owned(),
        environment: LIVE.to_owned(),
        kind: "mock".to_owned(),
        to: "two".to_owned(),
    };
    assert_eq!(refusal(shop(), define), Refusal::KindMismatch);
    let group = Edit::Group {
        name: "other".to_owned(),
        host: "shop.example.com".to_owned(),
        base_path: "/".to_owned(),
    };
    assert_eq!(refusal(shop(), group), Refusal::HostTaken);
}

#[test]
fn a_change_is_refused_whole() {
    let mut model = shop();
    let before = model.clone();
    let change = [service("t"), define("t", "x"), publish("none")];
    assert_eq!(model.apply(&change), Err((Some(2), Refusal::UnknownApi)));
    assert_eq!(model, before);
}

#[test]
fn what_a_change_published_waits_behind_nobody() {
    let mut model = after(&[service("t"), define("t", "two"), api("read", "/b", "s")]);
    let before = model.clone();
    let change = [api("other", "/a/[y]", "t"), publish("other"), undefine("t")];
    assert_eq!(model.apply(&change), Err((None, Refusal::RouteTaken)));
    assert_eq!(model, before);
}
