//! Bodies that are signed: forms, and digests of everything else.

use std::pin::Pin;
use std::task::{Context, Poll};

use backhaul::ErrorKind;
use bytes::Bytes;
use http::Request;
use http_body::Frame;
use http_body_util::Full;

use super::signer::Signer;
use super::{Guarded, NOW};

const FORM: &str = "application/x-www-form-urlencoded; charset=UTF-8";

fn post(uri: &str, content_type: &str) -> Request<Full<Bytes>> {
    let request = Request::post(uri).header("host", "a").header("content-type", content_type);
    request.body(Full::default()).unwrap()
}

#[tokio::test]
async fn a_form_is_part_of_what_is_signed_and_goes_on_byte_for_byte() {
    let guarded = Guarded::open().await;
    let form = b"b=2&name=rex%20dog&a=1&name=again&empty=&%c3%a9=%C3%A9&plus=a+b";
    let signed = Signer::new().sign_body(post("/p?b=3&page=2", FORM), form);
    assert_eq!(guarded.code(signed.clone()).await, "ok");
    let (parts, body) = guarded.last();
    assert_eq!((body.as_ref(), parts.uri.to_string().as_str()), (&form[..], "/p?b=3&page=2"));
    for (from, to) in [("a=1", "a=2"), ("rex", "max"), ("%C3%A9", "%C3%A8"), ("empty=", "emptz=")] {
        let changed = String::from_utf8(form.to_vec()).unwrap().replacen(from, to, 1);
        let request = signed.clone().map(|_| Full::new(Bytes::from(changed)));
        assert_eq!(guarded.code(request).await, "I400IS", "{to}");
    }
    // What is no form is not read.
    let json = Signer::new().sign_body(post("/p", "application/json"), form);
    let other = json.map(|_| Full::new(Bytes::from_static(b"{}")));
    assert_eq!(guarded.code(other).await, "ok", "there was no digest");
}

#[tokio::test]
async fn a_form_is_read_up_to_its_limit() {
    let mut guarded = Guarded::with(|api| api.max_body(64)).await;
    guarded.change_gateway(|gateway| gateway.max_form(16));
    for (length, expected) in [(16, "ok"), (17, "I413RL"), (65, "I413RL")] {
        let form = format!("a={}", "x".repeat(length - 2));
        let signed = Signer::new().sign_body(post("/", FORM), form.as_bytes());
        assert_eq!(guarded.code(signed).await, expected, "{length}");
    }
    guarded.change_gateway(|gateway| gateway.max_form(1000));
    let form = format!("a={}", "x".repeat(70));
    let signed = Signer::new().sign_body(post("/", FORM), form.as_bytes());
    assert_eq!(guarded.code(signed).await, "I413RL", "the API's limit holds too");
}

#[tokio::test]
async fn odd_queries_and_forms_are_refused_when_they_are_signed() {
    let guarded = Guarded::open().await;
    for (uri, form, expected) in
        [("/?a=%zz", "", "I400RU"), ("/?a=%", "", "I400RU"), ("/", "a=%4", "I400BD")]
    {
        let signed = Signer::new().sign_body(post("/", FORM), b"");
        let (mut parts, _) = signed.into_parts();
        parts.uri = uri.parse().unwrap();
        let request = Request::from_parts(parts, Full::new(Bytes::from_static(form.as_bytes())));
        assert_eq!(guarded.code(request).await, expected, "{uri} {form}");
    }
    let many = vec!["a"; 1_001].join("&");
    let signed = Signer::new().sign_body(post("/", FORM), many.as_bytes());
    assert_eq!(guarded.code(signed).await, "I400BD");
    let enough = vec!["a"; 1_000].join("&");
    let signed = Signer::new().sign_body(post("/", FORM), enough.as_bytes());
    assert_eq!(guarded.code(signed).await, "ok");
}

/// A body in pieces.
struct Pieces(std::vec::IntoIter<&'static str>);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let next = self.0.next().map(|piece| Ok(Frame::data(Bytes::from_static(piece.as_bytes()))));
        Poll::Ready(next)
    }
}

#[tokio::test]
async fn a_10_a_digest_is_verified_while_the_body_goes_by() {
    let guarded = Guarded::open().await;
    let text = "text/plain";
    let signed = Signer::new().with_md5().sign_body(post("/", text), b"hello, world");
    let in_pieces = |pieces: &[&'static str]| {
        let pieces: Vec<_> = pieces.to_vec();
        signed.clone().map(|_| Pieces(pieces.into_iter()))
    };
    assert_eq!(guarded.code(in_pieces(&["hello", ", ", "world"])).await, "ok");
    assert_eq!(guarded.last().1, "hello, world");
    for pieces in [&["hello", ", ", "wOrld"][..], &["hello, worl"], &["hello, world", "!"], &[]] {
        let (code, _) = guarded.answer(in_pieces(pieces)).await;
        assert_eq!(code, "I400I5", "{pieces:?}");
    }
    assert_eq!(guarded.received.lock().unwrap().len(), 1, "no other came whole");
    let mut bad = Signer::new().sign_body(post("/", text), b"hello");
    bad.headers_mut().insert("content-md5", "not a digest".parse().unwrap());
    assert_eq!(guarded.code(bad).await, "I400I5");
    let nothing = Signer::new().with_md5().sign_body(post("/", text), b"");
    assert_eq!(guarded.code(nothing).await, "ok");
    let form = Signer::new().with_md5().nonce("n").sign_body(post("/", FORM), b"a=b");
    let changed = form.clone().map(|_| Full::new(Bytes::from_static(b"a=%62")));
    assert_eq!(guarded.code(changed).await, "I400I5", "the same fields in other bytes");
    assert_eq!(guarded.code(form).await, "ok", "the nonce was not used up");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_rests_in_a_form_is_not_waited_for() {
    struct Rests;
    impl http_body::Body for Rests {
        type Data = Bytes;
        type Error = std::convert::Infallible;
        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            Poll::Pending
        }
    }
    let guarded = Guarded::open().await;
    let signed = Signer::new().at(NOW).sign_body(post("/", FORM), b"a=b").map(|_| Rests);
    assert_eq!(guarded.code(signed).await, ErrorKind::InvalidBody.answer().code);
}
