//! A request's head as HTTP/2 has it.

use http::header::{CONNECTION, HOST, TE};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Method, Request, Uri, Version};

use crate::error::{Error, ErrorKind, Result, Retry};

/// What `Host` says stands in its URI (RFC 9113 section 8.3.1).
pub(super) fn head(
    scheme: Scheme,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Request<()>> {
    let mut headers = headers.clone();
    let host = headers.remove(HOST);
    let unsendable = |context| Error::new(ErrorKind::Internal, Retry::Never, context);
    let authority = host
        .and_then(|host| Authority::try_from(host.as_bytes()).ok())
        .ok_or_else(|| unsendable("host cannot be sent by HTTP/2"))?;
    headers.remove(CONNECTION);
    if headers.contains_key(TE) {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    let path = uri.path_and_query().cloned();
    let uri = Uri::builder()
        .scheme(scheme)
        .authority(authority)
        .path_and_query(path.unwrap_or_else(|| PathAndQuery::from_static("/")))
        .build()
        .map_err(|error| unsendable("URI cannot be sent by HTTP/2").caused_by(error))?;
    let mut head = Request::new(());
    *head.method_mut() = method.clone();
    *head.uri_mut() = uri;
    *head.version_mut() = Version::HTTP_2;
    *head.headers_mut() = headers;
    Ok(head)
}
