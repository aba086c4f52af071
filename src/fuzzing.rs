//! What the fuzz targets reach beyond the public API. It exists under `cfg(fuzzing)` only.

use crate::model::path::{PathPattern, PathTemplate, RequestPath};

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
