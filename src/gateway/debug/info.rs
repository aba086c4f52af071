//! `X-Ca-Debug-Info`: what a client is told of how its request was handled.

use std::fmt::Write as _;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use serde::Serialize;

use super::Step;
use super::trace::Recording;
use crate::error::{Error, ErrorKind};
use crate::gateway::answer;
use crate::gateway::limits::MAX_MESSAGE;
use crate::observe::names;

pub(super) static DEBUG_INFO: HeaderName = HeaderName::from_static("x-ca-debug-info");

/// As the modelled system writes it, in whole milliseconds; its own example has these two keys and says
/// that they may change. `Steps` is ours.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Info<'a> {
    service_latency: u128,
    total_latency: u128,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    steps: Vec<Told<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Told<'a> {
    stage: &'static str,
    decision: &'a str,
    microseconds: u128,
}

impl<'a> Told<'a> {
    fn of(step: &'a Step) -> Self {
        let Step { stage, decision, took, refused: _ } = step;
        Self { stage: names::stage(*stage), decision, microseconds: took.as_micros() }
    }
}

/// What a client is told of a failure: never what lies behind it, and not the text that it should have
/// signed, which has all that it sent.
pub(in crate::gateway) fn refusal(error: &Error) -> String {
    let told = error.kind().answer();
    if error.kind() == ErrorKind::InvalidSignature {
        return format!("{} the signature is wrong; the answer has the text", told.code);
    }
    format!("{} {}", told.code, answer::message(error))
}

/// The header: JSON in ASCII. Steps that make it longer than a message may be are left out.
pub(super) fn value(recording: &Recording) -> HeaderValue {
    let steps = recording.steps.iter().map(Told::of).collect();
    let text = written(recording, steps);
    let text = if text.len() > MAX_MESSAGE { written(recording, Vec::new()) } else { text };
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("{}"))
}

fn written(recording: &Recording, steps: Vec<Told<'_>>) -> String {
    let millis = |duration: Duration| duration.as_millis();
    let (called, took) = (recording.called, recording.took);
    let info = Info { service_latency: millis(called), total_latency: millis(took), steps };
    ascii(&serde_json::to_string(&info).unwrap_or_default())
}

/// JSON with everything but visible ASCII and spaces escaped; only texts have any.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter == ' ' || letter.is_ascii_graphic() {
            text.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text
}
