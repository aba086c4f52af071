//! Which Content-Types a mapped body may have, from clients and at backends.

use http::HeaderValue;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName};

use super::places::is_same_header;
use super::{Encoding, Places, Target};
use crate::model::api::Api;
use crate::model::definition::InvalidDefinition;
use crate::model::verb::Verb;

/// The Content-Type of a form, and what `content_type = "default"` stands for.
pub(crate) const FORM: HeaderValue =
    HeaderValue::from_static("application/x-www-form-urlencoded; charset=UTF-8");

const MULTIPART: &[u8] = b"multipart/form-data";

/// The Content-Type at the backend, unless it is the client's.
pub(super) fn content_type(api: &Api) -> Result<Option<HeaderValue>, InvalidDefinition> {
    match api.backend.content_type.as_deref() {
        None | Some("client") => Ok(None),
        Some("default") => Ok(Some(FORM)),
        Some(other) => HeaderValue::from_str(other).map(Some).map_err(|_| {
            InvalidDefinition::new("backend.content_type", "cannot stand in a header")
        }),
    }
}

/// Whether what is told of the body can be true.
pub(super) fn check_content(
    places: &Places,
    content_type: Option<&HeaderValue>,
    verb: Verb,
) -> Result<(), InvalidDefinition> {
    let goes_to = |name: HeaderName| {
        places.key(|target| matches!(target, Target::Header(to) if is_same_header(to, &name)))
    };
    if content_type.is_some() && goes_to(CONTENT_TYPE).is_some() {
        let reason = "is fixed, and something is mapped to `content-type`";
        return Err(InvalidDefinition::new("backend.content_type", reason));
    }
    let form = places.key(|target| matches!(target, Target::Form(_)));
    if places.form().is_some()
        && let Some(key) = goes_to(CONTENT_TYPE).or_else(|| goes_to(CONTENT_ENCODING))
    {
        let reason = "goes to a header that says how the form is written, which the gateway does";
        return Err(InvalidDefinition::new(key, reason));
    }
    let Some(form) = form else {
        return Ok(());
    };
    if matches!(verb, Verb::Get | Verb::Head) {
        let reason = format!("goes into a form, which requests of {verb} do not carry");
        return Err(InvalidDefinition::new(form, reason));
    }
    let (fits, reason): (fn(&HeaderValue) -> bool, _) = match places.form() {
        Some(Encoding::Parts) => {
            (is_multipart, "is not just `multipart/form-data`, and a parameter is a file")
        }
        _ => (is_form, "is not a form's, and something is mapped into a form"),
    };
    if content_type.is_some_and(|value| !fits(value)) {
        return Err(InvalidDefinition::new("backend.content_type", reason));
    }
    Ok(())
}

/// Whether a Content-Type is that of a form this gateway reads: in UTF-8, as all are unless they say
/// otherwise (domain §2.5).
pub(crate) fn is_form(content_type: &HeaderValue) -> bool {
    let (media, mut parameters) = split(content_type.as_bytes());
    media.eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
        && parameters.all(|(name, value)| is_utf8(name, value))
}

/// Whether it is that of a form of parts, whose boundary nobody has chosen yet.
fn is_multipart(content_type: &HeaderValue) -> bool {
    content_type.as_bytes().eq_ignore_ascii_case(MULTIPART)
}

/// The boundary of a form of parts this gateway reads (RFC 2046 section 5.1.1). Nothing else may be said
/// of it than that it is in UTF-8: in what was said, some readers would find another boundary.
pub(crate) fn boundary(content_type: &HeaderValue) -> Option<&[u8]> {
    let (media, parameters) = split(content_type.as_bytes());
    let mut boundary = None;
    for (name, value) in parameters {
        if name.eq_ignore_ascii_case(b"boundary") {
            if boundary.replace(value).is_some() {
                return None;
            }
        } else if !name.eq_ignore_ascii_case(b"charset") || !is_utf8(name, value) {
            return None;
        }
    }
    let fits = |text: &&[u8]| {
        (1..=70).contains(&text.len())
            && text.iter().all(|b| b.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(b))
    };
    boundary.filter(|_| media.eq_ignore_ascii_case(MULTIPART)).filter(fits)
}

/// Whether a parameter of a Content-Type leaves a text in UTF-8.
pub(crate) fn is_utf8(name: &[u8], value: &[u8]) -> bool {
    let known: [&[u8]; 3] = [b"utf-8", b"utf8", b"us-ascii"];
    !name.eq_ignore_ascii_case(b"charset")
        || known.iter().any(|known| value.eq_ignore_ascii_case(known))
}

/// The name and the value of a parameter.
type Sides<'v> = (&'v [u8], &'v [u8]);

/// The media type and its parameters.
fn split(value: &[u8]) -> (&[u8], impl Iterator<Item = Sides<'_>>) {
    let mut parts = value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let media = parts.next().unwrap_or_default();
    let parameters = parts.map(|parameter| {
        let mut sides = parameter.splitn(2, |byte| *byte == b'=').map(<[u8]>::trim_ascii);
        let name = sides.next().unwrap_or_default();
        let value = sides.next().unwrap_or_default();
        let inner = value.strip_prefix(b"\"").and_then(|it| it.strip_suffix(b"\""));
        (name, inner.unwrap_or(value))
    });
    (media, parameters)
}
