//! How a path is matched, and how one is made.
//!
//! A path is matched by segments. Percent-encoded unreserved characters are decoded first, once; what
//! could be read in two ways is refused: an encoded slash, backslash or NUL, a malformed `%`, a
//! backslash, dot segments. All other bytes are matched and forwarded as received.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::LazyLock;

use foldhash::fast::RandomState;

use super::limits::{MAX_PATH, MAX_SEGMENTS};

mod request;

pub(crate) use self::request::RequestPath;

/// A path as an API matches it: literal segments, `[parameter]` segments, and at the end perhaps `/*`.
///
/// * starts with `/`, at most 8 KiB and 32 segments
/// * `[name]` stands for one whole, non-empty segment; names differ from each other
/// * `/files/*` stands for `/files/` and everything below, not for `/files`
/// * literal segments are in their canonical spelling
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PathPattern {
    text: Box<str>,
    shape: Shape,
}

/// Which segments of a pattern are parameters, how many there are, and whether a tail follows.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Shape {
    pub(crate) parameters: u32,
    pub(crate) length: u8,
    pub(crate) tail: bool,
}

/// A path as a backend receives it, made of literal segments, parameters of a [`PathPattern`] and its
/// tail.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PathTemplate {
    text: Box<str>,
    /// The parameters, in the order they stand in the text.
    pieces: Box<[Piece]>,
    tail: bool,
}

/// A parameter in a template: where its brackets start and end, and what takes their place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Piece {
    start: u16,
    end: u16,
    source: Source,
}

/// A [`Filling`], kept small.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Source {
    Segment(u8),
    Value(u8),
}

/// What takes the place of a parameter in a template.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Filling {
    /// The request's segment of this number, counted from the API's path on, as it was received.
    Segment(usize),
    /// The mapped value of this number.
    Value(usize),
}

/// Why a path cannot be accepted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPath {
    /// It does not start with a slash.
    #[error("does not start with '/'")]
    NoSlash,
    /// It is longer than 8 KiB.
    #[error("is longer than {MAX_PATH} bytes")]
    TooLong,
    /// It has more than 32 segments.
    #[error("has more than {MAX_SEGMENTS} segments")]
    TooManySegments,
    /// It contains what could be read in two ways.
    #[error("contains {0}")]
    Ambiguous(&'static str),
    /// It contains a character no path has.
    #[error("contains {0:?}")]
    Character(char),
    /// A parameter is not a whole segment of the form `[name]`.
    #[error("has a segment {0:?} that is neither literal nor one [parameter]")]
    Parameter(String),
    /// A parameter stands there twice.
    #[error("names the parameter [{0}] twice")]
    Repeated(String),
    /// A template names a parameter the request's path does not have.
    #[error("names the parameter [{0}], which the request path does not have")]
    Unknown(String),
    /// A `*` stands elsewhere than alone at the end.
    #[error("has a '*' that is not the whole last segment")]
    Star,
    /// A template ends in `*` but the request's path does not.
    #[error("ends in '*', which the request path does not")]
    NoTail,
}

impl PathPattern {
    /// Reads a pattern. With `escape`, brackets are literal text.
    ///
    /// # Errors
    ///
    /// See [`InvalidPath`].
    pub fn parse(text: &str, escape: bool) -> Result<Self, InvalidPath> {
        let text = canonical_text(text)?;
        let mut shape = Shape { parameters: 0, length: 0, tail: false };
        let mut names = Vec::new();
        let mut segments = text.split('/').skip(1).peekable();
        while let Some(segment) = segments.next() {
            if segment == "*" && segments.peek().is_none() {
                shape.tail = true;
                break;
            }
            if usize::from(shape.length) == MAX_SEGMENTS {
                return Err(InvalidPath::TooManySegments);
            }
            if let Some(name) = parameter(segment, escape)? {
                if names.contains(&name) {
                    return Err(InvalidPath::Repeated(name.to_owned()));
                }
                names.push(name);
                shape.parameters |= 1 << shape.length;
            }
            shape.length += 1;
        }
        Ok(Self { text: text.into(), shape })
    }

    /// The pattern as text, in its canonical spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    /// The segments, without the tail's `*`.
    pub(crate) fn segments(&self) -> impl Iterator<Item = &str> {
        self.text.split('/').skip(1).take(usize::from(self.shape.length))
    }

    /// The names of the parameters and the segments they stand for, in order.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (&str, usize)> {
        self.segments()
            .enumerate()
            .filter(|(index, _)| self.shape.is_parameter(*index))
            .map(|(index, segment)| (parameter_name(segment), index))
    }

    /// Whether both match exactly the same paths.
    pub(crate) fn same_paths(&self, other: &Self) -> bool {
        self.shape == other.shape
            && self
                .segments()
                .zip(other.segments())
                .enumerate()
                .all(|(index, (mine, theirs))| self.shape.is_parameter(index) || mine == theirs)
    }

    /// Whether a path has the pattern's literal segments from the segment at `base` on, and none of
    /// its parameters is empty. That it has the shape was seen before.
    pub(crate) fn matches(&self, path: &RequestPath<'_>, base: usize) -> bool {
        let mut rest: &str = &self.text;
        for (index, segment) in (base..).take(usize::from(self.shape.length)).enumerate() {
            let segment = path.segment(segment);
            let Some(after) = rest.strip_prefix('/') else { return false };
            rest = if self.shape.is_parameter(index) {
                if segment.is_empty() {
                    return false;
                }
                let slash = after.bytes().position(|byte| byte == b'/');
                slash.and_then(|slash| after.get(slash..)).unwrap_or_default()
            } else {
                match after.strip_prefix(segment) {
                    Some(rest) if rest.is_empty() || rest.starts_with('/') => rest,
                    _ => return false,
                }
            };
        }
        true
    }

    /// The hash that finds it in a route table, for `group`.
    pub(crate) fn hash(&self, group: u32) -> u64 {
        let literals = self.segments().map(|segment| hash_bytes(segment.as_bytes()));
        self.shape.hash(group, literals)
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Shape {
    pub(crate) fn is_parameter(self, index: usize) -> bool {
        self.parameters & (1_u32.checked_shl(u32::try_from(index).unwrap_or(32)).unwrap_or(0)) != 0
    }

    /// Whether a path of `segments` segments can have this shape.
    pub(crate) fn fits(self, segments: usize) -> bool {
        let length = usize::from(self.length);
        if self.tail { length < segments } else { length == segments }
    }

    /// Hashes what a path of this shape must agree on: the group, the shape and its literal segments.
    pub(crate) fn hash(self, group: u32, segments: impl Iterator<Item = u64>) -> u64 {
        let form = u64::from(self.parameters) << 8 | u64::from(self.length) << 1;
        let mut hash = mix(u64::from(group), form | u64::from(self.tail));
        let mut parameters = self.parameters;
        for segment in segments.take(usize::from(self.length)) {
            if parameters & 1 == 0 {
                hash = mix(hash, segment);
            }
            parameters >>= 1;
        }
        hash
    }

    /// The order in which shapes are tried: at the first segment where they differ a literal goes
    /// before a parameter and a parameter before a tail.
    pub(crate) fn precedence(self, other: Self) -> Ordering {
        let longest = usize::from(self.length.max(other.length)) + 1;
        (0..longest)
            .map(|index| self.rank(index).cmp(&other.rank(index)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    fn rank(self, index: usize) -> u8 {
        match index.cmp(&usize::from(self.length)) {
            Ordering::Less => u8::from(self.is_parameter(index)),
            Ordering::Equal if self.tail => 2,
            _ => 3,
        }
    }
}

impl PathTemplate {
    /// Reads a template whose parameters come from `pattern`. With `escape`, brackets are literal
    /// text.
    ///
    /// # Errors
    ///
    /// See [`InvalidPath`].
    pub fn parse(text: &str, pattern: &PathPattern, escape: bool) -> Result<Self, InvalidPath> {
        Self::with_names(text, pattern, escape, |_| None)
    }

    /// The same where `named` knows what some names stand for; the others are those of `pattern`.
    pub(crate) fn with_names(
        text: &str,
        pattern: &PathPattern,
        escape: bool,
        named: impl Fn(&str) -> Option<Filling>,
    ) -> Result<Self, InvalidPath> {
        let own = PathPattern::parse(text, escape)?;
        if own.shape.tail && !pattern.shape.tail {
            return Err(InvalidPath::NoTail);
        }
        let mut pieces = Vec::new();
        let mut start = 0_usize;
        for (index, segment) in own.segments().enumerate() {
            // The slash before it.
            start += 1;
            let end = start + segment.len();
            if own.shape.is_parameter(index) {
                let name = parameter_name(segment);
                let theirs = || pattern.parameters().find(|(theirs, _)| *theirs == name);
                let filling = named(name).or_else(|| Some(Filling::Segment(theirs()?.1)));
                let filling = filling.ok_or_else(|| InvalidPath::Unknown(name.to_owned()))?;
                let (start, end) = (u16::try_from(start), u16::try_from(end));
                let (Ok(start), Ok(end)) = (start, end) else { return Err(InvalidPath::TooLong) };
                pieces.push(Piece { start, end, source: filling.try_into()? });
            }
            start = end;
        }
        Ok(Self { text: own.text, pieces: pieces.into(), tail: own.shape.tail })
    }

    /// The template as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names in it, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().map(|piece| {
            let range = usize::from(piece.start)..usize::from(piece.end);
            parameter_name(self.text.get(range).unwrap_or_default())
        })
    }

    /// Appends the path for a request: `segment` gives its segments as received, `value` the mapped
    /// values, percent-encoded, and `tail` what its pattern's `*` stands for.
    pub(crate) fn render<'a, 'b>(
        &self,
        into: &mut String,
        segment: impl Fn(usize) -> &'a str,
        value: impl Fn(usize) -> &'b str,
        tail: &str,
    ) {
        let mut from = 0;
        for piece in &self.pieces {
            into.push_str(self.text.get(from..usize::from(piece.start)).unwrap_or_default());
            into.push_str(match piece.source {
                Source::Segment(index) => segment(usize::from(index)),
                Source::Value(index) => value(usize::from(index)),
            });
            from = usize::from(piece.end);
        }
        let end = self.text.len() - usize::from(self.tail);
        into.push_str(self.text.get(from..end).unwrap_or_default());
        if self.tail {
            into.push_str(tail);
        }
    }
}

impl TryFrom<Filling> for Source {
    type Error = InvalidPath;

    fn try_from(filling: Filling) -> Result<Self, InvalidPath> {
        let small = |index| u8::try_from(index).map_err(|_| InvalidPath::TooManySegments);
        Ok(match filling {
            Filling::Segment(index) => Self::Segment(small(index)?),
            Filling::Value(index) => Self::Value(small(index)?),
        })
    }
}

impl fmt::Display for PathTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Hashes text for an index of this process; the seed differs from process to process.
///
/// A few instructions for the short texts that paths and names are made of. Nobody outside learns the
/// seed, so nobody can choose texts that fall together.
pub(crate) fn hash_bytes(bytes: &[u8]) -> u64 {
    static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::default().hash_one(0));
    let (words, rest) = bytes.as_chunks::<8>();
    let mut hash = mix(*SEED, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    for word in words {
        hash = mix(hash, u64::from_le_bytes(*word));
    }
    let rest = rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    mix(hash, rest)
}

/// Folds a value into a hash.
pub(crate) fn mix(hash: u64, value: u64) -> u64 {
    let product = u128::from(hash ^ value ^ 0x9e37_79b9_7f4a_7c15) * 0xd6e8_feb8_6659_fd93;
    // Both halves fit: this is how a cast is written that cannot lose anything.
    let low = u64::try_from(product & u128::from(u64::MAX)).unwrap_or_default();
    let high = u64::try_from(product >> 64).unwrap_or_default();
    (low ^ high).rotate_left(23)
}

/// Whether the path of a request or a URL is one that everybody reads the same way.
///
/// # Errors
///
/// What it contains that is not.
pub(crate) fn check_request_path(path: &str) -> Result<(), InvalidPath> {
    canonical(path).map(drop)
}

fn canonical_text(text: &str) -> Result<String, InvalidPath> {
    if text.len() > MAX_PATH {
        return Err(InvalidPath::TooLong);
    }
    let canonical = canonical(text)?;
    let stray = |c: &char| {
        c.is_control()
            || c.is_whitespace()
            || matches!(c, '?' | '#' | '"' | '<' | '>' | '`' | '^' | '|')
    };
    match canonical.chars().find(stray) {
        Some(c) => Err(InvalidPath::Character(c)),
        None => Ok(canonical.into_owned()),
    }
}

/// The spelling a path is matched in: percent-encoded unreserved characters decoded, hexadecimal
/// digits in upper case (RFC 3986 section 6.2.2).
pub(crate) fn canonical(path: &str) -> Result<Cow<'_, str>, InvalidPath> {
    if !path.starts_with('/') {
        return Err(InvalidPath::NoSlash);
    }
    let mut odd = false;
    let mut dotted = false;
    let mut before = 0;
    for byte in path.bytes() {
        match byte {
            b'%' => odd = true,
            b'\\' => return Err(InvalidPath::Ambiguous("a backslash")),
            b'.' => dotted |= before == b'/',
            _ => {}
        }
        before = byte;
    }
    let path = if odd { Cow::Owned(decoded(path)?) } else { Cow::Borrowed(path) };
    if (dotted || odd) && path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err(InvalidPath::Ambiguous("a dot segment"));
    }
    Ok(path)
}

fn decoded(path: &str) -> Result<String, InvalidPath> {
    let malformed = || InvalidPath::Ambiguous("a malformed '%'");
    let mut pieces = path.split('%');
    let mut out = String::with_capacity(path.len());
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (Some(hex), Some(rest)) = (piece.get(..2), piece.get(2..)) else {
            return Err(malformed());
        };
        // `from_str_radix` alone would take a sign.
        if !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(malformed());
        }
        let byte = u8::from_str_radix(hex, 16).map_err(|_| malformed())?;
        match byte {
            b'/' => return Err(InvalidPath::Ambiguous("an encoded slash")),
            b'\\' => return Err(InvalidPath::Ambiguous("an encoded backslash")),
            0 => return Err(InvalidPath::Ambiguous("an encoded NUL")),
            b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            _ => {
                out.push('%');
                out.push_str(&hex.to_ascii_uppercase());
            }
        }
        out.push_str(rest);
    }
    Ok(out)
}

/// The name in a segment that is a parameter.
fn parameter_name(segment: &str) -> &str {
    segment.trim_start_matches('[').trim_end_matches(']')
}

/// The name of the parameter a segment is, if it is one.
fn parameter(segment: &str, escape: bool) -> Result<Option<&str>, InvalidPath> {
    if segment.contains('*') {
        return Err(InvalidPath::Star);
    }
    if escape || !segment.contains(['[', ']']) {
        return Ok(None);
    }
    let name = segment.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let valid = |name: &&str| {
        (1..=64).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
    };
    match name.filter(valid) {
        Some(name) => Ok(Some(name)),
        None => Err(InvalidPath::Parameter(segment.chars().take(80).collect())),
    }
}

#[cfg(test)]
mod tests;
