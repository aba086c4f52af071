//! A body of parts (RFC 7578): taken apart so strictly that every reader finds the same parts in it.
//!
//! Nothing stands before the first part or behind the last, a boundary is followed by nothing but the end
//! of its line, and what says which part it is says so once. Names are compared as browsers write them:
//! `"` and line ends are percent-encoded, everything else is itself.

use std::borrow::Cow;

use crate::gateway::limits::{MAX_PAIRS, MAX_PART_HEAD};
use crate::gateway::pairs::{Plus, decoded};
use crate::model::mapping::{header_value, is_utf8};

mod write;

pub(super) use self::write::{Piece, assemble};

/// One part of a body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Part<'a> {
    /// As it stands between the quotes.
    name: &'a str,
    /// The same.
    pub(super) file_name: Option<&'a str>,
    pub(super) content_type: Option<&'a str>,
    pub(super) content: &'a [u8],
    /// The whole of it, with its head.
    pub(super) raw: &'a [u8],
}

/// Takes a body apart, or says what is wrong with it.
pub(super) fn read<'a>(
    boundary: &[u8],
    body: &'a [u8],
) -> Result<Vec<Part<'a>>, Cow<'static, str>> {
    let delimiter = [b"\r\n--", boundary].concat();
    let first = delimiter.strip_prefix(b"\r\n").unwrap_or_default();
    let mut rest = body.strip_prefix(first).ok_or("the body does not begin with its boundary")?;
    let mut parts = Vec::new();
    loop {
        match rest.strip_prefix(b"--") {
            Some(b"" | b"\r\n") => return Ok(parts),
            Some(_) => return Err("the body goes on behind its last boundary".into()),
            None if parts.len() == MAX_PAIRS => {
                return Err(format!("more than {MAX_PAIRS} parts").into());
            }
            None => {}
        }
        let part = rest.strip_prefix(b"\r\n").ok_or("a boundary's line does not end with it")?;
        let end = find(part, &delimiter).ok_or("a part does not end")?;
        let (raw, after) = part.split_at_checked(end).unwrap_or_default();
        rest = after.strip_prefix(&*delimiter).unwrap_or_default();
        parts.push(Part::read(raw)?);
    }
}

/// Where one text stands in another, in linear time: the other's first byte is not in the rest of it, or
/// it is random.
fn find(text: &[u8], other: &[u8]) -> Option<usize> {
    let first = other.first()?;
    let mut from = 0;
    loop {
        let rest = text.get(from..)?;
        let at = rest.iter().position(|byte| byte == first)?;
        if rest.get(at..)?.starts_with(other) {
            return Some(from + at);
        }
        from += at + 1;
    }
}

impl<'a> Part<'a> {
    fn read(raw: &'a [u8]) -> Result<Self, Cow<'static, str>> {
        let searched = raw.get(..MAX_PART_HEAD + END_OF_HEAD.len()).unwrap_or(raw);
        let end = searched.windows(END_OF_HEAD.len()).position(|window| window == END_OF_HEAD);
        let Some((head, content)) = end.and_then(|end| raw.split_at_checked(end)) else {
            return Err(format!("a part's head does not end within {MAX_PART_HEAD} bytes").into());
        };
        let content = content.strip_prefix(END_OF_HEAD).unwrap_or_default();
        let head = std::str::from_utf8(head).map_err(|_| "a part's head is not UTF-8")?;
        let Head { disposition, content_type } = Head::read(head)?;
        let disposition = disposition.ok_or("a part has no `Content-Disposition`")?;
        let (name, file_name) = names(disposition).ok_or(MALFORMED)?;
        // It says how the others are to be read (RFC 7578 section 4.6).
        if name == "_charset_" && !is_utf8(b"charset", content) {
            return Err("the parts are not UTF-8".into());
        }
        Ok(Self { name, file_name, content_type, content, raw })
    }

    /// Whether it has a name that is written down.
    pub(super) fn is_called(&self, name: &str) -> bool {
        *self.name == *quoted(name)
    }

    /// Whether a reader may take its name for this one.
    pub(super) fn looks_like(&self, name: &str) -> bool {
        let decoded = decoded(self.name.as_bytes(), Plus::Itself);
        self.is_called(name) || decoded.is_ok_and(|decoded| *decoded == *name.as_bytes())
    }

    /// Whether it says that no file was chosen, as browsers do.
    pub(super) fn is_no_file(&self) -> bool {
        self.file_name == Some("") && self.content.is_empty()
    }

    /// Whether its text is UTF-8, as far as it says.
    pub(super) fn is_utf8(&self) -> bool {
        let mut parameters = self.content_type.unwrap_or_default().split(';').skip(1);
        parameters.all(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            is_utf8(name.trim().as_bytes(), value.trim().trim_matches('"').as_bytes())
        })
    }
}

const END_OF_HEAD: &[u8] = b"\r\n\r\n";
const MALFORMED: &str = "a part's `Content-Disposition` is malformed, or says more than names";

/// What a part says of itself.
#[derive(Default)]
struct Head<'a> {
    disposition: Option<&'a str>,
    content_type: Option<&'a str>,
}

impl<'a> Head<'a> {
    fn read(text: &'a str) -> Result<Self, &'static str> {
        let mut head = Self::default();
        for line in text.split("\r\n") {
            if line.chars().any(|c| c.is_control() && c != '\t') {
                return Err("a part's head has a control character");
            }
            let (name, value) = line.split_once(':').ok_or("a part's header has no name")?;
            let value = value.trim_matches([' ', '\t']);
            let twice = match name.to_ascii_lowercase().as_str() {
                "content-disposition" => head.disposition.replace(value).is_some(),
                "content-type" if header_value(value).is_some() => {
                    head.content_type.replace(value).is_some()
                }
                "content-type" => return Err("a part's `Content-Type` is malformed"),
                "content-transfer-encoding" => match value.to_ascii_lowercase().as_str() {
                    "7bit" | "8bit" | "binary" => false,
                    _ => return Err("a part has a transfer encoding"),
                },
                name if !is_token(name) => return Err("a part's header has no name"),
                _ => false,
            };
            if twice {
                return Err("a part says one thing twice");
            }
        }
        Ok(head)
    }
}

/// The name in a `Content-Disposition`, and the file's. Whatever else stands there, some reader may take
/// for another name (`name*`, `name` twice). Clients of one platform write `filename*` beside `filename`,
/// against RFC 7578 section 4.2: of a file, whose head is written anew, it is left out.
fn names(value: &str) -> Option<(&str, Option<&str>)> {
    let (kind, mut rest) = value.split_once(';')?;
    if !kind.trim_end().eq_ignore_ascii_case("form-data") {
        return None;
    }
    let (mut name, mut file_name, mut extended) = (None, None, None);
    loop {
        let (key, after) = rest.split_once('=')?;
        let (value, after) = match after.strip_prefix('"') {
            Some(after) => after.split_once('"')?,
            None => after.split_at(after.find([';', ' ', '\t']).unwrap_or(after.len())),
        };
        let is_quoted = rest.get(key.len() + 1..)?.starts_with('"');
        // Before a quote it would hide it from some readers, and in a name it stands for what follows.
        let key = key.trim_matches([' ', '\t']);
        let is_plain = !value.ends_with('\\') && (is_quoted || is_token(value));
        let twice = match key.to_ascii_lowercase().as_str() {
            "name" if !value.contains('\\') => name.replace(value).is_some(),
            "filename" => file_name.replace(value).is_some(),
            "filename*" => extended.replace(value).is_some(),
            _ => return None,
        };
        if twice || !is_plain {
            return None;
        }
        match after.trim_start_matches([' ', '\t']) {
            "" if extended.is_some() && file_name.is_none() => return None,
            "" => return Some((name?, file_name)),
            after => rest = after.strip_prefix(';')?,
        }
    }
}

/// Whether a text is a token (RFC 9110 section 5.6.2).
fn is_token(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(fits)
}

/// A name as it stands between quotes (the WHATWG's HTML standard, multipart/form-data): it ends neither
/// them nor the line.
fn quoted(name: &str) -> Cow<'_, str> {
    if !name.contains(['"', '\r', '\n']) {
        return Cow::Borrowed(name);
    }
    Cow::Owned(name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A"))
}

#[cfg(test)]
mod tests;
