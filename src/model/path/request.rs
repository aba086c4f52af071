//! The path of a request, taken apart once.

use std::borrow::Cow;

use super::{InvalidPath, Shape, canonical, hash_segment};
use crate::model::limits::MAX_SEGMENTS;

/// How many segments are looked at one by one; what follows can only be part of a tail. A pattern has
/// at most [`MAX_SEGMENTS`], and a group's base path as many before it.
const SEEN: usize = 2 * MAX_SEGMENTS + 1;
/// Segments kept without allocating.
const INLINE: usize = 12;

/// The path of a request: its bytes as received, its canonical spelling, and where its segments start.
#[derive(Debug)]
pub(crate) struct RequestPath<'a> {
    raw: &'a str,
    canonical: Cow<'a, str>,
    segments: Segments,
    count: usize,
}

#[derive(Debug)]
enum Segments {
    Few([Segment; INLINE]),
    Many(Vec<Segment>),
}

#[derive(Clone, Copy, Debug, Default)]
struct Segment {
    /// Where it starts in the path as received, after its slash.
    raw: u32,
    /// Where it starts in the canonical spelling.
    canonical: u32,
    hash: u64,
}

impl<'a> RequestPath<'a> {
    /// Takes a path apart.
    pub(crate) fn parse(raw: &'a str) -> Result<Self, InvalidPath> {
        let canonical = canonical(raw)?;
        let mut path = Self {
            raw,
            canonical,
            segments: Segments::Few([Segment::default(); INLINE]),
            count: 0,
        };
        path.take_apart();
        Ok(path)
    }

    fn take_apart(&mut self) {
        let text: &str = &self.canonical;
        let mut few = [Segment::default(); INLINE];
        let mut many = Vec::new();
        let mut count = 0;
        let mut start = 1;
        for segment in text.split('/').skip(1) {
            if count < SEEN {
                let place = u32::try_from(start).unwrap_or(u32::MAX);
                let entry = Segment { raw: place, canonical: place, hash: hash_segment(segment) };
                match few.get_mut(count) {
                    Some(slot) => *slot = entry,
                    None => {
                        if many.is_empty() {
                            many.extend_from_slice(&few);
                        }
                        many.push(entry);
                    }
                }
            }
            count += 1;
            start += segment.len() + 1;
        }
        let mut segments = if many.is_empty() { Segments::Few(few) } else { Segments::Many(many) };
        if matches!(self.canonical, Cow::Owned(_)) {
            let starts = self.raw.bytes().enumerate().filter(|(_, byte)| *byte == b'/');
            for (segment, (slash, _)) in segments.as_mut().iter_mut().zip(starts) {
                segment.raw = u32::try_from(slash + 1).unwrap_or(u32::MAX);
            }
        }
        self.segments = segments;
        self.count = count;
    }

    /// The path in its canonical spelling.
    pub(crate) fn canonical(&self) -> &str {
        &self.canonical
    }

    /// How many segments there are.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    fn at(&self, index: usize) -> Segment {
        self.segments.as_ref().get(index).copied().unwrap_or(Segment {
            raw: u32::MAX,
            canonical: u32::MAX,
            hash: 0,
        })
    }

    /// The segment at `index` as received.
    pub(crate) fn raw_segment(&self, index: usize) -> &'a str {
        segment(self.raw, self.at(index).raw)
    }

    /// The segment at `index` in its canonical spelling.
    pub(crate) fn segment(&self, index: usize) -> &str {
        segment(&self.canonical, self.at(index).canonical)
    }

    /// The path as received, from the slash before the segment at `index`.
    pub(crate) fn raw_from(&self, index: usize) -> &'a str {
        let start = usize::try_from(self.at(index).raw).unwrap_or(usize::MAX);
        start.checked_sub(1).and_then(|slash| self.raw.get(slash..)).unwrap_or_default()
    }

    /// What a `*` after `index` segments stands for, as received.
    pub(crate) fn raw_tail(&self, index: usize) -> &'a str {
        self.raw_from(index).get(1..).unwrap_or_default()
    }

    /// The hash that finds a pattern of `shape` in `group` that matches the path from the segment at
    /// `base` on.
    pub(crate) fn hash(&self, shape: Shape, group: u32, base: usize) -> u64 {
        let segments = self.segments.as_ref().iter().skip(base).map(|segment| segment.hash);
        shape.hash(group, segments)
    }
}

impl Segments {
    fn as_ref(&self) -> &[Segment] {
        match self {
            Self::Few(few) => few,
            Self::Many(many) => many,
        }
    }

    fn as_mut(&mut self) -> &mut [Segment] {
        match self {
            Self::Few(few) => few,
            Self::Many(many) => many,
        }
    }
}

fn segment(text: &str, start: u32) -> &str {
    let start = usize::try_from(start).unwrap_or(usize::MAX);
    let rest = text.get(start..).unwrap_or_default();
    rest.split_once('/').map_or(rest, |(segment, _)| segment)
}
