//! What stands in a line.

use std::fmt::Write as _;
use std::time::Duration;

use crate::error::ErrorKind;
use crate::observe::event::{Outcome, RequestEnded, RequestText};
use crate::observe::limits::MAX_FIELD;
use crate::observe::names::{self, field};
use crate::time::Timestamp;

/// Most lines fit.
const USUAL: usize = 768;
/// Stands where something was cut.
const MORE: char = '…';

/// The line of a request, with its end.
pub(super) fn line(request: &RequestEnded<'_>, headers: bool) -> String {
    let mut line = Line::new();
    line.text(field::REQUEST_ID, request.id);
    line.route(request);
    if let Some(text) = request.text {
        line.said(text, headers);
    }
    line.number(field::REQUEST_SIZE, request.received);
    line.number(field::RESPONSE_SIZE, request.sent);
    line.ending(request);
    line.times(request);
    line.attribution(request);
    line.end()
}

/// The line that says how many are missing.
pub(super) fn dropped(count: u64) -> String {
    let mut line = Line::new();
    line.number(field::LINES_DROPPED, count);
    line.end()
}

/// A JSON object in one line.
struct Line(String);

impl Line {
    fn new() -> Self {
        let mut text = String::with_capacity(USUAL);
        text.push('{');
        Self(text)
    }

    fn end(mut self) -> String {
        self.0.push_str("}\n");
        self.0
    }

    fn name(&mut self, name: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        // Writing to a string cannot fail, here and below.
        let _ = write!(self.0, "\"{name}\":");
    }

    fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        self.0.push('"');
        escape(&mut self.0, value);
        self.0.push('"');
    }

    fn text_if(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    fn number(&mut self, name: &str, value: u64) {
        self.name(name);
        let _ = write!(self.0, "{value}");
    }

    fn moment(&mut self, name: &str, from: Timestamp, after: Option<Duration>) {
        if let Some(after) = after {
            self.name(name);
            let moment = from.as_millis().saturating_add(millis(after));
            let _ = write!(self.0, "\"{}\"", Timestamp::from_millis(moment));
        }
    }

    fn yes(&mut self, name: &str) {
        self.name(name);
        self.0.push_str("true");
    }

    fn route(&mut self, request: &RequestEnded<'_>) {
        if let Some(api) = request.api {
            self.text(field::API_NAME, api.name());
            self.text(field::GROUP_NAME, api.group().as_str());
        }
        if let Some(place) = request.place {
            self.text(field::STAGE_NAME, place.environment.as_str());
        }
    }

    fn said(&mut self, text: &RequestText, headers: bool) {
        self.text_if(field::DOMAIN, text.host.as_deref());
        self.text(field::HTTP_METHOD, text.method.as_str());
        if !text.path.is_empty() {
            self.text(field::HTTP_PATH, &text.path);
        }
        self.text_if(field::REQUEST_QUERY_STRING, text.query.as_deref());
        let _ = write!(Quoted::of(self, field::REQUEST_PROTOCOL), "{:?}", text.version);
        if let Some(all) = text.headers.as_ref().filter(|_| headers) {
            let mut shown = String::new();
            for (name, value) in all {
                // What is longer than a field is cut there.
                if shown.len() > MAX_FIELD {
                    break;
                }
                let value = String::from_utf8_lossy(value.as_bytes());
                let _ = writeln!(shown, "{name}: {value}");
            }
            self.text(field::REQUEST_HEADERS, shown.trim_end());
        }
        if let Some(client) = text.client {
            let _ = write!(Quoted::of(self, field::CLIENT_IP), "{client}");
        }
        self.text_if(field::CLIENT_NONCE, text.nonce.as_deref());
        self.text_if(field::CONSUMER_APP_KEY, text.key.as_deref());
        self.text_if(field::APP_NAME, text.app.as_ref().map(|app| app.as_str()));
        self.text_if(field::ERROR_MESSAGE, text.message.as_deref());
        self.text_if(field::EXCEPTION, text.exception.as_deref());
    }

    fn ending(&mut self, request: &RequestEnded<'_>) {
        if let Some(status) = request.status {
            self.number(field::STATUS_CODE, status.as_u16().into());
        }
        let kind = match request.outcome {
            Outcome::Answered => None,
            Outcome::Failed { kind, .. } => Some(kind),
            Outcome::Aborted { .. } => Some(ErrorKind::ClientGone),
        };
        self.text_if(field::ERROR_CODE, kind.map(|kind| kind.answer().code));
    }

    fn times(&mut self, request: &RequestEnded<'_>) {
        self.number(field::TOTAL_LATENCY, millis(request.took));
        if let Some(took) = request.backend {
            self.number(field::SERVICE_LATENCY, millis(took));
        }
        if let Some(text) = request.text {
            self.moment(field::FRONT_REQUEST_START, text.at, Some(Duration::ZERO));
            self.moment(field::BACKEND_REQUEST_START, text.at, text.called);
            self.moment(field::BACKEND_RESPONSE_START, text.at, text.answered);
            self.moment(field::FRONT_RESPONSE_END, text.at, Some(request.took));
        }
    }

    fn attribution(&mut self, request: &RequestEnded<'_>) {
        if let Some(place) = request.place {
            self.text_if(field::BACKEND_SERVICE, place.service.as_ref().map(|it| it.as_str()));
            self.number(field::GENERATION, place.generation.as_u64());
        }
        if request.superseded {
            self.yes(field::SUPERSEDED);
        }
        let (outcome, party, stage) = match request.outcome {
            Outcome::Answered => ("answered", None, None),
            Outcome::Failed { party, stage, .. } => ("failed", Some(party), Some(stage)),
            Outcome::Aborted { stage } => ("aborted", None, Some(stage)),
        };
        self.text(field::OUTCOME, outcome);
        self.text_if(field::PARTY, party.map(names::party));
        self.text_if(field::STAGE, stage.map(names::stage));
        if request.debug {
            self.yes(field::DEBUG);
        }
    }
}

/// A field that is written piece by piece, of text that needs no escapes.
struct Quoted<'a>(&'a mut Line);

impl<'a> Quoted<'a> {
    fn of(line: &'a mut Line, name: &str) -> Self {
        line.name(name);
        line.0.push('"');
        Self(line)
    }
}

impl std::fmt::Write for Quoted<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.0.write_str(text)
    }
}

impl Drop for Quoted<'_> {
    fn drop(&mut self) {
        self.0.0.push('"');
    }
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}

/// Appends a JSON string's inside: at most [`MAX_FIELD`] bytes, with everything escaped that a terminal or a
/// reader of lines could take for more than text.
fn escape(out: &mut String, text: &str) {
    let most = out.len() + MAX_FIELD;
    // Up to here there is room for the mark, should there be more than fits.
    let mut kept = out.len();
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            hidden if is_hidden(hidden) => {
                let mut units = [0; 2];
                for unit in hidden.encode_utf16(&mut units) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            plain => out.push(plain),
        }
        if out.len() > most {
            out.truncate(kept);
            out.push(MORE);
            return;
        }
        if out.len() + MORE.len_utf8() <= most {
            kept = out.len();
        }
    }
}

/// Control characters (C1 begin escape sequences too), separators of lines, and marks that turn the order of
/// what is read around.
fn is_hidden(character: char) -> bool {
    let turns = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    character.is_control() || turns || matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = String::new();
        escape(&mut out, text);
        out
    }

    #[test]
    fn what_is_not_text_is_escaped() {
        for (text, expected) in [
            ("\u{1b}[2J\n200 OK", "\\u001b[2J\\n200 OK"),
            ("\u{9b}2J\u{7f}", "\\u009b2J\\u007f"),
            ("a\r\nb\tc\0", "a\\r\\nb\\tc\\u0000"),
            ("\u{202e}evil\u{2028}", "\\u202eevil\\u2028"),
            ("\"\\", "\\\"\\\\"),
            ("grüße 👋", "grüße 👋"),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(escaped(&"a".repeat(MAX_FIELD)), "a".repeat(MAX_FIELD));
        let cut = escaped(&"a".repeat(64 * 1024));
        assert_eq!(cut.len(), MAX_FIELD);
        assert!(cut.ends_with("aa…"));
        assert!(escaped(&"\u{1b}".repeat(1000)).len() <= MAX_FIELD);
    }

    proptest! {
        #[test]
        fn any_text_is_a_field_of_one_line(text in "(?s).{0,400}", times in 1..8_usize) {
            let text = text.repeat(times);
            let out = escaped(&text);
            prop_assert!(out.len() <= MAX_FIELD);
            prop_assert!(!out.contains(is_hidden));
            let read: String = serde_json::from_str(&format!("\"{out}\"")).unwrap();
            match read.strip_suffix(MORE) {
                Some(start) if read != text => prop_assert!(text.starts_with(start)),
                _ => prop_assert_eq!(read, text),
            }
        }
    }
}
