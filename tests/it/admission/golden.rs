//! Captured requests of the official Node client, byte for byte.

use std::fs;
use std::path::PathBuf;

use backhaul::Group;
use backhaul::gateway::MemoryNonces;
use backhaul::model::{App, SignatureMethod};

use super::{Guarded, NOW, golden, parsed};

const MINUTE: u64 = 60_000;

async fn official() -> Guarded {
    let app = App::new()
        .key("203900001", "golden-app-secret-0123456789abcd")
        .code("appcode-golden-0123456789");
    let methods = [SignatureMethod::HmacSHA256, SignatureMethod::HmacSHA1];
    let both = |group: Group| group;
    let mut guarded = Guarded::of(|api| api.signature(methods), both, app).await;
    // One capture is for PRE.
    guarded.change_gateway(|gateway| gateway.environment(super::LIVE));
    guarded
}

/// The names of the captures.
fn captures() -> Vec<String> {
    let shared = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/golden/apigw");
    let files = fs::read_dir(shared).unwrap().map(|file| file.unwrap().file_name());
    let mut names: Vec<String> = files
        .filter_map(|name| Some(name.to_str()?.strip_suffix(".request.raw")?.to_owned()))
        .collect();
    names.sort();
    assert!(names.len() >= 13, "{names:?}");
    names
}

#[tokio::test]
async fn every_capture_is_accepted_and_reaches_the_backend_byte_for_byte() {
    for name in captures() {
        let guarded = official().await;
        let raw = golden(&format!("{name}.request.raw"));
        assert_eq!(guarded.code(parsed(&raw)).await, "ok", "{name}");
        let end = raw.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        let (parts, body) = guarded.last();
        assert_eq!(body, raw[end..], "{name}");
        let length = parts.headers.get("content-length").map(|it| it.to_str().unwrap().to_owned());
        let expected = (!body.is_empty()).then(|| body.len().to_string());
        assert_eq!(length, expected, "{name}");
    }
}

#[tokio::test]
async fn a_capture_is_accepted_around_its_time_only_and_once() {
    for name in captures().iter().filter(|name| !name.contains("appcode")) {
        let raw = golden(&format!("{name}.request.raw"));
        for (now, expected) in [
            (NOW - 15 * MINUTE, "ok"),
            (NOW + 15 * MINUTE, "ok"),
            (NOW - 15 * MINUTE - 1, "I400TS"),
            (NOW + 15 * MINUTE + 1, "I400TS"),
        ] {
            let guarded = official().await;
            guarded.clock.set(now);
            assert_eq!(guarded.code(parsed(&raw)).await, expected, "{name} at {now}");
            if expected == "ok" {
                assert_eq!(guarded.code(parsed(&raw)).await, "I400NU", "{name}");
            }
        }
    }
}

#[tokio::test]
async fn the_text_a_client_is_shown_is_the_one_it_signed() {
    for name in captures().iter().filter(|name| !name.contains("appcode")) {
        let guarded = official().await;
        let mut request = parsed(&golden(&format!("{name}.request.raw")));
        request.headers_mut().insert("x-ca-signature", "bm90aGluZw==".parse().unwrap());
        let (code, message) = guarded.answer(request).await;
        let text = golden(&format!("{name}.string-to-sign.txt"));
        let shown = String::from_utf8(text).unwrap().replace('\n', "#");
        assert_eq!(code, "I400IS");
        let expected = format!("Invalid Signature, Server StringToSign:`{shown}`");
        assert_eq!(message, expected, "{name}");
        assert!(!message.contains("golden-app-secret"));
    }
}

#[tokio::test]
async fn what_is_not_signed_may_be_changed() {
    let raw = golden("04-get-signheaders.request.raw");
    let text = String::from_utf8(raw).unwrap();
    for (from, to, expected) in [
        ("x-other: not-signed", "x-other: still-not", "ok"),
        ("x-custom-b: b-val", "x-custom-b: b-vam", "I400IS"),
        ("GET /api", "GET /apj", "I400IS"),
        ("GET /api", "PUT /api", "I400IS"),
    ] {
        let mut guarded = official().await;
        guarded.change_gateway(|gateway| gateway.nonces(MemoryNonces::new()));
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        assert_eq!(guarded.code(parsed(changed.as_bytes())).await, expected, "{to}");
    }
}
