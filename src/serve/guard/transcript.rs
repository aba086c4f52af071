//! What a connection's bytes come to, read as the guard reads them but without I/O. For tests and
//! fuzzing.

use super::framing::{Framing, Step};

/// What was let through, and why no more.
#[derive(Debug, Default)]
pub(crate) struct Transcript {
    /// The bytes that were let through.
    pub(crate) passed: Vec<u8>,
    /// The length of each request's body without its framing; `None` for one that is not whole.
    pub(crate) bodies: Vec<Option<usize>>,
    /// The refusal or the reason that ended it.
    pub(crate) ended: Option<String>,
    /// Heads, and whole requests, as the guard counted them.
    counted: (usize, usize),
}

impl Transcript {
    /// Reads `bytes` in pieces of these lengths, then the rest. Panics where a plainer reading of what
    /// was let through finds other requests than the guard counted.
    pub(crate) fn of(bytes: &[u8], cuts: &[usize]) -> Self {
        let mut transcript = Self::default();
        let mut framing = Framing::default();
        let mut held: Vec<u8> = Vec::new();
        let mut rest = bytes;
        for cut in cuts.iter().copied().chain([usize::MAX]) {
            let (piece, after) = rest.split_at_checked(cut).unwrap_or((rest, &[]));
            rest = after;
            held.extend_from_slice(piece);
            if !transcript.read(&mut framing, &mut held) {
                break;
            }
        }
        transcript.bodies = bodies(&transcript.passed);
        let whole = transcript.bodies.iter().flatten().count();
        assert_eq!(transcript.counted, (transcript.bodies.len(), whole), "{transcript:?}");
        transcript
    }

    fn read(&mut self, framing: &mut Framing, held: &mut Vec<u8>) -> bool {
        loop {
            match framing.step(held) {
                Step::More => return true,
                Step::Skip(length) => drop(held.drain(..length)),
                Step::Head { length, bare, .. } => {
                    self.passed.extend(held.drain(..length));
                    self.counted.0 += 1;
                    self.counted.1 += usize::from(bare);
                }
                Step::Body { length, ends } => {
                    self.passed.extend(held.drain(..length));
                    self.counted.1 += usize::from(ends);
                }
                Step::Refuse(error) => {
                    self.ended = Some(error.to_string());
                    return false;
                }
                Step::Break(reason) => {
                    self.ended = Some(reason.to_owned());
                    return false;
                }
            }
        }
    }
}

/// Reads requests that are right in the plainest way there is.
fn bodies(mut passed: &[u8]) -> Vec<Option<usize>> {
    let mut bodies = Vec::new();
    while let Some((head, rest)) = split(passed, b"\r\n\r\n") {
        let head = String::from_utf8_lossy(head).to_ascii_lowercase();
        let value = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
        let body = if value("transfer-encoding:").is_some() {
            chunked(rest)
        } else {
            let length = value("content-length:").and_then(|it| it.trim().parse().ok());
            let length: usize = length.unwrap_or_default();
            rest.split_at_checked(length).map(|(_, rest)| (length, rest))
        };
        bodies.push(body.map(|(length, _)| length));
        let Some((_, rest)) = body else {
            break;
        };
        passed = rest;
    }
    bodies
}

fn chunked(mut rest: &[u8]) -> Option<(usize, &[u8])> {
    let mut total = 0;
    loop {
        let (line, after) = split(rest, b"\r\n")?;
        let line = String::from_utf8_lossy(line);
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            rest = after;
            break;
        }
        total += size;
        rest = after.get(size.checked_add(2)?..)?;
    }
    loop {
        let (line, after) = split(rest, b"\r\n")?;
        rest = after;
        if line.is_empty() {
            return Some((total, rest));
        }
    }
}

fn split<'a>(bytes: &'a [u8], end: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes.windows(end.len()).position(|window| window == end)?;
    Some((bytes.get(..at)?, bytes.get(at + end.len()..)?))
}
