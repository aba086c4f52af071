//! A request's head, line by line as it arrives. Where it was cut into pieces makes no difference.

use super::body::Body;
use super::line::{self, Field, bad_field, refusal};
use crate::error::{Error, ErrorKind};
use crate::gateway::limits::{MAX_HEADER_BYTES, MAX_HEADERS};

/// A head under way. Each byte of it is looked at once for its line's end and once within its line.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// Where the line under way begins.
    line: usize,
    /// How far there is no other line end.
    searched: usize,
    /// Absent before the request line's end.
    fields: Option<Fields>,
}

#[derive(Debug)]
struct Fields {
    http_10: bool,
    count: usize,
    /// Where the first of them begins.
    start: usize,
    length: Option<u64>,
    chunked: bool,
    upgrade: bool,
}

/// A head that is whole and says in one way only where its message ends.
#[derive(Debug)]
pub(super) struct Whole {
    /// Bytes of it.
    pub(super) length: usize,
    /// What follows; absent for nothing.
    pub(super) body: Option<Body>,
    /// Whether what follows its answer may be another protocol.
    pub(super) upgrade: bool,
}

impl Head {
    /// Reads on. `input` is all there is of the head, from its first byte.
    pub(super) fn read(&mut self, input: &[u8]) -> Result<Option<Whole>, Error> {
        while let Some(found) = self.next_end(input) {
            let line = input.get(self.line..found).unwrap_or_default();
            let Some(text) = line.strip_suffix(b"\r\n") else {
                self.check_size(line)?;
                return Err(self.bare_line_feed());
            };
            match &mut self.fields {
                None => {
                    line::check_beginning(line)?;
                    self.fields = Some(Fields::after(line::request_line(text)?, found));
                }
                Some(fields) if text.is_empty() => {
                    let upgrade = fields.upgrade && !fields.http_10;
                    return Ok(Some(Whole { length: found, body: fields.body(), upgrade }));
                }
                Some(fields) => {
                    fields.check_size(found)?;
                    fields.take(text)?;
                }
            }
            self.line = found;
            self.searched = found;
        }
        self.searched = input.len();
        let rest = input.get(self.line..).unwrap_or_default();
        // That may be the beginning of the empty line, which does not count.
        if rest != b"\r" {
            self.check_size(rest)?;
        }
        Ok(None)
    }

    fn next_end(&self, input: &[u8]) -> Option<usize> {
        let rest = input.get(self.searched..)?;
        let at = memchr::memchr(b'\n', rest)?;
        Some(self.searched + at + 1)
    }

    fn check_size(&self, line: &[u8]) -> Result<(), Error> {
        match &self.fields {
            None => line::check_beginning(line),
            Some(fields) => fields.check_size(self.line + line.len()),
        }
    }

    fn bare_line_feed(&self) -> Error {
        let kind = match self.fields {
            None => ErrorKind::InvalidUri,
            Some(_) => ErrorKind::InvalidHeader,
        };
        refusal(kind, "a line that ends without CR")
    }
}

impl Fields {
    fn after(http_10: bool, start: usize) -> Self {
        Self { http_10, count: 0, start, length: None, chunked: false, upgrade: false }
    }

    fn check_size(&self, end: usize) -> Result<(), Error> {
        if end - self.start > MAX_HEADER_BYTES {
            let context = format!("more than {MAX_HEADER_BYTES} bytes");
            return Err(refusal(ErrorKind::HeadersTooLarge, context));
        }
        Ok(())
    }

    fn take(&mut self, line: &[u8]) -> Result<(), Error> {
        if self.count == MAX_HEADERS {
            let context = format!("more than {MAX_HEADERS}");
            return Err(refusal(ErrorKind::HeadersTooLarge, context));
        }
        self.count += 1;
        match line::field(line)? {
            Field::Plain => return Ok(()),
            Field::Upgrade => self.upgrade = true,
            Field::ContentLength(_) if self.length.is_some() => {
                return Err(bad_field("`Content-Length` is there twice"));
            }
            Field::ContentLength(length) => self.length = Some(length),
            Field::Chunked if self.chunked => {
                return Err(bad_field("`Transfer-Encoding` is there twice"));
            }
            Field::Chunked if self.http_10 => {
                return Err(bad_field("`Transfer-Encoding` is not of HTTP/1.0"));
            }
            Field::Chunked => self.chunked = true,
        }
        if self.chunked && self.length.is_some() {
            return Err(bad_field("`Transfer-Encoding` is there with `Content-Length`"));
        }
        Ok(())
    }

    fn body(&self) -> Option<Body> {
        match self.length {
            _ if self.chunked => Some(Body::chunked()),
            Some(0) | None => None,
            Some(length) => Some(Body::of_length(length)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::limits::MAX_URI;

    fn kind(text: &str) -> Option<ErrorKind> {
        Head::default().read(text.as_bytes()).err().map(|error| error.kind())
    }

    fn with(fields: &str) -> Option<ErrorKind> {
        let text = format!("POST / HTTP/1.1\r\n{fields}\r\n");
        let mut head = Head::default();
        match head.read(text.as_bytes()) {
            Ok(whole) => {
                assert_eq!(whole.expect(fields).length, text.len());
                None
            }
            Err(error) => Some(error.kind()),
        }
    }

    #[test]
    fn framing_is_said_once() {
        assert_eq!(with(""), None);
        assert_eq!(with("content-length: 1\r\n"), None);
        assert_eq!(with("transfer-encoding: chunked\r\n"), None);
        for fields in [
            "content-length: 1\r\ncontent-length: 1\r\n",
            "content-length: 1\r\ntransfer-encoding: chunked\r\n",
            "transfer-encoding: chunked\r\ncontent-length: 1\r\n",
            "transfer-encoding: chunked\r\ncontent-length: zz\r\n",
            "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
            "a: b\n",
            "a: b\r\n c\r\n",
            "\r\0\r\n",
        ] {
            assert_eq!(with(fields), Some(ErrorKind::InvalidHeader), "{fields:?}");
        }
        let coding = with("transfer-encoding: gzip, chunked\r\n");
        assert_eq!(coding, Some(ErrorKind::NotImplemented));
        let old = "GET / HTTP/1.0\r\ntransfer-encoding: chunked\r\n";
        assert_eq!(kind(old), Some(ErrorKind::InvalidHeader));
    }

    #[test]
    fn too_much_is_refused_before_the_end_is_there() {
        let long = format!("GET /{}", "a".repeat(line::MAX_REQUEST_LINE));
        assert_eq!(kind(&long), Some(ErrorKind::UrlTooLarge));
        let fits = format!("GET /{} HTTP/1.1\r\n", "a".repeat(MAX_URI - 1));
        assert_eq!(kind(&fits), None);
        assert_eq!(kind(&fits.replace("/a", "/aa")), Some(ErrorKind::UrlTooLarge));
        assert_eq!(kind(&"G".repeat(100)), Some(ErrorKind::InvalidUri));
        let value = "v".repeat(MAX_HEADER_BYTES - "a: \r\n".len());
        assert_eq!(with(&format!("a: {value}\r\n")), None);
        assert_eq!(with(&format!("a: {value}v\r\n")), Some(ErrorKind::HeadersTooLarge));
        let unended = format!("GET / HTTP/1.1\r\na: {value}vvv");
        assert_eq!(kind(&unended), Some(ErrorKind::HeadersTooLarge));
        assert_eq!(with(&"a: b\r\n".repeat(MAX_HEADERS)), None);
        let many = "a: b\r\n".repeat(MAX_HEADERS + 1);
        assert_eq!(with(&many), Some(ErrorKind::HeadersTooLarge));
    }
}
