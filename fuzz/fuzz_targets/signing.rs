//! Any query, form and list of headers: the texts that are signed are few, and where the strict mode takes
//! two queries with one text, they mean the same.

#![no_main]

use backhaul::fuzzing;
use http::Request;
use libfuzzer_sys::fuzz_target;

/// How many texts a signature may be compared with.
const MOST: usize = 32;

fuzz_target!(|input: (String, String, Vec<u8>, Vec<u8>)| {
    let (query, listed, form, other) = input;
    let head = |query: &str| {
        let uri = format!("/path?{query}");
        let request = Request::post(uri).header("content-md5", "x").header("x-ca-key", "k");
        let request = request.header("x-ca-timestamp", "1").header("x-ca-stage", "TEST");
        Some(request.body(()).ok()?.into_parts().0)
    };
    let Some(first) = head(&query) else { return };
    let Some((texts, strict)) = fuzzing::texts(&first, &listed, &form) else { return };
    assert!((1..=MOST).contains(&texts.len()));
    assert!(texts.iter().all(|text| text.starts_with(b"POST\n")));
    if !strict {
        return;
    }
    // The form stands for itself by its digest: only the query may not have a double.
    let Ok(other) = String::from_utf8(other) else { return };
    let Some(second) = head(&other).filter(|_| other != query) else { return };
    if let Some((others, true)) = fuzzing::texts(&second, &listed, &form) {
        let same = others[0] == texts[0];
        let [one, two] =
            [&first, &second].map(|head| meaning(head.uri.query().unwrap_or_default()));
        assert!(!same || one == two, "{query} and {other}");
    }
});

/// Names and values, decoded and sorted.
fn meaning(query: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<_> = pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect();
    pairs.sort();
    pairs
}

fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [bytes.next(), bytes.next()].map(|byte| byte.unwrap_or_default());
                let digits = std::str::from_utf8(&digits).unwrap_or_default();
                u8::from_str_radix(digits, 16).unwrap_or_default()
            }
            other => other,
        });
    }
    decoded
}
