//! The text that a signature signs (domain §4.1).

use std::borrow::Cow;

use http::header::{self, HeaderMap, HeaderName};
use http::{Method, Uri};

use super::app_code;
use super::spelling::{Spelling, Spellings};
use crate::gateway::limits::MAX_PAIRS;
use crate::gateway::pairs::{Pair, Plus, pairs};

/// Headers that stand in the text's first lines, or are no part of it, whoever lists them.
const NOT_LISTED: [&str; 6] =
    ["x-ca-signature", "x-ca-signature-headers", "accept", "content-md5", "content-type", "date"];
/// Headers whose values identify somebody by themselves: they are signed and never shown.
const SECRET: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "x-ca-security-token"];
/// What is shown instead.
const REDACTED: &[u8] = b"***";
/// Room for the text of a usual request.
const USUAL_LENGTH: usize = 512;

/// What a signature covers, as received.
#[derive(Clone, Copy, Debug)]
pub(super) struct Covered<'a> {
    pub(super) method: &'a Method,
    pub(super) uri: &'a Uri,
    pub(super) headers: &'a HeaderMap,
    /// What `X-Ca-Signature-Headers` says.
    pub(super) listed: &'a str,
    /// The body, where it is a form.
    pub(super) form: Option<&'a [u8]>,
}

/// A query or a form that cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Unreadable {
    Query(&'static str),
    Form(&'static str),
}

/// A name and a value, decoded.
type Literal<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

/// A signed parameter, decoded.
#[derive(Clone, Debug)]
pub(super) struct Signed<'a> {
    pub(super) name: Cow<'a, [u8]>,
    pub(super) value: Cow<'a, [u8]>,
    /// As it is with a `+` that is one, where that makes a difference.
    literal: Option<Literal<'a>>,
    pub(super) in_form: bool,
}

/// What a text is made of, read once for all spellings.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    pub(super) covered: Covered<'a>,
    /// In the order listed, without repetitions.
    pub(super) names: Vec<&'a str>,
    /// In the order sent, the query's first.
    pub(super) parameters: Vec<Signed<'a>>,
}

impl<'a> Parts<'a> {
    pub(super) fn read(covered: Covered<'a>) -> Result<Self, Unreadable> {
        let mut parameters = Vec::new();
        for pair in pairs(covered.uri.query().unwrap_or_default().as_bytes()) {
            let pair = decoded(pair, false).ok_or(Unreadable::Query("has a malformed `%`"))?;
            parameters.push(pair);
            if parameters.len() > MAX_PAIRS {
                return Err(Unreadable::Query("has too many parameters"));
            }
        }
        for pair in pairs(covered.form.unwrap_or_default()) {
            let pair = decoded(pair, true).ok_or(Unreadable::Form("has a malformed `%`"))?;
            parameters.push(pair);
            if parameters.len() > MAX_PAIRS {
                return Err(Unreadable::Form("has too many parameters"));
            }
        }
        Ok(Self { covered, names: listed(covered.listed), parameters })
    }

    /// The spellings that make a difference here.
    pub(super) fn differences(&self) -> Spellings {
        let mut found = Spellings::default();
        if self.names.iter().any(|name| name.bytes().any(|byte| byte.is_ascii_uppercase())) {
            found.add(Spelling::LowerCaseNames);
        }
        if !self.names.is_sorted() {
            found.add(Spelling::ListedOrder);
        }
        if !self.parameters.is_sorted_by(|one, other| one.name <= other.name) {
            found.add(Spelling::SentOrder);
        }
        if self.parameters.iter().any(|parameter| parameter.value.is_empty()) {
            found.add(Spelling::EmptyWithEquals);
        }
        if self.parameters.iter().any(|parameter| parameter.literal.is_some()) {
            found.add(Spelling::LiteralPlus);
        }
        let mut sorted: Vec<_> = self.parameters.iter().map(|p| (&p.name, p.in_form)).collect();
        sorted.sort_unstable();
        for pair in sorted.windows(2) {
            if let [(one, in_form), (other, other_in_form)] = pair
                && one == other
            {
                let both = in_form != other_in_form;
                found.add(if both { Spelling::QueryWins } else { Spelling::JoinedValues });
            }
        }
        found
    }

    /// The text in one spelling.
    pub(super) fn text(&self, spelling: Spellings) -> Vec<u8> {
        self.written(spelling, false)
    }

    /// The documented text, to be shown: what identifies somebody by itself is left out.
    pub(super) fn redacted(&self) -> Vec<u8> {
        self.written(Spellings::default(), true)
    }

    fn written(&self, spelling: Spellings, redact: bool) -> Vec<u8> {
        let Covered { method, uri, headers, .. } = self.covered;
        let mut text = Vec::with_capacity(USUAL_LENGTH);
        text.extend_from_slice(method.as_str().as_bytes());
        text.push(b'\n');
        for name in [header::ACCEPT, CONTENT_MD5, header::CONTENT_TYPE, header::DATE] {
            push_values(&mut text, headers, &name);
            text.push(b'\n');
        }
        self.push_headers(&mut text, spelling, redact);
        text.extend_from_slice(uri.path().as_bytes());
        self.push_parameters(&mut text, spelling, redact);
        text
    }

    fn push_headers(&self, text: &mut Vec<u8>, spelling: Spellings, redact: bool) {
        let lower_case = spelling.has(Spelling::LowerCaseNames);
        let spelled = |name: &&'a str| -> Cow<'a, str> {
            if lower_case { name.to_ascii_lowercase().into() } else { (*name).into() }
        };
        let mut names: Vec<Cow<'a, str>> = self.names.iter().map(spelled).collect();
        if !spelling.has(Spelling::ListedOrder) {
            names.sort_unstable();
        }
        for name in names {
            text.extend_from_slice(name.as_bytes());
            text.push(b':');
            if redact && SECRET.iter().any(|secret| secret.eq_ignore_ascii_case(&name)) {
                text.extend_from_slice(REDACTED);
            } else if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
                push_values(text, self.covered.headers, &name);
            }
            text.push(b'\n');
        }
    }

    fn push_parameters(&self, text: &mut Vec<u8>, spelling: Spellings, redact: bool) {
        let (plus, query_wins) =
            (spelling.has(Spelling::LiteralPlus), spelling.has(Spelling::QueryWins));
        let all = self.parameters.iter().enumerate();
        let mut all: Vec<_> = all
            .map(|(position, signed)| {
                let (name, value) = signed.read(plus);
                Sorted { name, loses: signed.in_form == query_wins, position, value }
            })
            .collect();
        all.sort_unstable();
        let mut runs: Vec<_> = all.chunk_by(|one, other| one.name == other.name).collect();
        if spelling.has(Spelling::SentOrder) {
            runs.sort_by_key(|run| run.iter().map(|signed| signed.position).min());
        }
        let joined = spelling.has(Spelling::JoinedValues);
        let equals = spelling.has(Spelling::EmptyWithEquals);
        for (index, run) in runs.iter().enumerate() {
            let [first, rest @ ..] = run else { continue };
            text.push(if index == 0 { b'?' } else { b'&' });
            text.extend_from_slice(first.name);
            let rest = rest.iter().filter(|other| joined && other.loses == first.loses);
            let mut rest = rest.peekable();
            if equals || !first.value.is_empty() || rest.peek().is_some() {
                text.push(b'=');
                let hide = redact && first.name == app_code::PARAMETER.as_bytes();
                text.extend_from_slice(if hide { REDACTED } else { first.value });
            }
            for other in rest {
                text.push(b',');
                text.extend_from_slice(other.value);
            }
        }
    }
}

/// A parameter, in the order in which it is signed: by name, those of the winning place first, as sent.
#[derive(Eq, Ord, PartialEq, PartialOrd)]
struct Sorted<'p> {
    name: &'p [u8],
    loses: bool,
    position: usize,
    value: &'p [u8],
}

const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");

impl<'a> Signed<'a> {
    fn read(&self, plus: bool) -> (&[u8], &[u8]) {
        match &self.literal {
            Some((name, value)) if plus => (name, value),
            _ => (&self.name, &self.value),
        }
    }
}

fn decoded(pair: Pair<'_>, in_form: bool) -> Option<Signed<'_>> {
    let literal = !in_form && pair.raw.contains(&b'+');
    let literal = if literal {
        Some((pair.name(Plus::Itself).ok()?, pair.value(Plus::Itself).ok()?))
    } else {
        None
    };
    let (name, value) = (pair.name(Plus::Space).ok()?, pair.value(Plus::Space).ok()?);
    Some(Signed { name, value, literal, in_form })
}

/// The headers that are signed, in the order listed. One that is listed twice is signed once.
fn listed(text: &str) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::with_capacity(8);
    for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let known = |other: &&str| other.eq_ignore_ascii_case(name);
        if !NOT_LISTED.iter().any(known) && !names.iter().any(known) {
            names.push(name);
        }
    }
    names
}

/// All values of a header, as one.
fn push_values(text: &mut Vec<u8>, headers: &HeaderMap, name: &HeaderName) {
    for (index, value) in headers.get_all(name).iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        text.extend_from_slice(value.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;
    use crate::sign::{Algorithm, SigningKey};

    fn texts(request: &Request<()>, listed: &str, form: Option<&str>) -> Vec<String> {
        let (method, uri, headers) = (request.method(), request.uri(), request.headers());
        let form = form.map(str::as_bytes);
        let parts = Parts::read(Covered { method, uri, headers, listed, form }).unwrap();
        let choices = parts.differences().choices();
        choices.map(|one| String::from_utf8(parts.text(one)).unwrap()).collect()
    }

    /// H1 of domain §4.5: its key is shorter than keys may be here.
    #[test]
    fn the_published_vector_comes_out() {
        let request = Request::get("/Third/Tools/checkSign")
            .header("accept", "application/json")
            .header("content-type", "application/json")
            .header("x-ca-key", "appKey")
            .header("x-ca-nonce", "787dd0c2-7bd8-41cd-9c19-62c05ea524a2")
            .header("x-ca-timestamp", "1646365291734")
            .body(())
            .unwrap();
        let texts = texts(&request, "x-ca-key,x-ca-nonce,x-ca-timestamp", None);
        let signed = SigningKey::new("appSecret").sign(Algorithm::HmacSha256, texts[0].as_bytes());
        assert!(signed.is(b"EdJSFAMOWyXZOpXhevZnjuS0ZafnwnCqaSk5hz+tXo8="), "{}", texts[0]);
        assert_eq!(texts.len(), 1, "no spelling makes a difference");
    }

    #[test]
    fn the_text_is_the_documented_one_line_by_line() {
        let request = Request::post("/a/%7E?b=2&a=1&a=3&&=x&empty=&%C3%A9=+")
            .header("date", "today")
            .header("x-b", "1")
            .header("x-b", "2")
            .body(())
            .unwrap();
        let listed = " X-B , x-a,Accept,x-ca-signature,x-b,,DATE";
        let texts = texts(&request, listed, Some("a=form&c"));
        let expected = "POST\n\n\n\ntoday\nX-B:1,2\nx-a:\n/a/%7E?a=form&b=2&c&empty&é= ";
        assert_eq!(texts[0], expected);
        assert!(texts.contains(&expected.replace("a=form", "a=1,3")), "two spellings at once");
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let read = |uri: &str, form: &[u8]| {
            let request = Request::get(uri).body(()).unwrap();
            let (method, uri, headers) = (request.method(), request.uri(), request.headers());
            let covered = Covered { method, uri, headers, listed: "", form: Some(form) };
            Parts::read(covered).err().map(|unreadable| unreadable.error().kind())
        };
        use crate::error::ErrorKind::{InvalidBody, InvalidUri};
        assert_eq!(read("/?a=%41", b"a=%41"), None);
        assert_eq!(read("/?a=%4", b""), Some(InvalidUri));
        assert_eq!(read("/", b"%"), Some(InvalidBody));
        let many = format!("/?{}", ["a"; MAX_PAIRS + 1].join("&"));
        assert_eq!(read(&many, b""), Some(InvalidUri));
    }
}
