//! Parameters through a whole gateway. How each is mapped is tried beside the code.

use backhaul::model::parameter::{Destination, System};
use backhaul::model::{
    Access, App, Constant, Location, Mode, Parameter, ParameterType, SystemParameter,
};
use backhaul::{Api, Group};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;

use super::admission::signer::Signer;
use super::admission::{Guarded, NOW, get_uri};

const FORM: &str = "application/x-www-form-urlencoded";
const KEY: &str = "203753385";
const SECRET: &str = "sampleSecret1";

/// Name and age come in a form; the age goes into the query, and the page of the query into the form.
fn fields(api: Api) -> Api {
    api.access(Access::Anonymous)
        .mode(Mode::Mapping)
        .parameter(Parameter::new("name", Location::Body).required())
        .parameter(
            Parameter::new("age", Location::Body)
                .kind(ParameterType::Int)
                .to("years", Location::Query),
        )
        .parameter(Parameter::new("page", Location::Query).to("page", Location::Body))
        .constant(Constant::new("source", "gate way", Location::Body))
}

fn app() -> App {
    App::new().key(KEY, SECRET)
}

fn post(uri: &str, content_type: &str, body: &'static str) -> Request<Full<Bytes>> {
    let request = Request::post(uri).header("host", "a").header("content-type", content_type);
    let request = request.header("content-length", body.len().to_string());
    request.body(Full::new(Bytes::from_static(body.as_bytes()))).unwrap()
}

#[tokio::test]
async fn a_form_is_taken_apart_and_written_anew() {
    let guarded = Guarded::of(fields, |group| group, app()).await;
    let form = "evil=1&age=42&name=rex%20d%26g&name=other&source=forged";
    assert_eq!(guarded.code(post("/x?page=2&evil=1", FORM, form)).await, "ok");
    let (parts, body) = guarded.last();
    assert_eq!(parts.uri, "/x?years=42");
    assert_eq!(body, "name=rex%20d%26g&page=2&source=gate%20way");
    assert_eq!(parts.headers["content-length"], body.len().to_string());
    assert_eq!(parts.headers["content-type"], FORM);
    for (uri, kind, form, code) in [
        ("/x", FORM, "age=1", "I400MP"),
        ("/x", FORM, "name=a&age=old", "I400IP"),
        ("/x", FORM, "name=%zz", "I400BD"),
        ("/x?page=%", FORM, "name=a", "I400RU"),
        ("/x", "application/json", "{}", "I400CT"),
        ("/x", "application/x-www-form-urlencoded; charset=gbk", "name=a", "I400CT"),
        ("/x", FORM, "", "I400MP"),
    ] {
        assert_eq!(guarded.code(post(uri, kind, form)).await, code, "{uri} {kind} {form}");
    }
}

#[tokio::test]
async fn a_form_that_is_mapped_has_its_limit_and_its_place() {
    let mut guarded = Guarded::of(fields, |group| group.base_path("/base"), app()).await;
    guarded.change_gateway(|gateway| gateway.max_form(8).at("/mounted"));
    assert_eq!(guarded.code(post("/mounted/base/x?page=1", FORM, "name=rex")).await, "ok");
    assert_eq!(guarded.last().0.uri, "/x");
    assert_eq!(guarded.last().1, "name=rex&page=1&source=gate%20way");
    assert_eq!(guarded.code(post("/mounted/base/x", FORM, "name=rexy")).await, "I413RL");
}

#[tokio::test]
async fn who_calls_is_decided_before_what_is_asked() {
    let guarded = Guarded::of(|api| fields(api).access(Access::App), |group| group, app()).await;
    assert_eq!(guarded.code(post("/", FORM, "age=old")).await, "A400MA");
    let mut wrong = Signer::new();
    wrong.secret.push('x');
    let form = b"age=old";
    assert_eq!(guarded.code(wrong.sign_body(post("/", FORM, ""), form)).await, "I400IS");
    let signed = Signer::new().nonce("one").sign_body(post("/", FORM, ""), form);
    assert_eq!(guarded.code(signed.clone()).await, "I400MP");
    assert_eq!(guarded.code(signed).await, "I400NU", "it was verified");
    let mut good = Signer::new().sign_body(post("/?page=2", FORM, ""), b"name=rex&age=1");
    good.headers_mut().remove("content-length");
    assert_eq!(guarded.code(good).await, "ok");
    assert_eq!(guarded.last().1, "name=rex&page=2&source=gate%20way");
}

/// A form that is signed is looked at once it is known whose it is.
#[tokio::test]
async fn a_form_is_none_of_whoever_did_not_sign_it() {
    let guarded = Guarded::of(|api| fields(api).access(Access::App), |group| group, app()).await;
    let other = "application/x-www-form-urlencoded; charset=gbk";
    let mut wrong = Signer::new();
    wrong.secret.push('x');
    assert_eq!(guarded.code(wrong.sign_body(post("/", other, ""), b"name=a")).await, "I400IS");
    let signed = Signer::new().sign_body(post("/", other, ""), b"name=a");
    assert_eq!(guarded.code(signed).await, "I400CT");
}

#[tokio::test]
async fn a_digest_is_of_what_the_client_sent() {
    let guarded = Guarded::of(|api| fields(api).access(Access::App), |group| group, app()).await;
    let signed = Signer::new().with_md5().sign_body(post("/", FORM, ""), b"name=rex&age=1");
    let mut good = signed.clone();
    good.headers_mut().remove("content-length");
    assert_eq!(guarded.code(good).await, "ok");
    assert!(!guarded.last().0.headers.contains_key("content-md5"), "the body is another one");
    let mut changed = signed.map(|_| Full::new(Bytes::from_static(b"name=rex&age=%31")));
    changed.headers_mut().remove("content-length");
    assert_eq!(guarded.code(changed).await, "I400I5");
}

#[tokio::test]
async fn a_backend_is_told_what_the_gateway_knows() {
    let told = |api: Api| {
        let all = [
            System::CaClientIp,
            System::CaDomain,
            System::CaRequestHandleTime,
            System::CaAppId,
            System::CaRequestId,
            System::CaHttpSchema,
            System::CaProxy,
        ];
        let query = |name| Destination::new(name, Location::Query);
        let api = all.into_iter().fold(api, |api, name| {
            let to = (name == System::CaDomain).then(|| query("domain"));
            api.system(SystemParameter::new(name, to))
        });
        api.mode(Mode::Passthrough)
    };
    let guarded = Guarded::of(told, |group| group, app()).await;
    let forged = [("CaAppId", "forged"), ("connection", "CaClientIp, CaAppId")];
    let request = Signer::new().sign(get_uri("/p?domain=forged&a=%7e", &forged));
    assert_eq!(guarded.code(request).await, "ok");
    let (parts, _) = guarded.last();
    assert_eq!(parts.uri, "/p?domain=a&a=%7e");
    for (name, expected) in [
        ("caclientip", "192.0.2.1"),
        ("carequesthandletime", "2023-11-14T22:13:20Z"),
        ("caappid", "mobile"),
        ("cahttpschema", "http"),
    ] {
        assert_eq!(parts.headers[name], expected, "{name}");
        assert_eq!(parts.headers.get_all(name).iter().count(), 1);
    }
    assert_eq!(parts.headers["carequestid"], parts.headers["x-ca-request-id"]);
    let via = parts.headers["via"].to_str().unwrap().to_owned();
    assert!(via.ends_with(parts.headers["caproxy"].to_str().unwrap()), "{via}");
    assert_eq!(NOW, 1_700_000_000_000);
}

#[tokio::test]
async fn a_group_passes_headers_on_and_the_host_goes_by_precedence() {
    let api = |api: Api| {
        api.access(Access::Anonymous).mode(Mode::Mapping).constant(Constant::new(
            "host",
            "constant.internal",
            Location::Head,
        ))
    };
    let lines = [("x-trace", "1"), ("x-other", "2"), ("accept", "a/b"), ("user-agent", "u")];
    let guarded = Guarded::of(api, |group| group.passthrough_header("X-Trace"), app()).await;
    assert_eq!(guarded.code(get_uri("/?a=1", &lines)).await, "ok");
    let (parts, _) = guarded.last();
    let there = |name: &str| parts.headers.contains_key(name);
    assert!(there("x-trace") && there("accept") && there("user-agent") && !there("x-other"));
    assert_eq!(
        (parts.uri.to_string().as_str(), &parts.headers["host"]),
        ("/", &"constant.internal".parse().unwrap())
    );

    let own = |group: Group| group.passthrough_header("host");
    let guarded = Guarded::of(api, own, app()).await;
    assert_eq!(guarded.code(get_uri("/", &lines)).await, "ok");
    assert_eq!(guarded.last().0.headers["host"], "a", "the group's goes before a constant");
}
