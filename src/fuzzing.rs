//! What the fuzz targets reach beyond the public API. It exists under `cfg(fuzzing)` only.

use crate::model::path::{PathPattern, PathTemplate, RequestPath};

/// What a server's guard lets through of `bytes`, read in pieces of these lengths: the bytes, the
/// length of each request's body (`None` for one that is not whole), and why no more.
#[cfg(feature = "server")]
#[must_use]
pub fn guarded(bytes: &[u8], cuts: &[usize]) -> (Vec<u8>, Vec<Option<usize>>, Option<String>) {
    let transcript = crate::serve::guard::transcript::Transcript::of(bytes, cuts);
    (transcript.passed, transcript.bodies, transcript.ended)
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
    template.render(&mut made, |index| path.raw_segment(index), tail);
    Some(made)
}
