//! AppCodes: who says a name instead of signing (domain §4.3).

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};

use crate::error::{ErrorKind, Result};
use crate::gateway::pairs::{Plus, pairs};
use crate::gateway::receive::refused;
use crate::model::api::AppCode;

/// The query parameter that carries an AppCode.
pub(in crate::gateway) const PARAMETER: &str = "AppCode";
/// The scheme of a header that carries one.
const SCHEME: &[u8] = b"APPCODE";

/// The AppCodes of a request, by the places where they stand.
#[derive(Debug, Default)]
pub(super) struct Shown<'a> {
    header: Option<&'a [u8]>,
    query: Option<Cow<'a, [u8]>>,
    /// Two at one place contradict each other.
    several: bool,
}

impl<'a> Shown<'a> {
    /// `own_header` is the group's header for AppCodes, where it has one.
    pub(super) fn of(
        headers: &'a HeaderMap,
        uri: &'a Uri,
        own_header: Option<&HeaderName>,
    ) -> Self {
        let mut shown = Self::default();
        let name = own_header.unwrap_or(&header::AUTHORIZATION);
        for value in headers.get_all(name) {
            let code = carried(value).or_else(|| own_header.map(|_| value.as_bytes()));
            if let Some(code) = code {
                shown.several |= shown.header.replace(code).is_some_and(|before| before != code);
            }
        }
        let query = pairs(uri.query().unwrap_or_default().as_bytes());
        for pair in query.filter(|pair| pair.is_called(PARAMETER)) {
            let Ok(code) = pair.value(Plus::Space) else {
                shown.several = true;
                continue;
            };
            let before = shown.query.replace(code);
            shown.several |= before.is_some_and(|before| shown.query.as_ref() != Some(&before));
        }
        shown
    }

    pub(super) fn is_there(&self) -> bool {
        self.header.is_some() || self.query.is_some()
    }

    /// The one code that is shown where `allowed` says.
    pub(super) fn code(&self, allowed: AppCode) -> Result<&[u8]> {
        let contradicts = match (self.header, &self.query) {
            (Some(header), Some(query)) => header != &**query,
            _ => false,
        };
        if self.several || contradicts {
            return Err(refused(ErrorKind::InvalidAppCode, "differs from another that is shown"));
        }
        let code = match allowed {
            AppCode::Disable => None,
            AppCode::Header => self.header,
            AppCode::HeaderQuery => self.header.or(self.query.as_deref()),
        };
        code.ok_or_else(|| refused(ErrorKind::MissingCredentials, ""))
    }
}

/// The code in `APPCODE code`.
pub(in crate::gateway) fn carried(value: &HeaderValue) -> Option<&[u8]> {
    let value = value.as_bytes().trim_ascii();
    let (scheme, code) = value.split_at_checked(SCHEME.len())?;
    let ends = code.first().is_none_or(u8::is_ascii_whitespace);
    (scheme.eq_ignore_ascii_case(SCHEME) && ends).then(|| code.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(
        lines: &[(&'static str, &'static str)],
        query: &str,
        own: Option<&str>,
        allowed: AppCode,
    ) -> Result<String, &'static str> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let own = own.map(|name| name.parse::<HeaderName>().unwrap());
        let uri: Uri = format!("/a?{query}").parse().unwrap();
        let shown = Shown::of(&headers, &uri, own.as_ref());
        let code = shown.code(allowed).map_err(|error| error.kind().answer().code)?;
        Ok(String::from_utf8(code.to_vec()).unwrap())
    }

    #[test]
    fn a_code_counts_where_the_api_takes_one() {
        use AppCode::{Disable, Header, HeaderQuery};
        let header = &[("authorization", "appcode  one")][..];
        for (lines, query, own, allowed, expected) in [
            (header, "", None, Header, Ok("one")),
            (header, "", None, HeaderQuery, Ok("one")),
            (header, "", None, Disable, Err("A400MA")),
            (&[], "AppCode=one", None, HeaderQuery, Ok("one")),
            (&[], "%41ppCode=o%6ee", None, HeaderQuery, Ok("one")),
            (&[], "AppCode=one", None, Header, Err("A400MA")),
            (&[], "appcode=one", None, HeaderQuery, Err("A400MA")),
            (header, "AppCode=one", None, Header, Ok("one")),
            (header, "AppCode=two", None, HeaderQuery, Err("A400AC")),
            (header, "AppCode=two", None, Header, Err("A400AC")),
            (&[], "AppCode=one&AppCode=two", None, HeaderQuery, Err("A400AC")),
            (&[], "AppCode=one&AppCode=one", None, HeaderQuery, Ok("one")),
            (&[], "AppCode=%zz", None, HeaderQuery, Err("A400AC")),
            (&[("x-code", "one")], "", Some("x-code"), Header, Ok("one")),
            (&[("x-code", "APPCODE one")], "", Some("x-code"), Header, Ok("one")),
            (header, "", Some("x-code"), Header, Err("A400MA")),
            (&[("authorization", "Bearer one")], "", None, Header, Err("A400MA")),
            (&[("authorization", "APPCODEone")], "", None, Header, Err("A400MA")),
        ] {
            let expected = expected.map(str::to_owned);
            assert_eq!(code(lines, query, own, allowed), expected, "{lines:?} {query}");
        }
    }
}
