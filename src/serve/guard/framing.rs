//! The requests of one HTTP/1 connection, one after the other: where each head and body ends.
//!
//! No I/O and no clock: bytes in, verdicts out. What it lets through, hyper reads in the same way.

use super::body::{After, Body};
use super::head::Head;
use super::line::refusal;
use crate::error::{Error, ErrorKind};
use crate::serve::limits::MAX_EMPTY_LINES;

/// Follows a connection's requests.
#[derive(Debug, Default)]
pub(super) struct Framing {
    at: At,
    empty_lines: u8,
}

#[derive(Debug)]
enum At {
    Head(Head),
    Body(Body),
    Broken(&'static str),
    Refused,
}

impl Default for At {
    fn default() -> Self {
        Self::Head(Head::default())
    }
}

/// What to do with the first bytes that were not let through yet.
#[derive(Debug)]
pub(super) enum Step {
    /// Let so many bytes through: a whole head. Nothing follows that belongs to it if `bare`; what
    /// follows its answer may be another protocol if `upgrade`.
    Head { length: usize, bare: bool, upgrade: bool },
    /// Let so many bytes through: a part of a body, its last if `ends`.
    Body { length: usize, ends: bool },
    /// Take so many bytes away.
    Skip(usize),
    /// Wait for more. They are all of a head that is not whole.
    More,
    /// Answer this and read no further.
    Refuse(Error),
    /// Fail the body under way, and read no further.
    Break(&'static str),
}

impl Framing {
    /// Looks at what follows. `input` starts with the first byte that was not let through or taken
    /// away; what was held back is there again.
    pub(super) fn step(&mut self, input: &[u8]) -> Step {
        match &mut self.at {
            At::Broken(reason) => Step::Break(reason),
            _ if input.is_empty() => Step::More,
            At::Refused => Step::Skip(input.len()),
            At::Body(body) => {
                let piece = body.read(input);
                let length = piece.length;
                match piece.after {
                    After::More => {}
                    After::End => self.at = At::default(),
                    After::Broken(reason) => {
                        self.at = At::Broken(reason);
                        if length == 0 {
                            return Step::Break(reason);
                        }
                    }
                }
                Step::Body { length, ends: piece.after == After::End }
            }
            At::Head(_) => self.head(input),
        }
    }

    fn head(&mut self, input: &[u8]) -> Step {
        if input.starts_with(b"\r\n") {
            if self.empty_lines == MAX_EMPTY_LINES {
                return self.refuse(refusal(ErrorKind::InvalidUri, "too many empty lines"));
            }
            self.empty_lines += 1;
            // Half of the line may have been looked at as the beginning of a head.
            self.at = At::default();
            return Step::Skip(2);
        }
        let At::Head(head) = &mut self.at else {
            return Step::More;
        };
        match head.read(input) {
            Ok(None) => Step::More,
            Ok(Some(whole)) => {
                self.empty_lines = 0;
                let bare = whole.body.is_none();
                self.at = whole.body.map_or_else(At::default, At::Body);
                Step::Head { length: whole.length, bare, upgrade: whole.upgrade && bare }
            }
            Err(error) => self.refuse(error),
        }
    }

    fn refuse(&mut self, error: Error) -> Step {
        self.at = At::Refused;
        Step::Refuse(error)
    }

    /// Whether the next byte belongs to a body.
    pub(super) fn is_in_body(&self) -> bool {
        matches!(self.at, At::Body(_) | At::Broken(_))
    }
}
