//! Which headers go on, and which are written.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::gateway::hop::{self, Class};
use crate::model::api::Mode;
use crate::model::mapping::{self, Encoding, FORM, Rules, is_form};

/// Headers about the bytes of a body, which are wrong for another body.
static OF_A_BODY: [HeaderName; 5] = [
    header::CONTENT_ENCODING,
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
];

/// Whether the headers say that the body is a form that can be read.
pub(super) fn has_form(encoding: Encoding, headers: &HeaderMap) -> bool {
    let plain = |coding: &HeaderValue| coding.as_bytes().eq_ignore_ascii_case(b"identity");
    headers.get_all(header::CONTENT_ENCODING).iter().all(plain)
        && match encoding {
            Encoding::Pairs => headers.get(header::CONTENT_TYPE).is_some_and(is_form),
            Encoding::Parts => boundary(headers).is_some(),
        }
}

/// The boundary of a form of parts.
pub(super) fn boundary(headers: &HeaderMap) -> Option<&[u8]> {
    mapping::boundary(headers.get(header::CONTENT_TYPE)?)
}

/// Takes away what of a client's headers goes no further: what the mode does not let through, and what has
/// the name of something that is asked for or written. To be done before anything is added, and before
/// what `Connection` names is taken away.
pub(in crate::gateway) fn keep(rules: &Rules, passed_on: &[HeaderName], headers: &mut HeaderMap) {
    let only_mapped = rules.mode == Mode::Mapping;
    let is_lost = |name: &&HeaderName| {
        let unknown = only_mapped && !is_kept(name) && !passed_on.contains(name);
        (unknown || rules.taken.has(name)) && !is_own(name)
    };
    let lost: Vec<HeaderName> = headers.keys().filter(is_lost).cloned().collect();
    for name in lost {
        headers.remove(name);
    }
}

/// Adds `lines`, and what a form needs that was written: its length, and its Content-Type if it must have
/// another one.
pub(super) fn write(
    rules: &Rules,
    lines: Vec<(HeaderName, HeaderValue)>,
    form: Option<(usize, Option<HeaderValue>)>,
    headers: &mut HeaderMap,
) {
    for (name, value) in lines {
        // The client's, if its group passes it on, goes before a constant (domain §8).
        if name != header::HOST || !headers.contains_key(header::HOST) {
            headers.insert(name, value);
        }
    }
    if let Some((length, content_type)) = form {
        for name in &OF_A_BODY {
            headers.remove(name);
        }
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        if let Some(content_type) = content_type {
            headers.insert(header::CONTENT_TYPE, content_type);
        } else if !headers.get(header::CONTENT_TYPE).is_some_and(is_form) {
            headers.insert(header::CONTENT_TYPE, FORM);
        }
    }
    // What is fixed has no boundary.
    if let Some(content_type) = rules.content_type.as_ref().filter(|_| rules.form != PARTS) {
        headers.insert(header::CONTENT_TYPE, content_type.clone());
    }
}

const PARTS: Option<Encoding> = Some(Encoding::Parts);

/// Whether a header goes on where only what is mapped does. `Content-Encoding` belongs to
/// `Content-Type`: without it nobody can read the body.
fn is_kept(name: &HeaderName) -> bool {
    [header::CONTENT_TYPE, header::ACCEPT, header::USER_AGENT, header::CONTENT_ENCODING]
        .contains(name)
}

/// Whether a header is written by the gateway, or frames the message; or says which of them end here.
fn is_own(name: &HeaderName) -> bool {
    *name == hop::REQUEST_ID
        || matches!(
            hop::class(name.as_str()),
            Class::Connection
                | Class::Host
                | Class::ContentLength
                | Class::TransferEncoding
                | Class::ForwardedFor
                | Class::ForwardedProto
                | Class::ForwardedHost
                | Class::Via
                | Class::MaxForwards
        )
}
