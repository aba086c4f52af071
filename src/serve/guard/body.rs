//! A request's body, followed to its end by a strict reading of its framing (RFC 9112 section 7.1).

use crate::gateway::limits::{MAX_HEADER_BYTES, MAX_HEADERS};
use crate::serve::limits::MAX_CHUNK_EXTENSIONS;

/// Digits in a chunk's size: as many as 64 bits have.
const MAX_DIGITS: u8 = 16;

/// A body under way.
#[derive(Debug)]
pub(super) struct Body(Kind);

#[derive(Debug)]
enum Kind {
    Length(u64),
    Chunked(Chunked),
}

/// What was found in a piece of it: how many bytes are the body's, and what comes after them.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Piece {
    pub(super) length: usize,
    pub(super) after: After,
}

/// What comes after the bytes that were read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum After {
    /// More of the body.
    More,
    /// The next request.
    End,
    /// A byte that cannot be there.
    Broken(&'static str),
}

#[derive(Debug)]
struct Chunked {
    at: At,
    /// The size of the chunk under way, then what is left of it.
    size: u64,
    digits: u8,
    extensions: usize,
    trailers: usize,
    trailer_bytes: usize,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum At {
    Size,
    SpaceAfterSize,
    Extension,
    SizeEnd,
    Data,
    DataReturn,
    DataEnd,
    Trailer,
    TrailerName,
    TrailerValue,
    TrailerEnd,
    LastEnd,
    Done,
}

impl Body {
    pub(super) fn of_length(length: u64) -> Self {
        Self(Kind::Length(length))
    }

    pub(super) fn chunked() -> Self {
        Self(Kind::Chunked(Chunked {
            at: At::Size,
            size: 0,
            digits: 0,
            extensions: 0,
            trailers: 0,
            trailer_bytes: 0,
        }))
    }

    /// Reads on.
    pub(super) fn read(&mut self, input: &[u8]) -> Piece {
        match &mut self.0 {
            Kind::Length(left) => {
                let length = take(left, input.len());
                Piece { length, after: if *left == 0 { After::End } else { After::More } }
            }
            Kind::Chunked(chunked) => chunked.read(input),
        }
    }
}

/// Takes as much of `left` as there is, and tells how much that was.
fn take(left: &mut u64, available: usize) -> usize {
    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(available);
    *left -= u64::try_from(taken).unwrap_or(*left);
    taken
}

impl Chunked {
    fn read(&mut self, input: &[u8]) -> Piece {
        let mut length = 0;
        while let Some(byte) = input.get(length).copied() {
            if self.at == At::Data {
                length += take(&mut self.size, input.len() - length);
                if self.size == 0 {
                    self.at = At::DataReturn;
                }
                continue;
            }
            match self.step(byte) {
                Ok(next) => self.at = next,
                Err(reason) => return Piece { length, after: After::Broken(reason) },
            }
            length += 1;
            if self.at == At::Done {
                return Piece { length, after: After::End };
            }
        }
        Piece { length, after: After::More }
    }

    fn step(&mut self, byte: u8) -> Result<At, &'static str> {
        match self.at {
            At::Size => self.size(byte),
            At::SpaceAfterSize => match byte {
                b' ' | b'\t' => self.count_extension(At::SpaceAfterSize),
                b';' => self.count_extension(At::Extension),
                b'\r' => Ok(At::SizeEnd),
                _ => Err("a chunk size with something after it"),
            },
            At::Extension => match byte {
                b'\r' => Ok(At::SizeEnd),
                b'\t' | 0x20..=0x7e => self.count_extension(At::Extension),
                _ => Err("a chunk extension with bytes that are not of one"),
            },
            At::SizeEnd if byte == b'\n' && self.size == 0 => Ok(At::Trailer),
            At::SizeEnd if byte == b'\n' => Ok(At::Data),
            At::DataReturn if byte == b'\r' => Ok(At::DataEnd),
            At::DataEnd if byte == b'\n' => {
                self.digits = 0;
                Ok(At::Size)
            }
            At::Trailer | At::TrailerName | At::TrailerValue => self.trailer(byte),
            At::TrailerEnd if byte == b'\n' => Ok(At::Trailer),
            At::LastEnd if byte == b'\n' => Ok(At::Done),
            At::DataReturn | At::DataEnd => Err("a chunk longer than its size"),
            _ => Err("a line that ends in some other way than CRLF"),
        }
    }

    fn size(&mut self, byte: u8) -> Result<At, &'static str> {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ if self.digits == 0 => return Err("no chunk size"),
            b' ' | b'\t' => return self.count_extension(At::SpaceAfterSize),
            b';' => return self.count_extension(At::Extension),
            b'\r' => return Ok(At::SizeEnd),
            _ => return Err("a chunk size that is not one"),
        };
        if self.digits == MAX_DIGITS {
            return Err("a chunk size of too many digits");
        }
        self.digits += 1;
        self.size = self.size << 4 | u64::from(digit);
        Ok(At::Size)
    }

    fn count_extension(&mut self, next: At) -> Result<At, &'static str> {
        self.extensions += 1;
        if self.extensions > MAX_CHUNK_EXTENSIONS {
            return Err("too many bytes of chunk extensions");
        }
        Ok(next)
    }

    fn trailer(&mut self, byte: u8) -> Result<At, &'static str> {
        if self.at == At::Trailer && byte == b'\r' {
            return Ok(At::LastEnd);
        }
        // Every trailer counts its line end too, as hyper does.
        self.trailer_bytes += if self.at == At::Trailer { 3 } else { 1 };
        if self.trailer_bytes >= MAX_HEADER_BYTES - "\r\n".len() {
            return Err("too many bytes of trailers");
        }
        let token = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        match self.at {
            At::Trailer if token => {
                self.trailers += 1;
                if self.trailers >= MAX_HEADERS {
                    return Err("too many trailers");
                }
                Ok(At::TrailerName)
            }
            At::TrailerName if token => Ok(At::TrailerName),
            At::TrailerName if byte == b':' => Ok(At::TrailerValue),
            At::TrailerValue if byte == b'\r' => Ok(At::TrailerEnd),
            At::TrailerValue if !matches!(byte, 0..=8 | 10..=31 | 127) => Ok(At::TrailerValue),
            _ => Err("a trailer that is not one"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunked(text: &str) -> Piece {
        Body::chunked().read(text.as_bytes())
    }

    #[test]
    fn a_body_ends_where_its_last_chunk_does() {
        for body in [
            "0\r\n\r\n",
            "1\r\nZ\r\n0\r\n\r\n",
            "A \t;x=\"y\"\r\n0123456789\r\n000\r\na: b\r\nc:\r\n\r\n",
        ] {
            let piece = chunked(&format!("{body}GET"));
            assert_eq!(piece, Piece { length: body.len(), after: After::End }, "{body}");
            for cut in 0..body.len() {
                let mut other = Body::chunked();
                let (start, rest) = body.split_at(cut);
                assert_eq!(other.read(start.as_bytes()).after, After::More);
                assert_eq!(other.read(rest.as_bytes()).after, After::End);
            }
        }
        assert_eq!(chunked("ffffffffffffffff\r\nZ").after, After::More);
    }

    #[test]
    fn everything_else_breaks_it() {
        for body in [
            "\r\n",
            "0x1\r\n",
            "+1\r\n",
            "-1\r\n",
            " 1\r\n",
            "0_1\r\n",
            "1\nZ",
            "1\r\nZ\n",
            "1\r\nZZ",
            "1;a\n",
            "1;a\0\r\n",
            "1;a\rb",
            "1 2\r\n",
            "0\r\n\n",
            "0\r\na\r\n",
            "0\r\n: b\r\n",
            "0\r\na: \0\r\n",
            "0\r\na: b\n",
            "10000000000000001\r\n",
            "0\r\n a: b\r\n",
        ] {
            let after = chunked(body).after;
            assert!(matches!(after, After::Broken(_)), "{body:?} {after:?}");
        }
        let long = format!("1;{}", "a".repeat(MAX_CHUNK_EXTENSIONS));
        assert!(matches!(chunked(&long).after, After::Broken(_)));
        let many = format!("0\r\n{}", "a: b\r\n".repeat(MAX_HEADERS));
        assert!(matches!(chunked(&many).after, After::Broken(_)));
        let large = format!("0\r\na: {}\r\n", "b".repeat(MAX_HEADER_BYTES));
        assert!(matches!(chunked(&large).after, After::Broken(_)));
    }

    #[test]
    fn a_length_is_kept() {
        let mut body = Body::of_length(3);
        assert_eq!(body.read(b"ab"), Piece { length: 2, after: After::More });
        assert_eq!(body.read(b"cGET"), Piece { length: 1, after: After::End });
    }
}
