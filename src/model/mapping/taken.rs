//! The headers that requests are asked for, or that the backend is written: what a client sends under
//! their names goes no further.

use http::HeaderName;

use super::places::is_same_header;

/// Names of headers. Nearly every header of a request is none of them, which its length tells.
#[derive(Debug)]
pub(crate) struct Taken {
    /// A bit for each length there is, the last for all that are longer.
    lengths: u64,
    names: Box<[HeaderName]>,
}

impl Taken {
    pub(super) fn new(names: impl Iterator<Item = HeaderName>) -> Self {
        let names: Box<[_]> = names.collect();
        Self { lengths: names.iter().map(length).fold(0, |all, one| all | one), names }
    }

    /// Whether a header is one of them, or may be read as one: some backends take `_` for `-`.
    pub(crate) fn has(&self, name: &HeaderName) -> bool {
        self.lengths & length(name) != 0
            && self.names.iter().any(|taken| is_same_header(taken, name))
    }
}

fn length(name: &HeaderName) -> u64 {
    1 << name.as_str().len().min(63)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_name_is_taken_if_it_is_read_as_one(
            names in proptest::collection::vec("[a-c_-]{1,3}|[a-b]{62,66}", 0..4),
            asked in "[a-c_-]{1,3}|[a-b]{62,66}",
        ) {
            let names: Vec<HeaderName> = names.iter().map(|name| name.parse().unwrap()).collect();
            let asked: HeaderName = asked.parse().unwrap();
            let plain = |name: &HeaderName| name.as_str().replace('_', "-");
            let expected = names.iter().any(|name| plain(name) == plain(&asked));
            prop_assert_eq!(Taken::new(names.into_iter()).has(&asked), expected);
        }
    }
}
