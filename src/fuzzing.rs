//! What the fuzz targets reach beyond the public API. It exists under `cfg(fuzzing)` only.

use http::HeaderMap;

use crate::error::ErrorKind;
use crate::gateway::Trial;
use crate::model::Api;
use crate::model::path::{PathPattern, PathTemplate, RequestPath};

/// What a server's guard lets through of `bytes`, read in pieces of these lengths: the bytes, the
/// length of each request's body (`None` for one that is not whole), and why no more.
#[cfg(feature = "server")]
#[must_use]
pub fn guarded(bytes: &[u8], cuts: &[usize]) -> (Vec<u8>, Vec<Option<usize>>, Option<String>) {
    let transcript = crate::serve::guard::transcript::Transcript::of(bytes, cuts);
    (transcript.passed, transcript.bodies, transcript.ended)
}

/// The texts that a signature of a request is compared with, the documented one first; `None`: query or
/// form cannot be read. The second says whether the strict mode takes the request.
#[must_use]
pub fn texts(
    head: &http::request::Parts,
    listed: &str,
    form: &[u8],
) -> Option<(Vec<Vec<u8>>, bool)> {
    crate::gateway::texts(head, listed, form)
}

/// The path that `template` makes of a request's, if `pattern` matches it.
#[must_use]
pub fn render(pattern: &PathPattern, template: &PathTemplate, path: &str) -> Option<String> {
    let path = RequestPath::parse(path).ok()?;
    let shape = pattern.shape();
    let found = shape.fits(path.len()) && path.hash(shape, 0, 0) == pattern.hash(0);
    let filled = |(_, index): (&str, usize)| !path.segment(index).is_empty();
    if !found || !pattern.parameters().all(filled) {
        return None;
    }
    let tail = path.raw_tail(usize::from(shape.length));
    let mut made = String::new();
    template.render(&mut made, |index| path.raw_segment(index), |_| "", tail);
    Some(made)
}

/// What the backend of an API receives of a request: path and query, headers, and the form; `None` if
/// there is no such API or request, or nothing is done to its parameters.
#[must_use]
pub fn mapped(
    api: &Api,
    (path, query): (&str, &str),
    header: (&str, &[u8]),
    form: &[u8],
) -> Option<Result<(String, HeaderMap, Option<Vec<u8>>), ErrorKind>> {
    Trial { path, query, header, form }.of(api)
}
