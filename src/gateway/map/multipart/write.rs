//! Writing a body of parts.

use http::HeaderValue;

use super::{Part, find, quoted};

/// A part that is to be written.
#[derive(Debug)]
pub(in crate::gateway::map) struct Piece<'a> {
    /// Its head and, of a text, the text.
    lead: String,
    /// The bytes that follow.
    content: &'a [u8],
}

impl<'a> Piece<'a> {
    /// A text under a name.
    pub(in crate::gateway::map) fn text(name: &str, text: &str) -> Self {
        let name = quoted(name);
        let lead = format!("Content-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}");
        Self { lead, content: b"" }
    }

    /// A file under another name.
    pub(in crate::gateway::map) fn file(name: &str, part: &Part<'a>) -> Self {
        let mut lead = format!("Content-Disposition: form-data; name=\"{}\"", quoted(name));
        if let Some(file_name) = part.file_name {
            lead.push_str("; filename=\"");
            // It stood between quotes.
            lead.push_str(file_name);
            lead.push('"');
        }
        if let Some(content_type) = part.content_type {
            lead.push_str("\r\nContent-Type: ");
            lead.push_str(content_type);
        }
        lead.push_str("\r\n\r\n");
        Self { lead, content: part.content }
    }

    /// A part as it was.
    pub(in crate::gateway::map) fn received(part: &Part<'a>) -> Self {
        Self { lead: String::new(), content: part.raw }
    }
}

/// The body of these parts, and its Content-Type.
pub(in crate::gateway::map) fn assemble(
    pieces: &[Piece<'_>],
) -> Result<(Vec<u8>, HeaderValue), http::header::InvalidHeaderValue> {
    let boundary = free_boundary(pieces);
    let lengths = pieces.iter().map(|piece| piece.lead.len() + piece.content.len() + FRAME);
    let mut body = Vec::with_capacity(lengths.sum::<usize>() + FRAME);
    for Piece { lead, content } in pieces {
        for bytes in [b"--", boundary.as_bytes(), b"\r\n", lead.as_bytes(), content, b"\r\n"] {
            body.extend_from_slice(bytes);
        }
    }
    for bytes in [b"--", boundary.as_bytes(), b"--\r\n"] {
        body.extend_from_slice(bytes);
    }
    let content_type = format!("multipart/form-data; boundary={boundary}");
    Ok((body, HeaderValue::from_maybe_shared(bytes::Bytes::from(content_type))?))
}

/// Bytes of a boundary's line, and of the line end before it.
const FRAME: usize = 2 + PREFIX.len() + 32 + 4;
const PREFIX: &str = "backhaul-";

/// A boundary that stands in none of the parts. Nobody can foresee it, so the first one is free; it is
/// looked for all the same.
fn free_boundary(pieces: &[Piece<'_>]) -> String {
    loop {
        let boundary = format!("{PREFIX}{:032x}", fastrand::u128(..));
        let is_in = |bytes: &[u8]| find(bytes, boundary.as_bytes()).is_some();
        if !pieces.iter().any(|piece| is_in(piece.lead.as_bytes()) || is_in(piece.content)) {
            return boundary;
        }
    }
}
