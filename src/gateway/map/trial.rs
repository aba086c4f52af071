//! What becomes of one request, without a gateway around it: what fuzzing looks at.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{Facts, keep, map};
use crate::error::ErrorKind;
use crate::gateway::forward::Source;
use crate::model::Api;
use crate::model::id::ServiceId;
use crate::model::mapping::FORM;
use crate::model::path::RequestPath;
use crate::model::version::Version;

/// What a client sends, its path below the group's base path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trial<'a> {
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) header: (&'a str, &'a [u8]),
    pub(crate) form: &'a [u8],
}

/// What the backend receives: path and query, headers, and the form.
pub(crate) type Received = (String, HeaderMap, Option<Vec<u8>>);

impl Trial<'_> {
    /// What the backend of an API receives; `None` if there is no such API or request, or nothing is
    /// done to its parameters.
    pub(crate) fn of(&self, api: &Api) -> Option<Result<Received, ErrorKind>> {
        let version = Version::accept(api, Some(ServiceId::new(0))).ok()?;
        let rules = version.rules()?;
        let path = RequestPath::parse(self.path).ok()?;
        let shape = version.pattern().shape();
        if !shape.fits(path.len()) || !version.pattern().matches(&path, 0) {
            return None;
        }
        let before_tail = usize::from(shape.length);
        let query = Some(self.query).filter(|query| !query.is_empty());
        let source = Source {
            path: &path,
            query,
            base: 0,
            before_tail,
            keep_app_code: false,
            code_header: None,
        };
        let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, FORM)]);
        let name: HeaderName = self.header.0.parse().ok()?;
        let value = HeaderValue::from_bytes(self.header.1).ok()?;
        // What a body is, is said once.
        if name == CONTENT_TYPE {
            headers.insert(name, value);
        } else {
            headers.append(name, value);
        }
        let address = HeaderValue::from_static("192.0.2.7");
        let facts = Facts { client_ip: Some(&address), ..Facts::default() };
        Some(match map(rules, &source, &headers, Some(self.form), &facts) {
            Ok(mut mapped) => {
                keep(rules, &[], &mut headers);
                mapped.write_head(rules, &mut headers);
                Ok((mapped.uri.to_string(), headers, mapped.form.map(Vec::from)))
            }
            Err(error) => Err(error.kind()),
        })
    }
}
