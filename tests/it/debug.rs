//! How a request is handled, for who may ask.

use backhaul::error::Stage;
use backhaul::gateway::Debugged;
use backhaul::model::{Access, App, Constant, Grant, Location, Mode, Parameter};
use backhaul::time::Timestamp;
use backhaul::{Api, Change, Custom, Environment, ErrorKind, Group, Mock};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;

use super::admission::signer::Signer;
use super::admission::{Guarded, NOW, get_uri};
use super::gateway::harness::{LIVE, TEST, answered_by, call};

const KEY: &str = "203753385";
const SECRET: &str = "sampleSecret1";
const CODE: &str = "sampleAppCode1";

fn app() -> App {
    App::new().key(KEY, SECRET).code(CODE)
}

fn stages(debugged: &Debugged) -> Vec<Stage> {
    debugged.steps.iter().map(|step| step.stage).collect()
}

/// The last step, which refused.
fn refusal(debugged: &Debugged) -> (ErrorKind, String) {
    let last = debugged.steps.last().unwrap();
    let kind = last.refused.expect("it was refused");
    let code = debugged.response.headers()["x-ca-error-code"].to_str().unwrap();
    assert_eq!(code, kind.answer().code);
    (kind, last.decision.clone())
}

async fn debugged(
    guarded: &Guarded,
    request: Request<Full<Bytes>>,
    environment: &Environment,
    app: Option<&str>,
) -> Debugged {
    guarded.gateway().debug(request, environment, app).await
}

#[tokio::test]
async fn every_step_says_what_was_decided() {
    let guarded = Guarded::of(
        |api| {
            api.mode(Mode::Mapping)
                .parameter(Parameter::new("q", Location::Query).to("x-query", Location::Head))
                .parameter(Parameter::new("token", Location::Query).to("t", Location::Query))
                .parameter(
                    Parameter::new("Authorization", Location::Head).to("x-caller", Location::Head),
                )
                .constant(Constant::new("x-api-key", "planted", Location::Head))
        },
        |group| group,
        app(),
    )
    .await;
    let request =
        get_uri("/find?q=red&evil=1&token=planted", &[("authorization", "Bearer planted")]);
    let found = debugged(&guarded, request, &LIVE, Some("mobile")).await;
    assert_eq!(found.response.status(), 200);
    assert_eq!(
        stages(&found),
        [Stage::Receive, Stage::Route, Stage::Admit, Stage::Map, Stage::Call]
    );
    let told = found.to_string();
    for part in ["group/everything", "RELEASE", "service recorder", "app mobile", "200 OK"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(found.steps.iter().map(|step| step.took).sum::<std::time::Duration>() <= found.took);
    let sent = found.sent.as_ref().unwrap();
    assert_eq!((sent.method.as_str(), sent.uri.as_str()), ("GET", "/find?t=[redacted]"));
    assert_eq!(sent.headers["x-query"], "red");
    assert_eq!(sent.headers["x-api-key"], "[redacted]");
    assert!(!format!("{found:?}{told}").contains("planted"));
    // The backend got what was only hidden from view.
    assert_eq!(guarded.last().0.headers["x-api-key"], "planted");
    assert_eq!(guarded.last().0.headers["x-caller"], "Bearer planted");
    let names = |headers: &http::HeaderMap| {
        headers.keys().map(|name| name.to_string()).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(names(&sent.headers), names(&guarded.last().0.headers));
}

#[tokio::test]
async fn an_app_of_another_environment_is_named_as_such() {
    let guarded = Guarded::of(|api| api, |group| group, app()).await;
    let change = Change::new()
        .define("recorder", TEST, Custom::new("recorder").unwrap())
        .publish("group/everything", TEST)
        .app("other", App::new().code("anotherCode1"))
        .app("late", App::new().code("anotherCode2"))
        .grant("late", "group/everything", LIVE, Grant::until(Timestamp::from_millis(NOW - 1)));
    guarded.apply(change).await;
    for (environment, app, kind, words) in [
        (TEST, "mobile", ErrorKind::NotGranted, "`mobile` may call it in RELEASE, not in TEST"),
        (LIVE, "other", ErrorKind::NotGranted, "`other` may call it in no environment"),
        (LIVE, "nobody", ErrorKind::NotGranted, "no app `nobody`"),
        (LIVE, "late", ErrorKind::GrantExpired, "2023-11-14"),
    ] {
        let found = debugged(&guarded, get_uri("/", &[]), &environment, Some(app)).await;
        let (refused, decision) = refusal(&found);
        assert_eq!(refused, kind);
        assert!(decision.contains(words), "{decision}");
        assert!(found.sent.is_none() && stages(&found).last() == Some(&Stage::Admit));
    }
    // The environment is the one that was named, whatever the request says.
    let request = get_uri("/", &[("x-ca-stage", "TEST")]);
    let found = debugged(&guarded, request, &LIVE, Some("mobile")).await;
    assert!(found.steps[1].decision.contains("RELEASE"), "{found}");
    assert_eq!(found.response.status(), 200);
}

#[tokio::test]
async fn without_an_app_a_request_shows_what_it_has() {
    let guarded = Guarded::open().await;
    let found = debugged(&guarded, get_uri("/", &[]), &LIVE, None).await;
    assert_eq!(refusal(&found).0, ErrorKind::MissingCredentials);
    let signed = Signer::new().nonce("one").sign(get_uri("/", &[]));
    let found = debugged(&guarded, signed.clone(), &LIVE, None).await;
    assert_eq!(found.response.status(), 200, "{found}");
    assert!(found.to_string().contains("app mobile, unless"), "{found}");
    assert_eq!(refusal(&debugged(&guarded, signed, &LIVE, None).await).0, ErrorKind::NonceUsed);
    let mut wrong = Signer::new();
    wrong.secret.push('x');
    let found = debugged(&guarded, wrong.sign(get_uri("/", &[])), &LIVE, None).await;
    assert_eq!(refusal(&found).0, ErrorKind::InvalidSignature);
    assert!(!format!("{found:?}").contains(SECRET));
    let wrong = wrong.sign(get_uri("/?token=planted", &[("x-api-key", "planted")]));
    let found = debugged(&guarded, wrong, &LIVE, None).await;
    assert!(!format!("{:?}{found}", found.steps).contains("planted"), "{found}");
}

#[tokio::test]
async fn what_is_published_elsewhere_only_is_said() {
    let guarded = Guarded::open().await;
    let found = debugged(&guarded, get_uri("/", &[]), &TEST, Some("mobile")).await;
    assert_eq!(refusal(&found).0, ErrorKind::NotFound);
    assert!(found.to_string().contains("published in RELEASE only"), "{found}");
    let mut elsewhere = get_uri("/", &[]);
    elsewhere.headers_mut().insert("host", "b".parse().unwrap());
    let found = debugged(&guarded, elsewhere, &LIVE, None).await;
    assert_eq!(refusal(&found).0, ErrorKind::UnknownHost);
    let unknown: Environment = "STAGING".parse().unwrap();
    let found = debugged(&guarded, get_uri("/", &[]), &unknown, None).await;
    assert_eq!(refusal(&found).0, ErrorKind::InvalidStage);
}

#[tokio::test]
async fn a_backend_that_fails_is_a_step() {
    let (_, gateway) = answered_by(async |_| {
        Err(backhaul::Error::new(ErrorKind::Connect, backhaul::Retry::Never, "refused")
            .caused_by("10.0.0.7 planted"))
    })
    .await;
    let found = gateway.debug(get_uri("/", &[]), &LIVE, None).await;
    assert_eq!(refusal(&found).0, ErrorKind::Connect);
    assert!(found.sent.is_some());
    assert!(!format!("{found:?}{found}").contains("10.0.0.7"));
}

fn info(response: &http::Response<backhaul::Body>) -> Option<serde_json::Value> {
    let value = response.headers().get("x-ca-debug-info")?;
    Some(serde_json::from_slice(value.as_bytes()).unwrap())
}

#[tokio::test]
async fn a_client_is_told_where_its_group_allows_it() {
    let (registry, gateway) =
        answered_by(async |_| Ok(http::Response::new(backhaul::Body::empty()))).await;
    let banner = Api::get("/banner").access(Access::App).inline(Mock::new());
    let group = |debug| Change::new().group("group", Group::host("a").debug(debug));
    let publisher = registry.publisher("test");
    let change = group(false).api("group/banner", banner).publish("group/banner", LIVE);
    publisher.apply(change).await.unwrap();
    let ask = |uri: &str, mode: &str| get_uri(uri, &[("x-ca-request-mode", mode)]);
    assert_eq!(info(&call(&gateway, ask("/", "debug")).await), None);
    publisher.apply(group(true)).await.unwrap();
    for mode in ["", "release", "debugger"] {
        assert_eq!(info(&call(&gateway, ask("/", mode)).await), None);
    }
    assert_eq!(info(&call(&gateway, get_uri("/", &[])).await), None);
    let told = info(&call(&gateway, ask("/", "Debug")).await).unwrap();
    assert!(told["ServiceLatency"].is_u64() && told["TotalLatency"].is_u64(), "{told}");
    assert_eq!(told["Steps"].as_array().unwrap().len(), 3, "{told}");
    let refused = call(&gateway, ask("/banner", "debug")).await;
    assert_eq!(refused.headers()["x-ca-error-code"], "A400MA");
    let told = info(&refused).unwrap();
    assert!(told["Steps"][0]["Decision"].as_str().unwrap().starts_with("A400MA"), "{told}");
    // Nobody is told before it is known whose group it is.
    let mut elsewhere = ask("/", "debug");
    elsewhere.headers_mut().insert("host", "b".parse().unwrap());
    assert_eq!(info(&call(&gateway, elsewhere).await), None);
}
