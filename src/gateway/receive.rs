//! Reading a request's head: what is refused before anybody asks where it should go.

use http::request::Parts;
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version, header};

use super::hop::{self, Class, Seen};
use super::host::Authority;
use super::limits::{MAX_HEADER_BYTES, MAX_HEADERS, MAX_URI};
use super::via::Via;
use crate::error::{Error, ErrorKind, Result, Retry, Stage};

/// What was read of a request's head, once.
#[derive(Debug)]
pub(super) struct Received<'a> {
    pub(super) seen: Seen,
    pub(super) authority: Authority<'a>,
    pub(super) stage: Asked<'a>,
    pub(super) content_length: Option<u64>,
    /// How often it may be forwarded, this time included. Means something for OPTIONS only.
    pub(super) max_forwards: Option<u32>,
}

/// The environment a request asks for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asked<'a> {
    Nothing,
    One(&'a [u8]),
    /// Two headers that contradict each other.
    Several,
}

/// A refusal of the client's request.
pub(super) fn refused(kind: ErrorKind, context: impl Into<String>) -> Error {
    Error::new(kind, Retry::Never, context)
}

/// Whether the connection must not be used after this answer: where the request ends is in doubt, or
/// what follows may be meant for a tunnel that there is not (RFC 9931).
pub(super) fn ends_connection(error: &Error) -> bool {
    use ErrorKind::{InvalidHeader, NotImplemented, UnsupportedMethod};
    matches!(error.kind(), InvalidHeader | NotImplemented | UnsupportedMethod)
        && error.stage() == Stage::Receive
}

/// Reads a head that a gateway called `own` received.
pub(super) fn read<'a>(parts: &'a Parts, own: &Via) -> Result<Received<'a>> {
    if matches!(parts.method, Method::TRACE | Method::CONNECT) {
        return Err(refused(ErrorKind::UnsupportedMethod, format!("`{}`", parts.method)));
    }
    check_uri(parts)?;
    let head = Head::read(&parts.headers)?;
    head.check_framing(&parts.headers)?;
    if head.seen.has(Class::Via) && own.is_in(&parts.headers) {
        return Err(refused(ErrorKind::LoopDetected, ""));
    }
    Ok(Received {
        seen: head.seen,
        authority: head.authority(parts)?,
        stage: head.stage,
        content_length: head.content_length,
        max_forwards: if parts.method == Method::OPTIONS { head.max_forwards()? } else { None },
    })
}

fn check_uri(parts: &Parts) -> Result<()> {
    let path = parts.uri.path_and_query().map_or(0, |it| it.as_str().len());
    let authority = parts.uri.authority().map_or(0, |it| it.as_str().len());
    if path + authority > MAX_URI {
        let context = format!("more than {MAX_URI} bytes");
        return Err(refused(ErrorKind::UrlTooLarge, context));
    }
    check_ascii(parts.uri.path_and_query().map_or("", PathAndQuery::as_str))?;
    match parts.uri.scheme() {
        Some(scheme) if *scheme != Scheme::HTTP && *scheme != Scheme::HTTPS => {
            let reason = "stands behind a scheme other than `http` and `https`";
            Err(refused(ErrorKind::InvalidPath, reason))
        }
        _ => Ok(()),
    }
}

/// Refuses raw bytes beyond ASCII in a target: servers read them in one of several encodings, or not at
/// all (RFC 3986 section 2).
pub(super) fn check_ascii(target: &str) -> Result<()> {
    if target.is_ascii() {
        return Ok(());
    }
    Err(refused(ErrorKind::InvalidPath, "contains bytes that are not ASCII"))
}

fn invalid(name: &str, reason: &str) -> Error {
    refused(ErrorKind::InvalidHeader, format!("`{name}` {reason}"))
}

struct Head<'a> {
    seen: Seen,
    host: Option<&'a HeaderValue>,
    several_hosts: bool,
    stage: Asked<'a>,
    content_length: Option<u64>,
    max_forwards: Option<&'a HeaderValue>,
    /// The last header that says one thing.
    single: Option<(&'a HeaderName, &'a HeaderValue)>,
}

impl<'a> Head<'a> {
    fn read(headers: &'a HeaderMap) -> Result<Self> {
        let mut head = Self {
            seen: Seen::default(),
            host: None,
            several_hosts: false,
            stage: Asked::Nothing,
            content_length: None,
            max_forwards: None,
            single: None,
        };
        if headers.len() > MAX_HEADERS {
            let context = format!("more than {MAX_HEADERS}");
            return Err(refused(ErrorKind::HeadersTooLarge, context));
        }
        let mut bytes = 0;
        for (name, value) in headers {
            bytes += name.as_str().len() + value.len() + ": \r\n".len();
            if is_padded(value.as_bytes()) {
                return Err(invalid(name.as_str(), "begins or ends with a space"));
            }
            let class = hop::class(name.as_str());
            if class != Class::Plain {
                head.take(class, name, value)?;
            }
        }
        if bytes > MAX_HEADER_BYTES {
            let context = format!("more than {MAX_HEADER_BYTES} bytes");
            return Err(refused(ErrorKind::HeadersTooLarge, context));
        }
        Ok(head)
    }

    fn take(&mut self, class: Class, name: &'a HeaderName, value: &'a HeaderValue) -> Result<()> {
        self.seen.add(class);
        match class {
            Class::Host => self.several_hosts |= self.host.replace(value).is_some(),
            Class::Stage => self.ask(value.as_bytes()),
            Class::Authorization | Class::Single => self.once(name, value)?,
            Class::MaxForwards => {
                self.once(name, value)?;
                self.max_forwards = Some(value);
            }
            Class::ContentLength => {
                let length = content_length(value)
                    .ok_or_else(|| invalid("Content-Length", "is not a length"))?;
                if self.content_length.is_some_and(|before| before != length) {
                    return Err(invalid("Content-Length", "is there twice and differs"));
                }
                self.content_length = Some(length);
            }
            _ => {}
        }
        Ok(())
    }

    fn ask(&mut self, stage: &'a [u8]) {
        self.stage = match self.stage {
            Asked::Nothing => Asked::One(stage),
            Asked::One(before) if before == stage => {
                self.seen.add(Class::Repeated);
                Asked::One(stage)
            }
            _ => Asked::Several,
        };
    }

    /// Refuses a header that says one thing and then another. The values of one header come one after
    /// the other.
    fn once(&mut self, name: &'a HeaderName, value: &'a HeaderValue) -> Result<()> {
        match self.single.replace((name, value)) {
            Some((before, said)) if before == name => {
                if said != value {
                    return Err(invalid(name.as_str(), "is there twice and differs"));
                }
                self.seen.add(Class::Repeated);
            }
            _ => {}
        }
        Ok(())
    }

    /// What `Max-Forwards` says. More than can be counted is as much as can be counted (RFC 9110
    /// section 7.6.2).
    fn max_forwards(&self) -> Result<Option<u32>> {
        let Some(value) = self.max_forwards else {
            return Ok(None);
        };
        let digits = value.as_bytes();
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(invalid("Max-Forwards", "is not a number"));
        }
        let number = value.to_str().ok().and_then(|digits| digits.parse().ok());
        Ok(Some(number.unwrap_or(u32::MAX)))
    }

    /// Refuses what two readers could frame in two ways (RFC 9112 section 6.3).
    fn check_framing(&self, headers: &HeaderMap) -> Result<()> {
        if !self.seen.has(Class::TransferEncoding) {
            return Ok(());
        }
        if self.content_length.is_some() {
            return Err(invalid("Transfer-Encoding", "is there with `Content-Length`"));
        }
        let mut lines = headers.get_all(header::TRANSFER_ENCODING).iter();
        let line = lines.next().map_or(&[][..], HeaderValue::as_bytes);
        if lines.next().is_some() {
            return Err(invalid("Transfer-Encoding", "is there twice"));
        }
        transfer_coding(line)
    }

    /// The one authority the request names, in `Host` or in its URI (RFC 9112 section 3.2).
    fn authority(&self, parts: &'a Parts) -> Result<Authority<'a>> {
        if self.several_hosts {
            return Err(invalid("Host", "is there more than once"));
        }
        let given = parts.uri.authority();
        if self.host.is_none() && (given.is_none() || parts.version < Version::HTTP_2) {
            return Err(invalid("Host", "is missing"));
        }
        let parse = |text| Authority::parse(text).ok_or_else(|| invalid("Host", "is not a host"));
        let host = match self.host {
            Some(value) => {
                let text = value.to_str().map_err(|_| invalid("Host", "is not text"))?;
                Some(parse(text)?)
            }
            None => None,
        };
        let given = match given {
            Some(text) => Some(parse(text.as_str())?),
            None => None,
        };
        match (host, given) {
            (Some(host), Some(given)) => {
                let default = if parts.uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
                if host.same(&given, default) {
                    Ok(host)
                } else {
                    Err(invalid("Host", "differs from the request's URI"))
                }
            }
            (Some(authority), None) | (None, Some(authority)) => Ok(authority),
            (None, None) => Err(invalid("Host", "is missing")),
        }
    }
}

/// Whether a value has white space around it, which is no part of it: who compares it before taking
/// that off sees another value (RFC 9110 section 5.5). Servers of HTTP/1 take it off.
fn is_padded(value: &[u8]) -> bool {
    matches!(value, [b' ' | b'\t', ..] | [.., b' ' | b'\t'])
}

/// Accepts the one transfer coding there is. Others before it may be right, and are not served.
pub(crate) fn transfer_coding(line: &[u8]) -> Result<()> {
    let chunked = |coding: &[u8]| coding.trim_ascii().eq_ignore_ascii_case(b"chunked");
    if chunked(line) {
        return Ok(());
    }
    let mut codings = line.rsplit(|byte| *byte == b',');
    let last = codings.next().unwrap_or_default();
    if chunked(last) && !codings.any(|other| chunked(other) || other.trim_ascii().is_empty()) {
        let context = "a transfer coding other than `chunked`";
        let error = refused(ErrorKind::NotImplemented, context);
        return Err(error.at_stage(Stage::Receive));
    }
    Err(invalid("Transfer-Encoding", "is not one `chunked` at the end"))
}

fn content_length(value: &HeaderValue) -> Option<u64> {
    let digits = value.to_str().ok()?;
    // `parse` alone would take a sign.
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests;
