//! Forms with files through a whole gateway. How each part is mapped is tried beside the code.

use backhaul::Api;
use backhaul::model::{Access, App, Constant, Location, Mode, Parameter, ParameterType};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyDataStream, Full};

use super::admission::Guarded;
use super::admission::signer::Signer;

const TYPE: &str = "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW";
/// As a browser sends a picture, its title, and a field that no file was chosen for.
const FORM: &str = "------WebKitFormBoundary7MA4YWxkTrZu0gW\r\n\
    Content-Disposition: form-data; name=\"title\"\r\n\r\nRex & me\r\n\
    ------WebKitFormBoundary7MA4YWxkTrZu0gW\r\n\
    Content-Disposition: form-data; name=\"picture\"; filename=\"rex.png\"\r\n\
    Content-Type: image/png\r\n\r\n\u{1}PNG\r\n\r\n--\r\n\
    ------WebKitFormBoundary7MA4YWxkTrZu0gW\r\n\
    Content-Disposition: form-data; name=\"other\"; filename=\"\"\r\n\
    Content-Type: application/octet-stream\r\n\r\n\r\n\
    ------WebKitFormBoundary7MA4YWxkTrZu0gW\r\n\
    Content-Disposition: form-data; name=\"source\"\r\n\r\nforged\r\n\
    ------WebKitFormBoundary7MA4YWxkTrZu0gW--\r\n";

/// Takes a picture, perhaps another, and a title.
fn pictures(api: Api) -> Api {
    let picture = Parameter::new("picture", Location::Body).kind(ParameterType::File);
    let other = Parameter::new("other", Location::Body).kind(ParameterType::File);
    api.access(Access::Anonymous)
        .mode(Mode::Mapping)
        .parameter(picture.required().to("image", Location::Body))
        .parameter(other)
        .parameter(Parameter::new("title", Location::Body).to("x-title", Location::Head))
        .constant(Constant::new("source", "gateway", Location::Body))
}

fn app() -> App {
    App::new().key("203753385", "sampleSecret1")
}

fn post(content_type: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let body = body.into();
    let request = Request::post("/x").header("host", "a").header("content-type", content_type);
    let request = request.header("content-length", body.len().to_string());
    request.body(Full::new(body)).unwrap()
}

/// Name, file name, Content-Type and content of each part that reached the backend.
async fn arrived(guarded: &Guarded) -> Vec<(String, Option<String>, Option<String>, Bytes)> {
    let (head, body) = guarded.last();
    assert_eq!(head.headers["content-length"], body.len().to_string());
    let boundary = multer::parse_boundary(head.headers["content-type"].to_str().unwrap()).unwrap();
    let body: BodyDataStream<Full<Bytes>> = BodyDataStream::new(Full::new(body));
    let mut reader = multer::Multipart::new(body, boundary);
    let mut found = Vec::new();
    while let Some(field) = reader.next_field().await.unwrap() {
        let name = field.name().unwrap().to_owned();
        let file_name = field.file_name().map(str::to_owned);
        let content_type = field.headers().get("content-type");
        let content_type = content_type.map(|value| value.to_str().unwrap().to_owned());
        found.push((name, file_name, content_type, field.bytes().await.unwrap()));
    }
    found
}

#[tokio::test]
async fn a_file_reaches_the_backend_under_its_name_there() {
    let guarded = Guarded::of(pictures, |group| group, app()).await;
    assert_eq!(guarded.code(post(TYPE, FORM)).await, "ok");
    let (head, body) = guarded.last();
    assert_eq!(head.headers["x-title"], "Rex & me");
    assert!(!String::from_utf8_lossy(&body).contains("WebKit"), "the boundary is ours");
    let picture = Bytes::from_static(b"\x01PNG\r\n\r\n--");
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        arrived(&guarded).await,
        [
            ("image".to_owned(), some("rex.png"), some("image/png"), picture),
            ("source".to_owned(), None, None, Bytes::from_static(b"gateway")),
        ]
    );
}

#[tokio::test]
async fn what_is_no_form_of_parts_is_refused() {
    let guarded = Guarded::of(pictures, |group| group, app()).await;
    let without = FORM.replace("picture", "pictures");
    let twice = FORM.replace("name=\"picture\"", "name=\"picture\"; name=\"title\"");
    let gbk = format!("{TYPE}; charset=gbk");
    for (content_type, body, code) in [
        (TYPE, without.as_str(), "I400MP"),
        (TYPE, "", "I400MP"),
        (TYPE, &FORM[..FORM.len() - 20], "I400BD"),
        (TYPE, &twice, "I400BD"),
        (TYPE, "picture=1", "I400BD"),
        ("multipart/form-data", FORM, "I400CT"),
        (&gbk, FORM, "I400CT"),
        ("application/x-www-form-urlencoded", "picture=1", "I400CT"),
        ("image/png", "1", "I400CT"),
    ] {
        let request = post(content_type, body.to_owned());
        assert_eq!(guarded.code(request).await, code, "{content_type} {body}");
    }
    let file = FORM.replace("name=\"title\"", "name=\"title\"; filename=\"secret\"");
    let (code, message) = guarded.answer(post(TYPE, file)).await;
    assert_eq!(code, "I400IP");
    assert!(message.contains("`title`") && !message.contains("secret"), "{message}");
}

#[tokio::test]
async fn files_have_the_limits_of_forms() {
    let mut guarded = Guarded::of(pictures, |group| group, app()).await;
    let most = FORM.len() as u64;
    guarded.change_gateway(|gateway| gateway.max_form(most));
    assert_eq!(guarded.code(post(TYPE, FORM)).await, "ok");
    guarded.change_gateway(|gateway| gateway.max_form(most - 1));
    assert_eq!(guarded.code(post(TYPE, FORM)).await, "I413RL");
    // What an API says itself goes before.
    let large = |api| pictures(api).max_body(most);
    let mut guarded = Guarded::of(large, |group| group, app()).await;
    guarded.change_gateway(|gateway| gateway.max_form(1));
    assert_eq!(guarded.code(post(TYPE, FORM)).await, "ok");
    let small = |api| pictures(api).max_body(most - 1);
    let guarded = Guarded::of(small, |group| group, app()).await;
    assert_eq!(guarded.code(post(TYPE, FORM)).await, "I413RL");
}

#[tokio::test]
async fn a_digest_is_of_what_was_sent_and_stays_here() {
    let signing = |api| pictures(api).access(Access::App);
    let guarded = Guarded::of(signing, |group| group, app()).await;
    let signed = Signer::new().with_md5().sign_body(post(TYPE, ""), FORM.as_bytes());
    let mut good = signed.clone();
    good.headers_mut().remove("content-length");
    assert!(good.headers().contains_key("content-md5"));
    assert_eq!(guarded.code(good).await, "ok");
    assert!(!guarded.last().0.headers.contains_key("content-md5"));
    let changed = FORM.replace("PNG", "GIF");
    let mut changed = signed.map(|_| Full::new(Bytes::from(changed)));
    changed.headers_mut().remove("content-length");
    assert_eq!(guarded.code(changed).await, "I400I5");
}
