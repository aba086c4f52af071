use http::{HeaderName, HeaderValue, Uri};
use proptest::prelude::*;

use super::trace::Recording;
use super::*;

#[test]
fn what_is_called_a_secret_is_one() {
    for secret in [
        "authorization",
        "proxy-authorization",
        "Cookie",
        "set-cookie",
        "x-auth-token",
        "X-Api-Key",
        "api_key",
        "AppCode",
        "app-code",
        "x-ca-signature",
        "client_secret",
        "Access-Key-Id",
        "X-Auth",
        "Ocp-Apim-Subscription-Key",
        "x-functions-key",
        "key",
        "sig",
    ] {
        assert!(redact::is_secret(secret), "{secret}");
    }
    for plain in ["", "host", "x-ca-key", "x-ca-nonce", "accept", "content-type", "id", "code"] {
        assert!(!redact::is_secret(plain), "{plain}");
    }
    let name = HeaderName::from_static("x-plain");
    let mut value = HeaderValue::from_static("planted");
    assert_eq!(redact::header(&name, &value), "planted");
    value.set_sensitive(true);
    assert_eq!(redact::header(&name, &value), "[redacted]");
}

#[test]
fn secrets_in_a_query_are_not_told() {
    for (uri, told) in [
        ("/a", "/a"),
        ("/a?", "/a"),
        ("/a?x=1&y", "/a?x=1&y"),
        ("/a?AppCode=planted&x=1", "/a?AppCode=[redacted]&x=1"),
        ("/a?x=1&%41ppCode=planted", "/a?x=1&%41ppCode=[redacted]"),
        ("/a?q=planted&p=1", "/a?q=[redacted]&p=1"),
        ("/a?token=planted=planted&token", "/a?token=[redacted]&token=[redacted]"),
    ] {
        assert_eq!(redact::uri(&uri.parse::<Uri>().unwrap(), |name| name == "q"), told);
    }
}

fn recording(decision: &str) -> Recording {
    let took = Duration::from_micros(1_999);
    let step = Step { stage: Stage::Admit, decision: decision.to_owned(), took, refused: None };
    Recording { steps: vec![step], sent: None, took: Duration::from_millis(12), called: took }
}

#[test]
fn a_client_is_told_in_json() {
    let value = info::value(&recording("app \"é\u{1f600}\n"));
    let told: serde_json::Value = serde_json::from_slice(value.as_bytes()).unwrap();
    let step = serde_json::json!(
        { "Stage": "admit", "Decision": "app \"é\u{1f600}\n", "Microseconds": 1999 }
    );
    assert_eq!(
        told,
        serde_json::json!({ "ServiceLatency": 1, "TotalLatency": 12, "Steps": [step] })
    );
    let long = info::value(&recording(&"x".repeat(5000)));
    assert_eq!(long, r#"{"ServiceLatency":1,"TotalLatency":12}"#);
}

proptest! {
    #[test]
    fn any_decision_makes_a_header(decision in "(?s).{0,200}") {
        let value = info::value(&recording(&decision));
        prop_assert!(value.as_bytes().iter().all(|b| *b == b' ' || b.is_ascii_graphic()));
        let told: serde_json::Value = serde_json::from_slice(value.as_bytes()).unwrap();
        prop_assert_eq!(&told["Steps"][0]["Decision"], &serde_json::Value::from(decision));
    }
}
