//! No byte that a signature covers can be changed.

use backhaul::Change;
use backhaul::model::RegistrySettings;
use backhaul::model::settings::SignatureMode;
use bytes::Bytes;
use http::{Method, Request, Uri};
use http_body_util::Full;

use super::Guarded;
use super::signer::{Signer, covered};

/// Changed requests in the strict mode, and in the compatible one.
const STRICT: usize = 100_000;
const COMPATIBLE: usize = 50_000;
/// Changes of one request.
const CHANGES: usize = 100;
const FORM: &str = "application/x-www-form-urlencoded";

/// A signed request in the pieces that are covered.
#[derive(Clone, Debug)]
struct Sample {
    target: Vec<u8>,
    headers: Vec<(&'static str, Vec<u8>)>,
    body: Vec<u8>,
}

/// A name or a value, encoded as the strict mode wants it.
fn word(random: &mut fastrand::Rng) -> String {
    (0..random.usize(1..6))
        .map(|_| match random.u8(..8) {
            0 => "%C3%A9".to_owned(),
            1 => "%20".to_owned(),
            2 => "%2F".to_owned(),
            _ => random.alphanumeric().to_string(),
        })
        .collect()
}

fn pairs(random: &mut fastrand::Rng, prefix: &str) -> String {
    let pair = |index: usize, random: &mut fastrand::Rng| match random.u8(..4) {
        0 => format!("{prefix}{index}"),
        1 => format!("{prefix}{index}{}=", word(random)),
        _ => format!("{prefix}{index}{}={}", word(random), word(random)),
    };
    let pairs: Vec<_> = (0..random.usize(0..4)).map(|index| pair(index, random)).collect();
    pairs.join("&")
}

fn sample(random: &mut fastrand::Rng) -> Sample {
    let (query, form) = (pairs(random, "q"), pairs(random, "f"));
    let path: String =
        (0..random.usize(1..4)).map(|_| format!("/{}", random.alphabetic())).collect();
    let target = if query.is_empty() { path } else { format!("{path}?{query}") };
    let post = random.bool();
    let mut request = Request::builder()
        .method(if post { Method::POST } else { Method::GET })
        .uri(target)
        .header("host", "a")
        .header("accept", "application/json")
        .header("date", "Tue, 14 Nov 2023 22:13:20 GMT")
        .header("x-custom", word(random));
    if post {
        request = request.header("content-type", FORM);
    }
    let body = if post { form.into_bytes() } else { Vec::new() };
    let mut signer = Signer::new();
    signer.also.push("x-custom".to_owned());
    let signer = if post && !body.is_empty() { signer.with_md5() } else { signer };
    let signed = signer.sign_body(request.body(Full::default()).unwrap(), &body);
    let headers = [
        "accept",
        "content-md5",
        "content-type",
        "date",
        "x-ca-key",
        "x-ca-signature",
        "x-ca-signature-headers",
        "x-ca-timestamp",
        "x-custom",
    ];
    let value = |name| Some((name, signed.headers().get(name)?.as_bytes().to_vec()));
    Sample {
        target: signed.uri().to_string().into_bytes(),
        headers: headers.into_iter().filter_map(value).collect(),
        body,
    }
}

impl Sample {
    /// The request; `None` where what was changed cannot be sent at all.
    fn request(&self, method: &Method) -> Option<Request<Full<Bytes>>> {
        let uri = Uri::try_from(self.target.as_slice()).ok()?;
        // A fragment is no part of what is sent, and another form of target is none of these.
        if uri.path_and_query()?.as_str().as_bytes() != self.target || uri.authority().is_some() {
            return None;
        }
        let mut request = Request::builder().method(method).uri(uri).header("host", "a");
        for (name, value) in &self.headers {
            // White space around a value is none of it.
            if value.trim_ascii() != value.as_slice() {
                return None;
            }
            request = request.header(*name, value.as_slice());
        }
        request.body(Full::new(Bytes::copy_from_slice(&self.body))).ok()
    }

    /// The same with one byte changed.
    fn changed(&self, random: &mut fastrand::Rng) -> Self {
        let mut changed = self.clone();
        let pieces = changed.headers.iter_mut().map(|(_, value)| value);
        let pieces = pieces.chain([&mut changed.target, &mut changed.body]);
        let mut bytes: Vec<&mut u8> = pieces.flatten().collect();
        let at = random.usize(..bytes.len());
        let before = *bytes[at];
        while *bytes[at] == before {
            *bytes[at] = match random.u8(..4) {
                0 => before ^ 1 << random.u32(..8),
                1 => *random.choice(b"&=+%?#;, ").unwrap(),
                2 => random.alphanumeric() as u8,
                _ => random.u8(..),
            };
        }
        changed
    }
}

/// Changes one byte of signed requests, so often. `may_pass` says what may still be accepted.
async fn change_bytes(
    guarded: &Guarded,
    cases: usize,
    may_pass: impl Fn(&Request<Full<Bytes>>, &Sample, &Request<Full<Bytes>>, &Sample) -> bool,
) {
    let mut random = fastrand::Rng::with_seed(cases as u64);
    let mut sent = 0;
    while sent < cases {
        let sample = sample(&mut random);
        let post = sample.headers.iter().any(|(name, _)| *name == "content-type");
        let method = if post { Method::POST } else { Method::GET };
        let original = sample.request(&method).unwrap();
        assert_eq!(guarded.code(original.clone()).await, "ok", "{sample:?}");
        for _ in 0..CHANGES {
            let changed = sample.changed(&mut random);
            let Some(request) = changed.request(&method) else { continue };
            sent += 1;
            let code = guarded.answer(request.clone()).await.0;
            let passes = code == "ok" && !may_pass(&original, &sample, &request, &changed);
            assert!(!passes, "{sample:?} became {changed:?}");
        }
        guarded.received.lock().unwrap().clear();
    }
}

#[tokio::test]
async fn a_16_in_the_strict_mode_no_byte_can_be_changed() {
    let guarded = Guarded::open().await;
    let mut settings = RegistrySettings::new();
    settings.signature_mode = SignatureMode::Strict;
    guarded.apply(Change::new().settings(settings)).await;
    change_bytes(&guarded, STRICT, |_, _, _, _| false).await;
}

#[tokio::test]
async fn a_17_in_the_compatible_mode_no_byte_of_the_text_can_be_changed() {
    let mut guarded = Guarded::open().await;
    guarded.change_gateway(|gateway| gateway.spellings([]));
    // Another spelling of the same text is the same request.
    let same = |one: &Request<_>, before: &Sample, other: &Request<_>, after: &Sample| {
        covered(one, &before.body) == covered(other, &after.body)
    };
    change_bytes(&guarded, COMPATIBLE, same).await;
}
