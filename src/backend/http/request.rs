//! What a request is changed into before it is sent.

use bytes::{BufMut, BytesMut};
use http::header::{Entry, HOST};
use http::uri::PathAndQuery;
use http::{HeaderValue, Request, Uri};

use crate::error::{Error, ErrorKind, Result, Retry};
use crate::model::InvalidDefinition;
use crate::model::definition::Url;

/// The base path put before every path, and the Host.
#[derive(Debug)]
pub(super) struct Rewrite {
    base_path: Box<str>,
    /// The definition's own, which goes before any other.
    host: Option<HeaderValue>,
    /// The URL's, for a request without one.
    authority: HeaderValue,
}

impl Rewrite {
    pub(super) fn new(url: &Url, host: Option<&str>) -> Result<Self, InvalidDefinition> {
        let value = |field: &str, text: &str| {
            HeaderValue::from_str(text)
                .map_err(|error| InvalidDefinition::new(field, error.to_string()))
        };
        Ok(Self {
            base_path: url.base_path().into(),
            host: host.map(|host| value("host", host)).transpose()?,
            authority: value("url", url.authority())?,
        })
    }

    /// Host by precedence: the definition's, the client's that the group passed on, the URL's.
    pub(super) fn apply<B>(&self, request: &mut Request<B>) -> Result<()> {
        match (&self.host, request.headers_mut().entry(HOST)) {
            (Some(host), Entry::Occupied(mut entry)) => {
                entry.insert(host.clone());
            }
            (None, Entry::Occupied(_)) => {}
            (host, Entry::Vacant(entry)) => {
                entry.insert(host.as_ref().unwrap_or(&self.authority).clone());
            }
        }
        if !self.base_path.is_empty() {
            *request.uri_mut() = self.joined(request.uri())?;
        }
        Ok(())
    }

    fn joined(&self, uri: &Uri) -> Result<Uri> {
        let rest = uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let mut joined = BytesMut::with_capacity(self.base_path.len() + rest.len());
        joined.put_slice(self.base_path.as_bytes());
        joined.put_slice(rest.as_bytes());
        PathAndQuery::from_maybe_shared(joined.freeze()).map(Uri::from).map_err(|error| {
            let context = "path is too long behind the base path of the backend";
            Error::new(ErrorKind::UrlTooLarge, Retry::Never, context).caused_by(error)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(url: &str, host: Option<&str>, uri: &str, client: Option<&str>) -> (String, String) {
        let rewrite = Rewrite::new(&url.parse().unwrap(), host).unwrap();
        let mut request = Request::builder().uri(uri);
        if let Some(client) = client {
            request = request.header("host", client);
        }
        let mut request = request.body(()).unwrap();
        rewrite.apply(&mut request).unwrap();
        assert_eq!(request.headers().get_all(HOST).iter().count(), 1);
        let host = request.headers()[HOST].to_str().unwrap().to_owned();
        (request.uri().to_string(), host)
    }

    #[test]
    fn the_base_path_goes_before_and_the_host_by_precedence() {
        for (url, host, uri, client, path, sent) in [
            ("http://a:81/base", None, "/v1?x=1", None, "/base/v1?x=1", "a:81"),
            ("http://a/base/", None, "/", None, "/base/", "a"),
            ("http://a", None, "/v1//x?", None, "/v1//x?", "a"),
            ("http://a", Some("b:1"), "/", Some("c"), "/", "b:1"),
            ("http://a", Some("b"), "/", None, "/", "b"),
            ("http://a", None, "/", Some("c"), "/", "c"),
        ] {
            let expected = (path.to_owned(), sent.to_owned());
            assert_eq!(applied(url, host, uri, client), expected, "{url} {uri}");
        }
    }

    #[test]
    fn a_path_too_long_is_an_error_of_the_client() {
        let base = format!("http://a/{}", "b".repeat(1000));
        let rewrite = Rewrite::new(&base.parse().unwrap(), None).unwrap();
        let mut request =
            Request::builder().uri(format!("/{}", "c".repeat(64_600))).body(()).unwrap();
        let error = rewrite.apply(&mut request).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UrlTooLarge);
    }
}
