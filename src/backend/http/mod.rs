//! HTTP and HTTPS endpoints.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use ::http::{Request, Response};

use self::request::Rewrite;
use super::{Backend, Body, Built, Call, Capability, Context, Factory, Probe, Probed};
use crate::error::Result;
use crate::model::definition::{Http, Settings, Url, WireProtocol};
use crate::model::{Definition, InvalidDefinition, Kind};
use crate::transport::Pool;

mod probe;
mod request;

/// Makes backends of [`Kind::HTTP`].
///
/// A URL whose host is an address the egress policy refuses fails the definition. Several endpoints,
/// TLS settings and HTTP/2 are kept but not served yet: their requests are answered with `X503BZ`.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct HttpFactory;

impl Factory for HttpFactory {
    fn kind(&self) -> Kind {
        Kind::HTTP
    }

    fn capability(&self) -> Capability {
        Capability::STREAMING
    }

    fn build(
        &self,
        definition: &Definition,
        context: &Context,
    ) -> Result<Built, InvalidDefinition> {
        let Settings::Http(http) = &definition.settings else {
            return Err(InvalidDefinition::new("kind", "is not http"));
        };
        for (field, text) in urls(http) {
            let url = parse(&field, text)?;
            context
                .transport()
                .check_literal(url.host())
                .map_err(|refused| InvalidDefinition::new(field, refused.to_string()))?;
        }
        if let Some(missing) = missing(http) {
            return Ok(Built::Missing(missing.to_owned()));
        }
        let text =
            http.url.as_deref().ok_or_else(|| InvalidDefinition::new("url", "is required"))?;
        let url = parse("url", text)?;
        let rewrite = Rewrite::new(&url, http.host.as_deref())?;
        Ok(match Pool::new(context.transport(), &url, context.lease()) {
            Ok(pool) => Built::Ready(Arc::new(HttpBackend { pool, rewrite })),
            Err(unsupported) => Built::Missing(unsupported.to_string()),
        })
    }
}

fn urls(http: &Http) -> impl Iterator<Item = (String, &str)> {
    let one = http.url.iter().map(|url| ("url".to_owned(), url.as_str()));
    let several = http.endpoints.iter().enumerate();
    one.chain(
        several.map(|(index, endpoint)| (format!("endpoints[{index}].url"), endpoint.url.as_str())),
    )
}

fn parse(field: &str, text: &str) -> Result<Url, InvalidDefinition> {
    text.parse().map_err(|error| InvalidDefinition::new(field, format!("{error}")))
}

fn missing(http: &Http) -> Option<&'static str> {
    if !http.endpoints.is_empty() || http.balance.is_some() {
        Some("several endpoints are not served yet")
    } else if http.tls.is_some() {
        Some("TLS settings of an endpoint are not served yet")
    } else if http.protocol == Some(WireProtocol::Http2) {
        Some("HTTP/2 to backends is not served yet")
    } else {
        None
    }
}

/// One endpoint, reached by HTTP/1.1.
#[derive(Debug)]
struct HttpBackend {
    pool: Pool,
    rewrite: Rewrite,
}

// Written out, because the future that `async_trait` makes holds the request once more than needed.
impl Backend for HttpBackend {
    fn send<'s, 'c, 'f>(&'s self, mut request: Request<Body>, call: &'c Call) -> Sending<'f>
    where
        's: 'f,
        'c: 'f,
    {
        match self.rewrite.apply(&mut request) {
            Ok(()) => Box::pin(self.pool.send(request, call.timeout())),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn probe<'s, 'p, 'f>(&'s self, probe: &'p Probe) -> Probing<'f>
    where
        's: 'f,
        'p: 'f,
    {
        Box::pin(probe::probe(self.pool.trial(), &self.rewrite, probe))
    }
}

type Sending<'f> = Pin<Box<dyn Future<Output = Result<Response<Body>>> + Send + 'f>>;
type Probing<'f> = Pin<Box<dyn Future<Output = Probed> + Send + 'f>>;
