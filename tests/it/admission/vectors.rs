//! The test vectors of domain §4.5.

use backhaul::model::{App, SignatureMethod};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;

use super::{Guarded, KEY, NOW, SECRET, empty};

async fn guarded(key: &str, secret: &str, now: u64) -> Guarded {
    let methods = [SignatureMethod::HmacSHA256, SignatureMethod::HmacSHA1];
    let guarded =
        Guarded::of(|api| api.signature(methods), |group| group, App::new().key(key, secret)).await;
    guarded.clock.set(now);
    guarded
}

#[tokio::test]
async fn those_published_by_higress_are_accepted() {
    let now = 1_646_365_291_734;
    let first = || {
        Request::get("/Third/Tools/checkSign")
            .header("host", "a")
            .header("accept", "application/json")
            .header("x-ca-key", "appKey-8")
    };
    // The published key is shorter than keys may be here; this vector's text has no key in it.
    let guarded = guarded("appKey-8", "appSecret", now).await;
    let request = first().header("x-ca-signature", "ZpJhkHdtjLTJiR6CJWHL8ikLtPB2z6CoztG21wG3PT4=");
    assert_eq!(guarded.code(empty(request)).await, "ok");
    let request = first().header("x-ca-signature", "ZpJhkHdtjLTJiR6CJWHL8ikLtPB2z6CoztG21wG3PT5=");
    assert_eq!(guarded.code(empty(request)).await, "I400IS");
}

fn node(request: http::request::Builder, method: &str, signature: &str) -> http::request::Builder {
    request
        .header("host", "a")
        .header("accept", "application/json")
        .header("x-ca-key", KEY)
        .header("x-ca-timestamp", "1700000000000")
        .header("x-ca-nonce", "00000000-0000-4000-8000-000000000001")
        .header("x-ca-stage", "RELEASE")
        .header("x-ca-signature-headers", "x-ca-key,x-ca-nonce,x-ca-stage,x-ca-timestamp")
        .header("x-ca-signature-method", method)
        .header("x-ca-signature", signature)
}

#[tokio::test]
async fn a_13_those_of_the_node_client_are_accepted_by_both_methods() {
    for (method, first, second) in [
        (
            "HmacSHA256",
            "rSB1PphzPE914mIsjrnmR82CUohCmsNjohF+/VlSBJs=",
            "xGskX6d/iga+0MJNz5wzho6sTGIucplq+2jbPiI9ilU=",
        ),
        ("HmacSHA1", "ZNlLIv5p8ma4nPDTM7XEG+p4Uyw=", "b3+1/dhhCMW94bEc2VY465EIG1g="),
    ] {
        let get = Request::get("/v1/users/42?b=2&a=1&flag=&z");
        let guarded_get = guarded(KEY, SECRET, NOW).await;
        assert_eq!(guarded_get.code(empty(node(get, method, first))).await, "ok", "{method}");
        let post = |body: &'static str| {
            node(Request::post("/v1/users?debug=1"), method, second)
                .header("content-type", "application/json; charset=UTF-8")
                .header("content-md5", "+8JLzHoXlHWPwTJ/z+va9g==")
                .body(Full::new(Bytes::from_static(body.as_bytes())))
                .unwrap()
        };
        let guarded_post = guarded(KEY, SECRET, NOW).await;
        assert_eq!(guarded_post.code(post(r#"{"hello":"world"}"#)).await, "ok", "{method}");
        let other = guarded(KEY, SECRET, NOW).await;
        let (code, _) = other.answer(post(r#"{"hello":"w0rld"}"#)).await;
        assert_eq!(code, "I400I5");
    }
}
