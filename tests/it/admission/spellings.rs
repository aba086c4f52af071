//! The spellings of clients, each alone, and the strict mode.

use backhaul::Change;
use backhaul::gateway::Spelling;
use backhaul::model::RegistrySettings;
use backhaul::model::settings::SignatureMode;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;

use super::signer::{Signer, signature};
use super::{Guarded, KEY, NOW, SECRET, get, get_uri};

const FORM: &str = "application/x-www-form-urlencoded";

/// A request that is signed by the text of somebody's own.
struct Written {
    spelling: Option<Spelling>,
    listed: &'static str,
    headers: &'static str,
    target: &'static str,
    signed: &'static str,
    form: &'static str,
}

impl Written {
    const fn get(spelling: Option<Spelling>, target: &'static str, signed: &'static str) -> Self {
        let headers = "x-ca-key:203753385\nx-ca-timestamp:1700000000000\n";
        Self { spelling, listed: "x-ca-key,x-ca-timestamp", headers, target, signed, form: "" }
    }

    fn request(&self) -> Request<Full<Bytes>> {
        let (method, content_type) =
            if self.form.is_empty() { ("GET", "") } else { ("POST", FORM) };
        let text = format!("{method}\n\n\n{content_type}\n\n{}{}", self.headers, self.signed);
        let mut request = Request::builder().method(method).uri(self.target).header("host", "a");
        if !content_type.is_empty() {
            request = request.header("content-type", content_type);
        }
        request
            .header("x-ca-key", KEY)
            .header("x-ca-timestamp", NOW.to_string())
            .header("x-ca-signature-headers", self.listed)
            .header("x-ca-signature", signature(SECRET, None, text.as_bytes()))
            .body(Full::new(Bytes::from_static(self.form.as_bytes())))
            .unwrap()
    }
}

fn written() -> Vec<Written> {
    use Spelling::{
        EmptyWithEquals, JoinedValues, ListedOrder, LiteralPlus, LowerCaseNames, QueryWins,
        SentOrder,
    };
    let post = |spelling, signed| Written {
        form: "a=form",
        ..Written::get(spelling, "/p?a=query", signed)
    };
    let mixed = |spelling, headers| Written {
        listed: "X-Ca-Key,X-Ca-Timestamp",
        headers,
        ..Written::get(spelling, "/p", "/p")
    };
    let listed = |spelling, headers| Written {
        listed: "x-ca-timestamp,x-ca-key",
        headers,
        ..Written::get(spelling, "/p", "/p")
    };
    vec![
        Written::get(None, "/p?b=2&a=1", "/p?a=1&b=2"),
        Written::get(Some(SentOrder), "/p?b=2&a=1", "/p?b=2&a=1"),
        Written::get(None, "/p?a=1&a=2", "/p?a=1"),
        Written::get(Some(JoinedValues), "/p?a=1&a=2", "/p?a=1,2"),
        Written::get(None, "/p?a=", "/p?a"),
        Written::get(Some(EmptyWithEquals), "/p?a=", "/p?a="),
        Written::get(None, "/p?a=1+2", "/p?a=1 2"),
        Written::get(Some(LiteralPlus), "/p?a=1+2", "/p?a=1+2"),
        post(None, "/p?a=form"),
        post(Some(QueryWins), "/p?a=query"),
        mixed(None, "X-Ca-Key:203753385\nX-Ca-Timestamp:1700000000000\n"),
        mixed(Some(LowerCaseNames), "x-ca-key:203753385\nx-ca-timestamp:1700000000000\n"),
        listed(None, "x-ca-key:203753385\nx-ca-timestamp:1700000000000\n"),
        listed(Some(ListedOrder), "x-ca-timestamp:1700000000000\nx-ca-key:203753385\n"),
    ]
}

#[tokio::test]
async fn each_spelling_is_accepted_and_can_be_switched_off() {
    for written in written() {
        let mut guarded = Guarded::open().await;
        let what = format!("{:?} {}", written.spelling, written.signed);
        assert_eq!(guarded.code(written.request()).await, "ok", "{what}");
        let Some(spelling) = written.spelling else {
            guarded.change_gateway(|gateway| gateway.spellings([]));
            assert_eq!(guarded.code(written.request()).await, "ok", "{what}");
            continue;
        };
        guarded.change_gateway(|gateway| gateway.spellings([spelling]));
        assert_eq!(guarded.code(written.request()).await, "ok", "{what}");
        let others = Spelling::ALL.into_iter().filter(|other| *other != spelling);
        guarded.change_gateway(|gateway| gateway.spellings(others));
        assert_eq!(guarded.code(written.request()).await, "I400IS", "{what}");
    }
}

#[tokio::test]
async fn spellings_are_found_together() {
    let guarded = Guarded::open().await;
    let written = Written::get(None, "/p?b=&a=1&a=2", "/p?b=&a=1,2");
    assert_eq!(guarded.code(written.request()).await, "ok", "three at once");
}

async fn strict() -> Guarded {
    let guarded = Guarded::open().await;
    let mut settings = RegistrySettings::new();
    settings.signature_mode = SignatureMode::Strict;
    guarded.apply(Change::new().settings(settings)).await;
    guarded
}

#[tokio::test]
async fn a_11_the_strict_mode_accepts_the_documented_spelling_alone() {
    let guarded = strict().await;
    for written in written() {
        let code = guarded.code(written.request()).await;
        assert_eq!(
            code == "ok",
            written.spelling.is_none()
                && !written.form.contains('a')
                && !written.target.contains("a=1&a=2"),
            "{:?} {} {code}",
            written.spelling,
            written.signed
        );
    }
}

#[tokio::test]
async fn a_15_the_strict_mode_refuses_what_could_mean_two_things() {
    let guarded = strict().await;
    for (target, expected) in [
        ("/?a=1&b=2", "ok"),
        ("/?a=%C3%A9%20b", "ok"),
        ("/?a=1&a=1", "I400RU"),
        ("/?a=%c3%a9", "I400RU"),
        ("/?a=%41", "I400RU"),
        ("/?a=1%26b%3D2", "I400RU"),
        ("/?a%3D=2", "I400RU"),
        ("/?a=1&=2", "I400RU"),
        ("/?a&&b", "I400RU"),
        ("/?a=1&", "I400RU"),
    ] {
        assert_eq!(
            guarded.code(Signer::new().sign(get_uri(target, &[]))).await,
            expected,
            "{target}"
        );
    }
    let form = || {
        let request = Request::post("/").header("host", "a").header("content-type", FORM);
        request.body(Full::default()).unwrap()
    };
    let bare = Signer::new().sign_body(form(), b"a=1");
    assert_eq!(guarded.code(bare).await, "I400MH", "a form needs a digest");
    assert_eq!(guarded.code(Signer::new().with_md5().sign_body(form(), b"a=1")).await, "ok");
    for left_out in ["x-ca-key", "x-ca-timestamp", "x-ca-nonce", "x-ca-stage"] {
        let mut signer = Signer::new().nonce(left_out);
        signer.unsigned.push(left_out.to_owned());
        let request = signer.sign(get(&[("x-ca-stage", "RELEASE")]));
        assert_eq!(guarded.code(request).await, "I400HD", "{left_out}");
    }
    let timeless = Signer { timestamp: None, ..Signer::new() };
    assert_eq!(guarded.code(timeless.sign(get(&[]))).await, "I400MH");
    assert_eq!(
        guarded.code(Signer::new().nonce("n").sign(get(&[("x-ca-stage", "RELEASE")]))).await,
        "ok"
    );
}

/// The official merge cannot tell where a field stood.
#[tokio::test]
async fn a_12_a_field_stands_where_it_was_signed() {
    let form = |target: &str| {
        let request = Request::post(target).header("host", "a").header("content-type", FORM);
        request.body(Full::default()).unwrap()
    };
    let signed = Signer::new().with_md5().sign_body(form("/?b=2"), b"a=1");
    let (mut parts, _) = signed.clone().into_parts();
    parts.uri = "/?a=1&b=2".parse().unwrap();
    let moved = Request::from_parts(parts, Full::new(Bytes::new()));
    let both = Signer::new().with_md5().sign_body(form("/?a=2"), b"a=1");
    let guarded = strict().await;
    assert_eq!(guarded.code(signed).await, "ok");
    assert_eq!(guarded.code(moved).await, "I400I5");
    assert_eq!(guarded.code(both.clone()).await, "I400RU");
    assert_eq!(Guarded::open().await.code(both).await, "ok", "the form's counts");
}
