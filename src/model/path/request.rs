//! The path of a request, taken apart once.

use std::borrow::Cow;

use super::{InvalidPath, Shape, decoded, hash_bytes};
use crate::model::limits::{MAX_PATH, MAX_SEGMENTS};

/// How many segments are looked at one by one; what follows can only be part of a tail. A pattern has
/// at most [`MAX_SEGMENTS`], and a group's base path as many before it.
const SEEN: usize = 2 * MAX_SEGMENTS + 1;
/// Segments kept without allocating.
const INLINE: usize = 8;

/// The path of a request: its bytes as received, its canonical spelling, and its segments.
#[derive(Debug)]
pub(crate) struct RequestPath<'a> {
    raw: &'a str,
    canonical: Cow<'a, str>,
    segments: Segments,
}

/// The first segments of a path, and how many there are in all.
#[derive(Debug)]
struct Segments {
    count: usize,
    /// Whether something in it is percent-encoded.
    encoded: bool,
    few: [Segment; INLINE],
    more: Vec<Segment>,
}

/// Where a segment is, as received and in its canonical spelling.
#[derive(Clone, Copy, Debug, Default)]
struct Segment {
    raw: (u16, u16),
    canonical: (u16, u16),
    hash: u64,
}

impl<'a> RequestPath<'a> {
    /// Takes a path apart.
    pub(crate) fn parse(raw: &'a str) -> Result<Self, InvalidPath> {
        if !raw.starts_with('/') {
            return Err(InvalidPath::NoSlash);
        }
        if raw.len() > MAX_PATH {
            return Err(InvalidPath::TooLong);
        }
        let mut segments = Segments::of(raw)?;
        let canonical = if segments.encoded {
            let text = decoded(raw)?;
            let mut decoded = Segments::of(&text)?;
            decoded.came_from(&segments);
            segments = decoded;
            Cow::Owned(text)
        } else {
            Cow::Borrowed(raw)
        };
        Ok(Self { raw, canonical, segments })
    }

    /// The path in its canonical spelling.
    pub(crate) fn canonical(&self) -> &str {
        &self.canonical
    }

    /// How many segments there are.
    pub(crate) fn len(&self) -> usize {
        self.segments.count
    }

    /// The segment at `index` as received.
    pub(crate) fn raw_segment(&self, index: usize) -> &'a str {
        part(self.raw, self.segments.get(index).raw)
    }

    /// The segment at `index` in its canonical spelling.
    pub(crate) fn segment(&self, index: usize) -> &str {
        part(&self.canonical, self.segments.get(index).canonical)
    }

    /// The path as received, from the slash before the segment at `index`; empty if there is none.
    pub(crate) fn raw_from(&self, index: usize) -> &'a str {
        let start = usize::from(self.segments.get(index).raw.0);
        start.checked_sub(1).and_then(|slash| self.raw.get(slash..)).unwrap_or_default()
    }

    /// What a `*` after `index` segments stands for, as received.
    pub(crate) fn raw_tail(&self, index: usize) -> &'a str {
        self.raw_from(index).get(1..).unwrap_or_default()
    }

    /// The hash that finds a pattern of `shape` in `group` that matches the path from the segment at
    /// `base` on.
    pub(crate) fn hash(&self, shape: Shape, group: u32, base: usize) -> u64 {
        shape.hash(group, (base..).map(|index| self.segments.get(index).hash))
    }
}

impl Segments {
    fn of(path: &str) -> Result<Self, InvalidPath> {
        let mut segments =
            Self { count: 0, encoded: false, few: [Segment::default(); INLINE], more: Vec::new() };
        let mut start = 1;
        for (at, byte) in path.bytes().enumerate().skip(1) {
            match byte {
                b'/' => {
                    segments.push(path, start, at)?;
                    start = at + 1;
                }
                b'%' => segments.encoded = true,
                b'\\' => return Err(InvalidPath::Ambiguous("a backslash")),
                _ => {}
            }
        }
        segments.push(path, start, path.len())?;
        Ok(segments)
    }

    fn push(&mut self, path: &str, start: usize, end: usize) -> Result<(), InvalidPath> {
        let text = path.get(start..end).unwrap_or_default().as_bytes();
        if matches!(text, b"." | b"..") {
            return Err(InvalidPath::Ambiguous("a dot segment"));
        }
        if self.count < SEEN {
            let place = |at| u16::try_from(at).unwrap_or(u16::MAX);
            let range = (place(start), place(end));
            let segment = Segment { raw: range, canonical: range, hash: hash_bytes(text) };
            match self.few.get_mut(self.count) {
                Some(slot) => *slot = segment,
                None => self.more.push(segment),
            }
        }
        self.count += 1;
        Ok(())
    }

    fn get(&self, index: usize) -> Segment {
        if index >= self.count {
            return Segment::default();
        }
        let found = self.few.get(index).or_else(|| self.more.get(index.checked_sub(INLINE)?));
        found.copied().unwrap_or_default()
    }

    /// Says where these segments were before they were decoded. Decoding makes no slashes.
    fn came_from(&mut self, raw: &Self) {
        for (segment, raw) in self.few.iter_mut().zip(&raw.few) {
            segment.raw = raw.raw;
        }
        for (segment, raw) in self.more.iter_mut().zip(&raw.more) {
            segment.raw = raw.raw;
        }
    }
}

fn part(text: &str, (start, end): (u16, u16)) -> &str {
    text.get(usize::from(start)..usize::from(end)).unwrap_or_default()
}
