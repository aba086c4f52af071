//! Whose request it is, and what they were granted.

use backhaul::gateway::Scheme;
use backhaul::model::{
    App, AppCode, Grant, Location, Mode, Parameter, Protocol, SignatureMethod, Visibility,
};
use backhaul::time::Timestamp;
use backhaul::{Api, Change, Environment, Group};

use super::signer::Signer;
use super::{CODE, Guarded, KEY, LIVE, NOW, SECRET, get, get_uri, peer};

#[tokio::test]
async fn a_19_an_app_code_is_taken_where_the_api_takes_one_and_goes_no_further() {
    let header = format!("APPCODE {CODE}");
    let query = format!("/?a=1&AppCode={CODE}&b=2");
    for (places, in_header, in_query) in [
        (AppCode::Disable, "A400MA", "A400MA"),
        (AppCode::Header, "ok", "A400MA"),
        (AppCode::HeaderQuery, "ok", "ok"),
    ] {
        let guarded = Guarded::with(|api| api.app_code(places)).await;
        let shown = get(&[("authorization", &header)]);
        assert_eq!(guarded.code(shown).await, in_header, "{places:?}");
        if in_header == "ok" {
            assert!(!guarded.last().0.headers.contains_key("authorization"));
        }
        assert_eq!(guarded.code(get_uri(&query, &[])).await, in_query, "{places:?}");
        if in_query == "ok" {
            assert_eq!(guarded.last().0.uri, "/?a=1&b=2");
        }
        let wrong = get(&[("authorization", "APPCODE sampleAppCode2")]);
        let expected = if places == AppCode::Disable { "A400MA" } else { "A400AC" };
        assert_eq!(guarded.code(wrong).await, expected);
    }
}

#[tokio::test]
async fn a_group_may_keep_app_codes_or_name_their_header() {
    let app = || App::new().code(CODE);
    let kept = Guarded::of(|api| api, |group| group.app_code_to_backend(true), app()).await;
    let header = format!("APPCODE {CODE}");
    assert_eq!(kept.code(get(&[("authorization", &header)])).await, "ok");
    assert_eq!(kept.last().0.headers["authorization"], header);

    let own = |mut group: Group| {
        group.app_code_header = Some("X-Code".to_owned());
        group
    };
    let named = Guarded::of(|api| api, own, app()).await;
    assert_eq!(named.code(get(&[("authorization", &header)])).await, "A400MA");
    assert_eq!(named.code(get(&[("x-code", CODE)])).await, "ok");
    assert!(!named.last().0.headers.contains_key("x-code"));
    let both = get(&[("x-code", &header), ("authorization", "Basic x")]);
    assert_eq!(named.code(both).await, "ok");
    assert_eq!(named.last().0.headers["authorization"], "Basic x", "the backend's own");
}

#[tokio::test]
async fn a_20_a_grant_is_for_an_environment_and_a_time() {
    let guarded = Guarded::open().await;
    let test = Environment::TEST;
    let there = Change::new()
        .define("recorder", test.clone(), backhaul::Custom::new("recorder").unwrap())
        .publish("group/everything", test.clone());
    guarded.apply(there).await;
    let signed = |stage: &str| Signer::new().sign(get(&[("x-ca-stage", stage)]));
    assert_eq!(guarded.code(signed("TEST")).await, "I403AA", "granted in RELEASE only");
    assert_eq!(guarded.code(signed("RELEASE")).await, "ok");

    let until = |millis| Grant::until(Timestamp::from_millis(millis));
    guarded.apply(Change::new().grant("mobile", "group/everything", test, until(NOW + 1))).await;
    assert_eq!(guarded.code(signed("TEST")).await, "ok");
    guarded.clock.set(NOW + 1);
    assert_eq!(guarded.code(signed("TEST")).await, "A403EP");
    let revoked = Change::new().revoke("mobile", "group/everything", LIVE);
    guarded.apply(revoked).await;
    assert_eq!(guarded.code(signed("RELEASE")).await, "I403AA", "with the next request");
    let code = format!("APPCODE {CODE}");
    assert_eq!(guarded.code(get(&[("authorization", &code)])).await, "I403AA");
    let mut wrong = Signer::new();
    wrong.secret.push('x');
    assert_eq!(guarded.code(wrong.sign(get(&[]))).await, "I400IS", "who it is comes first");
}

#[tokio::test]
async fn a_21_revoking_takes_effect_with_the_next_request() {
    let guarded = Guarded::open().await;
    let code = format!("APPCODE {CODE}");
    let shown = || get(&[("authorization", &code)]);
    assert_eq!(guarded.code(Signer::new().sign(get(&[]))).await, "ok");
    assert_eq!(guarded.code(shown()).await, "ok");
    guarded.apply(Change::new().revoke("mobile", "group/everything", LIVE)).await;
    assert_eq!(guarded.code(Signer::new().sign(get(&[]))).await, "I403AA");
    assert_eq!(guarded.code(shown()).await, "I403AA");
    let again = Change::new().grant("mobile", "group/everything", LIVE, Grant::unlimited());
    guarded.apply(again).await;
    assert_eq!(guarded.code(shown()).await, "ok");
}

#[tokio::test]
async fn a_22_keys_rotate_without_a_gap() {
    let guarded = Guarded::open().await;
    let old = Signer::new();
    let new =
        Signer { key: "203753386".to_owned(), secret: "sampleSecret2".to_owned(), ..Signer::new() };
    assert_eq!(guarded.code(new.sign(get(&[]))).await, "A400IK");
    let both = App::new().key(KEY, SECRET).key(&new.key, &new.secret).code(CODE);
    guarded.apply(Change::new().app("mobile", both)).await;
    for signer in [&old, &new] {
        assert_eq!(guarded.code(signer.sign(get(&[]))).await, "ok");
    }
    guarded.apply(Change::new().app("mobile", App::new().key(&new.key, &new.secret))).await;
    assert_eq!(guarded.code(old.sign(get(&[]))).await, "A400IK");
    assert_eq!(guarded.code(new.sign(get(&[]))).await, "ok");
    let code = format!("APPCODE {CODE}");
    assert_eq!(guarded.code(get(&[("authorization", &code)])).await, "A400AC");
    // The same key with another secret.
    guarded.apply(Change::new().app("mobile", App::new().key(&new.key, SECRET))).await;
    assert_eq!(guarded.code(new.sign(get(&[]))).await, "I400IS");
}

#[tokio::test]
async fn a_18_only_methods_that_the_api_allows_are_accepted() {
    let sha1 = Signer { method: Some("HmacSHA1"), ..Signer::new() };
    let strong = Guarded::open().await;
    assert_eq!(strong.code(sha1.sign(get(&[]))).await, "I400SM");
    let weak = Guarded::with(|api| api.signature([SignatureMethod::HmacSHA1])).await;
    assert_eq!(weak.code(sha1.sign(get(&[]))).await, "ok");
    assert_eq!(weak.code(Signer::new().sign(get(&[]))).await, "I400SM", "the default is SHA-256");
    for method in ["HmacMD5", "none", "", "hmacsha256"] {
        let signer = Signer { method: Some(method), ..Signer::new() };
        assert_eq!(strong.code(signer.sign(get(&[]))).await, "I400SM", "{method}");
    }
}

#[tokio::test]
async fn a_03_a_timestamp_is_a_quarter_of_an_hour_from_now_at_most() {
    const QUARTER: u64 = 15 * 60_000;
    let guarded = Guarded::open().await;
    for (timestamp, expected) in [
        (NOW - QUARTER, "ok"),
        (NOW + QUARTER, "ok"),
        (NOW - QUARTER - 1, "I400TS"),
        (NOW + QUARTER + 1, "I400TS"),
        (0, "I400TS"),
        (u64::MAX, "I400TS"),
    ] {
        let signed = Signer::new().at(timestamp).sign(get(&[]));
        assert_eq!(guarded.code(signed).await, expected, "{timestamp}");
    }
    let none = Signer { timestamp: None, ..Signer::new() };
    assert_eq!(guarded.code(none.sign(get(&[]))).await, "ok");
    for text in ["", "soon", "-1", "+1700000000000", "1700000000000.0", "18446744073709551616"] {
        let mut request = Signer::new().sign(get(&[]));
        request.headers_mut().insert("x-ca-timestamp", text.parse().unwrap());
        assert_eq!(guarded.code(request).await, "I400TS", "{text}");
    }
}

#[tokio::test]
async fn an_api_may_be_for_one_scheme_or_for_those_inside() {
    for (protocols, http, https) in [
        (&[Protocol::Http][..], "ok", "I403PT"),
        (&[Protocol::Https], "I403PT", "ok"),
        (&[Protocol::Http, Protocol::Https], "ok", "ok"),
    ] {
        let open = |api: Api| {
            api.access(backhaul::model::Access::Anonymous).protocol(protocols.iter().copied())
        };
        let mut guarded = Guarded::with(open).await;
        for (scheme, expected) in [(Scheme::Http, http), (Scheme::Https, https)] {
            guarded.change_gateway(|gateway| gateway.peer(peer("192.0.2.1:1", scheme)));
            assert_eq!(guarded.code(get(&[])).await, expected, "{protocols:?} by {scheme:?}");
        }
    }
    let private =
        |api: Api| api.access(backhaul::model::Access::Anonymous).visibility(Visibility::Private);
    let mut guarded = Guarded::with(private).await;
    for (address, expected) in [
        ("10.1.2.3:1", "ok"),
        ("[::1]:1", "ok"),
        ("8.8.8.8:1", "A403IN"),
        ("[2001:4860::1]:1", "A403IN"),
    ] {
        guarded.change_gateway(|gateway| gateway.peer(peer(address, Scheme::Http)));
        assert_eq!(guarded.code(get(&[])).await, expected, "{address}");
        // What a client says of itself is not believed.
        let forged = get(&[("x-forwarded-for", "10.0.0.1")]);
        assert_eq!(guarded.code(forged).await, expected, "{address}");
    }
    guarded.change_gateway(|gateway| {
        gateway.intranet(["8.8.8.0/24".parse().unwrap()]).peer(peer("8.8.8.8:1", Scheme::Http))
    });
    assert_eq!(guarded.code(get(&[])).await, "ok");
}

#[tokio::test]
async fn secrets_are_shown_nowhere() {
    let guarded = Guarded::open().await;
    let mut wrong = Signer::new();
    wrong.secret = "anotherSecret".to_owned();
    wrong.also = vec!["Authorization".to_owned(), "cookie".to_owned()];
    let request = get_uri(
        &format!("/?AppCode={CODE}"),
        &[("authorization", "Bearer hunter2"), ("cookie", "session=hunter2")],
    );
    let (code, message) = guarded.answer(wrong.sign(request)).await;
    assert_eq!(code, "I400IS");
    assert!(message.contains("Authorization:***#cookie:***#"), "{message}");
    for secret in ["hunter2", SECRET, CODE] {
        assert!(!message.contains(secret), "{message}");
        assert!(!format!("{:?}", guarded.gateway).contains(secret));
        assert!(!format!("{:?}", guarded.registry).contains(secret));
    }
}

/// A group's own header is for the gateway, whatever an API asks for.
#[tokio::test]
async fn a_code_in_a_groups_header_is_no_parameter() {
    for keep in [false, true] {
        let guarded = Guarded::of(
            |api| {
                let code = Parameter::new("x-code", Location::Head).to("x-caller", Location::Head);
                api.mode(Mode::Mapping).parameter(code)
            },
            |group| {
                let mut group = group.app_code_to_backend(keep);
                group.app_code_header = Some("x-code".to_owned());
                group
            },
            App::new().code(CODE),
        )
        .await;
        assert_eq!(guarded.code(get(&[("x-code", CODE)])).await, "ok");
        let told = guarded.last().0.headers.get("x-caller").cloned();
        assert_eq!(told.is_some(), keep, "{told:?}");
    }
}
